"""ler.match_request: who is asked, what is delivered, and what is never said."""

from uuid import uuid4

import pytest
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from conflicts.match import match_request
from ler.db import functions, tables
from ler.errors import InputError, NotFoundError, RefusedError
from ler.model import Feature, Kind, load_model
from tests.integration.test_db_world import NAN, World, at, cable, line, square, world

__all__ = ["world"]

AREA = square(0, 0, 10, 10)
INSIDE = line((1, 1, 0), (9, 9, 0))
OUTSIDE = line((20, 20, 0), (30, 30, 0))


def attachment(gml_id: str, geometry: BaseGeometry | None = None) -> Feature:
    return Feature("Informationsressource", gml_id, {"title": gml_id, "sti": f"{gml_id}.pdf"}, {}, geometry)


def test_the_database_knows_the_words_of_the_model(world: World) -> None:
    model = load_model()
    references = {a.name for t in model.concrete() for a in t.attributes if a.kind is Kind.REFERENCE}
    with world.database.connect() as connection:
        row = connection.execute("SELECT ler.reference_attributes(), ler.platform_operator()").fetchone()
    assert row is not None
    assert (set(row[0]), row[1]) == (references, tables.PLATFORM_OPERATOR)
    assert {*tables.ANSWER_TYPES} == {*model.code_lists["Graveforespoergselssvartype"].values}


def test_asks_every_owner_whose_interest_area_touches_the_area_and_no_other(world: World) -> None:
    touching = world.owner("touching", square(10, 0, 20, 10))
    near = world.owner("a millimetre away", square(10.001, 0, 20, 10))
    inside = world.owner("inside", square(4, 4, 5, 5))
    second_area = world.interest_area(inside, square(6, 6, 7, 7))
    digger = world.organisation("digger")
    matches = world.match(digger, world.request(digger, AREA))
    assert matches.keys() == {touching, inside}
    assert near not in matches
    assert second_area in matches[inside].interest_area_ids
    assert len(matches[inside].interest_area_ids) == 2


def test_an_owner_without_a_published_network_has_not_answered(world: World) -> None:
    silent, staged, empty, full = (world.owner(name) for name in ("silent", "staged", "empty", "full"))
    world.stage(staged, [cable("a", INSIDE)])
    world.publish(empty, [cable("a", OUTSIDE)])
    version = world.publish(full, [cable("a", INSIDE), cable("b", OUTSIDE)])
    digger = world.organisation("digger")
    request = world.request(digger, AREA)
    matches = world.match(digger, request)
    for owner in (silent, staged):
        assert (matches[owner].version_id, matches[owner].answer_type) == (None, None)
        assert matches[owner].feature_count is None
    assert (matches[empty].answer_type, matches[empty].feature_count) == (tables.NO_LINES, 0)
    assert (matches[full].answer_type, matches[full].feature_count) == (tables.DELIVERED, 1)
    assert matches[full].version_id == version
    with world.acting(digger) as connection:
        answers = connection.execute(tables.owner_answer.select()).mappings().all()
    assert {row["owner_id"] for row in answers} == {empty, full}


def test_only_the_requester_matches_and_only_once(world: World) -> None:
    digger, other = world.organisation("digger"), world.organisation("other")
    request = world.request(digger, AREA)
    for principal, wanted in ((other, request), (digger, uuid4())):
        with world.acting(principal) as connection, pytest.raises(NotFoundError):
            match_request(connection, wanted)
    with pytest.raises(DBAPIError), world.acting(None) as connection:
        match_request(connection, request)
    world.match(digger, request)
    with world.acting(digger) as connection, pytest.raises(InputError):
        match_request(connection, request)


