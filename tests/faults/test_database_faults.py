"""The database server killed, restarted and gone while everybody works, on a cluster of the test's own.

Nothing that was acknowledged is lost, what nobody knows of is resolved by its key, and service and worker go on by
themselves, without having been restarted.
"""

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql

from geoapi.cluster import Cluster
from ler.db.migrate import migrate
from ler.errors import LerError
from tests.databases import Database
from tests.faults.invariants import (
    PATIENCE_S,
    QUICK_S,
    History,
    assert_nothing_lost,
    assert_others_served,
    assert_whole,
)
from tests.faults.test_upload_faults import CVR, network
from tests.packages import central
from tests.service import Client, Service, eventually, open_service
from tests.world import open_world

pytestmark = pytest.mark.nightly

CALLERS = 2
"""Programs that send requests without end while something fails."""
PAUSE_S = 0.4
FAST = signal.SIGINT
"""To PostgreSQL: end every transaction, then go."""
IMMEDIATE = signal.SIGQUIT
"""Go at once; the log is read again at the next start."""
TEMPLATE = "ler_template"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # Not pytest's own folder: that is closed to the user as whom PostgreSQL runs. Durable: that is what is tested.
    outer = Path(tempfile.mkdtemp(prefix="ler-faults-"))
    outer.chmod(0o755)
    made = Cluster(outer / "home")
    made.start()
    made.ensure_database(TEMPLATE)
    migrate(made.url(TEMPLATE))
    yield made
    with suppress(LerError):
        made.stop()
    shutil.rmtree(outer)


@pytest.fixture
def service(cluster: Cluster, tmp_path: Path) -> Iterator[Service]:
    name = f"test_{uuid4().hex[:16]}"
    make = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
    with psycopg.connect(
        host=str(cluster.socket_dir), dbname="postgres", user="postgres", autocommit=True
    ) as connection:
        connection.execute(make)
    settings = {"LER_AUDIT_DIR": str(tmp_path / "audit")}
    with open_world(Database(name, cluster)) as world, open_service(world, tmp_path, **settings) as made:
        central(made, tmp_path, 1)
        made.serve()
        made.work()
        yield made


@pytest.fixture
def http(service: Service) -> httpx.Client:
    return service.program().http


@contextmanager
def load(service: Service, history: History) -> Iterator[Callable[[int], None]]:
    """Let programs send requests all the while; gives a function that waits until so many more are acknowledged."""
    over = threading.Event()
    clients = [service.program().http for _ in range(CALLERS)]

    def call(http: httpx.Client) -> None:
        while not over.is_set():
            answer = history.send(http)
            over.wait(PAUSE_S if answer is not None and answer.is_success else 2 * PAUSE_S)

    def more(count: int) -> None:
        wanted = len(history.done) + count
        eventually(lambda: len(history.done) >= wanted, PATIENCE_S)

    with ThreadPoolExecutor(CALLERS) as pool:
        called = [pool.submit(call, one) for one in clients]
        try:
            yield more
        finally:
            over.set()
    for one in called:
        one.result()
    history.resolve()


def hit(cluster: Cluster, number: signal.Signals) -> None:
    pid = cluster.status().pid
    assert pid is not None
    os.kill(pid, number)


@pytest.mark.parametrize("number", [signal.SIGKILL, IMMEDIATE, FAST])
def test_a_database_that_goes_under_load_loses_nothing(
    service: Service, cluster: Cluster, http: httpx.Client, tmp_path: Path, number: signal.Signals
) -> None:
    history = History()
    with load(service, history) as more:
        more(4)
        hit(cluster, number)
        eventually(lambda: 503 in history.refusals)
        # Waits for what the killed server has left behind, as `ler db start` does.
        cluster.start()
        began = time.monotonic()
        more(4)
        assert time.monotonic() - began < PATIENCE_S
    assert_others_served(http)
    assert_nothing_lost(service, history)
    assert_whole(service, tmp_path / "again")


@pytest.mark.parametrize("number", [FAST, IMMEDIATE])
def test_an_upload_goes_on_where_the_database_was_restarted(
    service: Service, cluster: Cluster, number: signal.Signals
) -> None:
    client = service.client(service.token(service.world.owner(CVR, area=None)))
    content = network(600)
    address = client.announce(content, auto_approve=True).headers["Location"]
    half = len(content) // 2
    came = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield content[:half]
        came.wait(30)
        yield content[half:]

    def send() -> httpx.Response:
        headers = {
            "Content-Type": "application/partial-upload",
            "Upload-Offset": "0",
            "Upload-Complete": "?1",
        }
        return client.http.patch(f"{address}/content", content=slowly(), headers=headers)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        time.sleep(1)
        hit(cluster, number)
        eventually(lambda: not cluster.status().running)
        came.set()
        answer = sending.result(30)
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"]
    cluster.start()
    resume(client, address, content)
    client.wait(address, "published")
    assert_whole(service, service.folder / "again")


def resume(client: Client, address: str, content: bytes) -> None:
    """Send what has not come, from where the service says that it has come to."""

    def sent() -> bool:
        head = client.http.head(f"{address}/content")
        if head.status_code == 503:
            return False
        if head.headers["Upload-Complete"] == "?1":
            return True
        offset = int(head.headers["Upload-Offset"])
        answer = client.part(address, content[offset:], offset, complete=True)
        assert answer.status_code in {202, 503}, answer.text
        return answer.status_code == 202

    eventually(sent)


def test_a_database_that_is_gone_for_long_is_told_of_and_waited_for(
    service: Service, cluster: Cluster, http: httpx.Client, tmp_path: Path
) -> None:
    """Of ten minutes it shows what it would of an hour: nothing runs down while it is gone."""
    history = History()
    sender = service.program()
    asked = history.send(sender.http)
    assert asked is not None
    address = sender.announce(network(20)).headers["Location"]
    cluster.stop()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for answer in (
            http.get("/healthz"),
            http.get("/api/v1/requests"),
            sender.part(address, b"x" * 100, 0),
        ):
            assert answer.status_code == 503, answer.text
            assert answer.headers["Retry-After"]
            assert answer.elapsed.total_seconds() < QUICK_S
        refused = history.send(sender.http)
        assert refused is not None
        assert refused.json()["type"] == "/problems/unavailable"
        time.sleep(1)
    assert http.get("/problems/unavailable").status_code == 200, "what needs no database is served"
    assert service.alive()
    cluster.start()
    eventually(lambda: http.get("/healthz").status_code == 200, 10)
    history.resolve()
    assert_others_served(http)
    assert_nothing_lost(service, history)
    assert sender.offset(address) == 0
    assert_whole(service, tmp_path / "again")
