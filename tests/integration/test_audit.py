"""The audit trail's chain: sealed after the act, in a fixed order, by whoever comes; and every way to tamper with it."""

import io
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from ler.db import tables
from ler.db.engine import transaction
from ler.db.functions import record_event
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.audit import Break, Fault
from ler.errors import NotFoundError, RefusedError
from ler.services.audit import (
    Verified,
    Wanted,
    export_trail,
    find_head,
    get_head,
    list_audit_events,
    seal,
    verify_export,
    verify_trail,
)
from tests.integration.test_db_world import World, world

__all__ = ["world"]

NASTY = {
    "æ": 'ø "quoted" \\ \u2028 \x7f 🚧',
    "number": 1.10,
    "big": 10**30,
    "none": None,
    "list": [True, {"b": 1, "a": 2}],
}


def act(world: World, actor: UUID, count: int = 1, **details: object) -> None:
    for _ in range(count):
        with world.acting(actor) as connection:
            record_event(connection, "web:test:do", actor=actor, object_id=uuid4(), details=details or NASTY)


def sealed(world: World) -> int:
    with world.acting(None, role="ler_worker"):
        pass  # opens the engine
    return seal(world.engines["ler_worker"])


@contextmanager
def auditing(world: World) -> Iterator[Connection]:
    with world.acting(PLATFORM_OPERATOR) as connection:
        yield connection


def verified(world: World, witnesses: dict[int, bytes] | None = None) -> Verified:
    with auditing(world) as connection:
        return verify_trail(connection, witnesses)


def tamper(world: World, *statements: str, **values: str | int) -> None:
    """What a superuser can do: with triggers and foreign keys out of the way. Texts are SQL."""
    parts = {name: sql.SQL(it) if isinstance(it, str) else sql.Literal(it) for name, it in values.items()}
    with world.database.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(sql.SQL(statement).format(**parts))


def event_at(world: World, number: int) -> int:
    with auditing(world) as connection:
        return int(
            connection.execute(
                select(tables.audit_link.c.event_id).where(tables.audit_link.c.number == number)
            ).scalar_one()
        )


RESEAL = (
    "DELETE FROM ler.audit_link WHERE number >= 5",
    "INSERT INTO ler.audit_unsealed SELECT id FROM ler.audit_event WHERE id NOT IN (SELECT event_id FROM ler.audit_link)",
    "SELECT ler.seal_audit(1000)",
)
"""How one makes a chain anew that fits itself."""


@pytest.fixture
def trail(world: World) -> World:
    """Ten links."""
    digger = world.organisation("digger")
    act(world, digger, 10)
    assert sealed(world) == 10
    assert verified(world) == Verified(verified(world).head, None, 0)
    return world


def test_what_was_committed_is_sealed_once_and_verifies(world: World) -> None:
    digger = world.organisation("digger")
    act(world, digger, 3)
    assert verified(world).waiting == 3
    assert sealed(world) == 3
    assert sealed(world) == 0
    act(world, digger, 2)
    assert sealed(world) == 2
    found = verified(world)
    assert (found.head.number, found.broken, found.waiting) == (5, None, 0)


def test_the_database_and_we_write_an_event_alike(world: World) -> None:
    digger, person, provider = world.organisation("digger"), uuid4(), world.organisation("provider")
    with world.acting(None):
        engine = world.engines["ler_app"]
    with transaction(engine, digger, account=person, provider=provider) as connection:
        record_event(connection, "web:test:do", actor=digger, details=NASTY)
    with world.acting(None, role="ler_worker", request=uuid4()) as connection:
        record_event(connection, "worker:test:do", actor=None)
    assert sealed(world) == 2
    assert verified(world).broken is None
    with auditing(world) as connection:
        rows = connection.execute(select(tables.audit_event).order_by(tables.audit_event.c.id)).all()
    assert (rows[0].account_id, rows[0].provider_id) == (person, provider)
    assert (rows[1].actor, rows[1].account_id, rows[1].provider_id) == (None, None, None)


