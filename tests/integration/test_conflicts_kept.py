"""Conflicts of requests: found with the package, seen by whom they concern and nobody else, found anew, and told."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from shapely import LineString, Polygon, box
from shapely.geometry import mapping, shape
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from typer.testing import CliRunner, Result

from conflicts.clearances import read_rule
from conflicts.owner_rules import add_owner_rule, end_owner_rule, list_owner_rules
from conflicts.stored import Kept, list_conflicts
from geoapi.cli import app
from geoapi.dig_request import answer_request
from geoapi.packing import pack_request
from ler.blobs import FolderStore
from ler.db.engine import create_engine, transaction
from ler.db.tables import object_conflict, owner_clearance
from ler.domain.request_rules import Work
from ler.domain.works import Method, PlannedWork
from ler.errors import NotFoundError, RefusedError
from ler.services.requests import NewRequest
from ler.services.works import enter_works
from tests.databases import Database
from tests.world import World, open_world, water_pipe

CVRS = ("12345678", "87654321")
RULE = {
    "id": "own",
    "utilities": ["water"],
    "clear": 2.0,
    "source": "us",
    "clause": "ours",
    "verified": True,
    "da": "vores",
    "en": "ours",
}
VIEW = text("SELECT gml_id FROM ler.ogc_conflict ORDER BY seq")


def area(number: int) -> Polygon:
    return box(575000 + 500 * number, 6224000, 575100 + 500 * number, 6224010)


@dataclass
class Scene:
    """Two owners, each with a pipe through an area of its own, and two diggers of which each asked about one."""

    world: World
    store: FolderStore
    owners: list[UUID]
    diggers: list[UUID]
    requests: list[UUID]

    def kept(self, number: int) -> Kept:
        with transaction(self.world.databases.app, self.diggers[number]) as connection:
            return list_conflicts(connection, self.requests[number])

    def pack_again(self, number: int) -> None:
        with self.world.database.connect() as connection:
            connection.execute("UPDATE ler.excavation_request SET revision = revision + 1")
        assert pack_request(self.world.databases, self.store, self.requests[number])


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Iterator[Scene]:
    with open_world(database) as world:
        made = Scene(world, FolderStore(tmp_path / "kept"), [], [], [])
        for number, cvr in enumerate(CVRS):
            made.owners.append(world.owner(cvr, f"Net {number}", area(number)))
            east = 575050 + 500 * number
            world.network(cvr, tmp_path, water_pipe(f"pipe-{number}", (east, 6223990, 1), (east, 6224020, 1)))
            made.diggers.append(world.requester(f"digger {number}", cvr=f"1111111{number}"))
            wanted = NewRequest(
                area(number),
                date(2026, 12, 1),
                date(2026, 12, 14),
                "x",
                work=Work("new-line", None, "open-trench", 1.0),
            )
            answered = answer_request(
                world.databases, made.diggers[-1], wanted, tmp_path / f"out-{number}", store=made.store
            )
            made.requests.append(answered.request.id)
        yield made


def ler(scene: Scene, *words: str) -> Result:
    environment = {"LER_DATABASE_URL": scene.world.database.url(), "NO_COLOR": "1", "COLUMNS": "200"}
    return CliRunner().invoke(app, [*words], env=environment)


def ids(
    scene: Scene, principal: UUID | None, role: str = "ler_app", request: UUID | None = None
) -> list[str]:
    engine = create_engine(scene.world.database.url(role))
    try:
        with transaction(engine, principal, request) as connection:
            query = select(object_conflict.c.gml_id).order_by(object_conflict.c.seq)
            return list(connection.execute(query).scalars())
    finally:
        engine.dispose()


def test_each_sees_its_own_conflicts_and_nobody_writes_them(scene: Scene) -> None:
    for number in (0, 1):
        for role in ("ler_app", "ler_readonly"):
            assert ids(scene, scene.diggers[number], role) == [f"pipe-{number}"]
            assert ids(scene, scene.owners[number], role) == [f"pipe-{number}"]
            assert ids(scene, None, role) == []
        with transaction(scene.world.databases.app, scene.diggers[number]) as connection:
            assert connection.execute(VIEW).scalars().all() == [f"pipe-{number}"]
        with transaction(scene.world.databases.app, scene.owners[number]) as connection:
            assert connection.execute(VIEW).scalars().all() == []
        kept = scene.kept(number)
        assert kept.found_at_revision == kept.revision
        (row,) = kept.rows
        assert (row["zone"], row["arrangement"], row["rule"]) == ("no-machine", "crossing", "ds475-crossing")
        assert (row["drawn_m"], row["distance_min_m"], row["distance_max_m"]) == (0.0, 0.0, 0.5)
        assert row["geom"].length == pytest.approx(10)
        assert "krydser (90°)" in row["reason_da"]
    with pytest.raises(NotFoundError), transaction(scene.world.databases.app, scene.diggers[0]) as connection:
        list_conflicts(connection, scene.requests[1])
    statements = (
        object_conflict.delete(),
        object_conflict.insert().values(rule="x"),
        object_conflict.update().values(rule="x"),
    )
    for role, engine in (("app", scene.world.databases.app), ("worker", scene.world.databases.worker)):
        for statement in statements:
            with pytest.raises(ProgrammingError), transaction(engine, scene.diggers[0]) as connection:
                connection.execute(statement)
        assert role in str(engine.url)
    enter = text("SELECT ler.enter_conflicts(:request, 1, '[]')")
    job = transaction(scene.world.databases.worker, None, request=scene.requests[0])
    with pytest.raises(DBAPIError, match="another request"), job as connection:
        connection.execute(enter, {"request": scene.requests[1]})


def test_an_owner_is_heard_and_conflicts_are_found_anew_with_the_package(
    scene: Scene, tmp_path: Path
) -> None:
    world, owner = scene.world, scene.owners[0]
    with transaction(world.databases.app, owner) as connection:
        add_owner_rule(connection, owner, read_rule(RULE))
        with pytest.raises(RefusedError, match="end it first"):
            add_owner_rule(connection, owner, read_rule(RULE))
    with transaction(world.databases.app, scene.owners[1]) as connection:
        assert list_owner_rules(connection, scene.owners[1]) == []
        assert connection.execute(select(owner_clearance.c.id)).all() == []
        with pytest.raises(NotFoundError):
            end_owner_rule(connection, scene.owners[1], "own")
    digging = transaction(world.databases.app, scene.diggers[0])
    with pytest.raises(RefusedError, match="only owners"), digging as connection:
        add_owner_rule(connection, scene.diggers[0], read_rule(RULE))
    assert scene.kept(0).rows[0]["rule"] == "ds475-crossing"
    scene.pack_again(0)
    assert [(row["rule"], row["limit_m"], row["revision"]) for row in scene.kept(0).rows] == [("own", 2.0, 2)]
    scene.pack_again(1)
    assert [row["rule"] for row in scene.kept(1).rows] == ["ds475-crossing"]
    assert ler(scene, "clearance", "end", CVRS[0], "own").exit_code == 0
    scene.pack_again(0)
    assert [row["rule"] for row in scene.kept(0).rows] == ["ds475-crossing"]
    (tmp_path / "rule.json").write_text(json.dumps(RULE), encoding="utf-8")
    assert ler(scene, "clearance", "add", CVRS[0], str(tmp_path / "rule.json")).exit_code == 0
    listed = ler(scene, "clearance", "list", CVRS[0], "--json")
    assert [one["ended_at"] is None for one in json.loads(listed.stdout)] == [False, True]


def test_the_command_tells_them(scene: Scene, tmp_path: Path) -> None:
    request = str(scene.requests[0])
    table = ler(scene, "conflicts", request, "--as", "11111110")
    assert table.exit_code == 0, table.stderr
    assert "ingen maskine" in table.stdout
    assert "pipe-0" in table.stdout
    written = ler(
        scene,
        "conflicts",
        request,
        "--as",
        "11111110",
        "--json",
        "--geojson",
        str(tmp_path / "out.json"),
        "--html",
        str(tmp_path / "out.html"),
        "--pdf",
        str(tmp_path / "out.pdf"),
    )
    (told,) = json.loads(written.stdout)
    assert (told["zone"], told["owner_cvr"]) == ("no-machine", CVRS[0])
    assert shape(told["geom"]).length == pytest.approx(10)
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [one["properties"]["gml_id"] for one in document["features"]] == ["pipe-0"]
    report = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "<bdi>Net 0</bdi>: Vandledning <bdi>pipe-0</bdi>" in report
    assert "<title>Snit A</title>" in report
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")
    foreign = ler(scene, "conflicts", request, "--as", "11111111")
    assert (foreign.exit_code, "There is no such request" in foreign.stderr) == (2, True)

    (tmp_path / "dig.geojson").write_text(json.dumps(mapping(area(0))), encoding="utf-8")
    words = (
        "conflicts",
        str(tmp_path / "dig.geojson"),
        "--as",
        CVRS[0],
        "--method",
        "hand",
        "--kind",
        "road",
        "--language",
        "en",
    )
    own = ler(scene, *words)
    assert own.exit_code == 0, own.stderr
    assert "notify owner" in own.stdout
    assert "pipe-0" in own.stdout
    work = PlannedWork(
        id=UUID(int=0),
        organisation_id=scene.owners[0],
        title="New main",
        geometry=LineString([(575040, 6224005), (575060, 6224005)]),
        activity="vand",
        method=Method.OPEN_TRENCH,
        depth_m=1.2,
        duration_days=2,
        earliest_start=date(2026, 12, 1),
        latest_end=date(2026, 12, 14),
    )
    with transaction(scene.world.databases.app, scene.owners[0]) as connection:
        (entered,) = enter_works(connection, scene.owners[0], [work])
    page = tmp_path / "work.html"
    planned = ler(
        scene, "conflicts", str(entered), "--as", CVRS[0], "--json", "--language", "en", "--html", str(page)
    )
    assert "Conflicts: New main" in page.read_text(encoding="utf-8")
    (found,) = json.loads(planned.stdout)
    assert (found["gml_id"], found["zone"], found["arrangement"]) == ("pipe-0", "no-machine", "crossing")

    others = ler(scene, *words[:3], CVRS[1], "--json")
    assert json.loads(others.stdout) == []
    wrong = ler(scene, *words[:4], "--method", "laser")
    assert (wrong.exit_code, "laser" in wrong.stderr) == (2, True)


def test_before_anybody_has_looked_nothing_is_told(scene: Scene) -> None:
    with scene.world.database.connect() as connection:
        connection.execute("UPDATE ler.excavation_request SET conflicts_revision = NULL")
    told = ler(scene, "conflicts", str(scene.requests[0]), "--as", "11111110")
    assert (told.exit_code, "still to come" in told.stderr) == (2, True)
    with scene.world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.excavation_request SET state = 'ended', period_to = '2000-01-01', period_from = '2000-01-01'"
        )
    with transaction(scene.world.databases.app, scene.diggers[0]) as connection:
        assert connection.execute(VIEW).all() == []
    with transaction(scene.world.databases.worker, None) as connection:
        connection.execute(text("SELECT ler.erase_requests(10, 100)"))
    assert ids(scene, scene.diggers[0]) == []
