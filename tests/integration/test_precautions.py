"""Owners' precautions: set whole or not at all, found with the package, seen by whom they concern, and shown by the highest."""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from shapely import box
from shapely.geometry import mapping
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from typer.testing import CliRunner, Result

from conflicts.owner_tables import find_table, read_table, set_table
from conflicts.stored import Kept, list_conflicts
from geoapi.cli import app
from geoapi.dig_request import answer_request
from geoapi.packing import mend_packages, pack_request
from ler.blobs import FolderStore
from ler.db.engine import create_engine, transaction
from ler.db.tables import owner_precaution, precaution_area, precaution_hit
from ler.domain.request_rules import Work
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.errors import NotFoundError, RefusedError
from ler.packages.package import Package
from ler.services.requests import NewRequest
from ler.services.sensitivity import make_rule
from tests.databases import Database
from tests.world import World, manifest, open_world, water_pipe

CVRS = ("12345678", "87654321")
AREA = box(575000, 6224000, 575100, 6224010)
TABLE = """
[[row]]
priority = 20
themes = ["vand"]
within_m = 1.0
da = "Grav med hånd"
en = "Dig by hand"

[[row]]
priority = 10
themes = ["vand"]
methods = ["open-trench"]
depth_from_m = 0.8
within_m = 3.0
areas = ["waterworks"]
da = "Ring til os"
en = "Call us"
contact = "+45 11 22 33 44"
notice_days = 5

[[row]]
priority = 1
themes = ["vand"]
methods = ["directional-drilling"]
da = "Aldrig"
en = "Never"
"""
VIEW = text("SELECT priority FROM ler.ogc_precaution ORDER BY seq")


@dataclass
class Scene:
    """An owner with a table and a pipe through the area, another owner of the same, and who digs."""

    world: World
    store: FolderStore
    folder: Path
    owners: list[UUID]
    digger: UUID

    def ler(self, *words: str) -> Result:
        environment = {"LER_DATABASE_URL": self.world.database.url(), "NO_COLOR": "1", "COLUMNS": "250"}
        return CliRunner().invoke(app, [*words], env=environment)

    def ask(self, name: str = "out") -> tuple[UUID, Package]:
        work = Work("new-line", None, "open-trench", 1.0)
        wanted = NewRequest(AREA, date(2026, 12, 1), date(2026, 12, 14), "x", work=work)
        answered = answer_request(
            self.world.databases, self.digger, wanted, self.folder / name, store=self.store
        )
        return answered.request.id, answered.packages[0]

    def kept(self, request: UUID, principal: UUID) -> Kept:
        with transaction(self.world.databases.app, principal) as connection:
            return list_conflicts(connection, request)


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Iterator[Scene]:
    with open_world(database) as world:
        owners = []
        for number, cvr in enumerate(CVRS):
            owners.append(world.owner(cvr, f"Net {number}"))
            east = 575030 + 40 * number
            world.network(cvr, tmp_path, water_pipe(f"pipe-{number}", (east, 6223990, 1), (east, 6224020, 1)))
        (tmp_path / "table.toml").write_text(TABLE, encoding="utf-8")
        area = {
            "type": "Feature",
            "properties": {"name": "waterworks"},
            "geometry": mapping(box(575020, 6224000, 575040, 6224005)),
        }
        document = {
            "type": "FeatureCollection",
            "crs": {"type": "name", "properties": {"name": "EPSG:25832"}},
            "features": [area],
        }
        (tmp_path / "areas.geojson").write_text(json.dumps(document), encoding="utf-8")
        yield Scene(
            world, FolderStore(tmp_path / "kept"), tmp_path, owners, world.requester("digger", cvr="11111110")
        )


def set_it(scene: Scene, *more: str) -> Result:
    words = ("precautions", "set", str(scene.folder / "table.toml"), "--as", CVRS[0])
    return scene.ler(*words, "--areas", str(scene.folder / "areas.geojson"), *more)


def test_a_table_is_set_whole_or_not_at_all_and_is_the_owners_own(scene: Scene) -> None:
    assert set_it(scene).exit_code == 0
    listed = scene.ler("precautions", "show", "--as", CVRS[0], "--json")
    told = json.loads(listed.stdout)
    assert [row["priority"] for row in told["row"]] == [1, 10, 20]
    assert [one["properties"]["name"] for one in told["areas"]] == ["waterworks"]
    bad = TABLE.replace("priority = 20", "priority = 10").replace('"waterworks"', '"elsewhere"')
    (scene.folder / "table.toml").write_text(bad, encoding="utf-8")
    refused = set_it(scene)
    assert refused.exit_code == 1
    assert "precaution-priority-double: /row/1/priority" in refused.stderr
    assert "precaution-area-unknown: /row/1/areas" in refused.stderr
    assert json.loads(scene.ler("precautions", "show", "--as", CVRS[0], "--json").stdout) == told
    (scene.folder / "table.toml").write_text("[[row", encoding="utf-8")
    assert set_it(scene).exit_code == 2

    app_engine, mine, other = scene.world.databases.app, *scene.owners
    rows = read_table({"row": [{"priority": 1, "themes": ["vand"], "da": "x", "en": "x"}]}, {})
    with transaction(app_engine, other) as connection:
        assert find_table(connection, other) is None
        for table in (owner_precaution, precaution_area):
            assert connection.execute(select(table.c.id)).all() == []
    digging = transaction(app_engine, scene.digger)
    with pytest.raises(RefusedError, match="only owners"), digging as connection:
        set_table(connection, scene.digger, rows, {})
    writing = transaction(app_engine, other)
    with pytest.raises(RefusedError, match="only owners"), writing as connection:
        set_table(connection, mine, rows, {})
    assert scene.ler("precautions", "end", "--as", CVRS[0]).exit_code == 0
    assert scene.ler("precautions", "show", "--as", CVRS[0]).exit_code == 2
    assert scene.ler("precautions", "end", "--as", CVRS[0]).exit_code == 2


