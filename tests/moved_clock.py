"""A clock that tests move, for a database server and for processes: libfaketime gives them the time of a file.

Nothing of the platform knows of it: the server, the service and the worker ask the system for the time as always.
The time must lie after the real one and only go forward: libfaketime lets a signal's handler see the real time, and
PostgreSQL would take a moment that seems long past for the end of its timeouts.
"""

import glob
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geoapi.cluster import Cluster
from geoapi.postgresql import get_installation
from ler.db.migrate import migrate
from ler.errors import LerError
from tests.databases import Database

_LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"
_PROGRAMS = ("initdb", "pg_ctl", "pg_isready", "postgres")


@dataclass
class MovedClock:
    """The time that a file tells; `environment` makes a process live by it."""

    file: Path
    library: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": self.library,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            # Waiting goes on as ever, and files keep their times; only what time it is, is moved.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",
            "NO_FAKE_STAT": "1",
        }

    def move_to(self, moment: datetime) -> None:
        """Go on from another moment, in all processes that live by this clock."""
        part = self.file.with_suffix(".part")
        part.write_text(f"{(moment - datetime.now(UTC)).total_seconds():+.3f}\n", encoding="ascii")
        part.chmod(0o644)
        part.replace(self.file)


@contextmanager
def moved_database(begins: datetime) -> Iterator[tuple[Database, MovedClock]]:
    """Start a cluster of the test's own that lives by a moved clock, with one migrated database."""
    libraries = glob.glob(_LIBRARIES)  # noqa: PTH207 - an absolute pattern
    if not libraries:
        pytest.fail("libfaketime is missing: run scripts/setup --tests")
    # Not pytest's own folder: that is closed to the user as whom PostgreSQL runs.
    outer = Path(tempfile.mkdtemp(prefix="ler-clock-"))
    outer.chmod(0o755)
    clock = MovedClock(outer / "now", libraries[0])
    clock.move_to(begins)
    cluster = Cluster(outer / "home", durable=False, binaries=[_programs(outer / "bin", clock)])
    try:
        cluster.start()
        cluster.ensure_database("story")
        migrate(cluster.url("story"))
        yield Database("story", cluster), clock
    finally:
        with suppress(LerError):
            cluster.stop()
        shutil.rmtree(outer)


def _programs(folder: Path, clock: MovedClock) -> Path:
    """PostgreSQL's programs, each of which first takes up the moved clock."""
    folder.mkdir()
    installed = get_installation()
    given = " ".join(f"{name}='{value}'" for name, value in clock.environment.items())
    for name in _PROGRAMS:
        program = folder / name
        program.write_text(
            f'#!/bin/sh\nexec env {given} "{installed.program(name)}" "$@"\n', encoding="utf-8"
        )
        program.chmod(0o755)
    return folder
