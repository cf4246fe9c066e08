"""Filters before any database: what is read, what is refused and why, what comes out."""

import json
from math import hypot

import cql2
import pytest
import shapely
from hypothesis import given, settings
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from geoapi.ogc.cql2 import CRS84, SYSTEMS, Filter, FilterError, compile_filter, queryables_schema
from geoapi.ogc.cql2.limits import MOST_CHARACTERS, MOST_FOLDED, MOST_LEVELS, MOST_SPATIAL
from geoapi.ogc.cql2.text import read_text
from geoapi.ogc.cql2.tree import normal
from geoapi.problems import problem_of
from tests.cql2_filters import FILTERS, Node, text_of
from tests.cql2_oracle import EPSG
from tests.cql2_world import QUERYABLES


def of_text(text: str, crs: str = CRS84) -> Filter:
    return compile_filter(text, QUERYABLES, lang="cql2-text", crs=crs)


def refusal(given: object, crs: str = CRS84) -> FilterError:
    lang = "cql2-text" if isinstance(given, str) else "cql2-json"
    with pytest.raises(FilterError) as caught:
        compile_filter(given, QUERYABLES, lang=lang, crs=crs)  # type: ignore[arg-type]
    return caught.value


def area_of(made: Filter, name: str = "f0") -> BaseGeometry:
    wkb = made.values[name]
    assert isinstance(wkb, bytes)
    return shapely.from_wkb(wkb)


