"""One partition of a batch: it reads the lines around its works from the database, and gives their conflicts.

It runs on any worker that reaches the database. The address may be left to the worker, so that no password travels.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from weakref import finalize

import numpy as np
import pyarrow as pa
from sqlalchemy.engine import Connection, Engine

from conflicts.batch.lines import Look, read_lines
from conflicts.batch.many import conflicts_of_grounds
from conflicts.batch.network import Network, Ties
from conflicts.batch.reach import RulesByDay, grounds_of
from conflicts.batch.rows import conflict_table
from conflicts.clearances import Clearances
from conflicts.dig import dig_of_work
from conflicts.existing import existing_of
from conflicts.vertical import Ground
from ler.db.engine import create_engine, transaction
from ler.domain.works import PlannedWork
from ler.errors import UnavailableError
from ler.packages.terrain import open_terrain
from ler.settings import Settings

_ROLE: Final = "ler_app"
_STATEMENT_S: Final = 1_800.0
"""Counting a nation's lines takes longer than any caller waits."""


@dataclass(frozen=True, slots=True)
class Source:
    """The database as a worker reaches it."""

    url: str | None
    """None: that of `LER_DATABASE_URL` where the worker runs."""
    role: str | None = _ROLE
    """Taken on when connecting; None: the address says it."""


@dataclass(frozen=True)
class Yardstick:
    """By what distances and depths are judged; the terrain is opened where the work is done."""

    clearances: Clearances
    """Of every day, with what the owner asks for its own lines."""
    unknown_accuracy_m: float
    terrain: Path | None = None
    terrain_accuracy_m: float | None = None
    terrain_is_dvr90: bool = False

    @cached_property
    def rules(self) -> RulesByDay:
        """What is in force on each day, and what it came to so far."""
        return RulesByDay(self.clearances)

    def ground(self) -> Ground:
        """Return the surface above, as far as it is known."""
        if self.terrain is None:
            return Ground()
        return Ground(open_terrain(self.terrain, is_dvr90=self.terrain_is_dvr90), self.terrain_accuracy_m)


@dataclass(frozen=True)
class Share:
    """What all partitions of an owner have in common; sent to each worker once."""

    source: Source
    network: Network
    ties: Ties
    yardstick: Yardstick

    @cached_property
    def engine(self) -> Engine:
        """Connections of this process, kept from one partition to the next and closed when the last is done."""
        engine = _engine(self.source, max_overflow=-1)
        finalize(self, engine.dispose)
        return engine

    def __getstate__(self) -> dict[str, Any]:
        """Leave the connections here."""
        return {name: value for name, value in self.__dict__.items() if name != "engine"}


@contextmanager
def acting(source: Source, owner_id: UUID) -> Iterator[Connection]:
    """Open a transaction in which an owner acts. UnavailableError."""
    engine = _engine(source, max_overflow=0)
    try:
        with transaction(engine, owner_id) as connection:
            yield connection
    finally:
        engine.dispose()


def _engine(source: Source, *, max_overflow: int) -> Engine:
    url = source.url or Settings().database_url
    if url is None:
        raise UnavailableError("LER_DATABASE_URL is not set where the worker runs.")
    return create_engine(
        url, role=source.role, pool_size=1, max_overflow=max_overflow, statement_timeout_s=_STATEMENT_S
    )


def conflicts_of_partition(share: Share, works: Sequence[PlannedWork]) -> pa.Table:
    """Return the conflicts of works with the lines of an owner, as a table of `rows.CONFLICTS`."""
    network, yardstick = share.network, share.yardstick
    clearances, unknown_m = yardstick.clearances, yardstick.unknown_accuracy_m
    grounds = grounds_of([dig_of_work(work) for work in works], yardstick.rules)
    with transaction(share.engine, network.owner_id) as connection:
        lines = read_lines(Look(connection, network, clearances, unknown_m), share.ties, grounds)
    existing = existing_of(lines.delivered, clearances, unknown_m)
    concerned = existing.only(np.flatnonzero(lines.concerned[np.array(existing.numbers, dtype=np.int64)]))
    found = conflicts_of_grounds(grounds, concerned, yardstick.ground())
    return conflict_table(
        ((works[number], one, rules) for number, one, rules in found), network.owner_id, network.number
    )