@pytest.mark.parametrize("number", [1, 4, 10])
@pytest.mark.parametrize(
    "change",
    [
        "action = 'web:test:undo'",
        "at = at + interval '1 microsecond'",
        "actor = gen_random_uuid()",
        "actor = NULL",
        "object_id = NULL",
        "account_id = gen_random_uuid()",
        "provider_id = gen_random_uuid()",
        "key = gen_random_uuid()",
        "details = details || '{\"big\": 1}'",
        "details = details - 'none'",
    ],
)
def test_a_changed_event_is_named(trail: World, number: int, change: str) -> None:
    event = event_at(trail, number)
    tamper(trail, "UPDATE ler.audit_event SET {change} WHERE id = {event}", change=change, event=event)
    found = verified(trail)
    assert found.broken == Break(Fault.CHANGED, number, event)
    assert found.head.number == number - 1


@pytest.mark.parametrize("number", [1, 4, 10])
def test_a_deleted_event_is_named(trail: World, number: int) -> None:
    event = event_at(trail, number)
    tamper(trail, "DELETE FROM ler.audit_event WHERE id = {event}", event=event)
    assert verified(trail).broken == Break(Fault.EVENT_GONE, number, event)


@pytest.mark.parametrize("number", [1, 4])
def test_a_link_that_was_deleted_is_named(trail: World, number: int) -> None:
    tamper(trail, "DELETE FROM ler.audit_link WHERE number = {number}", number=number)
    assert verified(trail).broken == Break(Fault.LINK_GONE, number)


def test_an_event_deleted_with_its_link_and_the_numbers_closed_up_is_named(trail: World) -> None:
    following = event_at(trail, 5)
    tamper(
        trail,
        "DELETE FROM ler.audit_event WHERE id = (SELECT event_id FROM ler.audit_link WHERE number = 4)",
        "DELETE FROM ler.audit_link WHERE number = 4",
        "UPDATE ler.audit_link SET number = number + 1000 WHERE number > 4",
        "UPDATE ler.audit_link SET number = number - 1001 WHERE number > 1000",
    )
    assert verified(trail).broken == Break(Fault.CHANGED, 4, following)


def test_links_in_another_order_are_named(trail: World) -> None:
    third, fourth = event_at(trail, 3), event_at(trail, 4)
    tamper(
        trail,
        "UPDATE ler.audit_link SET event_id = -event_id WHERE number IN (3, 4)",
        "UPDATE ler.audit_link SET event_id = {fourth} WHERE number = 3",
        "UPDATE ler.audit_link SET event_id = {third} WHERE number = 4",
        third=third,
        fourth=fourth,
    )
    assert verified(trail).broken == Break(Fault.CHANGED, 3, fourth)


def test_events_that_changed_places_are_named(trail: World) -> None:
    third, fourth = event_at(trail, 3), event_at(trail, 4)
    tamper(
        trail,
        "ALTER TABLE ler.audit_event ALTER id SET GENERATED BY DEFAULT",
        "UPDATE ler.audit_event SET id = -1 WHERE id = {third}",
        "UPDATE ler.audit_event SET id = {third} WHERE id = {fourth}",
        "UPDATE ler.audit_event SET id = {fourth} WHERE id = -1",
        third=third,
        fourth=fourth,
    )
    assert verified(trail).broken == Break(Fault.CHANGED, 3, third)


def test_an_event_that_was_put_in_beside_the_chain_is_named(trail: World) -> None:
    tamper(
        trail,
        "INSERT INTO ler.audit_event (id, action) OVERRIDING SYSTEM VALUE VALUES (1000, 'web:test:forge')",
    )
    assert verified(trail).broken == Break(Fault.UNKNOWN_EVENT, 0, 1000)


def test_a_cut_tail_is_seen_with_a_witness_only(trail: World) -> None:
    with auditing(trail) as connection:
        witness = {number: find_head(connection, number).digest for number in (6, 10)}
    tamper(
        trail,
        "DELETE FROM ler.audit_event WHERE id IN (SELECT event_id FROM ler.audit_link WHERE number > 7)",
        "DELETE FROM ler.audit_link WHERE number > 7",
    )
    assert verified(trail).broken is None, "what is left fits itself"
    assert verified(trail, witness).broken == Break(Fault.CUT, 8, until=10)
    act(trail, trail.organisation("other"), 5)
    assert sealed(trail) == 5
    assert verified(trail, witness).broken == Break(Fault.REWRITTEN, 7, until=10)


