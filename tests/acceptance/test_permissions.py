"""The permission matrix: every route of the application against every role, alone and by mandate.

Routes and scopes come from the application, what a role permits from the law; a route that is added is in the matrix
from then on, called as its row of `guard_rows` says. What a role may call of another's is answered as if it were not
there, but for the cells that are named in `ELSEWHERE`.
"""

from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert

from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR, mandate, organisation
from ler.domain.access import Scope
from ler.domain.roles import MANDATABLE, PERMISSIONS_OF, Role
from ler.services.grants import grant_role
from tests.acceptance.guard_rows import ROWS
from tests.acceptance.test_guard import GUARDED, call, names_of
from tests.service import Service, execute, stored

ELSEWHERE: dict[tuple[str, str, Role], int] = {
    **{
        ("GET", f"/api/v1/{path}", role): 200
        for path in (
            *("grants/{grant_id}", "mandates/{mandate_id}", "organisations/{organisation_id}"),
            *(
                "interest-areas/{number}",
                "interest-areas/{number}/revisions",
                "dispensations/{dispensation_id}",
            ),
        )
        for role in (Role.OPERATOR, Role.AUDITOR)
    },
    # Authorities and supervision look after damages, whoever's they are.
    **{
        ("GET", f"/api/v1/{path}", role): 200
        for path in (
            *("damages/{damage_id}", "deviations/{deviation_id}"),
            "deviations/{deviation_id}/photos/{number}/content",
        )
        for role in (Role.AUTHORITY, Role.OPERATOR, Role.AUDITOR)
    },
    # The operator keeps the register: it helps whoever cannot help himself, and ends what must end.
    **{
        (method, f"/api/v1/{path}", Role.OPERATOR): status
        for method, path, status in (
            ("DELETE", "grants/{grant_id}", 200),
            ("DELETE", "mandates/{mandate_id}", 200),
            ("DELETE", "dispensations/{dispensation_id}", 200),
            ("PATCH", "organisations/{organisation_id}", 200),
            ("GET", "members/{member_id}", 200),
            ("PUT", "members/{member_id}", 200),
            ("DELETE", "members/{member_id}", 200),
            ("PUT", "interest-areas/{number}", 200),
            ("DELETE", "interest-areas/{number}", 204),
            ("GET", "tokens/{token_id}", 200),
        )
    },
}
"""What a role is answered about another's thing that it may see: the register and the trail have readers."""

OWN_ONLY = {
    ("POST", "/api/v1/members"): (403, "role-missing"),
    ("PUT", "/api/v1/members/{member_id}"): (403, "role-missing"),
    ("DELETE", "/api/v1/members/{member_id}"): (403, "role-missing"),
    ("POST", "/api/v1/mandates"): (403, "role-missing"),
    ("DELETE", "/api/v1/mandates/{mandate_id}"): (403, "role-missing"),
    ("POST", "/api/v1/duct-offers"): (403, "role-missing"),
    ("DELETE", "/api/v1/duct-offers/{offer_id}"): (403, "role-missing"),
}
"""What an organisation does itself and nobody for it, whatever the mandate says, and how that is answered."""

ALONE = [role for role in Role if role is not Role.OPERATOR]


@dataclass(frozen=True)
class Cast:
    """One organisation a role, each with a token that carries everything; and one that is granted nothing."""

    of: dict[Role, str]
    nothing: str
    provider: UUID
    provider_token: str


def enter(service: Service, cvr: str, *roles: Role) -> UUID:
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        made: UUID = connection.execute(
            insert(organisation).values(cvr=cvr, name=f"as {', '.join(roles)}").returning(organisation.c.id)
        ).scalar_one()
        for role in roles:
            grant_role(connection, made, role)
    return made


@pytest.fixture(scope="module")
def cast(service: Service) -> Cast:
    of = {role: service.token(enter(service, f"3000000{number}", role)) for number, role in enumerate(ALONE)}
    provider = enter(service, "30000010", Role.PROVIDER)
    return Cast(
        of=of | {Role.OPERATOR: service.token(PLATFORM_OPERATOR)},
        nothing=service.token(enter(service, "30000011")),
        provider=provider,
        provider_token=service.token(provider),
    )


