"""Whose programs, keys, limits and alarms one sees; that a token never gives more than its maker, nor a proof twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from joserfc.jwk import ECKey
from shapely import MultiPolygon, Polygon
from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from ler.db import tables
from ler.db.engine import sqlstate
from ler.domain.access import Scope
from ler.domain.roles import Role
from ler.errors import NotFoundError, RefusedError
from ler.services.clients import (
    ClientRefusedError,
    Proof,
    add_key,
    end_client,
    end_key,
    find_client_keys,
    issue_client_token,
    list_clients,
    register_client,
)
from ler.services.grants import end_grant, grant_role, list_grants
from ler.services.principals import (
    Principal,
    Refusal,
    TokenRefusedError,
    acting_for,
    find_principal_now,
    verify_token,
)
from ler.services.sessions import Login, SeveralMembershipsError, begin_session, find_membership
from ler.services.token_format import START_OF, Kind
from ler.services.tokens import create_token, end_token, list_tokens, make_token
from tests.integration.test_db_world import World, square, world

__all__ = ["world"]

OPERATOR = tables.PLATFORM_OPERATOR
HOUR = timedelta(hours=1)
ALL_KINDS = frozenset(Kind)
CLOSED = ("used_assertion", "call_bucket")
SHARED = ("client", "client_key", "request_limit", "alarm")


def token_of(world: World, organisation: UUID, *scopes: Scope, days: int = 1) -> str:
    with world.acting(OPERATOR) as connection:
        return create_token(connection, organisation, scopes=scopes or [*Scope], days=days)


def known(world: World, token: str) -> Principal:
    with world.acting(None) as connection:
        return verify_token(connection, token, ALL_KINDS)


def refusal_of(world: World, token: str) -> Refusal:
    with pytest.raises(TokenRefusedError) as caught:
        known(world, token)
    assert str(caught.value) == "The token is not valid: unknown, changed, expired or revoked."
    return caught.value.reason


def made_by(world: World, caller: Principal, *scopes: Scope, **more: Any) -> str:  # noqa: ANN401 - of make_token
    with world.acting(caller.organisation_id) as connection:
        return make_token(connection, caller, scopes=scopes, **more)[1]


def a_key(kid: str = "k1") -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256").as_dict(private=False)) | {"kid": kid}


def program(world: World, caller: Principal, *scopes: Scope, **more: Any) -> UUID:  # noqa: ANN401 - of register_client
    with world.acting(caller.organisation_id) as connection:
        return register_client(
            connection, caller, name="robot", scopes=scopes or [Scope.ANSWER_READ], keys=[a_key()], **more
        )


def proof(client: UUID, **changes: Any) -> Proof:  # noqa: ANN401 - fields of a proof
    return replace(Proof(client, "k1", uuid4().hex, datetime.now(UTC) + timedelta(minutes=1)), **changes)


def issue(world: World, given: Proof, *scopes: Scope) -> str:
    with world.acting(None) as connection:
        return issue_client_token(
            connection,
            given,
            scopes=frozenset(scopes or [Scope.ANSWER_READ]),
            life=HOUR,
            leeway=timedelta(minutes=1),
        )


def member(world: World, organisation: UUID, email: str = "ane@x.dk", *, administrator: bool = False) -> UUID:
    values = {"organisation_id": organisation, "name": "Ane", "email": email, "administrator": administrator}
    with world.acting(organisation) as connection:
        made: UUID = connection.execute(
            tables.account.insert().values(values).returning(tables.account.c.id)
        ).scalar_one()
    return made


def log_in(world: World, login: Login, cvr: str | None = None, **more: Any) -> str:  # noqa: ANN401 - of begin_session
    with world.acting(None) as connection:
        found = find_membership(connection, login, cvr)
        return begin_session(connection, found, login, **{"life": HOUR, "idle": HOUR} | more)


ANE = Login("https://issuer.example", "sub-1", "ane@x.dk", None, ("mfa",))


def superuser(world: World, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with world.database.connect() as connection:
        done = connection.execute(statement.encode(), values)
        return done.fetchall() if done.description else []


def actions(world: World) -> list[str]:
    return [row[0] for row in superuser(world, "SELECT action FROM ler.audit_event ORDER BY id")]


# Who sees what.


@pytest.fixture
def tenants(world: World) -> list[UUID]:
    """Two owners, each with a program, a limit of its own and an alarm."""
    made = []
    for number in range(2):
        owner = world.owner(f"owner {number}")
        client = program(world, known(world, token_of(world, owner)))
        issue(world, proof(client))
        with world.acting(OPERATOR) as connection:
            connection.execute(tables.request_limit.insert().values(owner_id=owner, requests_per_day=9))
        superuser(world, "INSERT INTO ler.alarm (owner_id, kind) VALUES (%s, 'tiling')", owner)
        superuser(world, "INSERT INTO ler.call_bucket (name, empty_at) VALUES (%s, now())", f"read {owner}")
        made.append(owner)
    return made


def test_nobody_sees_or_changes_anything_without_a_principal(world: World, tenants: list[UUID]) -> None:
    assert tenants
    for name in (*SHARED, *CLOSED):
        assert superuser(world, f"SELECT count(*) FROM ler.{name}")[0][0] >= 2  # noqa: S608 - our tables
        for role in ("ler_app", "ler_worker", "ler_readonly"):
            for statement in ("SELECT count(*) FROM ler.{}", "DELETE FROM ler.{}", "TRUNCATE ler.{}"):
                with world.database.connect(role) as connection:
                    try:
                        done = connection.execute(statement.format(name).encode())
                        row = done.fetchone() if done.description else (done.rowcount,)
                    except psycopg.errors.InsufficientPrivilege:
                        continue
                    assert row == (0,), (name, role, statement)


def refuse_all(world: World, acting: UUID, *acts: Callable[[Connection], object]) -> None:
    for act in acts:
        with (
            pytest.raises((DBAPIError, NotFoundError, ZeroDivisionError)),
            world.acting(acting) as connection,
        ):
            act(connection)


def test_each_sees_its_own_and_the_operator_what_it_keeps(world: World, tenants: list[UUID]) -> None:
    mine, yours = tenants
    for role in ("ler_app", "ler_readonly"):
        with world.acting(mine, role=role) as connection:
            for table in (tables.client, tables.client_key):
                assert {*connection.execute(select(table.c.owner_id)).scalars()} == {mine}
            assert {*connection.execute(select(tables.request_limit.c.owner_id)).scalars()} == {mine, None}
            assert not connection.execute(select(tables.alarm.c.id)).all()
        with world.acting(OPERATOR, role=role) as connection:
            for table in (tables.request_limit, tables.alarm, tables.client):
                assert {mine, yours} <= {*connection.execute(select(table.c.owner_id)).scalars()}
    for name in CLOSED:
        with pytest.raises(DBAPIError), world.acting(mine) as connection:
            connection.execute(text(f"SELECT * FROM ler.{name}"))  # noqa: S608 - our tables
    with world.acting(yours) as connection:
        theirs = list_clients(connection, yours)[0].id
    refuse_all(
        world,
        mine,
        lambda c: end_client(c, mine, theirs),
        lambda c: end_key(c, mine, theirs, "k1"),
        lambda c: add_key(c, mine, theirs, a_key("k2")),
        lambda c: c.execute(tables.client.insert().values(owner_id=yours, name="x", scopes=["x"])),
        lambda c: c.execute(
            tables.client_key.insert().values(owner_id=mine, client_id=theirs, kid="k", jwk={})
        ),
        lambda c: c.execute(tables.client.update().values(scopes=["network:read"])),
        lambda c: c.execute(tables.client.update().values(revoked_at=None)),
        lambda c: c.execute(tables.client_key.update().values(jwk={})),
        lambda c: c.execute(tables.request_limit.update().values(requests_per_day=None)).rowcount or 1 / 0,
        lambda c: c.execute(tables.request_limit.insert().values(owner_id=mine)),
        lambda c: c.execute(tables.alarm.insert().values(owner_id=mine, kind="tiling")),
        lambda c: c.execute(text("SELECT ler.forget_access()")),
        lambda c: c.execute(text("SELECT ler.is_ended(:id)"), {"id": theirs}),
        lambda c: c.execute(text("SELECT * FROM ler.take_call('read x', 1)")),
    )


# What a token is worth.


def test_a_token_is_worth_what_its_organisation_is_granted_now(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    token = token_of(world, owner)
    assert Scope.NETWORK_READ in known(world, token).scopes
    assert Scope.REQUEST_WRITE not in known(world, token).scopes
    with world.acting(OPERATOR) as connection:
        grant_role(connection, owner, Role.EXCAVATOR)
    assert Scope.REQUEST_WRITE in known(world, token).scopes
    with world.acting(OPERATOR) as connection:
        for one in list_grants(connection, owner):
            end_grant(connection, one.id)
    assert known(world, token).scopes == frozenset()


def test_a_member_that_is_no_administrator_has_less(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    account = member(world, owner)
    session = log_in(world, ANE)
    assert not known(world, session).scopes & {Scope.TOKEN_WRITE, Scope.REGISTER_WRITE}
    with world.acting(owner) as connection:
        connection.execute(tables.account.update().values(administrator=True))
    caller = known(world, session)
    assert {Scope.TOKEN_WRITE, Scope.REGISTER_WRITE} <= caller.scopes
    assert caller.account_id == account
    made = made_by(world, caller, Scope.REGISTER_WRITE)
    assert known(world, made).account_id == account
    with world.acting(owner) as connection:
        connection.execute(tables.account.update().values(administrator=False))
    assert known(world, made).scopes == frozenset()
    with world.acting(owner) as connection:
        connection.execute(tables.account.update().values(ended_at=func.now()))
    assert {refusal_of(world, made), refusal_of(world, session)} == {Refusal.REVOKED}


def test_a_token_has_no_more_than_what_made_it(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    caller = known(world, token_of(world, owner, Scope.TOKEN_WRITE, Scope.NETWORK_READ))
    assert known(world, made_by(world, caller, Scope.NETWORK_READ)).scopes == {Scope.NETWORK_READ}
    for scopes in ([Scope.NETWORK_UPLOAD], [Scope.NETWORK_READ, Scope.AUDIT_READ], [*Scope]):
        with pytest.raises(RefusedError) as caught:
            made_by(world, caller, *scopes)
        assert caught.value.code == "scope-exceeded"
    # And when the program is wrong about it, the database is not.
    with pytest.raises(RefusedError) as caught:
        made_by(world, replace(caller, carried=frozenset(Scope)), Scope.NETWORK_UPLOAD)
    assert caught.value.code == "scope-exceeded"
    with pytest.raises(RefusedError) as caught:
        made_by(world, caller, Scope.NETWORK_READ, life=timedelta(days=2))
    assert caught.value.code == "expiry-invalid"
    for other in (world.organisation("other", role=Role.OWNER), OPERATOR):
        with pytest.raises(NotFoundError):
            made_by(world, replace(caller, organisation_id=other), Scope.NETWORK_READ)


def box_of(shape: Polygon) -> MultiPolygon:
    return MultiPolygon([shape])


def test_a_token_reaches_no_further_than_what_made_it(world: World) -> None:
    digger = world.organisation("digger")
    whole = known(world, token_of(world, digger))
    bounded = known(
        world,
        made_by(world, whole, Scope.TOKEN_WRITE, Scope.REQUEST_WRITE, area=box_of(square(0, 0, 100, 100))),
    )
    assert bounded.bounded
    assert known(world, made_by(world, bounded, Scope.REQUEST_WRITE)).bounded, "it inherits the area"
    inside = made_by(world, bounded, Scope.REQUEST_WRITE, area=box_of(square(0, 0, 50, 50)))
    with pytest.raises(RefusedError) as caught:
        made_by(world, bounded, Scope.REQUEST_WRITE, area=box_of(square(50, 0, 150, 50)))
    assert caught.value.code == "scope-exceeded"

    def ask(token: Principal, area: Polygon) -> None:
        with world.acting(digger) as connection:
            connection.execute(
                text("SELECT set_config('ler.token', :token, true)"), {"token": str(token.token_id)}
            )
            connection.execute(
                tables.excavation_request.insert().values(
                    requester_id=digger,
                    area=func.ST_GeomFromText(area.wkt, 25832),
                    period_from="2026-05-04",
                    period_to="2026-05-08",
                    purpose="fibre",
                )
            )

    ask(known(world, inside), square(0, 0, 50, 50))
    ask(bounded, square(60, 0, 90, 50))
    for token, area in ((known(world, inside), square(60, 0, 90, 50)), (bounded, square(90, 0, 101, 9))):
        with pytest.raises(DBAPIError) as wrong:
            ask(token, area)
        assert sqlstate(wrong.value) == "LE403"


def test_what_a_token_made_ends_with_it_and_what_a_login_made_does_not(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    member(world, owner, administrator=True)
    first = known(world, token_of(world, owner))
    second = known(world, made_by(world, first, Scope.TOKEN_WRITE, Scope.NETWORK_READ))
    third = made_by(world, second, Scope.NETWORK_READ, life=timedelta(minutes=5))
    session = known(world, log_in(world, ANE))
    fourth = made_by(world, session, Scope.NETWORK_READ, life=timedelta(days=90))
    assert known(world, third).derived
    with world.acting(owner) as connection:
        end_token(connection, owner, first.token_id)
        end_token(connection, owner, session.token_id)
        end_token(connection, owner, session.token_id)
    assert refusal_of(world, third) is Refusal.REVOKED
    assert known(world, fourth).scopes == {Scope.NETWORK_READ}
    with world.acting(None) as connection:
        assert find_principal_now(connection, second) is None
    with pytest.raises(NotFoundError):
        made_by(world, second, Scope.NETWORK_READ)
    with pytest.raises(NotFoundError), world.acting(world.organisation("other")) as connection:
        end_token(connection, owner, known(world, fourth).token_id)


def test_a_kind_of_token_is_no_other_kind(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    token = token_of(world, owner)
    for start in (START_OF[Kind.SESSION], START_OF[Kind.CLIENT]):
        assert refusal_of(world, start + token.removeprefix(START_OF[Kind.PERSONAL])) is Refusal.UNKNOWN
    member(world, owner)
    with pytest.raises(TokenRefusedError), world.acting(None) as connection:
        verify_token(connection, log_in(world, ANE))


def test_a_session_ends_unused_and_in_the_end(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    member(world, owner)
    session = log_in(world, ANE, idle=timedelta(minutes=10))
    caller = known(world, session)
    age = (
        "UPDATE ler.access_token SET created_at = now() - interval '11 min', last_used_at = %s WHERE id = %s"
    )
    superuser(world, age, None, caller.token_id)
    assert refusal_of(world, session) is Refusal.EXPIRED
    superuser(world, age, datetime.now(UTC), caller.token_id)
    assert known(world, session) == caller
    superuser(world, "UPDATE ler.access_token SET expires_at = now() WHERE id = %s", caller.token_id)
    assert refusal_of(world, session) is Refusal.EXPIRED


# Whom an issuer means.


def test_the_first_login_ties_a_member_to_a_person(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER, cvr="11111111")
    member(world, owner)
    with pytest.raises(RefusedError) as caught:
        log_in(world, replace(ANE, email=None))
    assert caught.value.code == "member-unknown"
    log_in(world, replace(ANE, email="ANE@x.dk"))
    log_in(world, replace(ANE, email=None))
    for other in (
        replace(ANE, subject="sub-2"),
        replace(ANE, issuer="https://other.example"),
        replace(ANE, email="bo@x.dk", subject="sub-3"),
    ):
        with pytest.raises(RefusedError) as caught:
            log_in(world, other)
        assert caught.value.code == "member-unknown"
    with pytest.raises(RefusedError):
        log_in(world, ANE, cvr="22222222")
    assert actions(world).count("auth:account:link") == 1
    assert actions(world).count("auth:session:begin") == 2


def test_two_people_that_come_first_at_once_do_not_both_become_the_member(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    member(world, owner)
    both = Barrier(2)

    def come(subject: str) -> str:
        login = replace(ANE, subject=subject)
        with world.acting(None) as connection:
            found = find_membership(connection, login, None)
            both.wait(10)
            return begin_session(connection, found, login, life=HOUR, idle=HOUR)

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(come, subject) for subject in ("a", "b")]
    errors = [one.exception() for one in done]
    assert sorted(type(error).__name__ for error in errors) == ["NoneType", "RefusedError"]


def test_who_is_a_member_of_several_says_of_which(world: World) -> None:
    owners = [world.organisation(f"o{n}", role=Role.OWNER, cvr=f"1111111{n}") for n in range(2)]
    for owner in owners:
        member(world, owner)
    with pytest.raises(SeveralMembershipsError) as caught:
        log_in(world, ANE)
    assert [one.cvr for one in caught.value.memberships] == ["11111110", "11111111"]
    assert known(world, log_in(world, ANE, cvr="11111111")).organisation_id == owners[1]


# Who acts for another.


def test_a_mandate_gives_what_it_names_and_the_token_carries_and_ends_at_once(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER, cvr="11111111")
    provider = world.organisation("provider", role=Role.PROVIDER, cvr="22222222")
    with world.acting(owner) as connection:
        connection.execute(
            tables.mandate.insert().values(
                owner_id=owner,
                provider_id=provider,
                scopes=["answer:read", "answer:write", "request:write", "token:write"],
            )
        )
    caller = known(
        world, token_of(world, provider, Scope.ANSWER_READ, Scope.NETWORK_READ, Scope.REQUEST_WRITE)
    )
    assert caller.scopes == frozenset(), "alone it has no such role"
    with world.acting(None) as connection:
        acting = acting_for(connection, caller, "11111111")
    assert (acting.organisation_id, acting.provider_id) == (owner, provider)
    assert acting.scopes == {Scope.ANSWER_READ}, "what all of token, mandate and the owner's roles have"
    for cvr in ("22222222", "33333333", "", "x"):
        with pytest.raises(RefusedError) as caught, world.acting(None) as connection:
            acting_for(connection, caller, cvr)
        assert caught.value.code == "mandate-missing"
    with pytest.raises(RefusedError) as caught, world.acting(None) as connection:
        acting_for(connection, acting, "11111111")
    assert caught.value.code == "mandate-missing"
    with pytest.raises(RefusedError) as caught:
        made_by(world, acting, Scope.ANSWER_READ)
    assert caught.value.code == "mandate-not-enough"
    with world.acting(None) as connection:
        assert find_principal_now(connection, acting) == acting
    with world.acting(owner) as connection:
        connection.execute(tables.mandate.update().values(revoked_at=func.now()))
    with world.acting(None) as connection:
        assert find_principal_now(connection, acting) is None


def test_a_provider_hands_out_for_others_what_it_may_not_do_itself_and_no_more(world: World) -> None:
    provider = world.organisation("provider", role=Role.PROVIDER)
    caller = known(world, token_of(world, provider, Scope.TOKEN_WRITE, Scope.ANSWER_WRITE))
    assert Scope.ANSWER_WRITE in known(world, made_by(world, caller, Scope.ANSWER_WRITE)).carried
    with pytest.raises(RefusedError):
        made_by(world, caller, Scope.NETWORK_UPLOAD)


# Programs with keys.


def test_a_proof_is_good_once_also_for_two_at_once(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    client = program(world, known(world, token_of(world, owner)))
    given = proof(client)
    together = Barrier(8)

    def use(_: int) -> str:
        together.wait(10)
        return issue(world, given)

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(use, number) for number in range(8)]
    errors = [one.exception() for one in done]
    assert sum(error is None for error in errors) == 1
    assert {error.reason for error in errors if isinstance(error, ClientRefusedError)} == {"replayed"}
    assert superuser(world, "SELECT count(*) FROM ler.access_token WHERE kind = 'client'") == [(1,)]
    other = program(world, known(world, token_of(world, owner)))
    assert issue(world, replace(given, client_id=other)), "a name is its client's own"


def test_a_proof_is_remembered_for_as_long_as_it_could_be_played_again(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    client = program(world, known(world, token_of(world, owner)))
    given = proof(client, expires_at=datetime.now(UTC) - timedelta(seconds=59))
    issue(world, given)
    with world.acting(None, role="ler_worker") as connection:
        connection.execute(text("SELECT ler.forget_access()"))
    with pytest.raises(ClientRefusedError):
        issue(world, given)
    superuser(world, "UPDATE ler.used_assertion SET expires_at = expires_at - interval '62 s'")
    with world.acting(None, role="ler_worker") as connection:
        assert connection.execute(text("SELECT ler.forget_access()")).scalar_one() == 1


def test_a_program_has_no_more_than_who_registered_it_and_ends_with_its_key(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    caller = known(world, token_of(world, owner, Scope.TOKEN_WRITE, Scope.ANSWER_READ))
    with pytest.raises(RefusedError) as caught:
        program(world, caller, Scope.ANSWER_WRITE)
    assert caught.value.code == "scope-exceeded"
    client = program(world, caller, Scope.TOKEN_WRITE, Scope.ANSWER_READ)
    token = issue(world, proof(client), Scope.ANSWER_READ, Scope.ANSWER_WRITE)
    assert known(world, token).scopes == {Scope.ANSWER_READ}
    robot = known(world, issue(world, proof(client), Scope.TOKEN_WRITE, Scope.ANSWER_READ))
    child = made_by(world, robot, Scope.ANSWER_READ, life=timedelta(minutes=30))
    with pytest.raises(RefusedError) as caught:
        program(world, robot, Scope.ANSWER_READ)
    assert caught.value.code == "scope-exceeded"
    with pytest.raises(RefusedError) as caught:
        made_by(world, robot, Scope.ANSWER_READ, life=timedelta(hours=2))
    assert caught.value.code == "expiry-invalid"
    with world.acting(owner) as connection:
        add_key(connection, owner, client, a_key("k2"))
        with pytest.raises(RefusedError) as caught:
            add_key(connection, owner, client, a_key("k2"))
        assert caught.value.code == "kid-taken"
        end_key(connection, owner, client, "k1")
    assert {refusal_of(world, token), refusal_of(world, child)} == {Refusal.REVOKED}
    with pytest.raises(ClientRefusedError):
        issue(world, proof(client))
    token = issue(world, proof(client, kid="k2"))
    with world.acting(None) as connection:
        assert {*find_client_keys(connection, client).keys} == {"k2"}
    with world.acting(owner) as connection:
        end_client(connection, owner, client)
    assert refusal_of(world, token) is Refusal.REVOKED
    with pytest.raises(ClientRefusedError), world.acting(None) as connection:
        find_client_keys(connection, client)


def test_tokens_of_programs_that_ended_long_ago_are_taken_away(world: World) -> None:
    owner = world.organisation("owner", role=Role.OWNER)
    client = program(world, known(world, token_of(world, owner)))
    issue(world, proof(client))
    token_of(world, owner)
    superuser(world, "UPDATE ler.access_token SET expires_at = now() - interval '8 days'")
    superuser(world, "DELETE FROM ler.used_assertion")
    with world.acting(None, role="ler_worker") as connection:
        assert connection.execute(text("SELECT ler.forget_access()")).scalar_one() == 1
    with world.acting(owner) as connection:
        assert {one.kind for one in list_tokens(connection)} == {Kind.PERSONAL}
