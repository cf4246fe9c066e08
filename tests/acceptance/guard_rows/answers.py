"""Routes of what owners are asked and answer."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from shapely import MultiPolygon, box

from conflicts.match import match_request
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.answers import list_asked
from ler.services.registry import register_interest_area
from ler.services.requests import NewRequest, create_request
from ler.settings import Settings
from tests.acceptance.guard_rows.row import Row
from tests.service import Service

PATH = "/api/v1/owner-requests"
ONE = PATH + "/{owner_request_id}"


def place(owner: UUID) -> tuple[float, float]:
    """A place of the owner's own, so that no other owner is asked."""
    return 130_000 + (owner.int % 40_000) * 20, 5_910_000 + (owner.int // 40_000 % 25_000) * 20


def ask_owner(
    service: Service, owner: UUID, requester: UUID = PLATFORM_OPERATOR, address_ids: Sequence[UUID] = ()
) -> dict[str, str]:
    """Let an owner be asked for one area of its own; return the names of the request, of what was asked and of the area."""
    east, north = place(owner)
    databases = service.world.databases
    with transaction(databases.app, PLATFORM_OPERATOR) as connection:
        register_interest_area(
            connection,
            owner,
            utility_types=["vand"],
            area=MultiPolygon([box(east, north, east + 10, north + 10)]),
            coverage=Settings().coverage,
        )
    wanted = NewRequest(
        box(east, north, east + 10, north + 10),
        date(2026, 12, 1),
        date(2026, 12, 9),
        "x",
        address_ids=address_ids,
    )
    with transaction(databases.app, requester) as connection:
        request = create_request(connection, requester, wanted)
        match_request(connection, request.id)
    with transaction(databases.app, owner) as connection:
        one = next(one for one in list_asked(connection, most=100) if one.request_id == request.id)
    return {
        "owner_request_id": str(one.id),
        "request_id": str(request.id),
        "interest_area_id": str(one.interest_area_id),
    }


def asked(service: Service, owner: UUID, _: str) -> dict[str, str]:
    return ask_owner(service, owner)


def asked_by_it(service: Service, requester: UUID, _: str) -> dict[str, str]:
    return ask_owner(service, service.owner(), requester)


NO_LINES: dict[str, object] = {"type": "ingen ledninger i graveområde"}
MEETING: dict[str, object] = {
    "starts_at": "2099-12-01T09:00:00+01:00",
    "ends_at": "2099-12-01T10:00:00+01:00",
    "place": "x",
    "contact": "y",
}

ROWS = {
    ("GET", PATH): Row(200),
    ("GET", ONE): Row(200, make=asked),
    ("POST", ONE + "/acknowledge"): Row(200, make=asked),
    ("GET", ONE + "/answers"): Row(200, make=asked),
    ("POST", ONE + "/answers"): Row(201, {"Idempotency-Key": "k"}, NO_LINES, make=asked),
    ("POST", ONE + "/withdraw"): Row(409, json={}, make=asked),
    ("PUT", ONE + "/appointment"): Row(409, json=MEETING, make=asked),
    ("POST", ONE + "/mark"): Row(409, json={}, make=asked),
    ("POST", ONE + "/ask-to-mark"): Row(409, json={"reason": "x"}, make=asked_by_it),
    ("PUT", "/api/v1/interest-areas/{interest_area_id}/answering"): Row(
        200, json={"answered_by": "owner"}, make=asked
    ),
}
