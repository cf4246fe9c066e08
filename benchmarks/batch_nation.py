#!/usr/bin/env python3
"""Whether a batch of a nation's planned works gives what PostGIS gives, how long both take, and how much memory workers hold.

    PYTHONPATH=. python benchmarks/batch_nation.py [--lines 1000000] [--works 20000] [--side 20000]

Makes up a network and works (`tests/batch_world.py`, the same each time), first a tenth of the lines and then all, in a
private cluster. The same question goes to PostGIS, as one statement that knows nothing of the engine, and to the engine on
one worker and on two; a tenth of the works goes to one worker in partitions of several sizes. The exit code is 1 when a row
differs, when ten times the lines take more than 12 times as long, or when workers hold much more for them.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from pyarrow import parquet

from conflicts.batch.engine import open_engine
from conflicts.batch.run import Batch, Limits, run_batch
from conflicts.batch.task import Source, Yardstick, acting
from conflicts.clearances import load_clearances
from geoapi.cluster import Cluster
from ler.db.migrate import migrate
from ler.domain.works import ACTIVE
from ler.services.works import list_works
from tests.batch_world import CONFLICTS, enter_lines, enter_works, make_lines

LIMITS: Final = Limits(most_lines=10_000, most_works=500)
WORKERS: Final = (1, 2)
SIZES: Final = (2_500, 10_000, 40_000)
"""Lines of a partition, of which the memory is told."""
MAX_GROWTH: Final = 12.0
MAX_MEMORY: Final = 1.3
_OWNER: Final = UUID(int=1)
_NEAR_M: Final = 0.0015
type Rows = dict[tuple[str, str], tuple[Any, ...]]


def main() -> int:
    """Measure, print, judge."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--works", type=int, default=20_000)
    options.add_argument("--side", type=float, default=20_000.0, help="of the square that they lie in, m")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="ler-batch-") as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "home", durable=False)
        cluster.start()
        try:
            figures = [
                _measure(cluster, Path(folder), lines, chosen.works, chosen.side)
                for lines in (chosen.lines // 10, chosen.lines)
            ]
        finally:
            cluster.stop()
    few, all_ = figures
    growth = [all_.took_s[workers] / few.took_s[workers] for workers in WORKERS]
    more_mb = [all_.peak_mb[workers] / few.peak_mb[workers] for workers in WORKERS]
    for workers, longer, more in zip(WORKERS, growth, more_mb, strict=True):
        say(
            f"ten times the lines, {workers} workers: {longer:.1f} times as long, {more:.2f} times the memory"
        )
    good = few.same and all_.same and max(growth) <= MAX_GROWTH and max(more_mb) <= MAX_MEMORY
    say("targets met" if good else "a target is missed")
    return 0 if good else 1


@dataclass
class Figures:
    """What was measured at one size of the network; by how many workers."""

    same: bool = True
    took_s: dict[int, float] = field(default_factory=dict)
    peak_mb: dict[int, float] = field(default_factory=dict)
    """What the largest worker held."""


def _measure(cluster: Cluster, folder: Path, lines: int, works: int, side_m: float) -> Figures:
    name = f"lines_{lines}"
    cluster.ensure_database(name)
    migrate(cluster.url(name))
    with psycopg.connect(
        host=str(cluster.socket_dir), dbname=name, user="postgres", autocommit=True
    ) as admin:
        admin.execute("INSERT INTO ler.organisation (id, cvr, name) VALUES (%s, '12345678', 'Net')", [_OWNER])
        enter_lines(admin, _OWNER, make_lines(1, lines, side_m))
        enter_works(admin, _OWNER, 2, works, side_m)
        begun = time.perf_counter()
        expected: Rows = {row[:2]: row[2:] for row in admin.execute(CONFLICTS).fetchall()}
        say(f"{lines:,} lines, {works:,} works, {len(expected):,} conflicts")
        say(f"  PostGIS, one statement, distances and zones only: {time.perf_counter() - begun:.1f} s")
    found, url = Figures(), cluster.url(name, "ler_app")
    for workers in WORKERS:
        out = folder / f"{name}-{workers}"
        out.mkdir()
        begun = time.perf_counter()
        parts, found.peak_mb[workers] = _run(url, out, workers, LIMITS)
        found.took_s[workers] = time.perf_counter() - begun
        different = _differences(expected, out)
        found.same = found.same and not different
        said = f"{found.took_s[workers]:.1f} s, largest worker {found.peak_mb[workers]:.0f} MB"
        say(f"  {workers} workers, {parts} partitions, all columns, written: {said}")
        say(f"  rows that differ from PostGIS: {different}")
    for most_lines in SIZES:
        out = folder / f"{name}-in-{most_lines}"
        out.mkdir()
        parts, peak_mb = _run(url, out, 1, Limits(most_lines, most_works=100_000), share=0.1)
        say(f"  a tenth of the square, {parts} partitions of at most {most_lines:,} lines: {peak_mb:.0f} MB")
    return found


def _run(url: str, out: Path, workers: int, limits: Limits, share: float = 1.0) -> tuple[int, float]:
    """How many partitions, and how much the largest worker held, MB; for the works in a share of the square."""
    source = Source(url, None)
    with acting(source, _OWNER) as connection:
        works = [one.work for one in list_works(connection, statuses=ACTIVE)]
    norths = sorted(one.geometry.centroid.y for one in works)
    works = [one for one in works if one.geometry.centroid.y <= norths[int(len(norths) * share) - 1]]
    yardstick = Yardstick(load_clearances(), 5.0)
    batch = Batch(works, True, [_OWNER], source, source, yardstick, limits, out, keep=False)
    with open_engine(workers=workers) as engine:
        (told,) = run_batch(engine, batch, lambda _: None)
        peak_mb = max(engine.on_each_worker(_peak_mb))
    if told.failed:
        raise SystemExit(f"partitions failed: {told.failed}")
    return told.partitions, peak_mb


def _peak_mb() -> float:
    """What this process has held at most; ru_maxrss would count what its parent held when it was started."""
    told = Path("/proc/self/status").read_text(encoding="ascii")
    return int(told.split("VmHWM:")[1].split()[0]) / 1024


def _differences(expected: Rows, out: Path) -> int:
    columns = ["work_id", "gml_id", "zone", "arrangement", "drawn_m", "distance_min_m"]
    different = found = 0
    for path in out.glob("owner=*/*.parquet"):
        rows = parquet.ParquetFile(path).read(columns=columns)
        for work, line, *told in zip(*(rows.column(name).to_pylist() for name in columns), strict=True):
            found += 1
            wanted = expected.get((work, line))
            different += (
                wanted is None
                or told[:2] != [*wanted[:2]]
                or any(abs(one - other) > _NEAR_M for one, other in zip(told[2:], wanted[2:], strict=True))
            )
    return different + abs(found - len(expected))


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
