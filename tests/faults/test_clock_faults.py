"""Clocks that are wrong: the database's decides who is late, what has expired and who is reminded, and the others are told of."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time
from typing import Any
from uuid import UUID

import pytest
import time_machine
from standardwebhooks import Webhook

from geoapi.delivery.deliverer import Clockwork
from ler.domain.access import Scope
from ler.rules_in_force import due_by_default_rules
from ler.settings import Settings
from tests.acceptance.test_client_credentials import Program
from tests.clocks import ALWAYS, pass_time, wrong_clock
from tests.databases import Database
from tests.notices import receiver
from tests.requests import FIRST, send
from tests.requests import body as request_body
from tests.service import Service, eventually, execute, open_service
from tests.world import World, open_world

APART = "the clocks of this machine and of the database are"
NIGHTS = {
    "the night in which an hour is missing": datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC),
    "the night with an hour twice": datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC),
}
SHIFTS = {
    "five minutes ahead": timedelta(minutes=5),
    "five minutes behind": timedelta(minutes=-5),
    "three hours ahead": timedelta(hours=3),
}


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Service]:
    with open_service(world, tmp_path) as made:
        yield made


def owner_request(world: World, request: UUID) -> tuple[datetime, datetime, bool]:
    """When it was received, when it is due, and whether it is late."""
    with world.database.connect() as connection:
        row = connection.execute(
            "SELECT received_at, due_at, late FROM ler.owner_request WHERE request_id = %s", [request]
        ).fetchone()
    assert row is not None
    return row


def database_now(world: World) -> datetime:
    with world.database.connect() as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def notices(world: World, request: UUID, kind: str) -> list[dict[str, object]]:
    with world.database.connect() as connection:
        rows = connection.execute(
            "SELECT data FROM ler.notice WHERE request_id = %s AND kind = %s ORDER BY number", [request, kind]
        ).fetchall()
    return [data for (data,) in rows]


def turn(world: World, clock: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker whose clock shows that time look after the deadlines."""
    monkeypatch.setattr(Clockwork, "clock_of", lambda *_: ALWAYS)
    with time_machine.travel(clock, tick=True):
        Clockwork(world.databases.worker, Settings()).turn()


