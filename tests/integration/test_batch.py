"""A batch answers as PostGIS and as single works do, whatever the workers and partitions; and each sees its own."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import dask.config
import geopandas
import pytest
import shapely
from distributed import Client, LocalCluster
from pyarrow import parquet
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner, Result

from conflicts.batch import engine
from conflicts.batch.engine import Engine, open_engine
from conflicts.batch.lines import Look, glance
from conflicts.batch.network import Network
from conflicts.batch.run import Batch, Limits, Told, run_batch
from conflicts.batch.task import Source, Yardstick, acting
from conflicts.clearances import load_clearances
from conflicts.detect import detect
from conflicts.dig import dig_of_work
from conflicts.existing import Delivered, existing_of
from conflicts.stored import conflict_row
from geoapi.cli import app, conflicts_batch
from ler.db.engine import create_engine, transaction
from ler.db.rows import row_to_feature
from ler.db.tables import PLATFORM_OPERATOR, line_conflict, network_feature
from ler.domain.works import ACTIVE, PlannedWork
from ler.errors import UnavailableError
from ler.services.works import list_works
from tests.batch_world import CONFLICTS, DATASET, SOUTH, WEST, enter_lines, enter_works, make_lines
from tests.databases import SharedCluster
from tests.world import World, open_world

SIDE_M = 700.0
LINES, WORKS = 4_000, 80
YARDSTICK = Yardstick(load_clearances(), 5.0)
type Row = tuple[str, str, str, str, float, float]


@dataclass(frozen=True)
class Scene:
    world: World
    owner: UUID
    other: UUID
    works: list[PlannedWork]

    @property
    def source(self) -> Source:
        return Source(self.world.database.url("ler_app"), None)

    def batch(self, folder: Path, limits: Limits, **changes: Any) -> Batch:  # noqa: ANN401 - fields of Batch
        folder.mkdir()
        made = Batch(
            works=self.works,
            every_work=True,
            owners=[self.other, self.owner],
            source=self.source,
            workers_source=self.source,
            yardstick=YARDSTICK,
            limits=limits,
            folder=folder,
            keep=False,
        )
        return replace(made, **changes)


@pytest.fixture(scope="module")
def scene(shared_cluster: SharedCluster, migrated_template: str) -> Iterator[Scene]:
    with shared_cluster.database(migrated_template) as database, open_world(database) as world:
        owner, other = world.owner("12345678", "Net", None), world.owner("87654321", "Other", None)
        with database.connect() as admin:
            enter_lines(admin, owner, make_lines(1, LINES, SIDE_M))
            enter_works(admin, other, 2, WORKS, SIDE_M)
        with acting(Source(database.url("ler_app"), None), owner) as connection:
            works = [one.work for one in list_works(connection, statuses=ACTIVE)]
        yield Scene(world, owner, other, works)


@pytest.fixture(scope="module")
def cluster(scene: Scene) -> Iterator[LocalCluster]:
    """A cluster that somebody else runs, with two workers that know the database."""
    environment = {"LER_DATABASE_URL": scene.world.database.url()}
    with (
        dask.config.set({"distributed.nanny.environ": environment}),
        LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0") as found,
    ):
        yield found


@pytest.fixture(scope="module")
def engines(cluster: LocalCluster) -> Iterator[dict[int, Engine]]:
    with (
        Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=":0") as alone,
        open_engine(workers=1, scheduler=cluster.scheduler_address) as two,
    ):
        yield {1: Engine(alone), 2: two}


def rows_in(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("owner=*/*.parquet"))
    return [row for path in files for row in parquet.ParquetFile(path).read().to_pylist()]


def key(row: dict[str, Any]) -> tuple[str, str]:
    return row["work_id"], row["gml_id"]


def test_the_batch_equals_postgis_on_one_and_two_workers(
    scene: Scene, engines: dict[int, Engine], tmp_path: Path
) -> None:
    with scene.world.database.connect() as admin:
        expected = {row[:2]: row[2:] for row in admin.execute(CONFLICTS).fetchall()}
    found = {}
    for workers, limits in ((1, Limits()), (2, Limits(most_lines=1_500, most_works=30))):
        folder = tmp_path / str(workers)
        told = run_batch(engines[workers], scene.batch(folder, limits), lambda _: None)
        assert [one.owner_id for one in told] == [scene.owner]
        assert (told[0].failed, told[0].rows) == ([], len(expected))
        assert (told[0].partitions == 1) == (workers == 1)
        found[workers] = sorted(rows_in(folder), key=key)
    assert found[1] == found[2]
    assert {key(row) for row in found[1]} == {*expected}
    assert len(found[1]) == len(expected) > 800
    for row in found[1]:
        zone, arrangement, drawn_m, least_m = expected[key(row)]
        assert (row["zone"], row["arrangement"]) == (zone, arrangement), row
        assert abs(row["drawn_m"] - drawn_m) < 0.0015
        assert abs(row["distance_min_m"] - least_m) < 0.0015


def test_each_work_gets_what_it_gets_alone(scene: Scene, engines: dict[int, Engine], tmp_path: Path) -> None:
    limits = Limits(most_lines=1_500, most_works=30)
    run_batch(engines[2], scene.batch(tmp_path / "out", limits), lambda _: None)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows_in(tmp_path / "out"):
        found.setdefault(row["work_id"], []).append(row)
    with acting(scene.source, scene.owner) as connection:
        rows = connection.execute(select(network_feature).order_by(network_feature.c.seq)).mappings()
        lines = [Delivered(row["owner_id"], row_to_feature(dict(row))) for row in rows]
    for work in scene.works[:: WORKS // 5]:
        alone = detect(dig_of_work(work), lines, YARDSTICK.clearances, YARDSTICK.unknown_accuracy_m)
        told = [conflict_row(one, YARDSTICK.clearances) for one in alone]
        assert len(told) > 1
        for row, wanted in zip(found[str(work.id)], told, strict=True):
            place = wanted.pop("geom")
            assert {name: row[name] for name in wanted} == wanted
            assert (row["geometry"] is None) == (place is None)


def test_what_is_kept_is_seen_by_the_owner_alone(
    scene: Scene, engines: dict[int, Engine], tmp_path: Path
) -> None:
    for number in range(2):  # the second takes the place of the first
        folder = tmp_path / str(number)
        (told,) = run_batch(engines[2], scene.batch(folder, Limits(), keep=True), lambda _: None)
        assert told.kept
    some = select(line_conflict)
    for role in ("ler_app", "ler_readonly"):
        for principal in (scene.owner, scene.other, PLATFORM_OPERATOR, None):
            engine = create_engine(scene.world.database.url(role))
            with transaction(engine, principal) as connection:
                seen = connection.execute(some).all()
            engine.dispose()
            assert len(seen) == (told.rows if principal == scene.owner else 0)
    values = {"owner_id": scene.owner, "work_id": scene.works[0].id}
    with (
        pytest.raises(ProgrammingError),
        transaction(scene.world.databases.app, scene.other) as connection,
    ):
        connection.execute(line_conflict.insert().values(values))
    # The function that goes round the policies tells nobody of another's lines.
    told_of = """
        SELECT coalesce(sum(cardinality(o.seqs)), 0)
        FROM ler.own_lines_in(%s, 1, ST_MakeEnvelope(0, 0, 9e5, 9e6, 25832), ARRAY[1, 2, 3]) AS o
    """
    for principal in (scene.owner, scene.other, PLATFORM_OPERATOR):
        with transaction(scene.world.databases.app, principal) as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            row = driver.execute(told_of, [DATASET]).fetchone()
        assert row is not None
        assert (row[0] > LINES) if principal == scene.owner else (row[0] == 0)


def test_a_partition_that_fails_is_named_and_the_rest_goes_on(
    scene: Scene, engines: dict[int, Engine], tmp_path: Path
) -> None:
    # What is found of it fits into no row.
    broken = replace(scene.works[3], version=2**40)
    works = [*scene.works[:3], broken, *scene.works[4:]]
    limits = Limits(most_lines=1_500, most_works=30)
    (told,) = run_batch(
        engines[2], scene.batch(tmp_path / "out", limits, works=works, keep=True), lambda _: None
    )
    (named,) = told.failed
    number, error = named.split()
    assert (1 <= int(number) <= told.partitions, error) == (True, "(ArrowInvalid)")
    assert not told.kept
    assert told.done == told.partitions
    assert told.rows == len(rows_in(tmp_path / "out")) > 800


def test_what_is_told_at_a_glance_bounds_what_is_so(scene: Scene) -> None:
    clearances, unknown_m = YARDSTICK.clearances, YARDSTICK.unknown_accuracy_m
    with acting(scene.source, scene.owner) as connection:
        rows = connection.execute(select(network_feature).order_by(network_feature.c.seq)).mappings().all()
        look = Look(connection, Network(scene.owner, DATASET, 1), clearances, unknown_m)
        seen = glance(look, [shapely.box(0, 0, 9e5, 9e6)] * 2, [row["seq"] for row in rows])
    so = existing_of(
        [Delivered(row["owner_id"], row_to_feature(dict(row))) for row in rows], clearances, unknown_m
    )
    assert seen.numbers.tolist() == [rows[number]["seq"] for number in so.numbers]
    told = seen.lines
    assert (told.is_overhead == so.is_overhead).all()
    placeless = shapely.is_missing(told.geometries)
    assert placeless.any()
    assert (placeless | shapely.equals_exact(told.geometries, so.geometries)).all()
    assert (placeless | (told.half_m >= so.half_m)).all()
    joined = [one for one, its in zip(told.kinds, so.kinds, strict=True) if one != its]
    assert joined
    assert all(its.kinds <= one.kinds for one, its in zip(told.kinds, so.kinds, strict=True))


def ler(scene: Scene, *words: str) -> Result:
    environment = {"LER_DATABASE_URL": scene.world.database.url(), "NO_COLOR": "1"}
    return CliRunner().invoke(app, [*words], env=environment)


def kept(scene: Scene) -> dict[str, int]:
    """How many conflicts are kept of each work."""
    with scene.world.database.connect() as admin:
        rows = admin.execute(
            "SELECT work_id::text, count(*) FROM ler.line_conflict GROUP BY work_id"
        ).fetchall()
    return dict(rows)


def test_workers_of_a_cluster_keep_what_is_found_of_an_area(
    scene: Scene, cluster: LocalCluster, tmp_path: Path
) -> None:
    place = scene.works[0].geometry.envelope.buffer(1, join_style="mitre")
    inside = {str(one.id) for one in scene.works if one.geometry.intersects(place)}
    (tmp_path / "area.wkt").write_text(place.wkt)
    words = ["conflicts", "batch", "--keep", "--as", "12345678", "--scheduler", cluster.scheduler_address]
    assert ler(scene, *words).exit_code == 0
    whole = kept(scene)
    with scene.world.database.connect() as admin:
        admin.execute("DELETE FROM ler.line_conflict")
    for _ in range(2):  # the second takes the place of the first
        said = ler(scene, *words, "--area", str(tmp_path / "area.wkt"))
        assert said.exit_code == 0, said.output
        assert kept(scene) == {work: count for work, count in whole.items() if work in inside} != {}
    assert ler(scene, *words).exit_code == 0
    assert kept(scene) == whole
    assert ler(scene, *words, "--area", str(tmp_path / "area.wkt")).exit_code == 0
    assert kept(scene) == whole


def test_the_commands_write_files_that_are_read_elsewhere(scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = ler(scene, "conflicts", "batch", "--as", "12345678", "--out", str(out))
    assert said.exit_code == 0, said.output
    frame = geopandas.read_parquet(min(out.glob("owner=*/*.parquet")))
    assert frame.crs.to_epsg() == 25832
    assert {"distance_min_m", "angle_deg", "zone", "work_id"} <= {*frame.columns}
    assert out.stat().st_mode & 0o077 == 0
    again = ler(scene, "conflicts", "batch", "--out", str(out))
    assert (again.exit_code, "is there already" in again.output) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_is_interrupted_leaves_nothing(
    scene: Scene, cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kept(scene)

    def stopped(engine: Engine, batch: Batch, _tell: object) -> None:
        def tell(_told: Told) -> None:
            assert [*batch.folder.glob("owner=*/*.parquet")]
            raise KeyboardInterrupt

        run_batch(engine, batch, tell)

    monkeypatch.setattr(conflicts_batch, "run_batch", stopped)
    options = ["--keep", "--out", str(tmp_path / "out"), "--most-lines", "1500"]
    words = ["conflicts", "batch", "--as", "12345678", "--scheduler", cluster.scheduler_address, *options]
    assert ler(scene, *words).exit_code != 0
    assert [*tmp_path.iterdir()] == []
    assert kept(scene) == before


def test_a_cluster_that_does_not_answer_is_named(scene: Scene, tmp_path: Path) -> None:
    for command in ("conflicts", "windows"):
        said = ler(scene, command, "batch", "--out", str(tmp_path / "out"), "--scheduler", "nowhere")
        assert (said.exit_code, "No Dask scheduler answers at nowhere" in said.output) == (2, True)
    assert [*tmp_path.iterdir()] == []


def test_windows_planned_by_workers_are_those_of_propose(
    scene: Scene, cluster: LocalCluster, tmp_path: Path
) -> None:
    words = ["windows", "batch", "--scheduler", cluster.scheduler_address, "--out"]
    out = tmp_path / "windows"
    said = ler(scene, *words, str(out), "--keep")
    assert said.exit_code == 0, said.output
    proposed = ler(scene, "windows", "propose", "--json")
    windows = json.loads(proposed.stdout)["windows"]
    frame = geopandas.read_parquet(out / "windows.parquet")
    assert sorted(frame.pilot_work_id) == sorted(one["pilot"] for one in windows)
    assert sorted(frame.gain_dkk) == sorted(one["gain_dkk"] for one in windows)
    placed = geopandas.read_parquet(out / "placements.parquet").set_index("work_id")
    for one in windows:
        for member in one["works"]:
            assert str(placed.start_on[member["id"]]) == member["start_on"]
    assert len(geopandas.read_parquet(out / "clashes.parquet")) > 0
    with scene.world.database.connect() as admin:
        held = admin.execute(
            "SELECT pilot_work_id::text FROM ler.digging_window WHERE state = 'proposed'"
        ).fetchall()
    assert sorted(pilot for (pilot,) in held) == sorted(frame.pilot_work_id)
    west = shapely.box(WEST, SOUTH, WEST + SIDE_M / 2, SOUTH + SIDE_M)
    (tmp_path / "west.wkt").write_text(west.wkt)
    assert ler(scene, *words, str(tmp_path / "west"), "--area", str(tmp_path / "west.wkt")).exit_code == 0
    some = geopandas.read_parquet(tmp_path / "west" / "placements.parquet")
    assert 0 < len(some) < WORKS
    assert {*some.work_id} == {str(one.id) for one in scene.works if one.geometry.intersects(west)}


def test_what_a_worker_leaves_that_dies_is_done_by_others(engines: dict[int, Engine], tmp_path: Path) -> None:
    died = tmp_path / "died"

    # Within the test: workers cannot import what belongs to tests.
    def survive(died: Path, number: int) -> int:
        """Kill the worker, once."""
        if number == 3 and not died.exists():
            died.touch()
            os._exit(1)
        return number

    found = dict(engines[2].each(survive, ((died, number) for number in range(8))))
    assert died.exists()
    assert found == {number: number for number in range(8)}


def test_a_cluster_that_loses_its_workers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_PATIENCE_S", 0.2)
    with (
        Client(processes=False, n_workers=0, dashboard_address=":0") as client,
        pytest.raises(UnavailableError, match="lost all its workers"),
    ):
        [*Engine(client).executor().map(pow, [2], [3])]
