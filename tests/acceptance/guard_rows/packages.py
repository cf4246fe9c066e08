"""Routes of packages and of what happens to requests."""

import hashlib
from uuid import UUID

from shapely import MultiPolygon, box

from ler.blobs import FolderStore
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.registry import register_interest_area
from ler.settings import Settings
from tests.acceptance.guard_rows.row import Row
from tests.entering import enter_package
from tests.service import Service

LINKS = "/api/v1/packages/{package_id}/links"
CONTENT = b"a package"
COVERAGE = Settings().coverage


def a_request(service: Service, organisation: UUID, _: str) -> dict[str, str]:
    """A request that was matched; no worker runs."""
    return {"request_id": str(service.asks(organisation))}


def a_package(service: Service, organisation: UUID, _: str) -> dict[str, str]:
    """A package of a request, kept as a worker keeps it."""
    request = service.asks(organisation)
    _enter(service, request, None)
    return {"package_id": _package_of(service, request)}


def an_owners_package(service: Service, organisation: UUID, _: str) -> dict[str, str]:
    """A package of an owner's own answers to somebody else's request."""
    west = 300_000 + organisation.int % 10_000 * 50
    area = box(west, 6_200_000, west + 10, 6_200_010)
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        register_interest_area(
            connection, organisation, utility_types=["vand"], area=MultiPolygon([area]), coverage=COVERAGE
        )
    request = service.asks(service.owner(), area)
    _enter(service, request, organisation)
    with service.world.database.connect() as connection:
        row = connection.execute(
            "SELECT id FROM ler.owner_request WHERE request_id = %s AND owner_id = %s",
            [request, organisation],
        ).fetchone()
    assert row is not None
    return {"owner_request_id": str(row[0])}


def _enter(service: Service, request: UUID, owner: UUID | None) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    kept = service.folder / "content"
    kept.write_bytes(CONTENT)
    FolderStore(service.folder / "blobs").put(kept)
    with transaction(service.world.databases.worker, None, request=request) as connection:
        enter_package(connection, request, owner=owner, sha256=digest, size_bytes=len(CONTENT))


def _package_of(service: Service, request: UUID) -> str:
    with service.world.database.connect() as connection:
        row = connection.execute("SELECT id FROM ler.package WHERE request_id = %s", [request]).fetchone()
    assert row is not None
    return str(row[0])


def a_comparable_package(service: Service, organisation: UUID, _: str) -> dict[str, str]:
    """A request with a package that can be compared."""
    request = service.asks(organisation)
    with transaction(service.world.databases.worker, None, request=request) as connection:
        enter_package(connection, request, manifest={"owners": []})
    return {"package_id": _package_of(service, request)}


def a_link(service: Service, organisation: UUID, token: str) -> dict[str, str]:
    """A link to a package."""
    names = a_package(service, organisation, token)
    answer = service.client(token).http.post(LINKS.format(**names), json={"days": 1})
    return {**names, "link_id": answer.json()["id"]}


ROWS = {
    ("GET", LINKS): Row(200, make=a_package),
    ("POST", LINKS): Row(201, make=a_package, json={}),
    ("DELETE", f"{LINKS}/{{link_id}}"): Row(204, make=a_link),
    ("GET", "/api/v1/packages/{package_id}/changes"): Row(
        200, query={"since": "1"}, make=a_comparable_package
    ),
    ("GET", "/api/v1/deliveries"): Row(200),
    ("GET", "/api/v1/requests/{request_id}/packages"): Row(200, make=a_request),
    ("GET", "/api/v1/requests/{request_id}/events"): Row(200, make=a_request),
    ("GET", "/api/v1/packages/{package_id}"): Row(200, make=a_package),
    ("HEAD", "/api/v1/packages/{package_id}"): Row(200, make=a_package),
    ("GET", "/api/v1/packages/{package_id}/manifest"): Row(200, make=a_package),
    ("GET", "/api/v1/packages/{package_id}/downloads"): Row(200, make=a_package),
    ("GET", "/api/v1/owner-requests/{owner_request_id}/package/downloads"): Row(200, make=an_owners_package),
    ("GET", "/api/v1/owner-requests/{owner_request_id}/package"): Row(200, make=an_owners_package),
    ("HEAD", "/api/v1/owner-requests/{owner_request_id}/package"): Row(200, make=an_owners_package),
}
