"""Every route against every kind of caller. The routes come from the application itself: a new one without a row fails."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from geoapi.app import DESCRIPTION, PUBLIC, create_app, routes_of
from geoapi.auth import scope_of
from geoapi.database import Databases
from geoapi.routes.verification import KEYS
from ler.db.engine import create_engine, transaction
from ler.db.reading import ReadPool
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.services.tokens import create_token, revoke_token
from ler.settings import Settings
from tests.acceptance.guard_rows import ROWS
from tests.service import UPLOADS, Service, execute, stored


def guarded_routes() -> dict[tuple[str, str], Scope | None]:
    engine = create_engine("postgresql+psycopg://nobody@/nothing")
    app = create_app(Settings(), Databases(engine, engine, ReadPool("", size=1)))
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
    return service.client(token).http.request(**asked_for(method, path, names, headers))


def asked_for(
    method: str, path: str, names: dict[str, str], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """How a route is called, for any client of httpx."""
    row = ROWS[method, path]
    return {
        "method": method,
        "url": path.format(**names),
        "params": row.query,
        "headers": row.headers | (headers or {}),
        "json": row.json,
        "content": row.content,
        "files": row.files,
    }


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


UNUSED = 2_000_000_000
"""A number that nothing has; told as long as an id."""


@dataclass(frozen=True)
class Watched:
    """The application in this process, and what it asks of the database."""

    app: FastAPI
    statements: list[str]

    def call(self, **asked: Any) -> httpx.Response:  # noqa: ANN401 - as httpx takes it
        async def called() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
                return await http.request(**asked)

        self.statements.clear()
        return asyncio.run(called())


@pytest.fixture(scope="module")
def watched(service: Service) -> Iterator[Watched]:
    databases = service.world.databases
    settings = Settings(upload_dir=service.files, blob_dir=service.blobs, refusals_per_minute=100_000)
    made = Watched(create_app(settings, databases), [])

    def note(_: object, __: object, statement: str, *___: object) -> None:
        made.statements.append(statement)

    engines = (databases.app, databases.worker)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield made
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(("method", "path"), [key for key, row in ROWS.items() if row.personal])
def test_anothers_thing_and_none_are_told_alike(
    service: Service, others: str, watched: Watched, method: str, path: str
) -> None:
    """With the same words, headers and statements: not by how long it takes either is one told from the other."""
    owner = service.owner()
    good = service.token(owner)
    theirs = names_of(service, method, path, owner, good)
    headers = {"Authorization": f"Bearer {others}"}
    if method == "GET":
        # Who has guessed what another's thing says is not told that it still says so.
        tag = call(service, method, path, good, theirs).headers.get("ETag")
        headers |= {"If-None-Match": tag} if tag else {}
    ids = {name: str(uuid4()) for name, value in theirs.items() if not value.isdecimal()}
    nobodys = theirs | (ids or dict.fromkeys(theirs, f"{UNUSED:036}"))
    answers, told, asked = [], [], []
    for names in (theirs, nobodys):
        answer = watched.call(**asked_for(method, path, names, headers))
        asked.append(list(watched.statements))
        answers.append(answer)
        text = answer.text
        for value in names.values():
            text = text.replace(value, "ID")
        told.append(text)
    assert [answer.status_code for answer in answers] == [404, 404]
    assert told[0] == told[1]
    assert asked[0] == asked[1]
    assert asked[0], "something was asked"
    # What differs with every call: its number, and how many of them are left.
    changing = {"x-request-id", "ratelimit-remaining", "ratelimit-reset"}
    given = [
        {name: value for name, value in answer.headers.items() if name not in changing} for answer in answers
    ]
    assert given[0] == given[1]
    assert not {"etag", "last-modified"} & given[0].keys()


def test_a_token_is_taken_as_the_password_of_basic_authentication(service: Service) -> None:
    token = service.token(service.owner())
    assert httpx.get(f"{service.url}{UPLOADS}", auth=("anything", token)).status_code == 200
    assert httpx.get(f"{service.url}{UPLOADS}", auth=(token, "")).status_code == 401
    for header in ("Basic !!!", "Basic", "Digest x", f"Bearer{token}", "Bearer ;"):
        assert httpx.get(f"{service.url}{UPLOADS}", headers={"Authorization": header}).status_code == 401
    assert httpx.get(f"{service.url}{UPLOADS}?token={token}").status_code in {400, 401}


@pytest.mark.parametrize(
    "path", ["/healthz", "/problems", "/problems/token-invalid", "/verify", KEYS, DESCRIPTION]
)
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