# What is dangerous to other readers: broken nesting takes them time without end, deep nesting the process.
DEEP = {
    "open": "(" * 2000,
    "closed": "(" * 900 + "m=1" + ")" * 900,
    "broken inside": "(" * 40 + "m= " + ")" * 40,
    "not": "NOT " * 400 + "ok",
    "not in parentheses": "NOT (" * 300 + "ok" + ")" * 300,
    "minus": "m=" + "-" * 1500 + "m",
    "power": "m=" + "2^" * 500 + "2",
    "calls": "casei(" * 250 + "name" + ")" * 250 + "='x'",
    "unknown calls": "f(" * 500,
    "lists": "m in " + "(" * 500 + "1" + ")" * 500,
    "collections": "S_INTERSECTS(geom," + "GEOMETRYCOLLECTION(" * 90 + "POINT(1 1)" + ")" * 91,
    "a chain": "m=" + "+".join(["m"] * 400),
    "mixed": "(casei(" * 200,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_deep_text_is_refused(text: str) -> None:
    assert refusal(text).reason == "filter-too-deep"


def test_32_levels_are_read_and_33_are_not() -> None:
    def nested(levels: int) -> str:
        return "(" * levels + "m=1" + ")" * levels

    assert of_text(nested(MOST_LEVELS)).sql == of_text("m=1").sql
    assert refusal(nested(MOST_LEVELS + 1)).place == f"character {MOST_LEVELS + 2}"


def test_deep_json_is_refused_however_it_comes() -> None:
    deep: object = {"property": "ok"}
    for _ in range(5000):
        deep = {"op": "not", "args": [deep]}
    assert refusal(deep).reason == "filter-too-deep"
    with pytest.raises(FilterError):
        compile_filter('{"op":"not","args":[' * 600, QUERYABLES, lang="cql2-json")
    with pytest.raises(FilterError, match="no JSON"):
        compile_filter("[" * 16_000, QUERYABLES, lang="cql2-json")
    rings: list[object] = [0.0, 0.0]
    for _ in range(50):
        rings = [rings]
    wrong = {"op": "s_within", "args": [{"property": "geom"}, {"type": "Polygon", "coordinates": rings}]}
    assert refusal(wrong).reason == "geometry-invalid"


def test_what_is_too_much_is_refused() -> None:
    spatial = {"op": "s_intersects", "args": [{"property": "geom"}, {"property": "spot"}]}
    folded = {"op": "=", "args": [{"op": "casei", "args": ["a"]}, "a"]}
    path = {"type": "LineString", "coordinates": [[float(n), 0.0] for n in range(1001)]}
    for tree in (
        {"op": "in", "args": [{"property": "m"}, [*range(600)]]},
        {"op": "or", "args": [spatial] * (MOST_SPATIAL + 1)},
        {"op": "or", "args": [folded] * (MOST_FOLDED + 1)},
        {"op": "s_within", "args": [{"property": "geom"}, path]},
    ):
        assert refusal(tree).reason == "filter-too-large"
    assert refusal(f"name='{'x' * MOST_CHARACTERS}'").reason == "filter-too-long"
    zigzag = ",".join(f"{8 + n % 2 * 8} {55 + n / 1000}" for n in range(100))
    assert refusal(f"S_INTERSECTS(geom,LINESTRING({zigzag}))").reason == "geometry-too-long"


REFUSED = {
    "m = 1/0": "division-by-zero",
    "m / (n * 0) > 1": "division-by-zero",
    "m = x % 2": "arithmetic",
    "m ^ n > 1": "arithmetic",
    "m = 10^400": "number-range",
    "x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x > 1": "number-range",
    "m = 9223372036854775808": "number-range",
    "m = -9223372036854775809": "number-range",
    "m = 1e400": "number-range",
    "m = 'a'": "kinds-differ",
    "m = true": "kinds-differ",
    "name + 1 = 2": "kinds-differ",
    "casei(m) = 'x'": "kinds-differ",
    "day > TIMESTAMP('2022-04-16T10:13:19Z')": "kinds-differ",
    "geom = 'POINT(1 1)'": "kinds-differ",
    "tags = 'el'": "kinds-differ",
    "A_CONTAINS(name,('a'))": "kinds-differ",
    "A_CONTAINS(tags,(1))": "kinds-differ",
    "S_INTERSECTS(name,POINT(1 1))": "kinds-differ",
    "T_AFTER(name,DATE('2022-04-16'))": "kinds-differ",
    "T_AFTER(start,DATE('2022-04-16'))": "kinds-differ",
    "T_DURING(day,INTERVAL('2022-04-16','..'))": "kinds-differ",
    "(m=1) = true": "value-expected",
    "S_INTERSECTS(geom,1)": "value-expected",
    "m": "predicate-expected",
    "'x'": "predicate-expected",
    "1 + 1": "predicate-expected",
    "casei(name)": "predicate-expected",
    "m = NaN": "property-unknown",
    "id = 1": "property-unknown",
    "pg_sleep(10)": "function-unknown",
    "m = st_area(geom)": "function-unknown",
    "S_INTERSECTS(geom)": "arguments",
    "casei(name,name) = 'x'": "arguments",
    "name LIKE nameascii": "pattern-invalid",
    r"name LIKE 'a\\'": "pattern-invalid",
    "m = null": "filter-syntax",
    "m = = 1": "filter-syntax",
    "m = 0x10": "filter-syntax",
    "name = 'a": "filter-syntax",
    "m = 1; DROP TABLE features": "filter-syntax",
    "": "filter-syntax",
    "name = 'a\x00'": "text-invalid",
    "day = '2022-02-30'": "date-invalid",
    "day = DATE('2022-4-1')": "date-invalid",
    "start = TIMESTAMP('2022-04-16T24:00:00Z')": "date-invalid",
    "start = TIMESTAMP('2022-04-16T10:13:60Z')": "date-invalid",
    "start = TIMESTAMP('2022-04-16T10:13:19')": "date-invalid",
    "start = TIMESTAMP('0001-01-01T00:00:00+14:00')": "date-invalid",
    "T_AFTER(day,INTERVAL('2022-04-17','2022-04-16'))": "date-invalid",
    "S_INTERSECTS(geom,POINT(90 180))": "geometry-range",
    "S_INTERSECTS(geom,POINT EMPTY)": "filter-syntax",
    "S_INTERSECTS(geom,POINT(1 2 3 4))": "geometry-invalid",
    "S_INTERSECTS(geom,LINESTRING(1 1))": "geometry-invalid",
    "S_INTERSECTS(geom,LINESTRING(1 1,1 1))": "geometry-invalid",
    "S_INTERSECTS(geom,POLYGON((0 0,1 1,0 0)))": "geometry-invalid",
    "S_INTERSECTS(geom,POLYGON((0 0,1 0,1 1,0 1)))": "geometry-not-closed",
    "S_INTERSECTS(geom,POLYGON((0 0,1 1,0 1,1 0,0 0)))": "geometry-invalid",
    "S_INTERSECTS(geom,BBOX(1,2,3))": "geometry-invalid",
    "S_INTERSECTS(geom,BBOX(1,3,2,1))": "geometry-invalid",
    "S_WITHIN(geom,GEOMETRYCOLLECTION(POINT(1 1),POINT(2 2)))": "geometry-collection",
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=REFUSED.keys())
def test_a_fault_has_its_reason(text: str, reason: str) -> None:
    error = refusal(text)
    assert error.reason == reason
    assert error.code == "filter-invalid"


@pytest.mark.parametrize(
    "tree",
    [
        *(None, [], {}, 1, "x", {"op": "and", "args": []}, {"op": "and", "args": [True]}),
        *({"op": "=", "args": [{"property": "m"}]}, {"op": "=", "args": [{"property": "m"}, None]}),
        *({"op": "=", "args": [{"property": "x"}, float("nan")]}, {"op": 1, "args": []}, {"property": 1}),
        *({"property": "m", "x": 1}, {"op": "in", "args": [{"property": "m"}, []]}),
        {"op": "=", "args": [{"property": "name"}, "\ud800"]},
        {"op": "s_within", "args": [{"property": "geom"}, {"type": "Point", "coordinates": [True, 1]}]},
        {"op": "s_within", "args": [{"property": "geom"}, {"type": "Polygon", "coordinates": []}]},
        {"op": "s_within", "args": [{"property": "geom"}, {"type": "Polygon", "coordinates": [[1, [2]]]}]},
        {"op": "s_within", "args": [{"property": "geom"}, {"type": "GeometryCollection", "geometries": []}]},
        {"op": "s_within", "args": [{"property": "geom"}, {"type": "GeometryCollection", "geometries": [1]}]},
        {
            "op": "s_within",
            "args": [
                {"property": "geom"},
                {"type": "GeometryCollection", "geometries": [{"property": "geom"}]},
            ],
        },
    ],
)
def test_what_is_no_filter_in_json_is_refused(tree: object) -> None:
    assert refusal(tree).code == "filter-invalid"


def test_a_refusal_is_a_problem_with_its_place() -> None:
    problem = problem_of(refusal("ok and m = 'a'"))
    assert problem.slug == "filter-invalid"
    assert problem.document("da")["status"] == 400
    assert problem.detail == "a whole number is not compared with a text (/args/1/args/1)"


def test_a_property_that_is_hidden_is_told_as_one_that_is_not_there() -> None:
    assert str(refusal("secret = 1")).replace("secret", "absent") == str(refusal("absent = 1"))


def test_nothing_of_the_caller_is_in_the_sql() -> None:
    text = "name = 'SECRET' or name like 'SECRET%' or name in ('SECRET') or A_CONTAINS(tags,('SECRET'))"
    made = of_text(text)
    assert "SECRET" not in made.sql
    assert [*made.values.values()] == ["SECRET", "SECRET%", ["SECRET"], ["SECRET"]]


def test_a_relation_asks_the_box_first() -> None:
    made = of_text("S_WITHIN(geom,POINT(10.3 55.3))")
    literal = "ST_GeomFromWKB(%(f0)s::bytea, 25832)"
    assert made.sql == f'(t."geom" && {literal} AND ST_Within(t."geom", {literal}))'
    dear = of_text("S_TOUCHES(geom,POINT(10.3 55.3))").sql
    assert f'(t."geom" && {literal} AND ST_Intersects({literal}, t."geom") AND NOT' in dear
    assert of_text("S_DISJOINT(geom,spot)").sql.startswith('(NOT (t."geom" && t."spot" AND ST_Intersects(')


def test_whole_numbers_stay_exact_and_are_asked_as_such() -> None:
    assert of_text("n = 9007199254740993").values == {"f0": 2**53 + 1}
    assert of_text("n = 2 * 3 + 1").values == {"f0": 7}
    assert of_text("n = 7 / 2").values == {"f0": 3.5}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("m=1 and ok and x>2.0", "((M = 1.0 AND ok) AND (x > 2))".replace("M", "m")),
        ("T_FINISHEDBY(start,till)", "t_FinishedBy( start , till )"),
        ("S_WITHIN(geom,BBOX(1,2,3,4))", "s_within(geom, bbox(1.0,2e0,3,4))"),
        ('"m" <> 1', "m != 1"),
    ],
)
def test_one_filter_has_one_canonical_text(one: str, other: str) -> None:
    made = [read_text(text) for text in (one, other)]
    assert normal(made[0]) == normal(made[1])