def test_a_superseded_version_delivers_nothing_and_a_match_keeps_its_version(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    old = world.publish(owner, [cable("old", INSIDE)])
    first = world.request(digger, AREA)
    assert world.match(digger, first)[owner].version_id == old
    new = world.publish(owner, [cable("new", INSIDE)])
    second = world.request(digger, AREA)
    assert world.match(digger, second)[owner].version_id == new
    assert world.delivered(digger, first).keys() == {"old"}
    assert world.delivered(digger, second).keys() == {"new"}


def test_delivers_the_part_inside_with_all_attributes_and_tells_that_it_was_cut(world: World) -> None:
    crossing = cable("crossing", line((-10, 5, 1), (5, 5, NAN), (20, 5, 3)), driftsstatus="i drift")
    crossing.voids = {"noejagtighedsklasse": "unknown", "fareklasse": None}
    whole = cable("whole", INSIDE)
    delivered = world.dig([crossing, whole, cable("touching", line((10, 10, 0), (20, 20, 0)))], AREA)
    assert delivered.keys() == {"crossing", "whole"}
    feature, row = delivered["crossing"]
    assert (feature.attributes, feature.voids) == (crossing.attributes, crossing.voids)
    assert row["clipped"]
    assert shapely.to_wkt(feature.geometry) == shapely.to_wkt(line((0, 5, NAN), (5, 5, NAN), (10, 5, NAN)))
    feature, row = delivered["whole"]
    assert not row["clipped"]
    assert shapely.to_wkb(feature.geometry) == shapely.to_wkb(INSIDE)


def test_a_riser_beside_the_area_stays_with_its_owner(world: World) -> None:
    # Within the triangle's bounds: ST_Covers holds that these are covered when it is asked for the first time.
    triangle = shapely.Polygon(at((0, 0), (10, 0), (10, 10)))
    outside = line((1, 8, 0), (1, 8, 3))
    delivered = world.dig(
        [
            cable("outside", outside),
            Feature("Ledningstrace", "trace", {}, {}, shapely.MultiLineString([outside])),
            Feature("LinearDimension", "height", {"dimensionalValue": 3.0}, {}, outside),
            cable("inside", line((8, 1, 0), (8, 1, 3))),
        ],
        triangle,
    )
    assert delivered.keys() == {"inside"}


def test_the_buffer_misses_nothing_within_its_distance(world: World) -> None:
    # Lines at 1.999 m from a corner, in directions in which a buffer's chords cut inside the true circle.
    ring = [
        (10 + 1.999 * shapely.Point(0, 0).buffer(1, quad_segs=50).exterior.coords[i][0],
         10 + 1.999 * shapely.Point(0, 0).buffer(1, quad_segs=50).exterior.coords[i][1])
        for i in range(200)
    ]  # fmt: skip
    features = [
        cable(f"c{i}", line((x, y, 0), (x + (x - 10), y + (y - 10), 0))) for i, (x, y) in enumerate(ring)
    ]
    delivered = world.dig(
        [*features, cable("far", line((10, 12.02, 0), (10, 20, 0)))], AREA, clip_buffer_m=2.0
    )
    assert delivered.keys() == {feature.gml_id for feature in features}


def test_contained_lines_without_place_come_with_what_contains_them(world: World) -> None:
    trace = Feature(
        "Ledningstrace",
        "trace",
        {"indeholdtLedning": ["l1", "elsewhere"]},
        {},
        shapely.MultiLineString([INSIDE]),
    )
    delivered = world.dig(
        [
            trace,
            cable("l1", None, indeholdtLedning=["l2"]),
            cable("l2", None, indeholdtLedning=["l3", "l1"]),
            cable("l3", None, indeholdtLedning=["l2"], bilag=["a1"]),
            cable("unrelated", None),
            cable("elsewhere", OUTSIDE, indeholdtLedning=["l4"]),
            cable("l4", None),
            attachment("a1"),
            Feature(
                "Ledningstrace", "far", {"indeholdtLedning": ["l5"]}, {}, shapely.MultiLineString([OUTSIDE])
            ),
            cable("l5", None),
        ],
        AREA,
    )
    assert delivered.keys() == {"trace", "l1", "l2", "l3", "a1"}
    feature, row = delivered["trace"]
    assert feature.attributes["indeholdtLedning"] == ["l1"]
    assert row["left_out_references"] == 1
    assert delivered["l1"][1]["geom"] is None
    assert not delivered["l1"][1]["clipped"]


def test_attachments_follow_what_refers_to_them_or_where_they_lie(world: World) -> None:
    delivered = world.dig(
        [
            cable("inside", INSIDE, bilag=["referenced", "lies elsewhere", "cut"]),
            cable("outside", OUTSIDE, bilag=["of another"]),
            attachment("referenced"),
            attachment("lies elsewhere", OUTSIDE),
            attachment("cut", line((5, 5, 0), (50, 5, 0))),
            attachment("of another"),
            attachment("in the area", shapely.Point(*at((3, 3, 1))[0])),
            attachment("common"),
            attachment("unreferenced elsewhere", OUTSIDE),
        ],
        AREA,
    )
    assert delivered.keys() == {
        *("inside", "referenced", "lies elsewhere", "cut", "in the area", "common"),
    }
    # What lies outside the area never leaves with an attachment.
    feature, row = delivered["lies elsewhere"]
    assert (feature.geometry, row["clipped"]) == (None, True)
    assert shapely.length(delivered["cut"][0].geometry) == pytest.approx(5)
    assert delivered["inside"][1]["left_out_references"] == 0


def test_common_attachments_alone_are_no_delivery(world: World) -> None:
    assert world.dig([cable("outside", OUTSIDE), attachment("common")], AREA) == {}


def test_dimension_lines_and_annotations_come_whole_or_not_at_all(world: World) -> None:
    across = line((5, 5, NAN), (15, 5, NAN))
    delivered = world.dig(
        [
            cable("cable", INSIDE),
            Feature("LinearDimension", "dim in", {"dimensionalValue": 8.0}, {}, INSIDE),
            Feature("LinearDimension", "dim across", {"dimensionalValue": 10.0}, {}, across),
            Feature("LinearAnnotation", "leader across", {"type": "pil"}, {}, across),
            Feature(
                *("TextAnnotation", "text in"),
                {"text": "0.6 m", "annotatedFeature": "cable", "connector": "leader across"},
                {},
                shapely.Point(*at((5, 5, NAN))[0]),
            ),
            Feature("TextAnnotation", "text out", {"text": "x"}, {}, shapely.Point(*at((15, 5, NAN))[0])),
        ],
        AREA,
    )
    assert delivered.keys() == {"cable", "dim in", "text in"}
    feature, row = delivered["text in"]
    assert feature.attributes == {"text": "0.6 m", "annotatedFeature": "cable"}
    assert row["left_out_references"] == 1


def test_references_to_what_stays_behind_are_removed_from_the_copy_only(world: World) -> None:
    muffe = Feature(
        *("Elkomponent", "joint"),
        {"type": "muffe", "tilknyttetLedning": ["in", "out", "in"]},
        {},
        shapely.Point(*at((1, 1, 0))[0]),
    )
    features = [
        cable("in", INSIDE, startkomponent="joint", slutkomponent="far", bilag=["no such"]),
        cable("out", OUTSIDE),
        muffe,
    ]
    delivered = world.dig(features, AREA)
    assert delivered["in"][0].attributes == {"type": "forsyningskabel", "startkomponent": "joint"}
    assert delivered["in"][1]["left_out_references"] == 2
    assert delivered["joint"][0].attributes["tilknyttetLedning"] == ["in", "in"]
    with world.database.connect() as connection:
        kept = connection.execute(
            "SELECT attributes FROM ler.network_feature WHERE gml_id IN ('in', 'joint') ORDER BY seq"
        ).fetchall()
    assert [row[0] for row in kept] == [features[0].attributes, muffe.attributes]


def test_the_same_gml_id_at_two_owners_stays_two_features(world: World) -> None:
    owners = [world.owner(name) for name in "ab"]
    for owner in owners:
        world.publish(owner, [cable("same", INSIDE, bilag=["paper"]), attachment("paper")])
    digger = world.organisation("digger")
    request = world.request(digger, AREA)
    assert [match.feature_count for match in world.match(digger, request).values()] == [2, 2]
    with world.acting(digger) as connection:
        rows = connection.execute(tables.package_feature.select()).mappings().all()
    assert {(row["owner_id"], row["gml_id"]) for row in rows} == {
        (owner, name) for owner in owners for name in ("same", "paper")
    }


def test_matching_leaves_an_audit_event(world: World) -> None:
    world.dig([cable("a", INSIDE)], AREA)
    with world.acting(tables.PLATFORM_OPERATOR) as connection:
        events = connection.execute(tables.audit_event.select()).mappings().all()
    assert [event["action"] for event in events] == [
        "ler:network_version:publish",
        "ler:excavation_request:match",
    ]
    assert events[1]["details"] == {"owners_asked": 1, "owners_answered": 1, "features": 1}


def test_the_match_uses_the_geometry_index_as_table_owner_under_forced_policies(world: World) -> None:
    owner = world.owner("owner")
    world.publish(
        owner,
        [cable(f"c{i}", line((i % 100, i // 100, 0), (i % 100 + 1, i // 100, 0))) for i in range(20_000)],
    )
    with world.database.connect() as connection:
        connection.execute("ANALYZE ler.network_feature")
        connection.execute("SET ROLE ler_owner")
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute(
            "PREPARE near (geometry) AS SELECT seq FROM (SELECT n.* FROM ler.network_feature AS n"
            " WHERE n.geom && $1 OFFSET 0) AS f"
        )
        plan = "\n".join(
            row[0] for row in connection.execute(f"EXPLAIN EXECUTE near('SRID=25832;{AREA.wkt}'::geometry)")
        )
    assert "ix_network_feature_geom" in plan
    assert "Filter" not in plan


def test_publishing_is_the_owners_and_refuses_what_would_harm(world: World) -> None:
    owner, other = world.owner("owner"), world.owner("other")
    empty, first = world.stage(owner, []), world.stage(owner, [cable("a", INSIDE)])
    second_dataset = world.stage(owner, [cable("b", INSIDE)], name="second")
    with world.acting(other) as connection, pytest.raises(NotFoundError):
        functions.publish_version(connection, first)
    with pytest.raises(InputError, match="no features"), world.acting(owner) as connection:
        functions.publish_version(connection, empty)
    with world.acting(owner) as connection:
        assert functions.publish_version(connection, first) == 1
    with pytest.raises(InputError, match="before"), world.acting(owner) as connection:
        functions.publish_version(connection, first)
    with pytest.raises(InputError, match="another dataset"), world.acting(owner) as connection:
        functions.publish_version(connection, second_dataset)
    with pytest.raises(RefusedError, match="since this one was compared"), world.acting(owner) as connection:
        functions.publish_version(connection, empty, confirm_empty=True)
    nothing = world.stage(owner, [])
    with world.acting(owner) as connection:
        functions.publish_version(connection, nothing, confirm_empty=True)
        states = (
            connection.execute(text("SELECT state FROM ler.network_version ORDER BY number")).scalars().all()
        )
    assert states == ["staged", "superseded", "staged", "published"]


def test_what_a_crash_took_from_staging_is_never_published(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    world.publish(owner, [cable("a", INSIDE)])
    staged = world.stage(owner, [cable("a", INSIDE), cable("b", INSIDE)])
    with world.database.connect() as connection:
        connection.execute("TRUNCATE ler.staged_feature")
    with pytest.raises(RefusedError) as caught, world.acting(owner) as connection:
        functions.publish_version(connection, staged, confirm_empty=True)
    assert caught.value.code == "staging-lost"
    request = world.request(digger, AREA)
    world.match(digger, request)
    assert world.delivered(digger, request).keys() == {"a"}


def test_each_version_is_delivered_as_it_was_published(world: World) -> None:
    moved = line((1, 2, 0), (9, 2, 0))
    versions = [
        [cable("stays", INSIDE), cable("goes", INSIDE), cable("moves", INSIDE), cable("changes", INSIDE)],
        [cable("stays", INSIDE), cable("moves", moved), cable("changes", INSIDE, fareklasse="farlig"), cable("comes", INSIDE)],
        [cable("stays", INSIDE), cable("goes", INSIDE), cable("moves", INSIDE), cable("changes", INSIDE)],
    ]  # fmt: skip
    owner, digger = world.owner("owner"), world.organisation("digger")
    for features in versions:
        world.publish(owner, features)
        request = world.request(digger, AREA)
        world.match(digger, request)
        delivered = {name: feature for name, (feature, _) in world.delivered(digger, request).items()}
        assert {name: (f.attributes, f.geometry) for name, f in delivered.items()} == {
            f.gml_id: (f.attributes, f.geometry) for f in features
        }
    with world.database.connect() as connection:
        rows = connection.execute(
            "SELECT gml_id, added_in, removed_in FROM ler.network_feature ORDER BY gml_id, added_in"
        ).fetchall()
    assert rows == [
        *(("changes", 1, 2), ("changes", 2, 3), ("changes", 3, None), ("comes", 2, 3)),
        *(("goes", 1, 2), ("goes", 3, None), ("moves", 1, 2), ("moves", 2, 3), ("moves", 3, None)),
        ("stays", 1, None),
    ]


def test_companions_come_from_the_version_that_was_matched(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    for number in (1, 2):
        trace = Feature(
            "Ledningstrace", "trace", {"indeholdtLedning": ["in"]}, {}, shapely.MultiLineString([INSIDE])
        )
        world.publish(
            owner,
            [
                trace,
                cable("in", None, bilag=["paper"], etableringstidspunkt=f"{number}"),
                Feature("Informationsressource", "paper", {"title": f"{number}", "sti": "a.pdf"}),
                Feature("Informationsressource", f"common {number}", {"title": f"{number}", "sti": "b.pdf"}),
            ],
        )  # fmt: skip
        request = world.request(digger, AREA)
        world.match(digger, request)
        delivered = world.delivered(digger, request)
        assert delivered.keys() == {"trace", "in", "paper", f"common {number}"}
        assert delivered["in"][0].attributes["etableringstidspunkt"] == f"{number}"
        assert delivered["paper"][0].attributes["title"] == f"{number}"
