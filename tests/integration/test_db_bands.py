"""Lines that are drawn outside the dig area and may lie in it: delivered as far as their band is wide, and no others."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import shapely
from shapely import box
from sqlalchemy import select

from geoapi.demo.town import build_town
from ler.db.engine import transaction
from ler.db.rows import features_to_rows
from ler.db.tables import PLATFORM_OPERATOR, object_conflict, package_feature
from ler.domain.uncertainty import band_of
from ler.model import Feature, load_model
from tests.databases import Database
from tests.world import World, open_world, valve, water_pipe

AREA = box(575000, 6224000, 575100, 6224010)
OWNER = "12345678"
BANDS = (
    "SELECT ler.half_band_m(f.feature_type, f.horizontal_accuracy, f.drawing_method, f.attributes, f.geom, 5)"
    " FROM jsonb_to_recordset(%s::jsonb) AS f (seq integer, feature_type text,"
    " horizontal_accuracy text, drawing_method text, attributes jsonb, geom geometry) ORDER BY f.seq"
)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        made.owner(OWNER)
        yield made


def beside(gml_id: str, away_m: float, **attributes: object) -> Feature:
    told = {"udvendigDiameter": 100.0, **attributes}
    return water_pipe(gml_id, (575010, 6224000 - away_m, 1), (575090, 6224000 - away_m, 1), **told)


def delivered(world: World, folder: Path, **asked: object) -> dict[str, tuple[shapely.Geometry, bool]]:
    request = world.ask(AREA, folder / "out", **asked).request
    columns = package_feature.c
    query = select(columns.gml_id, columns.geom, columns.clipped).where(columns.request_id == request.id)
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        return {
            row.gml_id: (shapely.from_wkb(bytes(row.geom.data)), row.clipped)
            for row in connection.execute(query)
        }


def test_the_database_has_the_bands_of_the_law(world: World) -> None:
    types = load_model().types
    features = [one for owner in build_town().owners for one in owner.features if one.geometry is not None]
    rows = features_to_rows(features, types, owner_id=UUID(int=1), version_id=UUID(int=2), first_seq=0)
    told = [
        {
            **{name: row[name] for name in ("seq", "feature_type", "horizontal_accuracy", "drawing_method")},
            "attributes": json.loads(row["attributes"]),
            "geom": row["geom"].hex(),
        }
        for row in rows
    ]
    with world.database.connect() as connection:
        found = [row[0] for row in connection.execute(BANDS, [json.dumps(told)])]
    expected = [band_of(one, types[one.type], 5.0).half_width_m for one in features]
    assert found == pytest.approx(expected, abs=1e-4)
    assert len({*expected}) > 20


def test_who_may_lie_in_the_area_is_delivered_and_nobody_else(world: World, tmp_path: Path) -> None:
    world.network(
        OWNER,
        tmp_path,
        # 0.50 m and half of 0.10 m; 5 m where nobody bounds it, or it is drawn for the eye.
        beside("just-in", 0.549),
        beside("just-out", 0.551),
        beside("unbounded-in", 5.04, noejagtighedsklasse="> 2.00 m"),
        beside("unbounded-out", 5.06, noejagtighedsklasse="> 2.00 m"),
        beside("schematic-in", 5.04, indtegningsmetode="skematisk"),
        valve("valve-in", 575050, 6224011.9, 1, noejagtighedsklasse="<= 0.50 m"),
        valve("valve-out", 575050, 6224012.1, 1, noejagtighedsklasse="<= 0.50 m"),
        water_pipe("across", (575050, 6223990, 1), (575050, 6224020, 4), udvendigDiameter=100.0),
    )
    found = delivered(world, tmp_path, unknown_accuracy_m=5.0)
    assert {*found} == {"just-in", "unbounded-in", "schematic-in", "valve-in", "across"}
    assert not found["just-in"][1]
    # Cut at the next of 0.5, 1, 2, 4, 8 m, or 8 % farther, with heights between the vertices.
    across, clipped = found["across"]
    assert clipped
    south, north = shapely.get_coordinates(across, include_z=True)
    assert south == pytest.approx([575050, 6223998.9165, 1.89165], abs=0.003)
    assert north == pytest.approx([575050, 6224011.0835, 3.10835], abs=0.003)
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        rows = connection.execute(select(object_conflict.c.gml_id, object_conflict.c.distance_min_m)).all()
    assert {row.gml_id: row.distance_min_m for row in rows} == pytest.approx(
        dict.fromkeys(found, 0.0), abs=0.002
    )


def test_a_line_that_runs_beside_the_area_and_then_into_it_is_shown_beside_it(
    world: World, tmp_path: Path
) -> None:
    bend = ((575010, 6223999.8, 1), (575050, 6223999.8, 1), (575050, 6224005, 1))
    world.network(OWNER, tmp_path, water_pipe("bend", *bend, udvendigDiameter=100.0))
    found, clipped = delivered(world, tmp_path, unknown_accuracy_m=5.0)["bend"]
    assert shapely.length(found) == pytest.approx(45.2)
    assert not clipped
    alone, clipped = delivered(world, tmp_path)["bend"]
    assert shapely.length(alone) == pytest.approx(5.0)
    assert clipped


def test_without_bands_nothing_outside_is_delivered_and_a_buffer_holds_besides_them(
    world: World, tmp_path: Path
) -> None:
    world.network(OWNER, tmp_path, beside("near", 0.3), beside("far", 1.9), beside("farther", 2.1))
    assert delivered(world, tmp_path) == {}
    assert {*delivered(world, tmp_path, clip_buffer_m=2.0)} == {"near", "far"}
    assert {*delivered(world, tmp_path, clip_buffer_m=2.0, unknown_accuracy_m=5.0)} == {"near", "far"}