def test_a_chain_made_anew_after_a_change_is_seen_with_a_witness(trail: World) -> None:
    with auditing(trail) as connection:
        witness = {number: find_head(connection, number).digest for number in (4, 8)}
    tamper(
        trail,
        "UPDATE ler.audit_event SET action = 'web:test:undo' WHERE id = {event}",
        *RESEAL,
        event=event_at(trail, 5),
    )
    assert verified(trail).broken is None
    assert verified(trail, witness).broken == Break(Fault.REWRITTEN, 5, until=8)


def test_a_row_committed_late_is_sealed_later_and_never_skipped(world: World) -> None:
    digger = world.organisation("digger")
    with world.acting(digger) as late:
        record_event(late, "web:test:begin", actor=digger)
        act(world, digger, 2)
        assert sealed(world) == 2, "what is committed does not wait for who is slow"
        assert verified(world).broken is None
    assert verified(world).waiting == 1
    assert sealed(world) == 1
    found = verified(world)
    assert (found.head.number, found.broken) == (3, None)
    assert event_at(world, 3) < event_at(world, 1)
    give_up(world, digger)
    assert (sealed(world), verified(world).waiting) == (0, 0)


def give_up(world: World, actor: UUID) -> None:
    """Write an event that is taken back."""
    with world.acting(actor) as connection:
        record_event(connection, "web:test:begin", actor=actor)
        connection.get_transaction().rollback()  # type: ignore[union-attr]


def write(world: World, actor: UUID, number: int) -> None:
    """Write an event as people do: at once, slowly, or not at all."""
    match number % 5:
        case 0:
            give_up(world, actor)
        case 1:
            with world.acting(actor) as connection:
                record_event(connection, "web:test:do", actor=actor, details={"n": number})
                time.sleep(0.02)
        case _:
            act(world, actor)


