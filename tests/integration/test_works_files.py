"""Works and restrictions of files in each format, by rows; and `ler works` as its own process."""

import json
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
from shapely import LineString, Point, Polygon, box
from typer.testing import CliRunner

from geoapi.cli import app
from geoapi.works_desk import WorksDesk
from geoapi.works_file import RowsRefusedError, enter_works_file, judge_works_file
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError
from ler.services.works import list_works
from ler.settings import Settings
from tests.databases import Database
from tests.world import World, open_world

CVR = "12345678"
EAST, NORTH = 572_000.0, 6_225_000.0
DESK = WorksDesk(Settings(), date(2026, 2, 2))


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def plan(**columns: list[object]) -> gpd.GeoDataFrame:
    """Three works side by side, 10 m apart."""
    values: dict[str, list[object]] = {
        "reference": ["P1", "P2", "P3"],
        "title": ["Vand", "Varme", "Fiber"],
        "activity": ["vand", "fjernvarme/fjernkøling", "telekommunikation"],
        "method": ["open-trench", "open-trench", "ploughing"],
        "depth_m": [1.5, None, 0.6],
        "duration_days": [10, 20, 3],
        "earliest_start": [date(2026, 3, 2)] * 3,
        "latest_end": [date(2026, 5, 1)] * 3,
        "road": ["lane", "closed", "none"],
        "willing_to_share": [True, False, True],
    }
    lines = [LineString([(EAST, NORTH + 10 * y), (EAST + 80, NORTH + 10 * y)]) for y in range(3)]
    return gpd.GeoDataFrame(values | columns, geometry=lines, crs=25832)


