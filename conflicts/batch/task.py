"""One partition of a batch: it reads the lines around its works from the database, and gives their conflicts.

It runs on any worker that reaches the database. The address may be left to the worker, so that no password travels.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa
from shapely.geometry.base import BaseGeometry
from sqlalchemy.engine import Connection

from conflicts.batch.many import conflicts_of_works
from conflicts.batch.network import Network, Ties, box_around, read_lines
from conflicts.batch.rows import conflict_table
from conflicts.clearances import Clearances
from conflicts.dig import dig_of_work, footprints
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


@dataclass(frozen=True, slots=True)
class Yardstick:
    """By what distances and depths are judged; the terrain is opened where the work is done."""

    clearances: Clearances
    """Of every day, with what the owner asks for its own lines."""
    unknown_accuracy_m: float
    terrain: Path | None = None
    terrain_accuracy_m: float | None = None
    terrain_is_dvr90: bool = False

    def ground(self) -> Ground:
        """Return the surface above, as far as it is known."""
        if self.terrain is None:
            return Ground()
        return Ground(open_terrain(self.terrain, is_dvr90=self.terrain_is_dvr90), self.terrain_accuracy_m)


@dataclass(frozen=True, slots=True)
class Share:
    """What all partitions of an owner have in common; sent to each worker once."""

    source: Source
    network: Network
    ties: Ties
    yardstick: Yardstick


@contextmanager
def acting(source: Source, owner_id: UUID) -> Iterator[Connection]:
    """Open a transaction in which an owner acts. UnavailableError."""
    url = source.url or Settings().database_url
    if url is None:
        raise UnavailableError("LER_DATABASE_URL is not set where the worker runs.")
    engine = create_engine(
        url, role=source.role, pool_size=1, max_overflow=0, statement_timeout_s=_STATEMENT_S
    )
    try:
        with transaction(engine, owner_id) as connection:
            yield connection
    finally:
        engine.dispose()


def box_of(work: PlannedWork, yardstick: Yardstick) -> BaseGeometry:
    """Return a box that holds whatever may conflict with a work, EPSG:25832."""
    clearances = yardstick.clearances
    return box_around(footprints(dig_of_work(work), clearances), clearances, yardstick.unknown_accuracy_m)


def conflicts_of_partition(share: Share, works: Sequence[PlannedWork]) -> pa.Table:
    """Return the conflicts of works with the lines of an owner, as a table of `rows.CONFLICTS`."""
    network, yardstick = share.network, share.yardstick
    clearances = yardstick.clearances
    with acting(share.source, network.owner_id) as connection:
        lines = read_lines(connection, network, share.ties, [box_of(work, yardstick) for work in works])
    existing = existing_of(lines.delivered, clearances, yardstick.unknown_accuracy_m)
    concerned = np.flatnonzero(lines.concerned[existing.numbers]) if existing.numbers else np.empty(0, int)
    found = conflicts_of_works(works, existing.only(concerned), clearances, yardstick.ground())
    return conflict_table(found, network.owner_id, network.number)
