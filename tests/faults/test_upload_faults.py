"""Processes killed at every step of an upload: it goes on, or is as if never begun; nothing is done twice or left lying."""

import io
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from uuid import UUID

import httpx
import pytest

from ler.faults import EXIT, POINTS
from ler.packages.gml import Answer, write_answer
from tests.databases import Database
from tests.service import ENDED, UPLOADS, Client, Service, eventually, execute, open_service, orphans
from tests.world import header, open_world, water_pipe

pytestmark = pytest.mark.nightly

CVR = "12345678"
SERVER = [name for name in POINTS if name.startswith("upload.")]
WORKER = [name for name in POINTS if name.startswith(("check.", "publish."))]


def network(pipes: int) -> bytes:
    lines = [
        water_pipe(
            f"p{n}", (575000 + n % 100, 6224000 + n // 100, 1), (575000.5 + n % 100, 6224000 + n // 100, 1)
        )
        for n in range(pipes)
    ]
    stream = io.BytesIO()
    write_answer(stream, Answer(CVR, "x", header(), lines))
    return stream.getvalue()


SMALL = network(20)


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    with open_world(database) as world, open_service(world, tmp_path) as made:
        yield made


@pytest.fixture
def owner(service: Service) -> UUID:
    return service.world.owner(CVR, area=None)


class Owner:
    """A program that calls again with the same key and from the right offset, as long as it takes."""

    def __init__(self, service: Service, owner: UUID, content: bytes, revive: Callable[[], None]) -> None:
        self._service = service
        self._token = service.token(owner)
        self._content = content
        self._revive = revive

    def _again[T](self, call: Callable[[Client], T]) -> T:
        for _ in range(20):
            try:
                return call(self._service.client(self._token))
            except httpx.TransportError:
                self._revive()
        raise AssertionError("it never came through")

    def announce(self) -> str:
        answer = self._again(lambda client: client.announce(self._content, key="one"))
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Location"])

    def send(self, address: str) -> None:
        size = len(self._content) // 3 + 1

        def send_part(client: Client) -> bool:
            head = client.http.head(f"{address}/content").headers
            if head["Upload-Complete"] == "?1":
                return True
            offset = int(head["Upload-Offset"])
            part = self._content[offset : offset + size]
            last = offset + len(part) == len(self._content)
            sent = client.part(address, part, offset, complete=last)
            assert sent.status_code < 300, sent.text
            return False

        while not self._again(send_part):
            pass

    def approve(self, address: str) -> None:
        def decide(client: Client) -> bool:
            found = client.http.get(address)
            if found.json()["state"] == "needs_approval":
                client.http.post(f"{address}/approve", headers={"If-Match": found.headers["ETag"]})
            return found.json()["state"] in {"approved", "publishing"} | ENDED

        eventually(lambda: self._again(decide))

    def see(self, address: str) -> dict[str, object]:
        return dict(self._again(lambda client: client.http.get(address)).json())


def assert_done_once(service: Service, features: int) -> None:
    with service.world.database.connect() as connection:
        versions = connection.execute("SELECT state, count(*) FROM ler.network_version GROUP BY 1").fetchall()
        row = connection.execute("SELECT count(*) FROM ler.network_feature").fetchone()
        uploads = connection.execute("SELECT state FROM ler.upload").fetchall()
        events = connection.execute("SELECT number FROM ler.upload_event ORDER BY 1").fetchall()
        trail = connection.execute(
            "SELECT count(*) FROM ler.audit_event WHERE action = 'ler:network_version:publish'"
        ).fetchone()
    assert uploads == [("published",)]
    assert versions == [("published", 1)]
    assert row == (features,)
    assert trail == (1,)
    assert [number for (number,) in events] == list(range(1, len(events) + 1))
    eventually(lambda: orphans(service) == {"staged rows": 0, "folders": 0})


@pytest.mark.parametrize("fault", SERVER)
def test_the_server_is_killed(service: Service, owner: UUID, fault: str) -> None:
    server = service.serve(fault=fault)
    service.work()
    died: list[int] = []

    def revive() -> None:
        if not died:
            died.append(server.wait(timeout=10))
            service.serve()

    program = Owner(service, owner, SMALL, revive)
    address = program.announce()
    program.send(address)
    program.approve(address)
    eventually(lambda: program.see(address)["state"] == "published")
    assert died == [EXIT]
    assert_done_once(service, 20)


@pytest.mark.parametrize("fault", WORKER)
def test_the_worker_is_killed(service: Service, owner: UUID, fault: str) -> None:
    service.serve()
    worker = service.work(fault=fault)
    client = service.client(service.token(owner))
    address = client.upload(SMALL, auto_approve=True)
    assert worker.wait(timeout=30) == EXIT
    began = time.monotonic()
    service.work()
    client.wait(address, "published")
    assert time.monotonic() - began < 60
    assert_done_once(service, 20)


def test_a_worker_killed_at_any_moment_is_taken_over(service: Service, owner: UUID) -> None:
    """By SIGKILL at chance moments, over and over, of a check that lasts a while."""
    service.serve()
    client = service.client(service.token(owner))
    address = client.upload(network(6000), auto_approve=True)
    chance = Random(4)
    for _ in range(2):
        worker = service.work()
        eventually(lambda: client.state(address) in {"checking", *ENDED})
        time.sleep(chance.uniform(0, 1.0))
        service.kill(worker)
        assert client.state(address) in {"checking", "received", "approved", "publishing", "published"}
    service.work()
    client.wait(address, "published")
    assert_done_once(service, 6000)


def test_a_file_that_kills_its_worker_each_time_is_given_up(service: Service, owner: UUID) -> None:
    service.serve()
    client = service.client(service.token(owner))
    address = client.upload(SMALL)
    for _ in range(3):
        worker = service.work(fault="check.staged")
        assert worker.wait(timeout=30) == EXIT
    service.work()
    found = client.wait(address, "failed")
    assert found["problem"]["type"] == "/problems/internal"
    eventually(lambda: orphans(service) == {"staged rows": 0, "folders": 0})


def test_a_worker_that_is_told_to_stop_hands_back_what_it_has_begun(service: Service, owner: UUID) -> None:
    service.serve()
    client = service.client(service.token(owner))
    worker = service.work()
    address = client.upload(network(15000), auto_approve=True)
    client.wait(address, "checking")
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    assert time.monotonic() - began < 25
    assert client.state(address) == "received"
    with service.world.database.connect() as connection:
        stalled = connection.execute(
            "SELECT count(*) FROM queue.procrastinate_jobs WHERE status = 'doing'"
        ).fetchone()
        row = connection.execute("SELECT attempts FROM ler.upload").fetchone()
    assert stalled == (0,)
    assert row == (0,), "stopping is no failure of the file"
    service.work()
    client.wait(address, "published")
    assert_done_once(service, 15000)


def test_lost_connections_to_the_database_are_waited_for(service: Service, owner: UUID) -> None:
    service.serve()
    service.work()
    client = service.client(service.token(owner))
    address = client.upload(network(6000), auto_approve=True)
    client.wait(address, "checking")
    execute(
        service,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    eventually(lambda: client.http.get("/healthz").status_code == 200)
    eventually(lambda: client.http.get(address).json().get("state") == "published")
    assert_done_once(service, 6000)


def test_two_workers_do_each_upload_once(service: Service, owner: UUID) -> None:
    service.serve()
    service.work()
    service.work()
    client = service.client(service.token(owner))
    with ThreadPoolExecutor(4) as pool:
        addresses = list(pool.map(lambda n: client.upload(network(200 + n), auto_approve=True), range(4)))
    for address in addresses:
        client.wait(address, "published", "needs_approval")
    with service.world.database.connect() as connection:
        moves = connection.execute(
            "SELECT upload_id, data->>'state', count(*) FROM ler.upload_event WHERE data->>'state' = 'published'"
            " GROUP BY 1, 2 HAVING count(*) > 1"
        ).fetchall()
        published = connection.execute(
            "SELECT count(*) FROM ler.network_version WHERE state = 'published'"
        ).fetchone()
    assert moves == []
    assert published == (1,)


def test_a_folder_that_nobody_knows_is_swept_and_others_stay(service: Service, owner: UUID) -> None:
    service.serve()
    client = service.client(service.token(owner))
    address = client.announce(SMALL).headers["Location"]
    client.part(address, SMALL[:10], 0)
    stray = service.files / "11111111-2222-4333-8444-555555555555"
    stray.mkdir()
    (stray / "content.gml").write_bytes(b"x")
    (service.files / "README").write_text("not ours", encoding="utf-8")
    service.work()
    eventually(lambda: not stray.exists())
    assert (service.files / "README").exists()
    assert client.offset(address) == 10
    assert client.http.get(UPLOADS).json()["uploads"][0]["state"] == "receiving"
