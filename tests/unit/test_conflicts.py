"""Conflicts of digs with lines made for them, worked out by hand, and what holds for any."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from conflicts.clearances import ZONES, load_clearances
from conflicts.detect import Conflict, detect
from conflicts.dig import Dig
from conflicts.existing import Delivered
from conflicts.vertical import Ground
from conflicts.words import reason
from conflicts.zones import together
from ler.model import Feature
from ler.packages.terrain import open_terrain
from tests.terrains import NORTH, WEST, write_terrain

CLEARANCES = load_clearances()
OWNER = UUID(int=1)
X, Y = WEST, NORTH - 10
TRENCH = Dig(shapely.box(X, Y, X + 20, Y + 1), "new-line", "open-trench", 1.0)
CLASSES = ("<= 0.25 m", "<= 0.50 m", "<= 1.00 m", "<= 2.00 m", "> 2.00 m")


def pipe(
    *points: tuple[float, float],
    z: float = float("nan"),
    of: str = "Vandledning",
    **attributes: Any,  # noqa: ANN401 - of a feature
) -> Delivered:
    told = {"noejagtighedsklasse": "<= 0.25 m", "udvendigDiameter": 100.0, **attributes}
    path = [(X + x, Y + y, z) for x, y in points]
    geometry = shapely.LineString(path) if len(path) > 1 else shapely.Point(path[0])
    return Delivered(OWNER, Feature(of, attributes.get("id", "p"), told, geometry=geometry))


def held(dig: Dig, *lines: Delivered, ground: Ground | None = None) -> list[Conflict]:
    return detect(dig, lines, CLEARANCES, 5.0, ground)


def severity(found: list[Conflict]) -> dict[str, int]:
    return {one.delivered.feature.gml_id: ZONES.index(one.zone) for one in found}


ALONG = pipe((0, 1.9), (20, 1.9))
ACROSS = pipe((5, -5), (5, 5))


def test_beside_a_trench() -> None:
    # Drawn 0.9 m off; its outside may be 0.25 and 0.05 m nearer, or 0.25 m farther less its radius.
    (one,) = held(TRENCH, ALONG)
    assert (one.drawn_m, one.least_m, one.most_m) == (0.9, 0.6, 1.1)
    assert (one.zone, one.rule, one.limit_m, one.arrangement) == (
        "hand-dig",
        "cga-tolerance",
        0.61,
        "parallel",
    )
    assert one.geometry is not None
    assert shapely.length(one.geometry) == pytest.approx(0.9)
    assert one.reasons == ("line-depth-unknown",)
    assert reason(one, CLEARANCES, "da") == (
        "Kan ligge 0,60 til 1,10 m fra gravningen, langs. Håndgravning inden for 0,61 m: CGA (USA): håndgravning inden "
        "for 0,61 m. Regnet som det værste: ledningens dybde er ukendt."
    )


def test_across_a_trench_at_an_angle() -> None:
    square, slanting = held(TRENCH, ACROSS, pipe((5, -1), (8, 2)))
    assert (square.arrangement, square.angle_deg) == ("crossing", 90)
    assert (slanting.arrangement, slanting.angle_deg) == ("crossing", 45)
    assert square.zone == "no-machine"
    assert square.rule == "ds475-crossing"
    assert square.geometry is not None
    assert square.geometry.equals(shapely.LineString([(X + 5, Y), (X + 5, Y + 1)]))
    (flat,) = held(TRENCH, pipe((0, 0.2), (18, 0.8)))
    assert (flat.arrangement, flat.rule) == ("parallel", "ds475-parallel")
    (line,) = held(replace(TRENCH, area=shapely.LineString([(X, Y), (X + 20, Y)])), ACROSS)
    assert (line.arrangement, line.angle_deg, line.drawn_m) == ("crossing", 90, 0.0)


def test_over_a_chamber_and_under_a_line_in_the_air() -> None:
    chamber = pipe((3, 0.5), of="Afloebskomponent", bunddiameterbredde=1000.0)
    air = pipe((0, 6.9), (20, 6.9), of="Elledning", niveau="over terræn", spaendingsniveau=10.0)
    over, under = held(TRENCH, chamber, air)
    assert (over.arrangement, over.zone) == ("above", "no-machine")
    assert (under.arrangement, under.zone, under.rule) == (
        "overhead",
        "no-machine",
        "n1-overhead-medium-machine",
    )
    # By hand 3 m will do.
    assert severity(held(replace(TRENCH, method="hand"), air)) == {}


def test_a_bore_has_pits_and_may_stray() -> None:
    bore = Dig(shapely.LineString([(X, Y), (X + 20, Y)]), "new-line", "directional-drilling", 3.0, 0.2)
    middle, end = pipe((9, 2.9), (11, 2.9)), pipe((-2.9, -1), (-2.9, 1), id="end")
    found = {
        one.delivered.feature.gml_id: one
        for one in held(bore, replace_id(middle, "middle"), replace_id(end, "end"))
    }
    # 2.9 less 0.1 of the bore, 0.5 that it may stray and 0.3 of the band is more than 1.5.
    assert found.keys() == {"end"}
    assert found["end"].drawn_m == round(2.9 - 2**0.5, 3)
    assert found["end"].least_m == round(2.9 - 2**0.5 - 0.3, 3)
    (near,) = held(bore, pipe((9, 2.0), (11, 2.0)))
    assert (near.drawn_m, near.least_m, near.most_m) == (1.9, 1.1, 2.6)
    # Of an area it may come out anywhere.
    (out,) = held(replace(bore, area=TRENCH.area), ALONG)
    assert (out.drawn_m, out.least_m) == (0.9, 0.1)


def replace_id(one: Delivered, gml_id: str) -> Delivered:
    return one._replace(feature=replace(one.feature, gml_id=gml_id))


def test_what_has_no_place_has_that_of_what_contains_it_and_else_any() -> None:
    inside = Delivered(OWNER, Feature("Telekommunikationsledning", "in", {}))
    lost = Delivered(OWNER, Feature("Telekommunikationsledning", "lost", {}))
    trace = Delivered(
        OWNER,
        Feature(
            "Ledningstrace",
            "t",
            {"forsyningsart": ["telekommunikation"], "bredde": 100.0, "noejagtighedsklasse": "<= 0.25 m", "indeholdtLedning": ["in"]},
            geometry=ALONG.feature.geometry,
        ),
    )  # fmt: skip
    found = {one.delivered.feature.gml_id: one for one in held(TRENCH, inside, lost, trace)}
    assert (found["in"].drawn_m, found["in"].least_m) == (0.9, 0.6)
    assert (found["lost"].drawn_m, found["lost"].least_m, found["lost"].most_m) == (None, 0.0, None)
    assert "place-unknown" in found["lost"].reasons
    assert found["lost"].geometry is None
    assert "anywhere in the dig" in reason(found["lost"], CLEARANCES, "en")


def test_a_component_has_the_class_of_what_it_is_joined_to() -> None:
    valve = replace_id(pipe((3, 3.2), of="Gaskomponent"), "valve")
    main = pipe((3, 9), (9, 9), of="Gasledning", type="distributionsledning", startkomponent="valve")
    assert severity(held(TRENCH, valve, main)).get("valve") is None
    assert severity(held(TRENCH, valve)) == {"valve": ZONES.index("no-machine")}


def test_a_duct_has_the_class_of_the_lines_in_it_when_all_of_them_are_told() -> None:
    def duct(utilities: Sequence[str], *inside: str) -> Delivered:
        ends = (0, 3), (20, 3)
        kind = "Foeringsroer"
        return pipe(*ends, of=kind, id="duct", forsyningsart=[*utilities], indeholdtLedning=[*inside])

    def cable(name: str, of: str = "Elledning", **told: Any) -> Delivered:  # noqa: ANN401 - of a feature
        return Delivered(OWNER, Feature(of, name, told))

    low, vague = cable("low", spaendingsniveau=0.4), cable("vague")
    fibre = cable("fibre", "Telekommunikationsledning")
    # 1.65 m off at least: outside of every rule for low voltage, inside of what stands in for an unknown class.
    assert "duct" not in severity(held(TRENCH, duct(["el"], "low"), low))
    both = "el", "telekommunikation"
    assert "duct" not in severity(held(TRENCH, duct(both, "low", "fibre"), low, fibre))
    for unsure in (
        [duct(["el"])],
        [duct(["el"], "low", "vague"), low, vague],
        [duct(["el"], "low", "gone"), low],
        [duct(both, "fibre"), fibre],
        [duct(["el"], "fibre"), fibre],
    ):
        assert severity(held(TRENCH, *unsure))["duct"] == ZONES.index("no-machine")


def test_likely_is_what_is_near_and_badly_known() -> None:
    near, vague, far = (
        held(TRENCH, pipe((0, y), (20, y), noejagtighedsklasse=known))[0].probability
        for y, known in ((1.2, "<= 0.25 m"), (1.9, "> 2.00 m"), (1.9, "<= 0.25 m"))
    )
    assert 0.99 < near <= 1.0
    assert far < vague < near
    assert together([0.5, 0.5]) == 0.75
    assert together([]) == 0.0


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    path = write_terrain(
        tmp_path_factory.mktemp("terrain") / "dtm.tif", [[10.0] * 60] * 60, west=X - 20, north=Y + 30
    )
    return Ground(open_terrain(path), 0.05)


DEEP = pipe((5, -5), (5, 5), z=7.0, noejagtighedsklasseVertikal="<= 0.25 m")


def test_a_line_that_is_surely_deep_enough_is_silent(ground: Ground) -> None:
    # 3 m of cover, 0.30 m less at the worst, and the dig goes 1 m down: 1.7 m between.
    assert held(TRENCH, DEEP, ground=ground) == []
    (one,) = held(replace(TRENCH, depth_m=1.5), DEEP, ground=ground)
    assert (one.below_least_m, one.below_most_m, one.zone) == (1.2, 1.8, "notify")
    (one,) = held(replace(TRENCH, depth_m=2.2), DEEP, ground=ground)
    assert (one.below_least_m, one.zone, one.rule) == (0.5, "hand-dig", "cga-tolerance")
    (one,) = held(replace(TRENCH, depth_m=2.6), DEEP, ground=ground)
    assert (one.below_least_m, one.zone, one.rule) == (0.1, "no-machine", "ds475-crossing")
    assert "line-depth-unknown" not in one.reasons


def test_beside_and_below_is_a_distance_in_space(ground: Ground) -> None:
    below = pipe((0, 2.2), (20, 2.2), z=7.8, noejagtighedsklasseVertikal="<= 0.25 m")
    (one,) = held(TRENCH, below, ground=ground)
    # 0.9 m beside and 0.9 m below: 1.27 m.
    assert (one.least_m, one.below_least_m, one.zone) == (0.9, 0.9, "notify")


@pytest.mark.parametrize(
    "change",
    [
        {"z": float("nan")},
        {"noejagtighedsklasseVertikal": "> 2.00 m"},
        {"noejagtighedsklasseVertikal": None, "vejledendeDybde": 5000.0},
    ],
    ids=["no level", "no bound", "only an indicative depth"],
)
def test_a_depth_that_is_not_known_silences_nothing(ground: Ground, change: dict[str, Any]) -> None:
    told = {"z": 7.0, "noejagtighedsklasseVertikal": "<= 0.25 m", **change}
    (one,) = held(TRENCH, pipe((5, -5), (5, 5), **told), ground=ground)
    assert one.zone == "no-machine"
    assert one.below_least_m is None
    assert "line-depth-unknown" in one.reasons


def test_neither_do_a_dig_and_a_terrain_that_do_not_tell(ground: Ground, tmp_path: Path) -> None:
    hole = open_terrain(write_terrain(tmp_path / "small.tif", [[10.0] * 10] * 10, west=X, north=Y + 5))
    for dig, above in (
        (replace(TRENCH, depth_m=None), ground),
        (TRENCH, Ground()),
        (TRENCH, replace(ground, accuracy_m=None)),
        (TRENCH, Ground(hole, 0.05)),
    ):
        assert severity(held(dig, DEEP, ground=above)) == {"p": 0}


def test_the_terrain_counts_wherever_the_line_may_lie(tmp_path: Path) -> None:
    # A ditch 2 m away in which the pipe, within its band, may lie.
    ditch = [[7.3 if 26 <= column < 28 else 10.0 for column in range(60)] for _ in range(60)]
    above = Ground(open_terrain(write_terrain(tmp_path / "d.tif", ditch, west=X - 20, north=Y + 30)), 0.05)
    assert held(TRENCH, DEEP, ground=above) == []
    vague = pipe(
        (5, -5), (5, 5), z=7.0, noejagtighedsklasseVertikal="<= 0.25 m", noejagtighedsklasse="<= 2.00 m"
    )
    assert severity(held(TRENCH, vague, ground=above)) == {"p": 0}


def bent(points: list[tuple[float, float]]) -> BaseGeometry:
    return shapely.LineString([(X + x, Y + y, float("nan")) for x, y in points])


PATHS = st.lists(
    st.tuples(st.integers(-10, 30), st.floats(0.05, 9).map(lambda y: round(y, 2))),
    min_size=2,
    max_size=5,
    unique=True,
)
KINDS = st.sampled_from(
    [
        ("Vandledning", {}),
        ("Elledning", {"spaendingsniveau": 0.4}),
        ("Gasledning", {}),
        ("Gasledning", {"type": "fordelingsledning"}),
        ("Olieledning", {}),
    ]
)
WORKS = st.tuples(
    st.sampled_from([None, "new-line", "road"]),
    st.sampled_from([None, "hand", "open-trench", "directional-drilling"]),
    st.sampled_from([None, 0.5, 1.5]),
)
QUICK = settings(max_examples=60, deadline=None)


@QUICK
@given(PATHS, KINDS, WORKS, st.integers(0, 3), st.integers(1, 4))
def test_a_larger_uncertainty_never_removes_a_conflict(
    path: list[tuple[float, float]],
    kind: tuple[str, dict[str, Any]],
    work: tuple[Any, ...],
    known: int,
    more: int,
) -> None:
    dig = Dig(TRENCH.area, *work)
    sure, vague = (
        severity(held(dig, Delivered(OWNER, Feature(kind[0], "p", {**kind[1], "noejagtighedsklasse": CLASSES[number]}, geometry=bent(path)))))
        for number in (known, min(known + more, 4))
    )  # fmt: skip
    assert all(vague.get(name, 9) <= zone for name, zone in sure.items())


@QUICK
@given(PATHS, KINDS, WORKS, st.floats(0.0, 60.0), st.sampled_from(CLASSES))
def test_moving_away_never_adds_a_conflict(
    path: list[tuple[float, float]],
    kind: tuple[str, dict[str, Any]],
    work: tuple[Any, ...],
    away_m: float,
    known: str,
) -> None:
    line = Delivered(
        OWNER, Feature(kind[0], "p", {**kind[1], "noejagtighedsklasse": known}, geometry=bent(path))
    )
    # The line is north of the trench's southern edge; the trench goes south.
    near, far = (
        severity(held(Dig(shapely.box(X, Y - south_m, X + 20, Y + 1 - south_m), *work), line))
        for south_m in (0.0, away_m)
    )
    assert far.keys() <= near.keys()
    assert all(near[name] <= zone for name, zone in far.items())


@QUICK
@given(
    st.lists(st.tuples(PATHS, KINDS), min_size=1, max_size=6).flatmap(
        lambda lines: st.tuples(st.just(lines), st.permutations(range(len(lines))))
    ),
    WORKS,
)
def test_the_order_of_lines_never_matters(drawn: tuple[list[Any], list[int]], work: tuple[Any, ...]) -> None:
    lines = [
        Delivered(OWNER, Feature(kind, f"p{n}", told, geometry=bent(path)))
        for n, (path, (kind, told)) in enumerate(drawn[0])
    ]
    dig = Dig(TRENCH.area, *work)
    one = {found.delivered.feature.gml_id: replace(found, number=0) for found in held(dig, *lines)}
    other = {
        found.delivered.feature.gml_id: replace(found, number=0)
        for found in held(dig, *(lines[n] for n in drawn[1]))
    }
    assert one == other


@settings(max_examples=25, deadline=None)
@given(
    PATHS, KINDS, st.floats(3.0, 12.0), st.tuples(st.sampled_from(CLASSES), st.sampled_from([0.5, 1.5, 3.0]))
)
def test_an_unknown_depth_never_silences(
    ground: Ground,
    path: list[tuple[float, float]],
    kind: tuple[str, dict[str, Any]],
    level: float,
    measured: tuple[str, float],
) -> None:
    known, depth_m = measured
    geometry = shapely.force_3d(shapely.force_2d(bent(path)), level)
    told = {**kind[1], "noejagtighedsklasse": "<= 0.50 m"}
    sure = Delivered(
        OWNER, Feature(kind[0], "p", {**told, "noejagtighedsklasseVertikal": known}, geometry=geometry)
    )
    unsure = Delivered(OWNER, Feature(kind[0], "p", told, geometry=geometry))
    dig = replace(TRENCH, depth_m=depth_m)
    found = severity(held(dig, sure, ground=ground))
    for there, how in ((unsure, dig), (sure, replace(dig, depth_m=None))):
        worse = severity(held(how, there, ground=ground))
        assert all(worse.get(name, 9) <= zone for name, zone in found.items())
