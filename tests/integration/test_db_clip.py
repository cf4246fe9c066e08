"""ler.clip: what lies inside a dig area, with the heights that are known and no others."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from tests.databases import Database
from tests.integration.test_db_world import EAST, NAN, NORTH, at, line, square

type Clip = Callable[[BaseGeometry, BaseGeometry], BaseGeometry | None]

AREA = square(0, 0, 10, 10)
EXAMPLES = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def clip(database: Database) -> Iterator[Clip]:
    with database.connect() as connection:

        def run(geometry: BaseGeometry, area: BaseGeometry) -> BaseGeometry | None:
            row = connection.execute(
                "SELECT ST_AsEWKB(c), ST_Zmflag(c), ST_SRID(c), ST_IsValid(c)"
                " FROM ler.clip(ST_SetSRID(%s::geometry, 25832), ST_SetSRID(%s::geometry, 25832)) AS c",
                [shapely.to_wkb(geometry), shapely.to_wkb(area)],
            ).fetchone()
            assert row is not None
            if row[0] is None:
                return None
            assert row[1:3] == (2, 25832)
            assert row[3] or not geometry.is_valid
            return shapely.set_srid(shapely.from_wkb(bytes(row[0])), 0)

        yield run


def same(found: BaseGeometry | None, expected: BaseGeometry) -> None:
    assert found is not None
    assert shapely.to_wkt(found, rounding_precision=6) == shapely.to_wkt(expected, rounding_precision=6)


def lines(*members: LineString) -> MultiLineString:
    return MultiLineString(members)


HOLED = Polygon(AREA.exterior, [square(4, 4, 6, 6).exterior])
TRIANGLE = Polygon(at((0, 0), (10, 0), (10, 10)))
RISER = line((5, 5, 1), (5, 5, 3))

CASES: dict[str, tuple[BaseGeometry, BaseGeometry, BaseGeometry | None]] = {
    "an unknown height stays unknown": (
        line((-10, 5, 1), (5, 5, NAN), (20, 5, 5)),
        AREA,
        line((0, 5, NAN), (5, 5, NAN), (10, 5, NAN)),
    ),
    "a cut between known heights is interpolated": (
        line((-10, 5, 0), (10, 5, 2), (20, 5, NAN)),
        AREA,
        line((0, 5, 1), (10, 5, 2)),
    ),
    "direction is kept": (line((20, 5, 2), (-10, 5, 5)), AREA, line((10, 5, 3), (0, 5, 4))),
    "a U leaves and comes back": (
        line((2, 5, 0), (2, 15, 1), (8, 15, 1), (8, 5, 0)),
        AREA,
        lines(line((2, 5, 0), (2, 10, 0.5)), line((8, 10, 0.5), (8, 5, 0))),
    ),
    "one segment through a hole": (
        line((0, 5, 0), (10, 5, 10)),
        HOLED,
        lines(line((0, 5, 0), (4, 5, 4)), line((6, 5, 6), (10, 5, 10))),
    ),
    "a hole that only touches does not part": (
        line((-1, 4, 0), (11, 4, 12)),
        Polygon(AREA.exterior, [Polygon(at((5, 4), (6, 5), (4, 5))).exterior]),
        line((0, 4, 1), (10, 4, 11)),
    ),
    "along the edge": (
        line((10, -5, 0), (10, 5, 1), (15, 5, 1)),
        AREA,
        line((10, 0, 0.5), (10, 5, 1)),
    ),
    "the edge itself": (
        line((10, 0, 0), (10, 10, 1)),
        AREA,
        line((10, 0, 0), (10, 10, 1)),
    ),
    "a touch at a corner": (line((10, 10, 0), (20, 20, 0)), AREA, None),
    "a touch at a vertex": (line((20, 0, 0), (10, 5, 0), (20, 10, 0)), AREA, None),
    "nothing": (line((20, 0, 0), (20, 10, 0)), AREA, None),
    "back and forth on itself keeps all its length": (
        line((5, 5, 0), (15, 5, 1), (5, 5, 0), (15, 5, 1)),
        AREA,
        lines(line((5, 5, 0), (10, 5, 0.5)), line((10, 5, 0.5), (5, 5, 0), (10, 5, 0.5))),
    ),
    "a figure of eight": (
        line((2, 2, 0), (8, 8, 0), (8, 2, 0), (2, 8, 0), (-2, 8, 0)),
        AREA,
        line((2, 2, 0), (8, 8, 0), (8, 2, 0), (2, 8, 0), (0, 8, 0)),
    ),
    "a riser inside is kept": (
        line((-5, 5, 1), (5, 5, 1), (5, 5, 3), (15, 5, 3)),
        AREA,
        line((0, 5, 1), (5, 5, 1), (5, 5, 3), (10, 5, 3)),
    ),
    "a riser on the edge goes with what is inside": (
        line((5, 5, 1), (10, 5, 1), (10, 5, 3), (15, 5, 3)),
        AREA,
        line((5, 5, 1), (10, 5, 1), (10, 5, 3)),
    ),
    "a riser that only touches is outside": (
        line((15, 5, 1), (10, 5, 1), (10, 5, 3), (15, 6, 3)),
        AREA,
        None,
    ),
    "a riser alone": (RISER, AREA, RISER),
    "a riser alone outside": (RISER, square(6, 6, 7, 7), None),
    # ST_Covers holds that this is covered.
    "a riser outside, within the area's bounds": (line((1, 8, 1), (1, 8, 3)), TRIANGLE, None),
    "such a riser among other lines": (
        lines(line((1, 8, 1), (1, 8, 3)), line((7, 2, 1), (8, 2, 1))),
        TRIANGLE,
        lines(line((7, 2, 1), (8, 2, 1))),
    ),
    "repeated vertices are kept": (
        line((5, 5, 1), (6, 5, 1), (6, 5, 1), (15, 5, 1)),
        AREA,
        line((5, 5, 1), (6, 5, 1), (6, 5, 1), (10, 5, 1)),
    ),
    "without heights, heights are unknown": (
        line((-5, 5), (5, 5)),
        AREA,
        line((0, 5, NAN), (5, 5, NAN)),
    ),
    "several lines, member by member": (
        lines(line((1, 1, 0), (2, 2, 0)), line((20, 1, 0), (30, 2, 0)), line((5, 5, 0), (15, 5, 1))),
        AREA,
        lines(line((1, 1, 0), (2, 2, 0)), line((5, 5, 0), (10, 5, 0.5))),
    ),
    "several lines of which one is left stay several": (
        lines(line((20, 1, 0), (30, 2, 0)), line((1, 1, 0), (2, 2, 0))),
        AREA,
        lines(line((1, 1, 0), (2, 2, 0))),
    ),
    "a point on the edge": (Point(*at((10, 5, 1))), AREA, Point(*at((10, 5, 1)))),
    "a point outside": (Point(*at((10.001, 5, 1))), AREA, None),
    "points": (
        MultiPoint(at((1, 1, NAN), (20, 1, 0), (10, 10, 3))),
        AREA,
        MultiPoint(at((1, 1, NAN), (10, 10, 3))),
    ),
    "a collection": (
        shapely.GeometryCollection(
            [Point(*at((1, 1, 0))), line((5, 5, 0), (15, 5, 1)), Point(*at((11, 1, 0)))]
        ),
        AREA,
        shapely.GeometryCollection([Point(*at((1, 1, 0))), line((5, 5, 0), (10, 5, 0.5))]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_clip(clip: Clip, name: str) -> None:
    geometry, area, expected = CASES[name]
    found = clip(geometry, area)
    if expected is None:
        assert found is None
    else:
        same(found, expected)


def test_what_is_covered_comes_back_bit_for_bit(clip: Clip) -> None:
    polygon = Polygon(at((1, 1, 1), (9, 1, NAN), (9, 9, 3), (1, 9, 4)))
    for geometry in (
        line((0.1, 0.2, NAN), (9.9, 9.7, 3.3), (0.1, 0.2, 1)),
        RISER,
        polygon,
        shapely.MultiPolygon([polygon]),
        shapely.GeometryCollection([polygon, RISER]),
    ):
        found = clip(geometry, AREA)
        assert found is not None
        assert shapely.to_wkb(found) == shapely.to_wkb(geometry)


def heights(geometry: BaseGeometry) -> dict[tuple[float, float], float]:
    return {
        (round(x - EAST, 6), round(y - NORTH, 6)): z
        for x, y, z in shapely.get_coordinates(geometry, include_z=True)
    }


def test_a_surface_keeps_known_heights_and_gets_no_others(clip: Clip) -> None:
    surface = Polygon(at((5, 5, 1), (15, 5, 3), (15, 15, NAN), (5, 15, 5)))
    found = clip(surface, AREA)
    assert isinstance(found, Polygon)
    assert found.area == pytest.approx(25)
    # The corner of the dig area lies inside the surface, where nobody knows the height.
    assert heights(found) == {
        (5.0, 5.0): 1.0,
        (10.0, 5.0): 2.0,
        (10.0, 10.0): pytest.approx(NAN, nan_ok=True),
        (5.0, 10.0): pytest.approx(3.0),
    }


def test_surfaces_with_holes_and_parts(clip: Clip) -> None:
    ring = Polygon(
        at((-5, -5, 1), (15, -5, 1), (15, 15, 1), (-5, 15, 1)),
        [at((2, 2, 7), (8, 2, 7), (8, 8, 7), (2, 8, 7))],
    )
    found = clip(ring, AREA)
    assert isinstance(found, Polygon)
    assert found.area == pytest.approx(64)
    assert len(found.interiors) == 1
    assert {z for *_, z in found.interiors[0].coords} == {7}
    assert all(math.isnan(z) for *_, z in found.exterior.coords)

    comb = Polygon(
        at((5, 5, 1), (15, 5, 1), (15, 6, 1), (6, 6, 1), (6, 8, 1), (15, 8, 1), (15, 9, 1), (5, 9, 1))
    )
    parts = clip(comb, square(7, 0, 20, 20))
    assert isinstance(parts, shapely.MultiPolygon)
    assert {*heights(parts).values()} == {1.0}
    assert isinstance(clip(shapely.MultiPolygon([comb]), AREA), shapely.MultiPolygon)
    assert clip(square(10, 0, 20, 10), AREA) is None


def test_a_surface_with_two_heights_at_one_place_has_none_there(clip: Clip) -> None:
    wall = Polygon(at((5, 5, 0), (8, 5, 0), (8, 5, 4), (15, 5, 4), (15, 9, 0), (5, 9, 0)))
    found = clip(wall, AREA)
    assert found is not None
    assert math.isnan(heights(found)[8.0, 5.0])
    assert heights(found)[10.0, 5.0] == pytest.approx(4)


def test_a_self_crossing_surface_is_delivered_all_the_same(clip: Clip) -> None:
    found = clip(Polygon(at((5, 5, 1), (15, 15, 1), (15, 5, 1), (5, 15, 1))), AREA)
    assert found is not None
    assert found.is_valid
    assert found.area > 0


def test_a_spiral_keeps_all_its_length(clip: Clip) -> None:
    turns = [(5 + t * math.cos(t * 2), 5 + t * math.sin(t * 2), t) for t in (i / 20 for i in range(200))]
    # A second run over the same ground crosses and overlaps the first.
    spiral = line(*turns, *reversed(turns), (5 + 9, 5, 0), (5 - 9, 5, 0))
    found = clip(spiral, AREA)
    assert found is not None
    inside = sum(segment.intersection(AREA).length for segment in segments(spiral))
    assert found.length == pytest.approx(inside, abs=1e-6)


def segments(geometry: BaseGeometry) -> list[LineString]:
    return [LineString(pair) for part in shapely.get_parts(geometry) for pair in pairwise(part.coords)]


# Half metres make touches, overlaps and vertices on the edge common; odd shares make real cuts.
number = st.integers(-8, 28).map(lambda i: i / 2) | st.floats(-4, 14, width=32)
height = st.sampled_from([NAN, 0.0, 1.5, -2.0])
paths = st.lists(st.tuples(number, number, height), min_size=2, max_size=9).map(lambda points: line(*points))
areas = st.one_of(
    st.sampled_from([AREA, HOLED, square(2, 2, 3, 9)]),
    st.lists(st.floats(1.0, 8.0), min_size=5, max_size=9).map(
        lambda radii: Polygon(
            at(*(
                (5 + r * math.cos(2 * math.pi * i / len(radii)), 5 + r * math.sin(2 * math.pi * i / len(radii)))
                for i, r in enumerate(radii)
            ))
        )
    ),
)  # fmt: skip


@EXAMPLES
@given(path=paths, area=areas)
def test_any_line(clip: Clip, path: LineString, area: Polygon) -> None:
    found = clip(path, area)
    inside_m = sum(segment.intersection(area).length for segment in segments(path) if segment.length)
    if found is None:
        assert inside_m < 1e-6 or path.length == 0
        return
    assert found.geom_type in {"LineString", "MultiLineString"}
    assert found.length == pytest.approx(inside_m, abs=1e-5)
    if path.is_simple:
        assert found.length == pytest.approx(path.intersection(area).length, abs=1e-5)
    places = shapely.points(shapely.get_coordinates(found))
    assert shapely.distance(places, area).max() < 1e-6

    # Every segment of the result lies on one of the original's, in its direction and with its heights.
    original = segments(path)
    at_least = 0
    for piece in segments(found):
        for number, segment in enumerate(original[at_least:], at_least):
            if lies_on(piece, segment):
                at_least = number
                break
        else:
            raise AssertionError(f"{piece} comes from no segment of {path}, or out of order")


def lies_on(piece: LineString, segment: LineString) -> bool:
    (x0, y0, z0), (x1, y1, z1) = segment.coords
    shares = []
    for x, y, z in piece.coords:
        if math.dist((x, y), (x0, y0)) > 0 and segment.length > 0:
            share = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / segment.length**2
        else:
            share = 0.0
        if math.dist((x, y), (x0 + share * (x1 - x0), y0 + share * (y1 - y0))) > 1e-6:
            return False
        if not -1e-9 <= share <= 1 + 1e-9:
            return False
        ends = [e for e in ((x0, y0, z0), (x1, y1, z1)) if (x, y) == e[:2]]
        # A vertex keeps its own height.
        if ends:
            found = any(z == e[2] or (math.isnan(z) and math.isnan(e[2])) for e in ends)
        elif math.isnan(z0 + z1):
            found = math.isnan(z)
        else:
            found = abs(z0 + share * (z1 - z0) - z) <= 1e-6 + abs(z1 - z0) * 1e-6
        if not found:
            return False
        shares.append(share)
    return shares[0] <= shares[1] + 1e-9


@EXAMPLES
@given(
    corners=st.lists(st.tuples(st.floats(1, 9), height), min_size=3, max_size=9),
    area=areas,
)
def test_any_surface(clip: Clip, corners: list[tuple[float, float]], area: Polygon) -> None:
    surface = Polygon(
        at(
            *(
                (
                    8 + r * math.cos(2 * math.pi * i / len(corners)),
                    8 + r * math.sin(2 * math.pi * i / len(corners)),
                    z,
                )
                for i, (r, z) in enumerate(corners)
            )
        )
    )
    found = clip(surface, area)
    flat = shapely.force_2d(surface)
    inside = flat.intersection(area).area if flat.is_valid else None
    if found is None:
        assert not inside
        return
    if inside is not None:
        assert found.area == pytest.approx(inside, abs=1e-6)
    known = {z for _, z in corners if not math.isnan(z)}
    for *_, z in shapely.get_coordinates(found, include_z=True):
        assert math.isnan(z) or min(known) - 1e-6 <= z <= max(known) + 1e-6
    for x, y, z in shapely.get_coordinates(found, include_z=True):
        if surface.exterior.distance(Point(x, y)) > 1e-5:
            assert math.isnan(z)