def slug(answer: httpx.Response, method: str) -> str:
    """The kind of problem; what HEAD answers has no words."""
    return "" if method == "HEAD" else str(answer.json()["type"]).rpartition("/")[2]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_role_may_what_the_law_says_and_nothing_more(
    service: Service, cast: Cast, method: str, path: str
) -> None:
    scope, row = GUARDED[method, path], ROWS[method, path]
    # Of its own each time: one that the operator may change is another one afterwards.
    owner = service.owner()
    names = names_of(service, method, path, owner, service.token(owner))
    wrong: dict[str, tuple[int, str]] = {}

    def denied(who: str, answer: httpx.Response, problem: str = "scope-missing") -> None:
        if answer.status_code != 403 or slug(answer, method) not in {problem, ""}:
            wrong[who] = answer.status_code, answer.text[:200]

    before = stored(service)
    if scope is not None:
        denied("nobody", call(service, method, path, cast.nothing, names))
        for role in Role:
            if scope not in PERMISSIONS_OF[role]:
                denied(role, call(service, method, path, cast.of[role], names))
    assert (wrong, stored(service)) == ({}, before)
    for role in Role:
        if scope is None or scope in PERMISSIONS_OF[role]:
            answer = call(service, method, path, cast.of[role], names)
            expected = ELSEWHERE.get((method, path, role), 404 if row.personal else None)
            if (
                answer.status_code >= 500
                or answer.status_code == 401
                or (answer.status_code >= 400 and slug(answer, method) == "scope-missing")
                or expected not in {None, answer.status_code}
            ):
                wrong[role] = answer.status_code, answer.text[:200]
    assert wrong == {}


@pytest.mark.parametrize(("method", "path"), [key for key, scope in GUARDED.items() if scope is not None])
def test_by_mandate_one_may_what_it_names_and_nothing_more(
    service: Service, cast: Cast, method: str, path: str
) -> None:
    scope, row = GUARDED[method, path], ROWS[method, path]
    assert scope is not None
    owner = service.owner()
    acting = {"Ler-Acting-For": cvr_of(service, owner)}
    names = names_of(service, method, path, owner, service.token(owner))
    before = stored(service)
    without = call(service, method, path, cast.provider_token, names, acting)
    assert without.status_code == 403
    assert slug(without, method) in {"mandate-missing", ""}
    give_mandate(service, owner, cast.provider, *(MANDATABLE - {scope} or {Scope.AUDIT_READ}))
    other = call(service, method, path, cast.provider_token, names, acting)
    assert other.status_code == 403
    assert slug(other, method) in {"scope-missing", ""}
    assert {**stored(service), "mandate": 0} == {**before, "mandate": 0}
    give_mandate(service, owner, cast.provider, *MANDATABLE)
    named = call(service, method, path, cast.provider_token, names, acting)
    if (method, path) in OWN_ONLY:
        assert (named.status_code, slug(named, method)) == OWN_ONLY[method, path]
    elif scope in MANDATABLE:
        assert named.status_code == row.status, named.text
    else:
        assert (named.status_code, slug(named, method)) == (403, "scope-missing")
    narrow = service.token(cast.provider, *(one for one in Scope if one is not scope))
    assert call(service, method, path, narrow, names, acting).status_code == 403


def cvr_of(service: Service, owner: UUID) -> str:
    with service.world.database.connect() as connection:
        row = connection.execute("SELECT cvr FROM ler.organisation WHERE id = %s", [owner]).fetchone()
    assert row is not None
    return str(row[0])


def give_mandate(service: Service, owner: UUID, provider: UUID, *scopes: Scope) -> None:
    execute(
        service,
        "UPDATE ler.mandate SET revoked_at = now() WHERE owner_id = %s AND provider_id = %s",
        owner,
        provider,
    )
    values = {"owner_id": owner, "provider_id": provider, "scopes": [str(scope) for scope in scopes]}
    with transaction(service.world.databases.app, owner) as connection:
        connection.execute(mandate.insert().values(values))
