#!/usr/bin/env python3
"""What it costs to upload, compare and publish a network, against the least that it can cost, in one run.

    python benchmarks/upload_speed.py [--features 100000]

The floor is a binary COPY of the same rows into a table with the same columns and indexes, without policies, checks and
keys to other tables. Prints a table; the exit code is 1 when a target is missed. It runs in a cluster of its own, made
for it and durable, in a temporary folder.
"""

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID, uuid4

import numpy as np
import psycopg
import shapely
from check_speed import features as made_features
from psycopg import sql
from shapely import MultiPolygon, box
from sqlalchemy import Engine

from conflicts.match import match_request
from geoapi.cluster import Cluster
from ingest import stage
from ingest.check import check_file
from ingest.load import Uploaded, publish_network
from ler.db.engine import create_engine, transaction
from ler.db.migrate import migrate
from ler.db.rows import feature_to_row
from ler.db.tables import PLATFORM_OPERATOR, staged_feature
from ler.model import ANSWER, Feature, load_model
from ler.packages.gml import Answer, write_answer
from ler.services.registry import Organisation, get_owner, register_interest_area, register_owner
from ler.services.requests import NewRequest, create_request
from ler.settings import Settings

MAX_TIMES_FLOOR: Final = 4.0
MAX_WAL_SHARE: Final = 0.1
MAX_TIMES_QUIET: Final = 3.0
CVR: Final = "12345678"
SETTINGS: Final = Settings(auto_approve="always")
QUIET_S: Final = 8.0


def main() -> int:
    """Measure, print, judge."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--features", type=int, default=100_000, help="features of the network")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="ler-bench-") as folder, database() as bench:
        Path(folder).chmod(0o755)
        rows = measure(bench, Path(folder), chosen.features)
    for name, value, target in rows:
        sys.stdout.write(f"{name:44} {value:10.2f}" + (f"   (at most {target:g})\n" if target else "\n"))
    return int(any(target is not None and value > target for _, value, target in rows))


type Measured = tuple[str, float, float | None]


@dataclass
class Bench:
    """A database with one owner."""

    url: str
    plain: psycopg.Connection
    app: Engine
    owner: Organisation
    network_check_s: float = 0.0
    """How long the network checks and the measure of quality of the last upload took."""

    def wal_mb(self) -> float:
        """How much WAL was written so far, MB."""
        found = self.plain.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
        return float(found[0] if found else 0) / 1e6

    def upload(self, path: Path) -> tuple[float, float, Uploaded]:
        """Upload a file; returns seconds, MB of WAL, and what became of it."""
        # What autovacuum does in the minutes after an upload; it is no part of the next one.
        self.plain.execute("VACUUM ANALYZE ler.network_feature")
        # Whole pages go to the WAL when they are first written to after a checkpoint: every measure starts at one.
        self.plain.execute("CHECKPOINT")
        before, started = self.wal_mb(), time.perf_counter()
        with transaction(self.app, self.owner.id) as connection, timed_network_check(self):
            uploaded = publish_network(connection, self.owner, path, SETTINGS)
        return time.perf_counter() - started, self.wal_mb() - before, uploaded


@contextmanager
def timed_network_check(bench: Bench) -> Iterator[None]:
    """Take the time of the validator's second half, which can only run within an upload."""
    bench.network_check_s = 0.0
    kept = stage.check_network, stage.measure_quality

    def timed(work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: object) -> object:
            started = time.perf_counter()
            try:
                return work(*given)
            finally:
                bench.network_check_s += time.perf_counter() - started

        return run

    stage.check_network, stage.measure_quality = map(timed, kept)
    try:
        yield
    finally:
        stage.check_network, stage.measure_quality = kept


@contextmanager
def database() -> Iterator[Bench]:
    """Make a durable cluster with a migrated database and an owner, and take it down at the end."""
    outer = Path(tempfile.mkdtemp(prefix="ler-bench-cluster-"))
    outer.chmod(0o755)
    cluster = Cluster(outer / "home")
    try:
        cluster.start()
        cluster.ensure_database("bench")
        migrate(cluster.url("bench", "postgres"))
        app = create_engine(cluster.url("bench", "ler_app"))
        with transaction(app, PLATFORM_OPERATOR) as connection:
            owner_id = register_owner(connection, cvr=CVR, name="Ejer")
            area = MultiPolygon([box(*SETTINGS.coverage)])
            register_interest_area(
                connection, owner_id, utility_types=["vand"], area=area, coverage=SETTINGS.coverage
            )
            owner = get_owner(connection, CVR)
        plain = psycopg.connect(
            host=str(cluster.socket_dir), dbname="bench", user="postgres", autocommit=True
        )
        with plain:
            yield Bench(cluster.url("bench", "ler_app"), plain, app, owner)
        app.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(outer)