@pytest.mark.parametrize("clock", [*SHIFTS, *NIGHTS])
def test_deadlines_are_the_databases_whatever_clock_looks(
    service: Service, clock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = service.world
    right = datetime.now(UTC)
    wrong = NIGHTS.get(clock) or right + SHIFTS[clock]
    world.owner("22222222", "Silent Net")
    digger = world.requester("Grav A/S")
    before = database_now(world)
    with time_machine.travel(wrong, tick=True):
        request = service.asks(digger, period_from=FIRST, period_to=FIRST)
    received, due, _ = owner_request(world, request)
    assert before <= received <= database_now(world)
    assert due == due_by_default_rules(received)

    # Two machines look in turn, one of which is wrong: each thing is told once, when it is time by the database.
    for minutes, percents, late in (
        *((1, [], False), (59, [], False), (61, [50], False), (109, [50, 90], False)),
        *((119, [50, 90], False), (121, [50, 90, 100], True)),
    ):
        pass_time(world.database, request, minutes)
        for looking in (wrong, right):
            turn(world, looking, monkeypatch)
        assert [one["percent"] for one in notices(world, request, "owner.reminder")] == percents, minutes
        assert owner_request(world, request)[2] is late, minutes
    assert len(notices(world, request, "owner.late")) == 1
    assert len(notices(world, request, "owner.silent")) == 0


@pytest.mark.parametrize(("seconds", "told"), [(0, False), (1, False), (-1, False), (3, True), (-3, True)])
def test_clocks_that_are_more_than_two_seconds_apart_are_told(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    seconds: int,
    told: bool,
) -> None:
    turn(world, datetime.now(UTC) + timedelta(seconds=seconds), monkeypatch)
    alarms = [record for record in caplog.records if APART in record.getMessage()]
    assert bool(alarms) is told
    assert all(alarm.levelno == logging.ERROR for alarm in alarms)


def test_a_database_that_is_slow_is_not_taken_for_a_wrong_clock(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with world.database.connect() as connection:
        connection.execute(
            "ALTER FUNCTION ler.mark_late() RENAME TO mark_late_at_once;"
            "CREATE FUNCTION ler.mark_late() RETURNS bigint LANGUAGE sql AS"
            " 'SELECT ler.mark_late_at_once() FROM pg_sleep(2.5)'"
        )
    turn(world, datetime.now(UTC), monkeypatch)
    assert APART not in caplog.text


@pytest.mark.parametrize("seconds", [300, -300, 3 * 3600])
def test_processes_with_a_wrong_clock_serve_by_the_databases(
    world: World, tmp_path: Path, seconds: int
) -> None:
    settings = {"LER_WEBHOOK_LOOPBACK": "true", "LER_NOTICE_POLL_S": "0.1", "LER_WATCH_S": "0.2"}
    with receiver() as hook, open_service(world, tmp_path, **settings, **wrong_clock(seconds)) as service:
        service.serve()
        service.work()
        owner = world.owner("22222222", "Silent Net")
        answering = service.client(service.token(owner)).http
        added = answering.post(
            "/api/v1/notice-endpoints", json={"url": hook.url()}, headers={"Idempotency-Key": "hook"}
        )
        assert added.status_code == 201, added.text

        digger = world.requester("Grav A/S")
        token = service.token(digger)
        asking = service.client(token).http
        before = database_now(world)
        made = send(asking, request_body())
        assert made.status_code == 201, made.text
        request = UUID(made.json()["id"])
        received, due, _ = owner_request(world, request)
        assert before <= received <= database_now(world)
        assert due == due_by_default_rules(received)

        assert_tokens_are_judged_by_the_database(service)
        # A receiver whose clock is right takes a signature that is five minutes old at most.
        eventually(lambda: len(hook.calls) > 0)
        Webhook(added.json()["secret"]).verify(hook.calls[0].body, hook.calls[0].headers)
        assert json.loads(hook.calls[0].body)["type"] == "owner.asked"

        for process in ("serve", "worker"):
            (log,) = tmp_path.glob(f"{process}-*.log")
            eventually(lambda log=log: APART in told_by(service, log))  # type: ignore[misc]
        assert not owner_request(world, request)[2]
        assert notices(world, request, "owner.reminder") == []
        pass_time(world.database, request, 121)
        eventually(lambda: owner_request(world, request)[2])
        assert len(notices(world, request, "owner.late")) == 1


def told_by(service: Service, log: Path) -> str:
    """What a process has written by now; the server looks at its clock when it is asked how it is."""
    assert service.client(None).http.get("/healthz").status_code == 200
    return log.read_text(encoding="utf-8")


def assert_tokens_are_judged_by_the_database(service: Service) -> None:
    """Neither is one that has expired taken by a clock that is behind, nor one that is good refused by one ahead."""
    program = Program(service, Scope.NETWORK_READ)
    mine, path = service.client(service.token(program.owner)).http, "/api/v1/network/versions"
    ending = "UPDATE ler.access_token SET expires_at = now() + make_interval(secs => %s) WHERE owner_id = %s"
    execute(service, ending, 60, program.owner)
    assert mine.get(path).status_code == 200
    execute(service, ending, -1, program.owner)
    assert mine.get(path).status_code == 401

    now = int(time())
    assert program.ask(program.assertion()).status_code == 200
    assert program.ask(program.assertion(exp=now - 30)).status_code == 200, "clocks may differ by a minute"
    wrong: tuple[dict[str, Any], ...] = (
        *({"exp": now - 90}, {"exp": now + 2 * 3600}),
        *({"iat": now + 120}, {"nbf": now + 120}),
    )
    for claims in wrong:
        assert program.ask(program.assertion(**claims)).status_code == 401, claims
    short = program.token()
    execute(service, ending, -1, program.owner)
    assert service.client(short).http.get(path).status_code == 401
