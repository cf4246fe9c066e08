"""Reminders and escalation by the database's time: stored times are moved, the clock itself cannot be."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from geoapi.delivery.deliverer import Clockwork
from ler.db import tables
from ler.db.engine import create_engine
from ler.domain.deadlines import NoticePlan, clock_of, notices
from ler.rules_in_force import deadline_rules, ordinary_due, working_calendar
from ler.services.reminders import Owed, owed_now, remind_owners
from ler.settings import Settings
from tests.clocks import ALWAYS
from tests.integration.test_db_world import World, square, world
from tests.notices import data_of, told

__all__ = ["world"]

AREA = square(0, 0, 100, 100)
PLAN = NoticePlan()


def at(text_: str) -> datetime:
    return datetime.fromisoformat(text_).astimezone(UTC)


def planned(received: str) -> tuple[datetime, list[tuple[str, str, int]]]:
    """When an answer is due, and what is told when: local time, whom, percent."""
    settings = Settings()
    moment = at(received)
    calendar = working_calendar(settings, moment.year)
    clock = clock_of(moment, calendar, deadline_rules(settings))
    due = ordinary_due(settings)(moment)
    return due, [(one.at.isoformat(), one.to.value, one.percent) for one in notices(moment, due, clock, PLAN)]


@pytest.mark.parametrize(
    ("received", "due", "half", "most"),
    [
        # A Tuesday at ten: 11:00, 11:48, 12:00.
        (
            "2026-11-24T10:00+01:00",
            "2026-11-24T12:00+01:00",
            "2026-11-24T11:00+01:00",
            "2026-11-24T11:48+01:00",
        ),
        # Over the night: 40 minutes are left at 15:20, the rest runs from 07.
        (
            "2026-11-24T15:20+01:00",
            "2026-11-25T08:20+01:00",
            "2026-11-25T07:20+01:00",
            "2026-11-25T08:08+01:00",
        ),
        # Over Easter: the Wednesday before Maundy Thursday to the Tuesday after Easter Monday.
        (
            "2026-04-01T15:00+02:00",
            "2026-04-07T08:00+02:00",
            "2026-04-01T16:00+02:00",
            "2026-04-07T07:48+02:00",
        ),
        # Over the nights when clocks are moved: the clock of the law stands still then.
        (
            "2026-03-27T15:30+01:00",
            "2026-03-30T08:30+02:00",
            "2026-03-30T07:30+02:00",
            "2026-03-30T08:18+02:00",
        ),
        (
            "2026-10-23T15:30+02:00",
            "2026-10-26T08:30+01:00",
            "2026-10-26T07:30+01:00",
            "2026-10-26T08:18+01:00",
        ),
    ],
)
def test_reminders_fall_on_the_working_clock(received: str, due: str, half: str, most: str) -> None:
    found_due, plan = planned(received)
    assert found_due == at(due)
    reminders = [(when, percent) for when, to, percent in plan if to == "owner"]
    assert reminders == [
        (at(half).isoformat(), 50),
        (at(most).isoformat(), 90),
        (at(due).isoformat(), 100),
    ]


def test_after_hours_without_a_look_only_the_latest_is_owed() -> None:
    received, due = at("2026-11-24T10:00+01:00"), at("2026-11-24T12:00+01:00")
    clock = clock_of(received, working_calendar(Settings(), 2026), deadline_rules(Settings()))
    plan = notices(received, due, clock, PLAN)
    assert owed_now(plan, received) == Owed(0, 0, at("2026-11-24T11:00+01:00"))
    assert owed_now(plan, at("2026-11-24T11:50+01:00")) == Owed(90, 0, due)
    assert owed_now(plan, due) == Owed(100, 0, at("2026-11-24T14:00+01:00"))
    assert owed_now(plan, at("2026-11-24T14:00+01:00")).silence == 1
    assert owed_now(plan, at("2026-11-27T14:00+01:00")) == Owed(100, 2, None)


@pytest.fixture
def asked(world: World) -> tuple[UUID, UUID, UUID]:
    """An owner, a requester and a request that the owner has two hours for, by a clock that never stops."""
    owner = world.organisation("Silent Net", cvr="22222222", email="silent@example.dk")
    world.interest_area(owner, AREA)
    digger = world.organisation("The Digger", cvr="11111111", email="digger@example.dk")
    request = world.request(digger, AREA)
    with world.acting(digger) as connection:
        connection.execute(
            text("SELECT * FROM ler.match_request(:request, now() + interval '2 hours')"),
            {"request": request},
        )
    return owner, digger, request


def pass_time(world: World, minutes: int) -> None:
    """As if so much time had gone since the request."""
    with world.database.connect() as connection:
        connection.execute("SET session_replication_role = replica")  # the clock moves, not the due time
        connection.execute(
            "UPDATE ler.owner_request SET received_at = now() - make_interval(mins => %s),"
            " due_at = now() - make_interval(mins => %s) + interval '2 hours'",
            [minutes, minutes],
        )
        connection.execute("UPDATE ler.answer_watch SET next_at = now()")


def look(world: World) -> int:
    engine = create_engine(world.database.url("ler_worker"))
    try:
        return remind_owners(engine, lambda _: ALWAYS, PLAN, most=100)
    finally:
        engine.dispose()


def test_an_owner_is_reminded_and_its_silence_told_to_those_who_can_end_it(
    world: World, asked: tuple[UUID, UUID, UUID]
) -> None:
    owner, _, _ = asked
    for minutes, percents, silences in (
        *((0, [], 0), (59, [], 0), (61, [50], 0), (61, [50], 0), (109, [50, 90], 0)),
        *((121, [50, 90, 100], 0), (241, [50, 90, 100], 1), (241, [50, 90, 100], 1)),
    ):
        pass_time(world, minutes)
        assert look(world) == 1
        assert [one["percent"] for one in data_of(world, owner, "owner.reminder")] == percents, minutes
        assert told(world, owner).count("owner.silent") == silences, minutes
    assert told(world, tables.PLATFORM_OPERATOR) == []
    pass_time(world, 120 + 9 * 60 + 1)
    look(world)
    assert told(world, tables.PLATFORM_OPERATOR) == ["owner.silent"]
    assert told(world, owner).count("owner.silent") == 1
    assert look(world) == 0, "nothing more is to come"


def test_a_look_after_hours_tells_the_latest_only(world: World, asked: tuple[UUID, UUID, UUID]) -> None:
    owner, _, _ = asked
    pass_time(world, 300)
    look(world)
    assert [one["percent"] for one in data_of(world, owner, "owner.reminder")] == [100]
    assert told(world, owner).count("owner.silent") == 1


def test_two_sweeps_at_once_remind_once(world: World, asked: tuple[UUID, UUID, UUID]) -> None:
    owner, _, _ = asked
    pass_time(world, 70)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: look(world), range(4)))
    assert [one["percent"] for one in data_of(world, owner, "owner.reminder")] == [50]


def test_who_has_answered_or_was_let_off_is_not_reminded(
    world: World, asked: tuple[UUID, UUID, UUID]
) -> None:
    owner, _, _ = asked
    pass_time(world, 70)
    with world.database.connect() as connection:
        connection.execute("UPDATE ler.owner_request SET state = 'answered'")
        assert connection.execute("SELECT count(*) FROM ler.answer_watch").fetchone() == (0,)
        assert look(world) == 0
        connection.execute("UPDATE ler.owner_request SET state = 'withdrawn'")
    assert look(world) == 1
    assert [one["percent"] for one in data_of(world, owner, "owner.reminder")] == [50]


def test_another_due_time_begins_anew(world: World, asked: tuple[UUID, UUID, UUID]) -> None:
    owner, _, _ = asked
    pass_time(world, 121)
    look(world)
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.owner_request SET state = 'taken-out', due_at = now() + interval '121 minutes'"
        )
        assert connection.execute("SELECT reminded_percent FROM ler.owner_request").fetchone() == (0,)
    look(world)
    # Half of 242 minutes is gone.
    pass_time(world, 65)
    look(world)
    assert [one["percent"] for one in data_of(world, owner, "owner.reminder")] == [100, 50]


def test_the_second_contact_is_mailed_of_the_silence(world: World, asked: tuple[UUID, UUID, UUID]) -> None:
    owner, _, _ = asked
    with world.database.connect() as connection:
        for rank, name in ((1, "first"), (2, "second")):
            connection.execute(
                "INSERT INTO ler.contact (owner_id, rank, name, email) VALUES (%s, %s, %s, %s)",
                [owner, rank, name, f"{name}@example.dk"],
            )
    pass_time(world, 300)
    look(world)
    with world.database.connect() as connection:
        rows = connection.execute(
            "SELECT n.kind, o.address FROM ler.outbox AS o JOIN ler.notice AS n ON n.id = o.notice_id"
            " WHERE o.organisation_id = %s ORDER BY n.at, n.number",
            [owner],
        ).fetchall()
    assert rows == [
        ("owner.asked", "silent@example.dk"),
        ("owner.reminder", "first@example.dk"),
        ("owner.silent", "second@example.dk"),
    ]


def test_a_turn_of_the_clockwork_does_it_all(world: World, asked: tuple[UUID, UUID, UUID]) -> None:
    _, digger, _ = asked
    pass_time(world, 40 * 24 * 60)
    engine = create_engine(world.database.url("ler_worker"))
    try:
        clockwork = Clockwork(engine, Settings())
        clockwork.turn()
        clockwork.turn()
    finally:
        engine.dispose()
    assert told(world, digger).count("owner.late") == 1
    assert told(world, tables.PLATFORM_OPERATOR).count("owner.silent") == 1
    assert clockwork.clock_of(datetime.now(UTC) - timedelta(days=1)).opens.hour == 7