def measure(bench: Bench, folder: Path, count: int) -> list[Measured]:
    """Everything, in the order in which it happens to an owner."""
    network = list(made_features(count, 0))
    first, second = folder / "first.gml", folder / "second.gml"
    write(first, network)
    write(second, [changed(feature, number) for number, feature in enumerate(network)])
    floor_s = min(floor(bench, network) for _ in range(2))
    check_s = min(timed_check(first) for _ in range(2))
    upload_s, first_mb, uploaded = bench.upload(first)
    network_s = bench.network_check_s
    expect(uploaded, published=True, added=count)
    again_s, again_mb, uploaded = bench.upload(first)
    expect(uploaded, published=False)
    quiet, busy = Reader(bench), Reader(bench)
    with quiet:
        time.sleep(QUIET_S)
    changed_s, changed_mb, uploaded = bench.upload(second)
    expect(uploaded, published=True, differing=count // 100)
    with busy:
        bench.upload(first)
        replace_all(bench, folder, network)
    if busy.locks:
        raise SystemExit(f"a reader waited for a lock: {busy.locks[:3]}")
    own_s = upload_s - check_s - network_s
    return [
        ("floor: binary COPY into an indexed table, s", floor_s, None),
        ("validator: check of the file, alone, s", check_s, None),
        ("validator: network checks and quality, s", network_s, None),
        ("upload: check, stage, compare, publish, s", upload_s, None),
        ("without the validator, s", own_s, None),
        ("without the validator / floor", own_s / floor_s, MAX_TIMES_FLOOR),
        ("WAL of the first upload, MB", first_mb, None),
        ("upload with 1 % changed, s", changed_s, None),
        ("WAL with 1 % changed, MB", changed_mb, None),
        ("WAL with 1 % changed / first", changed_mb / first_mb, MAX_WAL_SHARE),
        ("identical upload, s", again_s, None),
        ("WAL of the identical upload, MB", again_mb, None),
        ("match, quiet: p50, ms", quiet.percentile(50), None),
        ("match, quiet: p99, ms", quiet.percentile(99), None),
        ("match, during uploads: p50, ms", busy.percentile(50), None),
        ("match, during uploads: p99, ms", busy.percentile(99), None),
        ("match, p99 during uploads / quiet", busy.percentile(99) / quiet.percentile(99), MAX_TIMES_QUIET),
    ]


def write(path: Path, network: Sequence[Feature]) -> None:
    """Write an answer with these features."""
    header = Feature(ANSWER, "svar", {"id": str(UUID(int=1)), "type": "ledningsoplysninger udleveret"})
    with path.open("wb") as stream:
        write_answer(stream, Answer(CVR, "Ejer", header, network), load_model())


def changed(feature: Feature, number: int) -> Feature:
    """Every hundredth feature with another place, spread over the network as an owner's edits are."""
    if number % 100 or feature.geometry is None:
        return feature
    moved = shapely.transform(feature.geometry, lambda c: np.add(c, (0.5, 0.25, 0.0)), include_z=True)
    return Feature(feature.type, feature.gml_id, feature.attributes, feature.voids, moved)


def expect(uploaded: Uploaded, *, published: bool, added: int = 0, differing: int = 0) -> None:
    """Stop when an upload did not do what it is measured for."""
    total = uploaded.staged.comparison.total
    found = uploaded.published, total.added.count, total.moved.count + total.changed.count
    if found != (published, added, differing):
        raise SystemExit(f"an upload gave {found}, wanted {(published, added, differing)}")


def timed_check(path: Path) -> float:
    """Seconds of the check that the upload holds too."""
    started = time.perf_counter()
    found = check_file(path, coverage=SETTINGS.coverage).findings
    if found.errors:
        raise SystemExit(f"the network has errors: {found.kept[:3]}")
    return time.perf_counter() - started


def floor(bench: Bench, network: Sequence[Feature]) -> float:
    """Seconds of a binary COPY of the same rows into a table with the indexes of network_feature."""
    version = uuid4()
    types = load_model().types
    rows = [
        feature_to_row(f, types[f.type], owner_id=bench.owner.id, version_id=version, seq=n)
        for n, f in enumerate(network)
    ]
    names = [column.name for column in staged_feature.columns]
    kinds = {"UUID": "uuid", "Integer": "int4", "Double": "float8", "JSONB": "jsonb", "Geometry": "bytea"}
    types_of = [kinds.get(type(column.type).__name__, "text") for column in staged_feature.columns]
    # COPY takes a geometry in binary as EWKB; psycopg knows no such type, but bytea has the same form.
    values = [tuple(encoded(row, name) for name in names) for row in rows]
    plain = bench.plain
    plain.execute("DROP TABLE IF EXISTS floor")
    plain.execute("CREATE TABLE floor (LIKE ler.staged_feature)")
    plain.execute("CREATE UNIQUE INDEX ON floor (version_id, seq)")
    plain.execute("CREATE UNIQUE INDEX ON floor (version_id, gml_id, line)")
    plain.execute("CREATE INDEX ON floor USING gist (geom)")
    plain.execute("CHECKPOINT")
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    started = time.perf_counter()
    with plain.cursor().copy(sql.SQL("COPY floor ({}) FROM STDIN (FORMAT binary)").format(columns)) as copy:
        copy.set_types(types_of)
        for value in values:
            copy.write_row(value)
    seconds = time.perf_counter() - started
    plain.execute("DROP TABLE floor")
    return seconds


def encoded(row: dict[str, object], name: str) -> object:
    """A value as COPY wants it."""
    value = row[name]
    return psycopg.types.json.Jsonb(value, dumps=str) if name in {"attributes", "voids"} else value


def replace_all(bench: Bench, folder: Path, network: Sequence[Feature]) -> None:
    """Publish a version in which everything is another: the most that a publication can be."""
    path = folder / "all.gml"
    moved = [
        Feature(f.type, f.gml_id, f.attributes, f.voids,
                shapely.transform(f.geometry, lambda c: np.add(c, (1.0, 1.0, 0.0)), include_z=True))
        for f in network
    ]  # fmt: skip
    write(path, moved)
    _, _, uploaded = bench.upload(path)
    expect(uploaded, published=True, differing=len(network))


class Reader:
    """Another client, in a process of its own: asks for places of the network, one after the other, while it is open."""

    def __init__(self, bench: Bench) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._mine, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=read, args=(bench.url, self._stop, theirs))
        self._host = bench.plain.info.host
        self._watcher = threading.Thread(target=self._watch)
        self.seconds: list[float] = []
        self.locks: list[str] = []

    def __enter__(self) -> Self:
        self._process.start()
        self._mine.recv()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.seconds = self._mine.recv()
        self._process.join()
        self._watcher.join()

    def percentile(self, share: int) -> float:
        """Milliseconds below which that share of the matches stayed, percent."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)]

    def _watch(self) -> None:
        """Look for sessions that wait for a lock longer than a second."""
        with psycopg.connect(host=self._host, dbname="bench", user="postgres", autocommit=True) as connection:
            while not self._stop.wait(0.2):
                found = connection.execute(
                    "SELECT left(query, 60) FROM pg_stat_activity JOIN pg_locks USING (pid)"
                    " WHERE NOT granted AND waitstart < now() - interval '1 second'"
                ).fetchall()
                self.locks += [row[0] for row in found]


def read(url: str, stop: Event, told: Connection) -> None:
    """Match one place after the other until told to stop; then tell the seconds of each."""
    engine = create_engine(url)
    seconds: list[float] = []
    told.send("ready")
    for number in count(1):
        if stop.is_set():
            break
        x, y = 560_000 + number * 7919 % 20_000, 6_200_000 + number * 104_729 % 2_000
        area = box(x, y, x + 32, y + 32)
        with transaction(engine, PLATFORM_OPERATOR) as connection:
            wanted = NewRequest(area, date(2026, 12, 1), date(2026, 12, 14), "test")
            request = create_request(connection, PLATFORM_OPERATOR, wanted)
            started = time.perf_counter()
            match_request(connection, request.id)
            seconds.append(time.perf_counter() - started)
    engine.dispose()
    told.send(seconds)


if __name__ == "__main__":
    sys.exit(main())
