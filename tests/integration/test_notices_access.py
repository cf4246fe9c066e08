"""Who sees where notices are sent, and what is still to be sent: outbox, notice_endpoint, answer_watch, change_task."""

from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from ler.db import tables
from ler.domain.delivery import Channel
from ler.errors import NotFoundError, RefusedError
from ler.services.notices import (
    NewEndpoint,
    add_endpoint,
    change_endpoint,
    confirm_endpoint,
    get_endpoint,
    list_deliveries,
    list_endpoints,
    remove_endpoint,
    renew_endpoint_secret,
    try_endpoint,
)
from tests.integration.test_db_world import World, square, world

__all__ = ["world"]

NAMES = ("outbox", "notice_endpoint", "answer_watch", "change_task")
KEY = "whsec_c2VjcmV0"
HOOK = NewEndpoint(Channel.WEBHOOK, "https://example.org/hook")


@pytest.fixture
def scene(world: World) -> tuple[World, list[UUID], list[UUID]]:
    """Two owners that were asked, each with a webhook of its own."""
    owners, endpoints = [], []
    for number, west in enumerate((0, 1000)):
        owners.append(world.owner(f"owner {number}", square(west, 0, west + 10, 10)))
        with world.acting(owners[-1]) as connection:
            endpoints.append(add_endpoint(connection, HOOK, secret=KEY, code=None))
        digger = world.organisation(f"digger {number}", cvr=f"1234567{number}")
        world.match(digger, world.request(digger, square(west, 0, west + 10, 10)))
    return world, owners, endpoints


def rows(world: World, name: str, role: str, principal: UUID | None) -> int | None:
    with world.database.connect(role) as connection:
        connection.execute("SELECT set_config('ler.principal', %s, false)", [str(principal or "")])
        try:
            row = connection.execute(f"SELECT count(id) FROM ler.{name}").fetchone()  # noqa: S608 - our names
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedColumn):
            return None
    assert row is not None
    return int(row[0])


def test_an_organisation_sees_its_own_endpoints_and_deliveries(
    scene: tuple[World, list[UUID], list[UUID]],
) -> None:
    world, owners, _ = scene
    for name in ("outbox", "notice_endpoint"):
        with world.database.connect() as superuser:
            held = superuser.execute(f"SELECT count(*) FROM ler.{name}").fetchone()  # noqa: S608 - our names
        assert held is not None
        assert held[0] >= 2
        for role in ("ler_app", "ler_readonly"):
            assert [rows(world, name, role, owner) for owner in owners] == [held[0] // 2] * 2
            assert rows(world, name, role, None) == 0
            assert rows(world, name, role, tables.PLATFORM_OPERATOR) == 0
        assert rows(world, name, "ler_worker", owners[0]) is None


def test_what_is_to_be_told_is_read_by_nobody(scene: tuple[World, list[UUID], list[UUID]]) -> None:
    world, owners, _ = scene
    for name in ("answer_watch", "change_task"):
        with world.database.connect() as superuser:
            assert superuser.execute(f"SELECT 1 FROM ler.{name}").fetchall()  # noqa: S608 - our names
        for role in ("ler_app", "ler_readonly", "ler_worker"):
            with (
                world.database.connect(role) as connection,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                connection.execute(f"SELECT 1 FROM ler.{name}")  # noqa: S608 - our names
    del owners


@pytest.mark.parametrize("column", ["secret", "old_secret", "code"])
def test_a_key_or_a_code_is_never_read_again(
    scene: tuple[World, list[UUID], list[UUID]], column: str
) -> None:
    world, owners, _ = scene
    for role in ("ler_app", "ler_readonly"):
        with pytest.raises(ProgrammingError), world.acting(owners[0], role=role) as connection:
            connection.execute(select(tables.notice_endpoint.c[column]))


@pytest.mark.parametrize("name", NAMES)
def test_nobody_writes_but_through_functions(scene: tuple[World, list[UUID], list[UUID]], name: str) -> None:
    world, owners, _ = scene
    for role in ("ler_app", "ler_worker", "ler_readonly"):
        for statement in (f"DELETE FROM ler.{name}", f"INSERT INTO ler.{name} DEFAULT VALUES"):  # noqa: S608
            with pytest.raises(ProgrammingError), world.acting(owners[0], role=role) as connection:
                connection.execute(text(statement))


def test_anothers_endpoint_is_none(scene: tuple[World, list[UUID], list[UUID]]) -> None:
    world, owners, endpoints = scene
    theirs = endpoints[1]
    for act in (
        lambda c: get_endpoint(c, theirs),
        lambda c: list_deliveries(c, theirs, limit=10),
        lambda c: change_endpoint(c, theirs, kinds=None, language="en", escalation=False, in_use=False),
        lambda c: confirm_endpoint(c, theirs, "x"),
        lambda c: renew_endpoint_secret(c, theirs, "whsec_eA=="),
        lambda c: remove_endpoint(c, theirs),
        lambda c: try_endpoint(c, theirs),
    ):
        with pytest.raises(NotFoundError), world.acting(owners[0]) as connection:
            act(connection)
    with world.acting(owners[1]) as connection:
        assert [one.state for one in list_endpoints(connection)] == ["active"]


def test_an_organisation_may_have_ten(world: World) -> None:
    owner = world.organisation("many")
    for _ in range(10):
        with world.acting(owner) as connection:
            added = add_endpoint(connection, HOOK, secret=KEY, code=None)
    with pytest.raises(RefusedError, match="ten endpoints"), world.acting(owner) as connection:
        add_endpoint(connection, HOOK, secret=KEY, code=None)
    with world.acting(owner) as connection:
        remove_endpoint(connection, added)
        add_endpoint(connection, HOOK, secret=KEY, code=None)


def test_an_address_of_mail_is_used_when_its_holder_has_confirmed(world: World) -> None:
    owner = world.organisation("mailed")
    mail = NewEndpoint(Channel.EMAIL, "somebody@example.dk")
    with world.acting(owner) as connection:
        added = add_endpoint(connection, mail, secret=None, code="GOODCODE")
        assert get_endpoint(connection, added).state == "unconfirmed"
    with pytest.raises(RefusedError), world.acting(owner) as connection:
        try_endpoint(connection, added)
    with world.acting(owner) as connection:
        assert not confirm_endpoint(connection, added, "WRONG")
        assert confirm_endpoint(connection, added, "GOODCODE")
        assert get_endpoint(connection, added).state == "active"


def test_after_ten_wrong_codes_none_helps(world: World) -> None:
    owner = world.organisation("mailed")
    with world.acting(owner) as connection:
        added = add_endpoint(
            connection, NewEndpoint(Channel.EMAIL, "a@example.dk"), secret=None, code="GOODCODE"
        )
    for _ in range(10):
        with world.acting(owner) as connection:
            assert not confirm_endpoint(connection, added, "WRONG")
    with pytest.raises(RefusedError), world.acting(owner) as connection:
        confirm_endpoint(connection, added, "GOODCODE")
