"""Drawings in the database: who sees them, and which of them go with a request."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import shapely
from geoalchemy2.shape import from_shape
from shapely import MultiPolygon, Polygon
from sqlalchemy import Insert, select, text
from sqlalchemy.exc import DBAPIError

from conflicts.match import match_request
from ler.blobs import FolderStore
from ler.db import tables
from ler.db.migrate import downgrade, migrate
from ler.errors import InputError, NotFoundError, RefusedError
from ler.model import Feature
from ler.services import drawings
from ler.services.drawings import DrawingFacts, DrawingFiles
from tests.integration.test_db_world import World, cable, line, square, world

__all__ = ["world"]

HERE = square(0, 0, 10, 10)
FAR = square(500, 500, 510, 510)


def drawing_row(owner: UUID, name: str, area: Polygon, **more: object) -> Insert:
    values: dict[str, Any] = dict.fromkeys(("cog_sha256", "preview_sha256", "original_sha256"), "0" * 64)
    values |= dict.fromkeys(("cog_size_bytes", "original_size_bytes", "columns", "rows", "resolution_m"), 1)
    values |= {"owner_id": owner, "name": name, "media_type": "image/tiff", "source_epsg": 25832}
    return tables.drawing.insert().values(
        **values | {"geom": from_shape(MultiPolygon([area]), srid=tables.SRID)} | more
    )


def add_drawing(world: World, owner: UUID, name: str, area: Polygon, **more: object) -> UUID:
    with world.acting(owner) as connection:
        row = drawing_row(owner, name, area, **more).returning(tables.drawing.c.id)
        made: UUID = connection.execute(row).scalar_one()
        return made


def match_with_drawings(world: World, digger: UUID, request: UUID) -> int:
    """Match a request, and return the number of drawings that go with it."""
    with world.acting(digger) as connection:
        match_request(connection, request)
    return len(delivered(world, digger, request))


def delivered(world: World, digger: UUID, request: UUID) -> dict[str, list[str]]:
    table = tables.package_drawing
    with world.acting(digger) as connection:
        query = select(table.c.name, table.c.gml_ids).where(table.c.request_id == request)
        return {row.name: row.gml_ids for row in connection.execute(query)}


def attachment(gml_id: str, path: str) -> Feature:
    return Feature("Informationsressource", gml_id, {"title": path, "format": "TIFF", "sti": path}, {}, None)


def dig(world: World, owner: UUID, features: list[Feature], area: Polygon = HERE) -> dict[str, list[str]]:
    world.publish(owner, features)
    digger = world.organisation("digger")
    request = world.request(digger, area)
    match_with_drawings(world, digger, request)
    return delivered(world, digger, request)


def test_a_drawing_goes_with_the_request_that_touches_it(world: World) -> None:
    owner = world.owner("owner")
    add_drawing(world, owner, "here.tif", square(5, 5, 50, 50))
    add_drawing(world, owner, "touching.tif", square(10, 0, 20, 10))
    add_drawing(world, owner, "far.tif", FAR)
    assert dig(world, owner, [cable("a", line((0, 5, 1), (9, 5, 1)))]) == {"here.tif": [], "touching.tif": []}


def test_a_drawing_goes_with_the_attachment_that_names_it_and_the_feature_it_is_linked_to(
    world: World,
) -> None:
    owner = world.owner("owner")
    add_drawing(world, owner, "plan.tif", FAR)
    add_drawing(world, owner, "lan.tif", FAR)
    add_drawing(world, owner, "linked.tif", FAR, linked_gml_ids=["a", "nowhere"])
    add_drawing(world, owner, "other.tif", FAR, linked_gml_ids=["elsewhere"])
    features = [
        cable("a", line((0, 5, 1), (9, 5, 1)), bilag=["bilag.1"]),
        attachment("bilag.1", "bilag/plan.tif"),
        cable("elsewhere", line((500, 505, 1), (509, 505, 1))),
    ]
    assert dig(world, owner, features) == {"plan.tif": ["bilag.1"], "linked.tif": ["a"]}


def test_an_attachment_of_another_owner_brings_nothing(world: World) -> None:
    mine, yours = world.owner("mine"), world.owner("yours")
    add_drawing(world, yours, "plan.tif", FAR, linked_gml_ids=["a"])
    world.publish(yours, [cable("b", line((0, 6, 1), (9, 6, 1)))])
    assert dig(world, mine, [cable("a", line((0, 5, 1), (9, 5, 1))), attachment("x", "plan.tif")]) == {}


def test_an_owner_that_has_not_answered_delivers_no_drawing_either(world: World) -> None:
    owner = world.owner("owner")
    add_drawing(world, owner, "here.tif", HERE)
    digger = world.organisation("digger")
    request = world.request(digger, HERE)
    assert match_with_drawings(world, digger, request) == 0


@pytest.mark.parametrize(
    ("valid", "wanted"),
    [
        ({"valid_to": "2026-05-03"}, False),
        ({"valid_to": "2026-05-04"}, True),
        ({"valid_from": "2026-05-08"}, True),
        ({"valid_from": "2026-05-09"}, False),
        ({"valid_from": "2026-01-01", "valid_to": "2026-12-31"}, True),
    ],
)
def test_a_drawing_is_delivered_while_it_is_valid(world: World, valid: dict[str, str], wanted: bool) -> None:  # noqa: FBT001 - a table of values
    owner = world.owner("owner")
    add_drawing(world, owner, "here.tif", HERE, **valid)
    assert bool(dig(world, owner, [cable("a", line((0, 5, 1), (9, 5, 1)))])) == wanted


@pytest.mark.parametrize("features", [[], [cable("far", line((500, 505, 1), (509, 505, 1)))]])
def test_an_owner_that_answers_no_lines_delivers_no_drawing_either(
    world: World, features: list[Feature]
) -> None:
    owner, other = world.owner("owner"), world.owner("other")
    add_drawing(world, owner, "here.tif", HERE, linked_gml_ids=["far"], deliver="whole")
    # Somebody else's lines in the area change nothing.
    world.publish(other, [cable("a", line((0, 5, 1), (9, 5, 1)))])
    world.publish(owner, features)
    digger = world.organisation("digger")
    request = world.request(digger, HERE)
    with world.acting(digger) as connection:
        answers = {match.owner_id: match.answer_type for match in match_request(connection, request)}
    assert answers == {owner: tables.NO_LINES, other: "ledningsoplysninger udleveret"}
    assert delivered(world, digger, request) == {}


def test_drawings_are_matched_once_and_by_nobody_alone(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    world.publish(owner, [cable("a", line((0, 5, 1), (9, 5, 1)))])
    request = world.request(digger, HERE)
    assert match_with_drawings(world, digger, request) == 0
    add_drawing(world, owner, "late.tif", HERE)
    with pytest.raises(InputError, match="already"), world.acting(digger) as connection:
        match_request(connection, request)
    for role in ("ler_app", "ler_worker"):
        with (
            pytest.raises(DBAPIError, match="permission denied"),
            world.acting(digger, role=role) as connection,
        ):
            connection.execute(text("SELECT ler.match_drawings(NULL, NULL, NULL, NULL, NULL)"))
    assert delivered(world, digger, request) == {}


def test_the_requester_learns_nothing_of_a_drawing_outside_the_area(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    add_drawing(world, owner, "here.tif", square(5, 5, 500, 500))
    world.publish(owner, [cable("a", line((0, 5, 1), (9, 5, 1)))])
    request = world.request(digger, HERE)
    assert match_with_drawings(world, digger, request) == 1
    with world.acting(digger) as connection:
        row = connection.execute(select(tables.package_drawing)).mappings().one()
    assert row["deliver"] == "clipped"
    assert not {"geom", "preview_sha256", "original_sha256", "columns", "rows"} & row.keys()


def test_what_was_delivered_stays_when_the_drawing_is_removed(world: World) -> None:
    owner, digger, other = world.owner("owner"), world.organisation("digger"), world.owner("other")
    world.publish(owner, [cable("a", line((0, 5, 1), (9, 5, 1)))])
    add_drawing(world, owner, "here.tif", HERE)
    request = world.request(digger, HERE)
    assert match_with_drawings(world, digger, request) == 1
    with pytest.raises(NotFoundError), world.acting(other) as connection:
        drawings.remove_drawing(connection, other, "here.tif")
    with world.acting(owner) as connection:
        drawings.remove_drawing(connection, owner, "here.tif")
    assert delivered(world, digger, request) == {"here.tif": []}
    with world.acting(tables.PLATFORM_OPERATOR) as connection:
        actions = connection.execute(select(tables.audit_event.c.action)).scalars().all()
    assert actions[-3:] == ["ler:drawing:match", "ler:excavation_request:match", "owner:drawing:remove"]


def test_what_was_delivered_survives_the_way_back_and_forth(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    world.publish(owner, [cable("a", line((0, 5, 1), (9, 5, 1)))])
    add_drawing(world, owner, "here.tif", HERE, linked_gml_ids=["a"])
    request = world.request(digger, HERE)
    assert match_with_drawings(world, digger, request) == 1
    downgrade(world.database.url(), "0004")
    with world.database.connect() as connection:
        row = connection.execute("SELECT preview_sha256, geom IS NULL FROM ler.package_drawing").fetchone()
    assert row == ("0" * 64, False)
    assert migrate(world.database.url())[:2] == ["0005", "0006"]
    assert delivered(world, digger, request) == {"here.tif": ["a"]}
    with world.acting(digger) as acting:
        # What was delivered before there was a choice was whole; what will be is not.
        assert acting.execute(select(tables.package_drawing.c.deliver)).scalar_one() == "whole"
    with world.acting(owner) as acting:
        assert acting.execute(select(tables.drawing.c.deliver)).scalar_one() == "clipped"


def test_the_match_reads_the_index(world: World) -> None:
    owner = world.owner("owner")
    with world.database.connect() as connection:
        connection.execute(
            "INSERT INTO ler.drawing (owner_id, name, cog_sha256, cog_size_bytes, preview_sha256, resolution_m, geom,"
            " original_sha256, original_size_bytes, media_type, source_epsg, columns, rows)"
            " SELECT %s, n::text, repeat('0', 64), 1, repeat('0', 64), 1,"
            " ST_Multi(ST_MakeEnvelope(600000 + n, 6100000, 600001 + n, 6100001, 25832)),"
            " repeat('0', 64), 1, 'image/png', 25832, 1, 1 FROM generate_series(1, 20000) AS n",
            [owner],
        )
        connection.execute("ANALYZE ler.drawing")
    add_drawing(world, owner, "here.tif", HERE)
    world.publish(owner, [cable("a", line((0, 5, 1), (9, 5, 1)))])
    digger = world.organisation("digger")
    request = world.request(digger, HERE)
    with world.acting(digger) as connection:
        began = datetime.now(UTC)
        match_request(connection, request)
        assert datetime.now(UTC) - began < timedelta(seconds=1)
    assert list(delivered(world, digger, request)) == ["here.tif"]


def files_of(folder: Path, content: bytes = b"cog") -> DrawingFiles:
    original, cog, preview = (folder / name for name in ("original", "cog", "preview"))
    for path in (original, cog, preview):
        path.write_bytes(path.name.encode() + content)
    return DrawingFiles(
        original=original,
        cog=cog,
        preview=preview,
        media_type="image/png",
        columns=100,
        rows=50,
        resolution_m=0.1,
        source_epsg=25833,
        accuracy_m=None,
        footprint=MultiPolygon([HERE]),
    )


def test_a_drawing_is_kept_with_its_files_and_swept_after_it_is_removed(world: World, tmp_path: Path) -> None:
    owner, store = world.owner("owner"), FolderStore(tmp_path / "blobs")
    facts = DrawingFacts("plan.png", taken_on=datetime(2020, 5, 4, tzinfo=UTC).date(), linked_gml_ids=["a"])
    with world.acting(owner) as connection:
        drawings.add_drawing(connection, owner, store, files_of(tmp_path), facts)
    orphan = store.put(io.BytesIO(b"orphan"))
    with world.acting(owner) as connection:
        (found,) = drawings.list_drawings(connection)
        assert found == drawings.get_drawing(connection, "plan.png")
    assert (found.taken_on, found.linked_gml_ids, found.accuracy_m) == (facts.taken_on, ("a",), None)
    assert shapely.equals(found.footprint, MultiPolygon([HERE]))
    assert found.cog_sha256 == hashlib.sha256(b"cogcog").hexdigest()
    with pytest.raises(NotFoundError), world.acting(world.owner("other")) as connection:
        drawings.get_drawing(connection, "plan.png")

    later = datetime.now(UTC) + timedelta(hours=1)
    with world.acting(None, role="ler_worker") as connection:
        assert drawings.sweep_blobs(connection, store, later).blobs == 1
    with pytest.raises(Exception, match=orphan.sha256):
        store.open(orphan.sha256)
    for digest in (found.original_sha256, found.cog_sha256, found.preview_sha256):
        store.open(digest, verify=True).close()
    with world.acting(owner) as connection:
        drawings.remove_drawing(connection, owner, "plan.png")
    with world.acting(None, role="ler_worker") as connection:
        assert drawings.sweep_blobs(connection, store, later).blobs == 3
        assert drawings.database_time(connection) < later


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (DrawingFacts("plan.tif"), "drawing-name-taken"),
        (DrawingFacts("../plan.tif"), "name-invalid"),
        (DrawingFacts(""), "name-invalid"),
        (DrawingFacts("a\n.tif"), "name-invalid"),
        (DrawingFacts("x" * 201), "name-invalid"),
        (DrawingFacts("b", linked_gml_ids=["x"] * 10_001), "drawing-links"),
        (
            DrawingFacts(
                "c",
                valid_from=datetime(2026, 2, 2, tzinfo=UTC).date(),
                valid_to=datetime(2026, 2, 1, tzinfo=UTC).date(),
            ),
            "period-invalid",
        ),
    ],
)
def test_what_cannot_be_said_of_a_drawing_is_refused(
    world: World, tmp_path: Path, facts: DrawingFacts, code: str
) -> None:
    owner, store = world.owner("owner"), FolderStore(tmp_path / "blobs")
    add_drawing(world, world.owner("other"), "b", HERE)
    add_drawing(world, owner, "plan.tif", HERE)
    with pytest.raises(RefusedError) as caught, world.acting(owner) as connection:
        drawings.add_drawing(connection, owner, store, files_of(tmp_path), facts)
    assert caught.value.code == code
    with world.acting(owner) as connection:
        assert [found.name for found in drawings.list_drawings(connection)] == ["plan.tif"]
        # Another owner may use the name.
        drawings.add_drawing(connection, owner, store, files_of(tmp_path), DrawingFacts("b"))
        assert connection.execute(text("SELECT count(*) FROM ler.drawing")).scalar_one() == 2