def test_the_canonical_text_tells_systems_apart_where_it_matters() -> None:
    texts = ("S_WITHIN(geom,BBOX(1,2,3,4))", "m=1")
    crs84, h, stored, other = CRS84, CRS84.replace("1.3/CRS84", "0/CRS84h"), f"{EPSG}25832", f"{EPSG}7416"
    spatial, plain = ([of_text(text, crs).canonical for crs in (crs84, h, stored, other)] for text in texts)
    assert spatial[0] == spatial[1] != spatial[2] == spatial[3]
    assert len({*plain}) == 1


@settings(max_examples=50, deadline=None)
@given(FILTERS)
def test_text_says_what_its_json_says(made: tuple[Node, str]) -> None:
    node, _ = made
    assert normal(read_text(text_of(node))) == normal(node)


@settings(max_examples=50, deadline=None)
@given(FILTERS)
def test_another_reader_of_text_agrees(made: tuple[Node, str]) -> None:
    """But for escapes, empty lists, lists of one and whole numbers that no double holds, which it does not read."""
    text = text_of(made[0])
    if "\\" not in text and "()" not in text and "A_" not in text and "90071992547409" not in text:
        other = cql2.parse_text(text).to_json()
        assert normal(_rounded(read_text(text))) == normal(other)


def _rounded(node: Node) -> Node:
    match node:
        case {"op": str(op), "args": list(args)}:
            return {"op": op, "args": [*map(_rounded, args)]}
        case bool():
            return node
        case int():
            return float(node)
        case list():
            return [*map(_rounded, node)]
    return node


