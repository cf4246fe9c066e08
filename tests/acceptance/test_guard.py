"""Every route against every kind of caller. The routes come from the application itself: a new one without a row fails."""

from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import pytest

from geoapi.app import DESCRIPTION, PUBLIC, create_app, routes_of
from geoapi.auth import scope_of
from geoapi.database import Databases
from ler.db.engine import create_engine, transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.services.tokens import create_token, revoke_token
from ler.settings import Settings
from tests.answers import answer
from tests.service import UPLOADS, Service, execute, stored

GML = answer().encode()


@dataclass(frozen=True)
class Row:
    """How a route is called, and what its owner is answered for an upload that awaits its parts."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    json: dict[str, object] | None = None
    content: bytes | None = None
    query: dict[str, str] = field(default_factory=dict)
    personal: bool = True
    """Whether the address names an upload, which others must not find."""


ROWS = {
    ("GET", UPLOADS): Row(200, personal=False),
    ("POST", UPLOADS): Row(201, {"Idempotency-Key": "k"}, {"file_name": "a.gml", "size": 9}, personal=False),
    ("GET", UPLOADS + "/{upload_id}"): Row(200),
    ("DELETE", UPLOADS + "/{upload_id}"): Row(200),
    ("GET", UPLOADS + "/{upload_id}/events"): Row(200),
    ("HEAD", UPLOADS + "/{upload_id}/content"): Row(204),
    ("PATCH", UPLOADS + "/{upload_id}/content"): Row(204, {"Upload-Offset": "0"}, content=GML[:10]),
    ("PUT", UPLOADS + "/{upload_id}/content"): Row(202, content=GML),
    ("GET", UPLOADS + "/{upload_id}/comparison"): Row(409),
    ("POST", UPLOADS + "/{upload_id}/approve"): Row(409, {"If-Match": "*"}),
    ("POST", UPLOADS + "/{upload_id}/reject"): Row(409, {"If-Match": "*"}),
    ("GET", UPLOADS + "/{upload_id}/report"): Row(409),
    ("GET", "/api/v1/network/versions"): Row(200, personal=False),
    ("GET", "/api/v1/network/features"): Row(404, personal=False),
    ("GET", "/api/v1/network/quality"): Row(200, personal=False),
    ("GET", "/api/v1/network/quality/picture"): Row(404, personal=False),
    ("GET", "/api/v1/network/comparison"): Row(404, personal=False, query={"from": "1", "to": "2"}),
}


def guarded_routes() -> dict[tuple[str, str], Scope]:
    engine = create_engine("postgresql+psycopg://nobody@/nothing")
    app = create_app(Settings(), Databases(engine, engine))
    engine.dispose()
    found: dict[tuple[str, str], Scope] = {}
    for route in routes_of(app):
        scope = scope_of(route.dependant)
        if route.path not in PUBLIC:
            assert scope is not None, route.path
            found |= {(method, route.path): scope for method in route.methods or ()}
    return found


GUARDED = guarded_routes()


def call(service: Service, method: str, path: str, token: str | None, upload: str) -> httpx.Response:
    row = ROWS[method, path]
    client = service.client(token)
    return client.http.request(
        method,
        path.replace("{upload_id}", upload),
        params=row.query,
        headers=row.headers,
        json=row.json,
        content=row.content,
    )


def test_every_route_has_a_row() -> None:
    assert set(ROWS) == set(GUARDED)


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_who_may_not_is_refused_and_nothing_happens(service: Service, method: str, path: str) -> None:
    owner, other = service.owner(), service.owner()
    upload = service.client(service.token(owner)).announce(GML).headers["Location"].rpartition("/")[2]
    good = service.token(owner)
    lacking = [scope for scope in Scope if scope is not GUARDED[method, path]]
    revoked, expired = service.token(owner), service.token(owner)
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        revoke_token(connection, revoked.split("_")[2])
    execute(
        service,
        "UPDATE ler.access_token SET expires_at = now() WHERE prefix = %s",
        expired.split("_")[2],
    )
    changed = good[:20] + ("a" if good[20] != "a" else "b") + good[21:]
    refused: dict[str, tuple[str | None, int, str]] = {
        "no token": (None, 401, "token-missing"),
        "no token of ours": ("secret", 401, "token-invalid"),
        "changed": (changed, 401, "token-invalid"),
        "unknown": (good.replace(good.split("_")[2], "AAAAAAAA"), 401, "token-invalid"),
        "alg none": ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", 401, "token-invalid"),
        "expired": (expired, 401, "token-invalid"),
        "revoked": (revoked, 401, "token-invalid"),
        "wrong scope": (service.token(owner, *lacking), 403, "scope-missing"),
    }
    if ROWS[method, path].personal:
        refused["other owner"] = (service.token(other), 404, "not-found")
    before = stored(service)
    for kind, (token, status, slug) in refused.items():
        answer = call(service, method, path, token, upload)
        assert answer.status_code == status, kind
        if method != "HEAD":
            assert answer.json()["type"] == f"/problems/{slug}", kind
            assert answer.headers["Content-Type"] == "application/problem+json"
        if status == 401:
            assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert stored(service) == before

    owners = call(service, method, path, good, upload)
    assert owners.status_code == ROWS[method, path].status, owners.text


@pytest.mark.parametrize(("method", "path"), [key for key, row in ROWS.items() if row.personal])
def test_anothers_upload_and_none_are_told_alike(service: Service, method: str, path: str) -> None:
    theirs = service.program().announce(GML).headers["Location"].rpartition("/")[2]
    token = service.token(service.owner())
    nobodys = str(uuid4())
    answers = [call(service, method, path, token, upload) for upload in (theirs, nobodys)]
    told = [answer.text.replace(theirs, "ID").replace(nobodys, "ID") for answer in answers]
    assert told[0] == told[1]
    headers = [{**answer.headers, "x-request-id": "", "date": ""} for answer in answers]
    assert headers[0] == headers[1]


def test_a_token_is_taken_as_the_password_of_basic_authentication(service: Service) -> None:
    token = service.token(service.owner())
    assert httpx.get(f"{service.url}{UPLOADS}", auth=("anything", token)).status_code == 200
    assert httpx.get(f"{service.url}{UPLOADS}", auth=(token, "")).status_code == 401
    for header in ("Basic !!!", "Basic", "Digest x", f"Bearer{token}", "Bearer ;"):
        assert httpx.get(f"{service.url}{UPLOADS}", headers={"Authorization": header}).status_code == 401
    assert httpx.get(f"{service.url}{UPLOADS}?token={token}").status_code in {400, 401}


@pytest.mark.parametrize("path", ["/healthz", "/problems", "/problems/token-invalid", DESCRIPTION])
def test_what_is_public_is_answered_without_a_token(service: Service, path: str) -> None:
    assert service.client(None).http.get(path).status_code == 200


def test_a_revoked_token_ends_at_once(service: Service) -> None:
    owner = service.owner()
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        token = create_token(connection, owner, scopes=[*Scope], days=1)
    client = service.client(token)
    assert client.http.get(UPLOADS).status_code == 200
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        revoke_token(connection, token.split("_")[2])
    assert client.http.get(UPLOADS).status_code == 401
