"""The service itself killed, told to stop, out of connections, in a deadlock; and jobs that fail each time."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx
import pytest

from ler.db.tables import PLATFORM_OPERATOR
from ler.faults import EXIT, POINTS
from tests.databases import Database
from tests.faults.invariants import (
    QUICK_S,
    History,
    assert_nothing_lost,
    assert_others_served,
    assert_settled,
    assert_trail_holds,
    assert_whole,
)
from tests.packages import ask, central
from tests.requests import REQUESTS
from tests.service import Service, eventually, execute, open_service
from tests.world import open_world

pytestmark = pytest.mark.nightly

SENDING = [name for name in POINTS if name.startswith("request.create.")]
SLOW_CALLS = 100
LEAVES_S = 25.0
"""By when a process that was told to stop is gone."""
MALFORMED = (
    ("build_packages", '{"request_id": "no id"}'),
    ("build_packages", '{"request_id": "11111111-2222-4333-8444-555555555555"}'),
    ("build_packages", "{}"),
    ("unheard_of", '{"request_id": 1}'),
)
PUT_JOB = (
    "SELECT queue.procrastinate_defer_jobs_v1(ARRAY[ROW('requests', %s, 0, NULL, NULL, %s::jsonb, now())"
    "::queue.procrastinate_job_to_defer_v1])"
)


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    settings = {"LER_AUDIT_DIR": str(tmp_path / "audit"), "LER_READS_PER_MINUTE": "100000"}
    with open_world(database) as world, open_service(world, tmp_path, **settings) as made:
        central(made, tmp_path, 1)
        yield made


@contextmanager
def locked(service: Service, table: str) -> Iterator[None]:
    """Hold a table, so that whoever wants it waits."""
    with service.world.database.connect() as connection, connection.transaction():
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield


def waiting(service: Service) -> int:
    with service.world.database.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("fault", SENDING)
def test_the_service_is_killed_while_a_request_is_sent(service: Service, tmp_path: Path, fault: str) -> None:
    """Before the commit or after: the caller sees a broken connection either way, and calls again."""
    history = History()
    server = service.serve(fault=fault)
    requester = service.owner()
    assert history.send(service.client(service.token(requester)).http) is None
    assert server.wait(timeout=10) == EXIT
    service.serve()
    (key,) = history.unknown
    again = history.send(service.client(service.token(requester)).http, key)
    assert again is not None
    assert ("Idempotency-Replayed" in again.headers) == fault.endswith("after-commit")
    assert_nothing_lost(service, history)
    service.work()
    assert_whole(service, tmp_path / "again")


def test_the_service_is_killed_at_chance_moments_under_load(service: Service, tmp_path: Path) -> None:
    chance = Random(11)
    history = History()
    over = threading.Event()
    service.work()
    server = service.serve()
    tokens = [service.token(service.owner()) for _ in range(2)]
    lost: list[tuple[str, str]] = []

    def call(token: str) -> None:
        while not over.is_set():
            with httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {token}"}) as http:
                before = set(history.unknown)
                history.send(http)
                lost.extend((token, key) for key in set(history.unknown) - before)
            over.wait(0.4)

    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(call, token) for token in tokens]
        try:
            for _ in range(2):
                time.sleep(chance.uniform(0.5, 1.5))
                service.kill(server)
                server = service.serve()
            time.sleep(0.5)
        finally:
            over.set()
    for one in calls:
        one.result()
    for token, key in lost:
        if key in history.unknown and history.unknown[key].headers["Authorization"].endswith(token):
            history.unknown[key] = service.client(token).http
    history.resolve()
    assert_nothing_lost(service, history)
    assert_whole(service, tmp_path / "again")


def test_calls_that_wait_for_connections_are_turned_away_and_health_is_told(service: Service) -> None:
    """More slow calls than the service has threads or connections: all are answered soon, and it lives."""
    service.serve()
    token, other = service.token(service.owner()), service.program().http

    def call(_: int) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{service.url}{REQUESTS}", headers=headers, timeout=60)

    with ThreadPoolExecutor(SLOW_CALLS) as pool:
        with locked(service, "ler.excavation_request"):
            began = time.monotonic()
            calls = [pool.submit(call, number) for number in range(SLOW_CALLS)]
            eventually(lambda: waiting(service) >= 5)
            for _ in range(5):
                health = other.get("/healthz")
                assert health.status_code == 200
                assert health.elapsed.total_seconds() < QUICK_S
            answers = [one.result() for one in calls]
        assert time.monotonic() - began < 30
    assert {answer.status_code for answer in answers} == {503}
    assert all(answer.headers["Retry-After"] for answer in answers)
    assert {answer.json()["type"] for answer in answers} == {"/problems/unavailable"}
    assert_others_served(other)


def test_a_call_that_loses_a_deadlock_is_made_again(service: Service) -> None:
    """Of two that lock a request and what was asked of its owner in the other order, the service gives way."""
    service.serve()
    asked = ask(service)
    with service.world.database.connect() as mine, ThreadPoolExecutor(1) as pool:
        with mine.transaction():
            mine.execute("SET LOCAL deadlock_timeout = '60s'")
            mine.execute("SELECT FROM ler.owner_request WHERE request_id = %s FOR UPDATE", [asked.id])
            cancelling = pool.submit(asked.client.http.post, f"{asked.address}/cancel")
            eventually(lambda: waiting(service) == 1)
            # The service now holds the request's row: only when the database ends its transaction do we get it.
            mine.execute("SELECT FROM ler.excavation_request WHERE id = %s FOR UPDATE", [asked.id])
        answer = cancelling.result(30)
    assert answer.status_code == 200, answer.text
    with service.world.database.connect() as connection:
        deadlocks = connection.execute(
            "SELECT count(*) FROM ler.audit_event WHERE action = 'requester:excavation_request:cancel'"
        ).fetchone()
    assert deadlocks == (1,)
    assert asked.listed()["state"] == "cancelled"
    assert_trail_holds(service)


def test_jobs_that_nobody_can_do_hold_up_no_other(service: Service, tmp_path: Path) -> None:
    service.serve()
    with service.world.database.connect() as connection:
        connection.execute("SET search_path = queue, public")
        for task, arguments in MALFORMED:
            connection.execute(PUT_JOB, [task, arguments])
    worker = service.work()
    ask(service).packed()
    assert worker.poll() is None
    with service.world.database.connect() as connection:
        rows = connection.execute(
            "SELECT count(*) FROM queue.procrastinate_jobs WHERE status IN ('todo', 'doing')"
        ).fetchone()
    assert rows == (0,)
    assert_whole(service, tmp_path / "again")


def test_the_operator_is_told_once_of_what_fails_each_time(service: Service) -> None:
    service.serve()
    poisoned = ask(service)
    execute(
        service,
        "UPDATE ler.package_feature SET feature_type = 'Nothing' WHERE request_id = %s",
        poisoned.id,
    )
    service.work()

    def told() -> list[tuple[object, ...]]:
        with service.world.database.connect() as connection:
            return connection.execute(
                "SELECT data->>'request_id', data->>'revision' FROM ler.notice"
                " WHERE kind = 'package.stuck' AND audience_id = %s",
                [PLATFORM_OPERATOR],
            ).fetchall()

    eventually(lambda: told() != [])
    ask(service).packed()
    assert told() == [(str(poisoned.id), "1")]
    assert poisoned.listed()["being_made"]


def test_what_killed_workers_left_in_the_store_is_removed_in_time(service: Service) -> None:
    stray, young = service.blobs / "tmp" / "work-old", service.blobs / "tmp" / "work-young"
    blob = service.blobs / "ab" / f"ab{'0' * 62}"
    for folder in (stray, young, blob.parent):
        folder.mkdir(parents=True)
    (stray / "half.zip").write_bytes(b"x")
    blob.write_bytes(b"x")
    old = time.time() - 48 * 3600
    for path in (stray, blob):
        os.utime(path, (old, old))
    service.work()
    eventually(lambda: not stray.exists() and not blob.exists())
    assert young.exists(), "somebody may be at work there"


def test_a_service_that_is_told_to_stop_answers_what_it_has_begun(service: Service) -> None:
    server = service.serve()
    history = History()
    http, listener = service.program().http, service.program().http
    with ThreadPoolExecutor(2) as pool:
        heard = threading.Event()

        def listen() -> None:
            with listener.stream("GET", "/api/v1/events", headers={"Accept": "text/event-stream"}) as stream:
                assert stream.status_code == 200
                heard.set()
                for _ in stream.iter_bytes():
                    pass

        listening = pool.submit(listen)
        assert heard.wait(10)
        with locked(service, "ler.idempotency_key"):
            sending = pool.submit(history.send, http)
            eventually(lambda: waiting(service) == 1)
            began = time.monotonic()
            server.send_signal(signal.SIGTERM)
            time.sleep(1)
            assert server.poll() is None, "it left a call unanswered"
        answer = sending.result(30)
        assert answer is not None
        assert answer.status_code == 201
        assert server.wait(timeout=LEAVES_S) in {0, -signal.SIGTERM}
        assert time.monotonic() - began < LEAVES_S
        assert listening.exception(10) is None or isinstance(listening.exception(), httpx.TransportError)
    assert_nothing_lost(service, history)


@pytest.mark.parametrize("released", [True, False])
def test_a_worker_that_is_told_to_stop_finishes_a_package_or_leaves_it(
    service: Service, tmp_path: Path, *, released: bool
) -> None:
    """Told while it enters a package that somebody holds up: for a second, or for longer than it may wait."""
    service.serve()
    asked = ask(service)
    with locked(service, "ler.package"):
        worker = service.work()
        eventually(lambda: waiting(service) >= 1)
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        if not released:
            assert worker.wait(timeout=LEAVES_S) == 0
    assert worker.wait(timeout=LEAVES_S) == 0
    assert time.monotonic() - began < LEAVES_S
    with service.world.database.connect() as connection:
        stalled = connection.execute(
            "SELECT count(*) FROM queue.procrastinate_jobs WHERE status = 'doing'"
        ).fetchone()
    assert stalled == (0,)
    service.work()
    asked.packed()
    assert_settled(service)
    assert_whole(service, tmp_path / "again")
