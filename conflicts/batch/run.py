"""A batch: owner by owner, each by its own right; partitions go to the engine, and what comes back into files.

The files of an owner are in a folder of its own, to be handed to nobody else. A partition that fails is named and the rest
goes on; what is kept in the database of an owner is replaced only when all its partitions came.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import shapely

from conflicts.batch.cells import partitions
from conflicts.batch.engine import Engine
from conflicts.batch.lines import widest_band_m
from conflicts.batch.network import count_lines, current_network, find_ties
from conflicts.batch.reach import grounds_of
from conflicts.batch.rows import write_geoparquet
from conflicts.batch.store import replace_line_conflicts
from conflicts.batch.task import Share, Source, Yardstick, acting, conflicts_of_partition
from conflicts.dig import dig_of_work
from conflicts.stored import rules_of_owners
from ler.domain.works import PlannedWork
from ler.errors import LerError


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a partition may be: what a worker holds in memory."""

    most_lines: int = 20_000
    most_works: int = 1_000


@dataclass
class Told:
    """What became of an owner's part of the batch."""

    owner_id: UUID
    partitions: int
    done: int = 0
    rows: int = 0
    failed: list[str] = field(default_factory=list)
    """Which partitions failed, by what."""
    kept: bool = False
    """Whether the rows replaced those in the database."""


@dataclass(frozen=True)
class Batch:
    """What is held against what, and where results go."""

    works: Sequence[PlannedWork]
    every_work: bool
    """Whether these are all works that are planned, and no others may be left in the database."""
    owners: Sequence[UUID]
    source: Source
    """The database as it is reached from here."""
    workers_source: Source
    yardstick: Yardstick
    """Without what owners ask for their own lines: that is read with their networks."""
    limits: Limits
    folder: Path
    """Exists, and is empty."""
    keep: bool


def run_batch(engine: Engine, batch: Batch, tell: Callable[[Told], None]) -> list[Told]:
    """Run it; `tell` is called after each partition with how far its owner is. One item for each owner with a network."""
    found: list[Told] = []
    waiting: list[tuple[Told, int]] = []

    def jobs() -> Iterator[tuple[Share, Sequence[PlannedWork]]]:
        for owner in batch.owners:
            planned = _planned(batch, owner)
            if planned is None:
                continue
            share, parts = planned
            told = Told(owner, len(parts))
            found.append(told)
            if not parts:
                _finish(batch, told)
                tell(told)
            for number, part in enumerate(parts, start=1):
                waiting.append((told, number))
                yield share, part

    for place, result in engine.each(conflicts_of_partition, jobs()):
        told, number = waiting[place]
        told.done += 1
        if isinstance(result, Exception):
            said = f": {result}" if isinstance(result, LerError) else ""
            told.failed.append(f"{number} ({type(result).__name__}{said})")
        else:
            told.rows += result.num_rows
            _write(batch, told, number, result)
        if told.done == told.partitions:
            _finish(batch, told)
        tell(told)
    _summarise(batch, found)
    return found


def _planned(batch: Batch, owner_id: UUID) -> tuple[Share, list[Sequence[PlannedWork]]] | None:
    """What all partitions of an owner share, and the works of each; None of an owner without a network."""
    with acting(batch.source, owner_id) as connection:
        network = current_network(connection)
        if network is None:
            return None
        counts, ties = count_lines(connection, network), find_ties(connection, network)
        clearances = batch.yardstick.clearances.with_owners(rules_of_owners(connection))
    yardstick, limits = replace(batch.yardstick, clearances=clearances), batch.limits
    works = batch.works
    if works and not len(ties.everywhere):
        grounds = grounds_of([dig_of_work(work) for work in works], yardstick.rules)
        boxes = grounds.boxes(owner_id, widest_band_m(yardstick.unknown_accuracy_m))
        works = [works[place] for place in counts.meet(boxes).tolist()]
    middles = shapely.get_coordinates([work.geometry.envelope.centroid for work in works])
    parts = partitions(middles, counts, most_lines=limits.most_lines, most_works=limits.most_works)
    share = Share(batch.workers_source, network, ties, yardstick)
    return share, [[works[place] for place in part.tolist()] for part in parts]


def _write(batch: Batch, told: Told, number: int, rows: pa.Table) -> None:
    if rows.num_rows:
        folder = batch.folder / f"owner={told.owner_id}"
        folder.mkdir(mode=0o700, exist_ok=True)
        write_geoparquet(folder / f"part-{number:05}.parquet", rows)


def _finish(batch: Batch, told: Told) -> None:
    """Let an owner's rows take the place of those in the database, unless some are missing."""
    if not batch.keep or told.failed:
        return
    files = sorted((batch.folder / f"owner={told.owner_id}").glob("part-*.parquet"))
    works = None if batch.every_work else [work.id for work in batch.works]
    with acting(batch.source, told.owner_id) as connection:
        replace_line_conflicts(connection, told.owner_id, works, files)
    told.kept = True


def _summarise(batch: Batch, found: Sequence[Told]) -> None:
    summary = {
        "works": len(batch.works),
        "complete": not any(told.failed for told in found),
        "owners": [asdict(told) for told in found],
    }
    text = json.dumps(summary, default=str, indent=1)
    (batch.folder / "batch.json").write_text(text + "\n", encoding="utf-8")