def geopackage(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    frame.to_file(folder / "plan.gpkg", driver="GPKG", layer="works")
    return folder / "plan.gpkg"


def shapefile(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    frame = frame.rename(columns=lambda name: name[:10])
    frame.to_file(folder / "plan.shp", encoding="UTF-8")
    with zipfile.ZipFile(folder / "plan.zip", "w") as archive:
        for part in sorted(folder.glob("plan.*")):
            if part.suffix != ".zip":
                archive.write(part, part.name)
    return folder / "plan.zip"


def geojson(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    path = folder / "plan.geojson"
    path.write_text(frame.to_crs(4326).to_json(default=str, drop_id=True), encoding="utf-8")
    return path


def comma_text(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    table = frame.drop(columns="geometry").assign(wkt=frame.geometry.to_wkt())
    table.to_csv(folder / "plan.csv", index=False)
    return folder / "plan.csv"


@pytest.mark.parametrize("write", [geopackage, shapefile, geojson, comma_text])
def test_the_same_works_come_out_of_every_format(write: object, tmp_path: Path) -> None:
    assert callable(write)
    crs = "EPSG:4326" if write is geojson else "EPSG:25832"
    judged = judge_works_file(write(tmp_path, plan()), crs, PLATFORM_OPERATOR, DESK)
    assert judged.faults == []
    assert judged.unused == set()
    works = [row.thing for row in judged.rows]
    assert [(one.reference, one.depth_m, one.duration_days, one.willing_to_share) for one in works] == [
        ("P1", 1.5, 10, True),
        ("P2", None, 20, False),
        ("P3", 0.6, 3, True),
    ]
    assert [one.road.value for one in works] == ["lane", "closed", "none"]
    assert [one.activity for one in works] == [*plan()["activity"]]
    for work, line in zip(works, plan().geometry, strict=True):
        assert work.earliest_start == date(2026, 3, 2)
        assert work.geometry.equals_exact(line, 0.001)


def test_each_row_that_is_at_fault_is_told_and_the_file_is_refused_whole(tmp_path: Path) -> None:
    shapes = [Polygon(), box(EAST, NORTH, EAST + 2000, NORTH + 1000), Point(EAST, NORTH)]
    bad = plan(
        method=["magic", "hand", "hand"],
        latest_end=[date(2026, 3, 1), date(2026, 5, 1), date(2026, 3, 3)],
        reference=["P2", "P1", "P1"],
        colour=["red"] * 3,
    ).set_geometry(shapes, crs=25832)
    judged = judge_works_file(geopackage(tmp_path, bad), None, PLATFORM_OPERATOR, DESK)
    assert [(one.record, one.fault.code, one.fault.pointer) for one in judged.faults] == [
        (1, "geometry-empty", "/geometry"),
        (2, "area-size", "/geometry"),
        (3, "work-duration", "/duration_days"),
    ]
    assert judged.unused == {"colour"}
    twice = judge_works_file(
        geopackage(tmp_path, plan(reference=["P1", "P1", "P2"])), None, PLATFORM_OPERATOR, DESK
    )
    assert [(one.record, one.fault.code) for one in twice.faults] == [(2, "work-reference")]
    strange = judge_works_file(
        geopackage(tmp_path, plan(method=["magic"] * 3)), None, PLATFORM_OPERATOR, DESK
    )
    assert {one.fault.pointer for one in strange.faults} == {"/method"}


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.gpkg").write_bytes(b"SQLite format 3\0 no")
    with pytest.raises(RefusedError):
        judge_works_file(tmp_path / "plan.gpkg", None, PLATFORM_OPERATOR, DESK)
    with pytest.raises(RefusedError) as missing:
        judge_works_file(comma_text(tmp_path, plan()), None, PLATFORM_OPERATOR, DESK)
    assert missing.value.code == "crs-missing"


def test_a_plan_that_is_sent_again_changes_what_changed(world: World, tmp_path: Path) -> None:
    owner = world.owner(CVR)

    def send(frame: gpd.GeoDataFrame) -> tuple[int, int, int, int]:
        judged = judge_works_file(geopackage(tmp_path, frame), None, owner, DESK)
        with transaction(world.databases.app, owner) as connection:
            done = enter_works_file(connection, owner, judged, DESK)
        return len(done.new), len(done.changed), done.unchanged, len(done.conflicts.entered)

    # The trenches of the two that take the road are 9 m apart.
    assert send(plan()) == (3, 0, 0, 1)
    assert send(plan()) == (0, 0, 3, 0)
    # The fourth lies where the third still is.
    assert send(plan(reference=["P1", "P2", "P4"], depth_m=[2.0, None, 0.6])) == (1, 1, 1, 1)
    finished = plan(status=["done", "planned", "planned"])
    with pytest.raises(RowsRefusedError) as refused:
        send(finished)
    assert [(one.record, one.fault.code) for one in refused.value.rows] == [(1, "work-status")]
    with transaction(world.databases.app, owner) as connection:
        works = [one.work for one in list_works(connection)]
    assert [(one.reference, one.version, one.depth_m) for one in works] == [
        ("P1", 2, 2.0),
        ("P2", 1, None),
        ("P3", 1, 0.6),
        ("P4", 1, 0.6),
    ]


def test_by_command_works_are_entered_restricted_judged_and_ended(world: World, tmp_path: Path) -> None:
    world.owner(CVR)
    environment = {"LER_DATABASE_URL": world.database.url(), "NO_COLOR": "1", "COLUMNS": "200"}

    def ler(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["works", *words], env=environment)
        assert done.exit_code == code, done.output
        return done.stdout

    late = plan(latest_end=[date(2026, 3, 1)] * 3)
    refused = json.loads(ler("import", str(geopackage(tmp_path, late)), "--by", CVR, "--json", code=1))
    assert [(row["record"], row["code"]) for row in refused] == [(n, "work-window") for n in (1, 2, 3)]
    file = str(geopackage(tmp_path, plan()))
    assert ler("import", file, "--by", CVR, "--check") == ""
    assert json.loads(ler("list", "--json")) == []
    made = json.loads(ler("import", file, "--by", CVR, "--json"))
    assert made["conflicts"] == {"new": 1, "changed": 0, "ended": 0}
    rules = tmp_path / "rules.csv"
    rules.write_text(
        "kind,title,first_day,last_day,source,wkt\n"
        f'event,Market,2026-04-01,2026-04-02,Town,"POINT({EAST} {NORTH + 20})"\n'
    )
    operator = ("--by", str(PLATFORM_OPERATOR))
    restricted = json.loads(ler("restrict", str(rules), *operator, "--crs", "EPSG:25832", "--json"))
    assert restricted["conflicts"]["new"] == 1
    (clash,) = json.loads(ler("show", made["new"][2]))["conflicts"]
    assert (clash["kind"], clash["state"], clash["certain"]) == ("event", "open", False)
    ler("judge", clash["id"], "--by", CVR, "--no", "--note", "other side")
    judged = json.loads(ler("conflicts", "--organisation", CVR, "--state", "judged", "--json"))
    assert [(one["id"], one["is_conflict"]) for one in judged] == [(clash["id"], False)]
    ler("lift", restricted["new"][0], *operator)
    assert json.loads(ler("restrictions", "--json")) == []
    ler("end", made["new"][0], "--by", CVR)
    ler("end", made["new"][0], "--by", CVR, code=2)
    ler("refresh")
    assert json.loads(ler("conflicts", "--json")) == []
    assert [one["reference"] for one in json.loads(ler("list", "--json"))] == ["P2", "P3"]
    area = tmp_path / "area.wkt"
    area.write_text(box(EAST, NORTH, EAST + 100, NORTH + 100).wkt)
    followed = ler("follow", str(area), "--by", CVR, "--name", "Centre").strip()
    assert [one["id"] for one in json.loads(ler("followed", "--by", CVR, "--json"))] == [followed]
    ler("unfollow", followed, "--by", CVR)
    assert json.loads(ler("followed", "--by", CVR, "--json")) == []
