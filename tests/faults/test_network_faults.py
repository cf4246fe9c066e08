"""Connections cut, halted, slowed and refused, between a caller and the service and between that and its database."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.databases import Database
from tests.faults.invariants import QUICK_S, History, assert_nothing_lost, assert_others_served, assert_whole
from tests.packages import central
from tests.proxy import Cut, Proxy, open_proxy
from tests.requests import REQUESTS
from tests.service import Service, eventually, open_service
from tests.world import open_world

pytestmark = pytest.mark.nightly

ENTERING = b"INSERT INTO ler.idempotency_key"
"""The last that the service says to the database before it commits a request."""


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    with open_proxy(database.cluster.socket_dir / ".s.PGSQL.5432") as made:
        yield made


@pytest.fixture
def service(database: Database, proxy: Proxy, tmp_path: Path) -> Iterator[Service]:
    """Service and worker reach their database through the proxy; the test itself does not."""
    address = f"postgresql+psycopg://postgres@127.0.0.1:{proxy.port}/{database.name}?sslmode=disable"
    settings = {"LER_DATABASE_URL": address, "LER_AUDIT_DIR": str(tmp_path / "audit")}
    with open_world(database) as world, open_service(world, tmp_path, **settings) as made:
        central(made, tmp_path, 1)
        made.serve()
        yield made


@pytest.fixture
def http(service: Service) -> httpx.Client:
    return service.program().http


@pytest.mark.parametrize("passed", [False, True])
def test_the_database_is_cut_off_at_the_commit(
    service: Service, proxy: Proxy, http: httpx.Client, tmp_path: Path, *, passed: bool
) -> None:
    """Before it got the word, or after: the caller cannot tell, calls again, and there is one request."""
    history = History()
    proxy.cut(Cut(b"COMMIT", after=ENTERING, passed=passed))
    broken = history.send(http)
    assert broken is not None
    assert broken.status_code == 503
    assert proxy.broken == 1
    with service.world.database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM ler.excavation_request").fetchone()
    assert row == (int(passed),)
    history.resolve()
    assert_nothing_lost(service, history)
    service.work()
    assert_whole(service, tmp_path / "again")


@pytest.mark.parametrize("passed", [False, True])
def test_the_caller_is_cut_off(service: Service, tmp_path: Path, *, passed: bool) -> None:
    """Before the service got its call, or before it got the answer."""
    history = History()
    requester = service.owner()
    with open_proxy(httpx.URL(service.url).port or 0) as before:
        url, service.url = service.url, f"http://127.0.0.1:{before.port}"
        http = service.client(service.token(requester)).http
        service.url = url
        before.cut(Cut(b"Fjernvarme", passed=passed))
        assert history.send(http) is None
        assert before.broken == 1
        history.resolve()
        if passed:
            with service.world.database.connect() as connection:
                row = connection.execute("SELECT count(*) FROM ler.idempotency_key").fetchone()
            assert row == (1,)
    assert_nothing_lost(service, history)
    service.work()
    assert_whole(service, tmp_path / "again")


def test_connections_that_break_again_and_again_do_nothing_twice(
    service: Service, proxy: Proxy, http: httpx.Client, tmp_path: Path
) -> None:
    """Of the service and of the worker, all at once, slowed down so that they break in the middle of something."""
    history = History()
    service.work()
    proxy.delay_s = 0.002
    for _ in range(4):
        with ThreadPoolExecutor(2) as pool:
            sent = [pool.submit(history.send, http) for _ in range(2)]
            time.sleep(0.3)
            proxy.reset()
        assert all(one.result() is not None for one in sent), "the service itself broke off"
    proxy.delay_s = 0.0
    assert_others_served(http)
    history.resolve()
    assert_nothing_lost(service, history)
    assert_whole(service, tmp_path / "again")


def test_a_database_that_says_nothing_any_more_is_told_of(
    service: Service, proxy: Proxy, http: httpx.Client, tmp_path: Path
) -> None:
    """As when a cable is pulled: connections stand, and nothing comes."""
    history = History()
    service.work()
    assert history.send(http) is not None
    proxy.halt()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(http.get, REQUESTS) for _ in range(3)]
        for _ in range(3):
            health = http.get("/healthz")
            assert health.status_code == 503
            assert health.elapsed.total_seconds() < QUICK_S
        proxy.reset()
        proxy.flow()
        assert {one.result(30).status_code for one in waiting} <= {200, 503}
    eventually(lambda: http.get("/healthz").status_code == 200, 15)
    assert_others_served(http)
    assert history.send(http) is not None
    history.resolve()
    assert_nothing_lost(service, history)
    assert_whole(service, tmp_path / "again")


def test_a_database_that_takes_no_connections_is_waited_for(proxy: Proxy, http: httpx.Client) -> None:
    assert http.get(REQUESTS).status_code == 200
    proxy.refuses = True
    proxy.reset()
    for path in ("/healthz", REQUESTS):
        refused = http.get(path)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
    proxy.refuses = False
    eventually(lambda: http.get("/healthz").status_code == 200, 10)
    assert_others_served(http)
