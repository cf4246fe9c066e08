"""A batch answers as PostGIS and as single works do, whatever the workers and partitions; and each sees its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest
from pyarrow import parquet
from sqlalchemy import select
from sqlalchemy.engine import Connection

from conflicts.batch.engine import Engine, open_engine
from conflicts.batch.run import Batch, Limits, Told, run_batch
from conflicts.batch.task import Source, Yardstick, acting
from conflicts.clearances import load_clearances
from conflicts.detect import detect
from conflicts.dig import dig_of_work
from conflicts.existing import Delivered
from conflicts.stored import conflict_row
from ler.db.rows import row_to_feature
from ler.db.tables import PLATFORM_OPERATOR, network_feature
from ler.domain.works import ACTIVE, PlannedWork
from ler.services.works import list_works
from tests.batch_world import CONFLICTS, enter_lines, enter_works, make_lines
from tests.databases import Database, SharedCluster
from tests.world import World, open_world

SIDE_M = 900.0
LINES, WORKS = 12_000, 200
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
def engines() -> Iterator[dict[int, Engine]]:
    with open_engine(workers=1) as one, open_engine(workers=2) as two:
        yield {1: one, 2: two}


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
    assert len(found[1]) == len(expected) > 1000
    for row in found[1]:
        zone, arrangement, drawn_m, least_m = expected[key(row)]
        assert (row["zone"], row["arrangement"]) == (zone, arrangement), row
        assert abs(row["drawn_m"] - drawn_m) < 0.0015
        assert abs(row["distance_min_m"] - least_m) < 0.0015