@pytest.mark.parametrize("crs", [f"{EPSG}3857", f"{EPSG}25833", f"{EPSG}4326", CRS84])
def test_an_edge_keeps_its_course_within_15_mm(crs: str) -> None:
    """Every point of a long edge, moved by itself, lies on the edge that the filter asks with."""
    system = SYSTEMS[crs]
    there = Transformer.from_crs(25832, system.epsg, always_xy=True)
    (a, b), (c, d) = there.transform(450_000, 6_050_000), there.transform(900_000, 6_350_000)
    ends = ((b, a), (d, c)) if system.latitude_first else ((a, b), (c, d))
    edge = area_of(of_text("S_CROSSES(geom,LINESTRING({} {},{} {}))".format(*ends[0], *ends[1]), crs))
    back = Transformer.from_crs(system.epsg, 25832, always_xy=True)
    shares = [n / 7919 for n in range(7920)]
    x, y = back.transform([a + (c - a) * one for one in shares], [b + (d - b) * one for one in shares])
    assert max(shapely.distance(edge, shapely.points(x, y))) < 0.015
    assert edge.length >= hypot(450_000, 300_000) - 0.1


def test_a_literal_in_the_stored_system_is_taken_as_it_is() -> None:
    made = of_text("S_WITHIN(geom,BBOX(580000,6130000,0,581000,6131000,9))", f"{EPSG}7416")
    assert area_of(made).equals_exact(shapely.box(580000, 6130000, 581000, 6131000), normalize=True)


def test_latitude_comes_first_where_the_system_says_so() -> None:
    first = of_text("S_WITHIN(geom,POINT(55.3 10.3))", f"{EPSG}4326").values
    assert first == of_text("S_WITHIN(geom,POINT(10.3 55.3))").values
    assert refusal("S_WITHIN(geom,POINT(100.3 55.3))", f"{EPSG}4326").reason == "geometry-range"


def test_what_lies_far_away_is_not_forgotten() -> None:
    near = area_of(of_text("S_CONTAINS(geom,POINT(10.3 55.3))"))
    both = area_of(of_text("S_CONTAINS(geom,MULTIPOINT(10.3 55.3,-120 -40))"))
    assert both.geom_type == "MultiPoint"
    assert not near.buffer(900_000).covers(both)
    assert near.buffer(900_000).covers(near)
    line = area_of(of_text("S_WITHIN(geom,LINESTRING(10.3 55.3,170 55.3))"))
    assert len(shapely.get_parts(line)) == 2
    box = area_of(of_text("S_WITHIN(geom,BBOX(150,-90,-150,90))"))
    assert box.area > 0


def test_the_world_is_asked_with_few_positions() -> None:
    made = area_of(of_text("S_INTERSECTS(geom,BBOX(-180,-90,180,90))"))
    assert shapely.get_num_coordinates(made) < 300
    assert made.covers(shapely.box(250_000, 5_700_000, 1_000_000, 6_600_000))


def test_an_unknown_system_is_refused() -> None:
    assert refusal("m=1", "EPSG:4326").reason == "crs-unsupported"


def test_queryables_are_a_json_schema() -> None:
    schema = queryables_schema(QUERYABLES, address="https://example.org/q", title="Ting")
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$id"] == "https://example.org/q"
    assert schema["properties"]["day"] == {"type": "string", "format": "date"}
    assert schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
    assert schema["properties"]["geom"] == {"format": "geometry-any", "x-ogc-role": "primary-geometry"}
    assert schema["properties"]["spot"] == {"format": "geometry-any"}
    assert schema["additionalProperties"] is False
