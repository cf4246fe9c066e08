"""Publishing beside readers and through crashes: one version or the other, never a mixture, and nothing half done."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from conflicts.match import match_request
from ler.db.engine import create_engine, transaction
from ler.db.tables import package_feature
from ler.errors import RefusedError
from ler.model import Feature
from ler.packages.gml import Answer, write_answer
from ler.services.networks import sweep_staging
from tests.integration.test_db_world import World, cable, line, square, world
from tests.world import World as FileWorld
from tests.world import header, open_world, water_pipe

__all__ = ["world"]

FEATURES = 20_000
VERSIONS = 4
LOCK_TIMEOUT_S = 1.0


def grid(tag: str) -> list[Feature]:
    """A network of which every feature carries the tag, and half lies elsewhere in every other version."""
    shift = 0.25 * (int(tag) % 2)
    return [
        cable(
            f"c{i}",
            line((i % 200, i // 200 + shift, 0), (i % 200 + 0.9, i // 200 + shift, 0)),
            etableringstidspunkt=tag,
        )
        for i in range(FEATURES)
    ]


class Reader(threading.Thread):
    """Asks about one place again and again; keeps what it was told."""

    def __init__(self, world: World, requester: UUID) -> None:
        super().__init__()
        self.seen: list[tuple[int, frozenset[str]]] = []
        self.failed: BaseException | None = None
        self.stop = threading.Event()
        self._world = world
        self._requester = requester

    def run(self) -> None:
        # Whoever waits for a lock longer than that fails, and the test with it.
        engine = create_engine(self._world.database.url("ler_app"), lock_timeout_s=LOCK_TIMEOUT_S)
        try:
            while not self.stop.is_set():
                request = self._world.request(self._requester, square(-1, 39.9, 201, 41.9))
                with transaction(engine, self._requester) as connection:
                    (answer,) = match_request(connection, request)
                    columns = package_feature.c
                    tags = connection.execute(
                        select(columns.established).where(columns.request_id == request)
                    ).scalars()
                    told = [str(tag) for tag in tags]
                assert answer.feature_count == len(told)
                self.seen.append((len(told), frozenset(told)))
        except BaseException as error:  # noqa: BLE001 - told by the thread that started this one
            self.failed = error
        finally:
            engine.dispose()


def test_a_reader_sees_the_old_version_or_the_new_and_never_waits(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    world.publish(owner, grid("1"))
    readers = [Reader(world, digger) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(2, VERSIONS + 1):
            world.publish(owner, grid(str(number)))
    finally:
        for reader in readers:
            reader.stop.set()
        for reader in readers:
            reader.join()
    for reader in readers:
        if reader.failed:
            raise reader.failed
        assert {count for count, _ in reader.seen} == {400}, "a line was lost, or came twice"
        assert all(len(tags) == 1 for _, tags in reader.seen), "a mixture of two versions"
        told = [int(next(iter(tags))) for _, tags in reader.seen]
        assert told == sorted(told)
    everything = {tag for reader in readers for _, tags in reader.seen for tag in tags}
    assert len(everything) > 1, "no publication fell between two matches, so nothing was shown"


def test_a_match_is_not_kept_waiting_by_a_publication_that_has_not_ended(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    area = square(0, 0, 10, 10)
    world.publish(owner, [cable("old", line((1, 1, 0), (9, 9, 0)))])
    staged = world.stage(owner, [cable("new", line((1, 1, 0), (9, 9, 0)))])
    request = world.request(digger, area)
    engine = create_engine(world.database.url("ler_app"), lock_timeout_s=LOCK_TIMEOUT_S)
    with transaction(engine, owner) as publishing:
        publishing.exec_driver_sql("SELECT ler.publish_version(%s)", (staged,))
        with transaction(engine, digger) as connection:
            match_request(connection, request)
        assert world.delivered(digger, request).keys() == {"old"}
    engine.dispose()
    later = world.request(digger, area)
    world.match(digger, later)
    assert world.delivered(digger, later).keys() == {"new"}


UPLOAD = """
import sys, time
from pathlib import Path
from ingest.load import publish_network
from ler.db.engine import create_engine, transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.registry import get_owner
from ler.settings import Settings

url, path, moment = sys.argv[1], Path(sys.argv[2]), sys.argv[3]

def halt(at):
    if at == moment:
        print("here", flush=True)
        time.sleep(600)

engine = create_engine(url)
with transaction(engine, PLATFORM_OPERATOR) as connection:
    owner = get_owner(connection, "12345678")
with transaction(engine, owner.id) as connection:
    publish_network(
        connection, owner, path, Settings(), lambda count: halt("reading") if count == 1500 else None, approve=True
    )
    halt("published")
"""


@pytest.fixture
def files(world: World) -> Iterator[FileWorld]:
    with open_world(world.database) as made:
        yield made


def pipes(count: int, length: float) -> Sequence[Feature]:
    return [
        water_pipe(f"p{n}", (575_000, 6_224_000 + n / 10, 1), (575_000 + length, 6_224_000 + n / 10, 1))
        for n in range(count)
    ]


@pytest.mark.parametrize("moment", ["reading", "published"])
def test_an_uploader_that_is_killed_leaves_nothing(files: FileWorld, tmp_path: Path, moment: str) -> None:
    owner = files.owner("12345678")
    files.network("12345678", tmp_path, *pipes(20, 5))
    before = files.counts()
    other = tmp_path / "other"
    other.mkdir()
    path = write_only(other, pipes(2000, 7))
    process = subprocess.Popen(
        [sys.executable, "-c", UPLOAD, files.database.url("ler_app"), str(path), moment],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
    assert files.counts() == before
    upload_when_free(files, path)
    assert files.counts()["network_feature"] == 20 + 2000
    with transaction(files.databases.app, owner) as connection:
        assert sweep_staging(connection, 1).versions == 0
    assert files.counts()["staged_feature"] == 0


def write_only(folder: Path, features: Sequence[Feature]) -> Path:
    """Write a file as `files.network` does, and upload nothing."""
    path = folder / "12345678.gml"
    with path.open("wb") as stream:
        write_answer(stream, Answer("12345678", "x", header(), features))
    return path


def upload_when_free(files: FileWorld, path: Path) -> None:
    """The server notices within moments that the killed one is gone; until then the owner's dataset is kept."""
    for _ in range(100):
        try:
            files.upload("12345678", path)
        except RefusedError as refused:
            if refused.code != "dataset-busy":
                raise
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the dataset stayed busy")