def test_the_highest_is_shown_all_are_kept_and_nobody_else_sees_them(scene: Scene) -> None:
    assert set_it(scene).exit_code == 0
    request, package = scene.ask()
    kept = scene.kept(request, scene.digger)
    assert [(row["priority"], row["highest"], row["gml_id"]) for row in kept.precautions] == [
        (10, True, "pipe-0"),
        (20, False, "pipe-0"),
    ]
    first = kept.precautions[0]
    assert (first["contact"], first["notice_days"], first["distance_min_m"]) == ("+45 11 22 33 44", 5, 0.0)
    assert "i området waterworks" in first["reason_da"]
    assert first["reasons"] == ["line-depth-unknown", "size-unknown"]

    told = manifest(package.path)["warnings"]
    assert [(one["cvr"], one["utility_type"], one["zone"]["zone"]) for one in told] == [
        (CVRS[0], "vand", "no-machine"),
        (CVRS[1], "vand", "no-machine"),
    ]
    assert [[row["en"] for row in one["precautions"]] for one in told] == [["Call us", "Dig by hand"], []]
    with zipfile.ZipFile(package.path) as file:
        letter = file.read("Foelgebrev.html").decode()
    assert "Call us" in letter
    assert "Dig by hand" not in letter

    for role in ("ler_app", "ler_readonly"):
        engine = create_engine(scene.world.database.url(role))
        for principal, count in ((scene.digger, 2), (scene.owners[0], 2), (scene.owners[1], 0), (None, 0)):
            with transaction(engine, principal) as connection:
                assert len(connection.execute(select(precaution_hit.c.id)).all()) == count
        engine.dispose()
    with transaction(scene.world.databases.app, scene.owners[0]) as connection:
        assert connection.execute(VIEW).all() == []
    with pytest.raises(NotFoundError), transaction(scene.world.databases.app, scene.owners[1]) as connection:
        list_conflicts(connection, request)
    for engine in (scene.world.databases.app, scene.world.databases.worker):
        with pytest.raises(ProgrammingError), transaction(engine, scene.digger) as connection:
            connection.execute(precaution_hit.delete())
    enter = text("SELECT ler.enter_precautions(:request, 1, '[]')")
    job = transaction(scene.world.databases.worker, None, request=request)
    with pytest.raises(DBAPIError, match="another request"), job as connection:
        connection.execute(enter, {"request": scene.digger})

    listed = scene.ler("conflicts", str(request), "--as", "11111110", "--language", "en")
    assert "Call us" in listed.stdout
    assert "Dig by hand" in listed.stdout
    assert "risk score" in listed.stderr
    rows = json.loads(scene.ler("precautions", "told", str(request), "--as", "11111110", "--json").stdout)
    assert [row["priority"] for row in rows] == [10, 20]

    # A package that was lost is made again as it was, whatever its owner asks by now.
    assert scene.ler("precautions", "end", "--as", CVRS[0]).exit_code == 0
    scene.store.path(package.sha256).unlink()
    assert mend_packages(scene.world.databases, scene.store, request) == 1
    scene.store.open(package.sha256, verify=True).close()
    with scene.world.database.connect() as connection:
        connection.execute("UPDATE ler.excavation_request SET revision = revision + 1")
    assert pack_request(scene.world.databases, scene.store, request)
    assert scene.kept(request, scene.digger).precautions == []


def test_nothing_tells_of_lines_that_are_withheld(scene: Scene) -> None:
    assert set_it(scene).exit_code == 0
    with transaction(scene.world.databases.app, scene.owners[0]) as connection:
        rule = SensitivityRule(SensitivityClass.RESTRICTED, gml_ids=frozenset({"secret"}))
        make_rule(connection, scene.owners[0], rule)
    plain = water_pipe("plain", (575003, 6223990, 1), (575003, 6224020, 1))
    told = []
    # In the owner's area or not: who asks sees the same.
    for number, east in enumerate((575012, 575035)):
        secret = water_pipe("secret", (east, 6224001, 1), (east, 6224004, 1))
        scene.world.network(CVRS[0], scene.folder, plain, secret)
        request, package = scene.ask(f"out-{number}")
        kept = scene.kept(request, scene.digger)
        assert [(row["priority"], row["gml_id"]) for row in kept.precautions] == [(20, "plain")]
        read = manifest(package.path)
        assert [one["withholds"] for one in read["owners"][0]["answers"]] == [True]
        told.append((read["warnings"], [row["reason_da"] for row in (*kept.rows, *kept.precautions)]))
    with scene.world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.excavation_request SET state = 'ended', period_to = '2000-01-01', period_from = '2000-01-01'"
        )
    with transaction(scene.world.databases.worker, None) as connection:
        connection.execute(text("SELECT ler.erase_requests(10, 100)"))
    with transaction(scene.world.databases.app, scene.owners[0]) as connection:
        assert connection.execute(select(precaution_hit.c.id)).all() == []
    assert told[0] == told[1]
    assert "secret" not in str(told)
