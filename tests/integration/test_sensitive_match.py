"""What a request is answered where lines may not be shown: never that there are none, and never where they are."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import wkb
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text

from ler.db import tables
from ler.domain.sensitivity import (
    CELL_M,
    STRICTNESS,
    SensitivityClass,
    SensitivityRule,
    Withheld,
    answer_type_of,
    cells_of,
    class_of,
    rule_faults,
)
from ler.model import Feature
from ler.rules_in_force import due_by_default_rules
from ler.services.sensitivity import make_rule
from tests.integration.sensitive import MARKING, NEVER, RESTRICTED, decide, dig, rule, told, withheld_of
from tests.integration.test_db_world import EAST, NORTH, World, at, cable, line, square, world

__all__ = ["world"]

AREA = square(0, 0, 10, 10)
INSIDE = line((1, 1, 0), (9, 9, 0))
BESIDE = line((15, 1, 0), (18, 9, 0))
"""In the cell that the area lies in, outside the area."""
AWAY = line((45, 1, 0), (48, 9, 0))


def joint(gml_id: str, *, x: float = 5, y: float = 5, **more: object) -> Feature:
    attributes = {"type": "muffe"} | more
    return Feature("Elkomponent", gml_id, attributes, {}, shapely.Point(*at((x, y, 0))[0]))  # type: ignore[arg-type]


def test_the_database_has_the_cells_and_classes_of_the_domain(world: World) -> None:
    assert (EAST % CELL_M, NORTH % CELL_M) == (0, 0)
    with world.database.connect() as connection:
        row = connection.execute(
            "SELECT ler.cell_m(), array_agg(c ORDER BY ler.strictness(c)) FROM unnest(%s::text[]) AS c",
            [[str(kind) for kind in reversed(STRICTNESS[1:])]],
        ).fetchone()
    assert row == (CELL_M, list(STRICTNESS[1:]))


def test_restricted_lines_wait_for_their_owner_and_who_digs_reads_it_in_words(world: World) -> None:
    owner, other = world.owner("Kabel A/S"), world.owner("other")
    with world.database.connect() as connection:
        connection.execute("UPDATE ler.organisation SET phone = '70123456', email = 'vagt@kabel.dk'")
    for each in (owner, other):
        world.publish(each, [cable("secret", INSIDE, fareklasse="meget farlig"), cable("plain", INSIDE)])
    rule(world, owner, RESTRICTED, danger_classes=["meget farlig"])
    digger = world.organisation("digger")
    found = dig(world, owner, AREA, digger)
    assert (found.type, found.features) == ("udtaget til manuel behandling", {"plain"})
    assert (found.awaits_owner, found.cells, found.state) == (True, None, "open")
    assert found.words is not None
    for words in ("Her ligger ledninger, som ikke er vist", "Grav ikke", "lines lie here", "not dig before"):
        assert words.lower() in found.words.lower()
    for contact in ("Kabel A/S", "70123456", "vagt@kabel.dk"):
        assert found.words.count(contact) >= 2, "once in each language"
    assert "20 m" not in found.words
    assert withheld_of(world, owner) == {"secret": (RESTRICTED, True)}
    with world.acting(digger) as connection:
        rows = connection.execute(
            text("SELECT state, received_at, due_at FROM ler.owner_request ORDER BY state")
        ).all()
        counts = connection.execute(
            text("SELECT feature_count FROM ler.owner_answer ORDER BY 1")
        ).scalars().all()  # fmt: skip
    assert ([row.state for row in rows], counts) == (["answered", "taken-out"], [1, 2])
    # Its word is due as that of who takes a request out by hand: within two working days (LAW § 10(2)).
    for row in rows:
        assert row.due_at == due_by_default_rules(row.received_at, manual=row.state == "taken-out")


@pytest.mark.parametrize(
    ("kind", "answer", "state"),
    [
        (RESTRICTED, "udtaget til manuel behandling", "open"),
        (MARKING, "udtaget til påvisning - ledningsoplysninger udleveres ikke", "answered"),
        (NEVER, "ledningsoplysninger udleveres ikke", "complete"),
    ],
)
@pytest.mark.parametrize("place", [INSIDE, BESIDE], ids=["inside", "in the cell"])
def test_an_owner_with_lines_in_a_touched_cell_never_looks_as_if_it_had_none(
    world: World, kind: str, answer: str, state: str, place: shapely.LineString
) -> None:
    owner = world.owner("owner")
    world.publish(owner, [cable("secret", place)])
    rule(world, owner, kind, utility_types=["el"])
    found = dig(world, owner, AREA)
    assert (found.type, found.features, found.state) == (answer, set(), state)
    assert found.words
    assert "Grav ikke" in found.words
    assert (found.cells is not None) == (kind == MARKING)


def test_far_from_sensitive_lines_all_is_as_without_rules(world: World) -> None:
    owner = world.owner("owner")
    world.publish(owner, [cable("secret", AWAY), Feature("Vandledning", "pipe", {}, {}, INSIDE)])
    rule(world, owner, RESTRICTED, utility_types=["el"])
    found = dig(world, owner, AREA)
    assert (found.type, found.features, found.words) == ("ledningsoplysninger udleveret", {"pipe"}, None)
    nothing = dig(world, owner, square(0, 100, 10, 110))
    assert (nothing.type, nothing.words) == (tables.NO_LINES, None)


@pytest.mark.parametrize("kind", [RESTRICTED, MARKING, NEVER])
def test_small_digs_all_over_a_cell_are_told_the_same(world: World, kind: str) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    world.publish(owner, [cable("secret", line((3, 3, 0), (7, 7, 0))), joint("joint", x=3, y=3)])
    rule(world, owner, kind, utility_types=["el"])
    answers = set()
    for x in (1, 4, 7, 13, 17):
        for y in (1, 4, 18):
            found = dig(world, owner, square(x, y, x + 1, y + 1), digger)
            answers.add((found.type, found.words, found.cells, found.state, frozenset(found.features)))
    assert len(answers) == 1


def test_the_marked_cells_are_the_grids_whatever_was_asked(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    crooked = line((-35, 5, 0), (5, 7, 0), (33, 52, 0))
    world.publish(owner, [cable("secret", crooked)])
    rule(world, owner, MARKING, utility_types=["el"])
    shown = set()
    for area in (square(-39, 1, 59, 59), square(0, 0, 10, 10), square(21, 21, 39, 39)):
        found = dig(world, owner, area, digger)
        assert found.words
        assert "20 x 20 m" in found.words
        assert found.cells is not None
        expected = [cell for cell in cells_of(crooked) if cell.intersects(area)]
        assert found.cells.equals(shapely.union_all(expected))
        shown.add(found.cells)
        assert all(number % CELL_M == 0 for number in shapely.get_coordinates(found.cells).ravel())
    assert max(shown, key=lambda one: one.area).covers(shapely.union_all([*shown]))


def test_the_strictest_of_rules_of_the_owner_and_the_operator_holds_until_it_is_ended(world: World) -> None:
    owner, bystander = world.owner("owner"), world.owner("bystander")
    for each in (owner, bystander):
        world.publish(each, [cable("a", INSIDE), cable("b", INSIDE)])
    rule(world, owner, RESTRICTED, gml_ids=["a"])
    everybody = rule(world, None, MARKING, area=square(5, 5, 6, 6))
    found = dig(world, owner, AREA)
    assert withheld_of(world, owner) == {"a": (MARKING, True), "b": (MARKING, True)}
    assert (found.features, found.awaits_owner) == (set(), False)
    assert dig(world, bystander, AREA).type.startswith("udtaget til påvisning")
    with world.acting(tables.PLATFORM_OPERATOR) as connection:
        connection.execute(
            text("UPDATE ler.sensitivity_rule SET ended_at = now() WHERE id = :id"), {"id": everybody}
        )
    assert dig(world, bystander, AREA).features == {"a", "b"}
    assert dig(world, owner, AREA).features == {"b"}


def test_what_would_tell_the_place_of_a_withheld_line_is_withheld_with_it(world: World) -> None:
    owner = world.owner("owner")

    def annotation(kind: str, gml_id: str, geometry: BaseGeometry, **attributes: str) -> Feature:
        return Feature(kind, gml_id, {**attributes}, {}, geometry)

    far = line((0, 100, 0), (9, 100, 0))
    features = [
        # A duct with the secret cable, without a place of its own, and a trace with the duct.
        Feature("Foeringsroer", "duct", {"indeholdtLedning": ["secret", "beside it"]}, {}, INSIDE),
        Feature(
            "Ledningstrace", "trace", {"indeholdtLedning": ["duct"]}, {}, shapely.MultiLineString([INSIDE])
        ),
        cable("secret", None, startkomponent="end", bilag=["paper"]),
        cable("beside it", None),
        cable("plain", line((1, 9, 0), (9, 1, 0)), startkomponent="end", slutkomponent="other end", bilag=["paper", "common"]),
        joint("end"),
        joint("other end", x=9, y=1),
        joint("joint", tilknyttetLedning=["secret", "plain"]),
        annotation("TextAnnotation", "text", shapely.Point(*at((8, 2, 0))[0]), text="10 kV", annotatedFeature="secret", connector="leader"),
        annotation("LinearAnnotation", "leader", line((90, 90, 0), (91, 91, 0)), type="pil"),
        annotation("LinearDimension", "dimension", line((2, 8, 0), (2, 9, 0))),
        annotation("LinearDimension", "far dimension", far),
        annotation("TextAnnotation", "far text", shapely.Point(*at((8, 101, 0))[0]), text="x", annotatedFeature="plain"),
        Feature("Informationsressource", "paper", {"sti": "a.pdf"}, {}, None),
        Feature("Informationsressource", "common", {"sti": "b.pdf"}, {}, None),
    ]  # fmt: skip
    world.publish(owner, features)
    rule(world, owner, RESTRICTED, gml_ids=["secret"])
    digger = world.organisation("digger")
    found = dig(world, owner, square(0, 0, 95, 120), digger)
    assert found.features == {"plain", "other end", "common", "far dimension", "far text"}
    told_inside = {name for name, (_, inside) in withheld_of(world, owner).items() if inside}
    assert told_inside == {"duct", "trace", "end", "joint", "text", "leader", "dimension", "paper"}
    with world.acting(digger) as connection:
        rows = connection.execute(
            text("SELECT attributes, left_out_references FROM ler.package_feature WHERE gml_id = 'plain'")
        ).one()
    assert rows.attributes == {"type": "forsyningskabel", "slutkomponent": "other end", "bilag": ["common"]}
    assert rows.left_out_references == 0, "how many things are withheld is not told"


def test_references_out_of_the_area_are_still_counted(world: World) -> None:
    owner = world.owner("owner")
    world.publish(
        owner,
        [
            cable("plain", INSIDE, startkomponent="end", slutkomponent="secret end"),
            joint("end", x=50),
            joint("secret end"),
            cable("secret", BESIDE),
        ],
    )
    rule(world, owner, RESTRICTED, gml_ids=["secret end"])
    digger = world.organisation("digger")
    assert dig(world, owner, AREA, digger).features == {"plain"}
    with world.acting(digger) as connection:
        count = connection.execute(text("SELECT left_out_references FROM ler.package_feature")).scalar_one()
    assert count == 1


def test_contained_lines_of_each_other_do_not_turn_in_circles(world: World) -> None:
    owner = world.owner("owner")
    world.publish(
        owner,
        [
            Feature("Foeringsroer", "a", {"indeholdtLedning": ["b"]}, {}, INSIDE),
            Feature("Foeringsroer", "b", {"indeholdtLedning": ["a", "c"]}, {}, None),
            cable("c", None),
        ],
    )
    rule(world, owner, RESTRICTED, gml_ids=["c"])
    assert dig(world, owner, AREA).features == set()


@pytest.mark.parametrize(
    "withheld", ["restricted", "restricted site-marking", "restricted plain", "restricted beside"]
)
@pytest.mark.parametrize("deliver", [True, False])
def test_the_owners_word_makes_another_revision(world: World, withheld: str, *, deliver: bool) -> None:
    owner, digger, other = world.owner("owner"), world.organisation("digger"), world.organisation("other")
    features = [cable("secret", BESIDE if "beside" in withheld else INSIDE)]
    if "site-marking" in withheld:
        features.append(cable("marked", INSIDE))
    if "plain" in withheld:
        features.append(cable("plain", INSIDE))
    world.publish(owner, features)
    rule(world, owner, RESTRICTED, gml_ids=["secret"])
    rule(world, owner, MARKING, gml_ids=["marked"])
    request = world.request(digger, AREA)
    world.match(digger, request)
    first = told(world, digger, request, owner)
    assert first is not None
    # What is published meanwhile changes nothing in what was matched.
    world.publish(owner, [cable("new", INSIDE)])

    for stranger in (digger, other):
        with pytest.raises(Exception, match="no such answer"):
            decide(world, stranger, first.answer_id, deliver=deliver)
    made = decide(world, owner, first.answer_id, deliver=deliver)
    found = told(world, digger, request, owner)
    assert found is not None
    assert found.answer_id == made != first.answer_id
    expected = {
        (True, "restricted"): ("ledningsoplysninger udleveret", {"secret"}, "complete"),
        (True, "restricted plain"): ("ledningsoplysninger udleveret", {"secret", "plain"}, "complete"),
        (True, "restricted beside"): (tables.NO_LINES, set[str](), "complete"),
        (True, "restricted site-marking"): (
            *("udtaget til påvisning - ledningsoplysninger udleveret", {"secret"}, "answered"),
        ),
        (False, "restricted"): ("ledningsoplysninger udleveres ikke", set[str](), "complete"),
        (False, "restricted plain"): (
            *("udtaget til påvisning - ledningsoplysninger udleveret", {"plain"}, "answered"),
        ),
        (False, "restricted beside"): ("ledningsoplysninger udleveres ikke", set[str](), "complete"),
        (False, "restricted site-marking"): (
            *("udtaget til påvisning - ledningsoplysninger udleveres ikke", set[str](), "answered"),
        ),
    }[deliver, withheld]
    assert (found.type, found.features, found.state) == expected
    assert not found.awaits_owner
    assert bool(found.words) == (not deliver or "site-marking" in withheld)
    with world.acting(digger) as connection:
        row = connection.execute(text("SELECT revision FROM ler.excavation_request")).scalar_one()
        answers = connection.execute(
            text("SELECT revision, replaced_at IS NULL FROM ler.owner_answer WHERE owner_id = :o ORDER BY revision"),
            {"o": owner},
        ).all()  # fmt: skip
    assert row == 2
    assert [tuple(answer) for answer in answers] == [(1, False), (2, True)]
    for again in (first.answer_id, made):
        with pytest.raises(Exception, match="nothing awaits a decision"):
            decide(world, owner, again, deliver=True)


def test_a_cancelled_request_is_no_longer_decided_on(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    world.publish(owner, [cable("secret", INSIDE)])
    rule(world, owner, RESTRICTED, gml_ids=["secret"])
    request = world.request(digger, AREA)
    world.match(digger, request)
    found = told(world, digger, request, owner)
    assert found is not None
    with world.acting(digger) as connection:
        connection.execute(text("SELECT ler.cancel_request(:id)"), {"id": request})
    with pytest.raises(Exception, match="nothing awaits a decision"):
        decide(world, owner, found.answer_id, deliver=True)


COORDINATE = st.one_of(st.integers(-60, 60).map(float), st.floats(-60, 60, width=32))
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=4)


def test_the_database_finds_the_cells_that_the_domain_finds(world: World) -> None:
    with world.database.connect() as connection:

        @given(
            POINTS, st.tuples(st.integers(-50, 40), st.integers(-50, 40), st.integers(1, 60)), st.booleans()
        )
        @settings(max_examples=150, deadline=None)
        def agree(points: list[tuple[float, float]], asked: tuple[int, int, int], surface: bool) -> None:  # noqa: FBT001 - given by name
            shape: BaseGeometry = shapely.Point(points[0]) if len(points) == 1 else shapely.LineString(points)
            assume(shape.is_valid)  # no network holds a line of one point said twice
            if surface and len(points) > 1:
                shape = shape.buffer(3, quad_segs=2)
            area = shapely.box(asked[0], asked[1], asked[0] + asked[2], asked[1] + asked[2])
            row = connection.execute(
                "SELECT ST_AsBinary(ler.shared_cells("
                "ST_SetSRID(ST_GeomFromWKB(%s), 25832), ST_SetSRID(ST_GeomFromWKB(%s), 25832)))",
                [shape.wkb, area.wkb],
            ).fetchone()
            assert row is not None
            found = wkb.loads(bytes(row[0])) if row[0] else shapely.MultiPolygon()
            wanted = shapely.union_all([cell for cell in cells_of(shape) if cell.intersects(area)])
            assert found.symmetric_difference(wanted).area == 0, (shape.wkt, area.wkt)

        agree()


NAMED = [
    cable("a", INSIDE, fareklasse="farlig"),
    cable("b", line((20, 20, 0), (30, 20, 0)), fareklasse="meget farlig"),
    cable("c", None),
    Feature(
        "Ledningstrace",
        "d",
        {"forsyningsart": ["vand", "telekommunikation"]},
        {},
        shapely.MultiLineString([INSIDE]),
    ),
    Feature("Foeringsroer", "e", {"forsyningsart": ["telekommunikation"]}, {}, INSIDE),
    Feature("AndenLedning", "f", {"forsyningsart": "other: brint"}, {}, INSIDE),
    Feature("Vandledning", "g", {}, {}, AWAY),
    Feature("Informationsressource", "h", {"sti": "a.pdf"}, {}, None),
    joint("i"),
]


def test_the_database_gives_features_the_classes_that_the_domain_gives(world: World) -> None:
    owner = world.owner("owner")
    world.publish(owner, NAMED)
    squares = st.tuples(st.integers(-5, 45), st.integers(-5, 45), st.integers(1, 40))
    rules = st.builds(
        SensitivityRule,
        st.sampled_from(STRICTNESS[1:]),
        feature_types=st.frozensets(st.sampled_from(["Elledning", "Ledningstrace", "Elkomponent"])),
        utility_types=st.frozensets(st.sampled_from(["el", "vand", "telekommunikation", "other: brint"])),
        danger_classes=st.frozensets(st.sampled_from(["farlig", "meget farlig", "ikke farlig"])),
        gml_ids=st.frozensets(st.sampled_from("abcdefghi")),
        area=st.none()
        | squares.map(lambda s: shapely.MultiPolygon([square(s[0], s[1], s[0] + s[2], s[1] + s[2])])),
    )

    @given(st.lists(rules.filter(lambda one: not rule_faults(one)), min_size=1, max_size=3))
    @settings(max_examples=60, deadline=None)
    def agree(made: list[SensitivityRule]) -> None:
        with world.acting(owner) as connection:
            for one in made:
                make_rule(connection, owner, one)
        with world.database.connect() as connection:
            rows = connection.execute("SELECT f.gml_id, ler.class_of(f, '{}') FROM ler.network_feature AS f")
            found = {gml_id: kind or SensitivityClass.NORMAL for gml_id, kind in rows.fetchall()}
            connection.execute("UPDATE ler.sensitivity_rule SET ended_at = now()")
        assert found == {feature.gml_id: class_of(made, feature) for feature in NAMED}

    agree()


def test_the_database_gives_answers_the_kinds_that_the_domain_gives(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    for kinds in powerset(STRICTNESS[1:]):
        for plain in (0, 1):
            features = [cable(f"{kind}", INSIDE) for kind in kinds]
            features += [Feature("Vandledning", "plain", {}, {}, INSIDE)] * plain
            features += [cable("far", AWAY)]
            world.publish(owner, features)
            for kind in kinds:
                rule(world, owner, kind, gml_ids=[str(kind)])
            request = world.request(digger, AREA)
            world.match(digger, request)
            found = told(world, digger, request, owner)
            assert found is not None
            assert found.type == answer_type_of(plain, Withheld(frozenset(kinds)))
            if found.awaits_owner:
                decide(world, owner, found.answer_id, deliver=False)
                after = told(world, digger, request, owner)
                assert after is not None
                assert after.type == answer_type_of(plain, Withheld(frozenset(kinds), refused=True))


def powerset(kinds: Sequence[SensitivityClass]) -> Iterator[tuple[SensitivityClass, ...]]:
    return chain.from_iterable(combinations(kinds, size) for size in range(len(kinds) + 1))
