#!/usr/bin/env python3
"""Whether a batch of a nation's planned works gives what PostGIS gives, how long both take, and how much memory workers hold.

    PYTHONPATH=. python benchmarks/batch_nation.py [--lines 1000000] [--works 20000] [--side 20000]

Makes up a network and works (`tests/batch_world.py`, the same each time), first a tenth of the lines and then all, in a
private cluster. The same question goes to PostGIS, as one statement that knows nothing of the engine, and to the engine on
one worker and on two. The exit code is 1 when a row differs, when ten times the lines take more than 12 times as long, or
when workers hold much more for them.
"""

import argparse
import sys
import tempfile
import time
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
    (few_same, few_s, few_mb), (all_same, all_s, all_mb) = figures
    say(f"ten times the lines: {all_s / few_s:.1f} times as long, {all_mb / few_mb:.2f} times the memory")
    good = few_same and all_same and all_s / few_s <= MAX_GROWTH and all_mb / few_mb <= MAX_MEMORY
    say("targets met" if good else "a target is missed")
    return 0 if good else 1


def _measure(
    cluster: Cluster, folder: Path, lines: int, works: int, side_m: float
) -> tuple[bool, float, float]:
    """Whether all rows are the same, seconds on two workers, and how much the largest worker held, MB."""
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
    same, took_s, peak_mb = True, 0.0, 0.0
    for workers in (1, 2):
        out = folder / f"{name}-{workers}"
        out.mkdir()
        begun = time.perf_counter()
        parts, peak_mb = _run(cluster.url(name, "ler_app"), out, workers)
        took_s = time.perf_counter() - begun
        different = _differences(expected, out)
        same = same and not different
        say(
            f"  {workers} workers, {parts} partitions, all columns, written: {took_s:.1f} s, largest worker {peak_mb:.0f} MB"
        )
        say(f"  rows that differ from PostGIS: {different}")
    return same, took_s, peak_mb


def _run(url: str, out: Path, workers: int) -> tuple[int, float]:
    source = Source(url, None)
    with acting(source, _OWNER) as connection:
        works = [one.work for one in list_works(connection, statuses=ACTIVE)]
    yardstick = Yardstick(load_clearances(), 5.0)
    batch = Batch(works, True, [_OWNER], source, source, yardstick, LIMITS, out, keep=False)
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
            same = wanted is not None and told[:2] == [*wanted[:2]]
            different += not (
                same
                and all(abs(one - other) <= _NEAR_M for one, other in zip(told[2:], wanted[2:], strict=True))
            )
    return different + abs(found - len(expected))


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
