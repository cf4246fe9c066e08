"""The process that reads an owner's file dies in the worker's hands: the upload is rejected by name, and all else goes on."""

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.test_hostile_uploads import MAPPING
from tests.databases import Database
from tests.faults.invariants import assert_nothing_left, assert_others_served, assert_trail_holds
from tests.hostile import samples
from tests.service import Service, eventually, open_service
from tests.world import open_world

pytestmark = pytest.mark.nightly

ROWS = 50_000
SMALLEST_B = 1 << 20


def _killed(pid: int) -> None:
    """As the kernel does to whoever has taken the memory."""
    os.kill(pid, signal.SIGKILL)


def _segfault(pid: int) -> None:
    """As a native parser does to itself."""
    os.kill(pid, signal.SIGSEGV)


def _starved(pid: int) -> None:
    """No more memory is given to it than it has."""
    resource.prlimit(pid, resource.RLIMIT_AS, (SMALLEST_B, SMALLEST_B))


def _overworked(pid: int) -> None:
    """It has had its time: as for one that turns round and round."""
    resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0))


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    settings = {"LER_AUDIT_DIR": str(tmp_path / "audit")}
    with open_world(database) as world, open_service(world, tmp_path, **settings) as made:
        made.serve()
        yield made


def children(pid: int) -> list[int]:
    """The reading processes of a worker; it has no others."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(child) for child in (task / "children").read_text().split()]
        except FileNotFoundError:
            continue  # a thread that ended meanwhile
    return found


@pytest.mark.parametrize("fault", [_killed, _segfault, _starved, _overworked])
def test_a_reader_that_dies_costs_its_file_only(service: Service, fault: Callable[[int], None]) -> None:
    worker = service.work()
    client = service.program()
    rows = (
        f"{number},a,POINT ({574000 + number % 1000} {6223000 + number // 1000})" for number in range(ROWS)
    )
    content = samples.csv_text(*rows).encode()
    address = client.upload(
        content, name="net.csv", mapping=MAPPING.replace("COLUMN", "nr"), crs="EPSG:25832"
    )
    died: set[int] = set()

    def given_up() -> bool:
        # Each that is begun for the file: one that dies between two answers has a successor.
        for reader in children(worker.pid):
            with suppress(ProcessLookupError):
                fault(reader)
                died.add(reader)
        return client.state(address) not in {"received", "checking"}

    eventually(given_up)
    assert died
    found = client.wait(address, "rejected")
    assert found["problem"]["type"] == "/problems/parser-crashed"
    assert worker.poll() is None
    assert not children(worker.pid)
    assert_others_served(service.program().http)
    next_client = service.program()
    small = samples.csv_text("1,a,POINT (575000 6224000)").encode()
    after = next_client.upload(
        small, name="net.csv", mapping=MAPPING.replace("COLUMN", "nr"), crs="EPSG:25832", auto_approve=True
    )
    next_client.wait(after, "published", "needs_approval")
    assert_nothing_left(service)
    assert_trail_holds(service)
