"""Every route against every kind of caller. The routes come from the application itself: a new one without a row fails."""

from uuid import UUID, uuid4

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
from tests.acceptance.guard_rows import ROWS
from tests.service import UPLOADS, Service, execute, stored


def guarded_routes() -> dict[tuple[str, str], Scope | None]:
    engine = create_engine("postgresql+psycopg://nobody@/nothing")
    app = create_app(Settings(), Databases(engine, engine))
    engine.dispose()
    found: dict[tuple[str, str], Scope | None] = {}
    for route in routes_of(app):
        if route.path not in PUBLIC:
            scope = scope_of(route.dependant)
            found |= {(method, route.path): scope for method in sorted(route.methods or ())}
    return found


GUARDED = guarded_routes()
SPOOFED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-For": "10.0.0.1",
    "X-Forwarded-Proto": "https",
    "Forwarded": "host=evil.example",
}
"""What a caller may say of where it calls: no link of ours follows it (row 96 of the catalogue of bad input)."""


def call(  # noqa: PLR0917 - read as a sentence at each of its many calls
    service: Service,
    method: str,
    path: str,
    token: str | None,
    names: dict[str, str],
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    row = ROWS[method, path]
    return service.client(token).http.request(
        method,
        path.format(**names),
        params=row.query,
        headers=row.headers | (headers or {}),
        json=row.json,
        content=row.content,
        files=row.files,
    )


def names_of(service: Service, method: str, path: str, owner: UUID, token: str) -> dict[str, str]:
    make = ROWS[method, path].make
    return make(service, owner, token) if make else {}


@pytest.fixture(scope="module")
def others(service: Service) -> str:
    """The token of an organisation that may do everything, with what is its own."""
    return service.token(service.owner())


def test_every_route_has_a_row() -> None:
    assert set(ROWS) == set(GUARDED)


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_who_may_not_is_refused_and_nothing_happens(
    service: Service, others: str, method: str, path: str
) -> None:
    owner = service.owner()
    lacking = [scope for scope in Scope if scope is not GUARDED[method, path]]
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        good, revoked, expired = (create_token(connection, owner, scopes=[*Scope], days=1) for _ in range(3))
        narrow = create_token(connection, owner, scopes=lacking, days=1)
        revoke_token(connection, revoked.split("_")[2])
    execute(
        service,
        "UPDATE ler.access_token SET expires_at = now() WHERE prefix = %s",
        expired.split("_")[2],
    )
    names = names_of(service, method, path, owner, good)
    changed = good[:20] + ("a" if good[20] != "a" else "b") + good[21:]
    refused: dict[str, tuple[str | None, int, str]] = {
        "no token": (None, 401, "token-missing"),
        "no token of ours": ("secret", 401, "token-invalid"),
        "changed": (changed, 401, "token-invalid"),
        "unknown": (good.replace(good.split("_")[2], "AAAAAAAA"), 401, "token-invalid"),
        "alg none": ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", 401, "token-invalid"),
        "expired": (expired, 401, "token-invalid"),
        "revoked": (revoked, 401, "token-invalid"),
    }
    if GUARDED[method, path] is not None:
        refused["wrong scope"] = (narrow, 403, "scope-missing")
    if ROWS[method, path].personal:
        refused["other owner"] = (others, 404, "not-found")
    before = stored(service)
    for kind, (token, status, slug) in refused.items():
        answer = call(service, method, path, token, names)
        assert answer.status_code == status, kind
        if method != "HEAD":
            assert answer.json()["type"] == f"/problems/{slug}", kind
            assert answer.headers["Content-Type"] == "application/problem+json"
        if status == 401:
            assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert stored(service) == before

    owners = call(service, method, path, good, names, SPOOFED)
    assert owners.status_code == ROWS[method, path].status, owners.text
    assert "evil" not in owners.text + str(owners.headers)


@pytest.mark.parametrize(("method", "path"), [key for key, row in ROWS.items() if row.personal])
def test_anothers_thing_and_none_are_told_alike(
    service: Service, others: str, method: str, path: str
) -> None:
    owner = service.owner()
    theirs = names_of(service, method, path, owner, service.token(owner))
    nobodys = {name: str(uuid4()) for name in theirs}
    answers = [call(service, method, path, others, names) for names in (theirs, nobodys)]
    told = []
    for answer, names in zip(answers, (theirs, nobodys), strict=True):
        text = answer.text
        for value in names.values():
            text = text.replace(value, "ID")
        told.append(text)
    assert told[0] == told[1]
    # What differs with every call: its number, its moment, and how many of them are left.
    changing = {"x-request-id", "date", "ratelimit-remaining", "ratelimit-reset"}
    headers = [
        {name: value for name, value in answer.headers.items() if name not in changing} for answer in answers
    ]
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