def test_many_writers_and_sealers_at_once_leave_one_chain(world: World) -> None:
    diggers = [world.organisation(f"digger {number}") for number in range(6)]
    sealed(world)
    over = threading.Event()
    wrong: list[Verified] = []

    def keep_sealing() -> None:
        while not over.is_set():
            sealed(world)

    def keep_verifying() -> None:
        while not over.is_set():
            found = verified(world)
            if found.broken:
                wrong.append(found)

    with ThreadPoolExecutor(9) as pool:
        others = [pool.submit(keep) for keep in (keep_sealing, keep_sealing, keep_verifying)]
        for done in [pool.submit(write, world, diggers[number % 6], number // 6) for number in range(240)]:
            done.result()
        over.set()
        for other in others:
            other.result()
    sealed(world)
    assert wrong == []
    found = verified(world)
    with auditing(world) as connection:
        events = connection.execute(select(func.count()).select_from(tables.audit_event)).scalar_one()
    assert events == 240 * 4 // 5
    assert (found.head.number, found.broken, found.waiting) == (events, None, 0)


def test_the_trail_can_be_verified_from_its_export_alone(trail: World) -> None:
    out, part = io.StringIO(), io.StringIO()
    with auditing(trail) as connection:
        head = export_trail(connection, out)
        export_trail(connection, part, after=6)
        assert get_head(connection) == head
    lines = out.getvalue().rstrip("\n").split("\n")
    assert [json.loads(line)["number"] for line in lines] == [*range(1, 11)]
    assert json.loads(lines[0])["event"]["details"]["æ"] == NASTY["æ"]
    assert verify_export(lines).head == head
    assert verify_export(part.getvalue().rstrip("\n").split("\n")).head == head
    changed = [line.replace("web:test:do", "web:test:un") if i == 3 else line for i, line in enumerate(lines)]
    broken = verify_export(changed).broken
    assert broken is not None
    assert (broken.fault, broken.number) == (Fault.CHANGED, 4)
    assert verify_export(lines[:3] + lines[4:]).broken == Break(Fault.LINK_GONE, 4)
    assert verify_export(lines[:8], {10: head.digest}).broken == Break(Fault.CUT, 9, until=10)
    for wrong in ([], ["{}"], [lines[0][:40]]):
        with pytest.raises(RefusedError) as caught:
            verify_export(wrong)
        assert caught.value.code == "audit-file"
    tamper(trail, "DELETE FROM ler.audit_event WHERE id = {event}", event=event_at(trail, 2))
    with pytest.raises(RefusedError, match="was deleted"), auditing(trail) as connection:
        export_trail(connection, io.StringIO())


def test_everybody_sees_its_own_acts_and_the_chain_is_for_auditors(trail: World) -> None:
    mine, yours = trail.organisation("mine"), trail.organisation("yours")
    act(trail, mine, 3)
    with transaction(trail.engines["ler_app"], yours, provider=mine) as connection:
        record_event(connection, "provider:test:do", actor=yours)
    sealed(trail)
    with trail.acting(mine) as connection:
        found = list_audit_events(connection, Wanted(), limit=10)
        assert [(one.actor, one.number) for one in found] == [(yours, None), *[(mine, None)] * 3]
        assert len(list_audit_events(connection, Wanted(), limit=10, before=found[1].key)) == 2
        assert len(list_audit_events(connection, Wanted(action="web:"), limit=10)) == 3
        assert list_audit_events(connection, Wanted(actor=yours), limit=10) == found[:1]
        assert list_audit_events(connection, Wanted(object_id=found[2].object_id), limit=10) == found[2:3]
        assert (
            list_audit_events(connection, Wanted(since=found[1].at, until=found[0].at), limit=10)
            == found[1:2]
        )
        assert connection.execute(select(func.count()).select_from(tables.audit_link)).scalar_one() == 0
        assert connection.execute(select(func.count()).select_from(tables.audit_unsealed)).scalar_one() == 0
        for refused in (get_head, verify_trail, lambda it: export_trail(it, io.StringIO())):
            with pytest.raises(NotFoundError):
                refused(connection)
    with auditing(trail) as connection:
        assert list_audit_events(connection, Wanted(), limit=1)[0].number == 14
        other = list_audit_events(connection, Wanted(actor=yours), limit=1)[0]
    with trail.acting(trail.organisation("third")) as connection:
        assert list_audit_events(connection, Wanted(), limit=10) == []
        with pytest.raises(NotFoundError):
            list_audit_events(connection, Wanted(), limit=10, before=other.key)


def test_nobody_writes_the_chain_but_the_sealer(trail: World) -> None:
    digger = trail.organisation("digger")
    for role, principal in (("ler_app", digger), ("ler_app", PLATFORM_OPERATOR), ("ler_worker", None)):
        for statement in (
            "INSERT INTO ler.audit_link (number, event_id, digest) VALUES (11, 1, sha256('x'))",
            "INSERT INTO ler.audit_unsealed VALUES (1)",
            "DELETE FROM ler.audit_unsealed",
            "UPDATE ler.audit_link SET number = 12",
            "INSERT INTO ler.audit_event (actor, action, account_id) VALUES (NULL, 'a:b:c', gen_random_uuid())",
            "INSERT INTO ler.audit_event (actor, action, key) VALUES (NULL, 'a:b:c', gen_random_uuid())",
            *(("SELECT ler.seal_audit(1)",) if role == "ler_app" else ()),
            "SELECT ler.await_seal()",
        ):
            with pytest.raises(DBAPIError), trail.acting(principal, role=role) as connection:
                connection.execute(text(statement))
    for role in ("postgres", "ler_owner"):
        for statement in (
            "UPDATE ler.audit_link SET number = 12",
            "DELETE FROM ler.audit_link",
            "TRUNCATE ler.audit_link",
        ):
            with trail.database.connect() as connection:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                    connection.execute(sql.SQL(statement))
