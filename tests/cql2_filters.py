"""Chance filters for Hypothesis: CQL2 JSON that is in order, its text, and ways to break both."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from geoapi.ogc.cql2 import CRS84, Kind
from tests.cql2_oracle import EPSG
from tests.cql2_world import INTEGERS, KINDS, NAMES, NUMBERS, SIDE, SOUTH, STEP, TAGS, WEST

type Node = Any

SYSTEMS = (CRS84, f"{EPSG}25832", f"{EPSG}25833", f"{EPSG}4326", f"{EPSG}3857", f"{EPSG}7416")
_SPATIAL = ("intersects", "equals", "disjoint", "touches", "within", "overlaps", "crosses", "contains")
_OF_INSTANTS = ("after", "before", "disjoint", "equals", "intersects")
_OF_INTERVALS = (
    *_OF_INSTANTS,
    *("contains", "during", "finishedBy", "finishes", "meets", "metBy", "overlappedBy", "overlaps"),
    *("startedBy", "starts"),
)
_COMPARISONS = st.sampled_from(("=", "<>", "<", ">", "<=", ">="))


def _op(name: str, *args: Node) -> Node:
    return {"op": name, "args": [*args]}


def _property(*kinds: Kind) -> st.SearchStrategy[Node]:
    return st.sampled_from([{"property": name} for name, kind in KINDS.items() if kind in kinds])


_TEXTS = st.sampled_from(NAMES) | st.text(alphabet="aAbBeéoøØ%_' ßæ", max_size=5)
_STRINGS = _property(Kind.STRING) | _TEXTS
_FOLDED = (
    _STRINGS
    | st.builds(_op, st.sampled_from(("casei", "accenti")), _STRINGS)
    | _STRINGS.map(lambda one: _op("accenti", _op("casei", one)))
)
_WHOLE = st.sampled_from(INTEGERS) | st.integers(-20, 20)
_NUMERIC_LITERALS = _WHOLE | st.sampled_from(NUMBERS) | st.floats(-100, 100).map(lambda one: round(one, 3))
_NUMERIC = _property(Kind.INTEGER, Kind.NUMBER) | _NUMERIC_LITERALS
_DAYS = st.integers(13, 21).map(lambda day: f"2022-04-{day}")
_MOMENTS = st.builds(
    "2022-04-{}T10:{}:{}Z".format,
    st.sampled_from(("15", "16", "17")),
    st.sampled_from(("12", "13", "14")),
    st.sampled_from(("19", "20.5")),
)
_DATES = _property(Kind.DATE) | _DAYS.map(lambda day: {"date": day})
_TIMES = _property(Kind.DATETIME) | _MOMENTS.map(lambda moment: {"timestamp": moment})


@st.composite
def _amounts(draw: st.DrawFn, depth: int = 2) -> Node:
    """Arithmetic; what it may be refused for is its size only."""
    op = draw(st.sampled_from(("+", "-", "*", "/", "%", "div", "^")))
    if op == "%":
        whole = _property(Kind.INTEGER) | st.integers(-9, 9).filter(bool)
        return _op(op, draw(whole), draw(whole))
    deeper = _NUMERIC if depth == 0 else _NUMERIC | _amounts(depth - 1)
    if op == "^":
        return _op(op, draw(deeper), draw(st.integers(0, 3)))
    return _op(op, draw(deeper), draw(deeper))


@st.composite
def _intervals(draw: st.DrawFn, literal: st.SearchStrategy[str], kind: Kind) -> Node:
    first, second = sorted((draw(literal), draw(literal)))
    named = _property(kind)
    start = draw(st.just(first) | named | st.just(".."))
    end = draw(st.just(second) | named | st.just(".."))
    return {"interval": [start, end]}


def _comparisons() -> st.SearchStrategy[Node]:
    families = (
        _FOLDED,
        _NUMERIC,
        _NUMERIC | _amounts(),
        _property(Kind.BOOLEAN) | st.booleans(),
        _DATES,
        _TIMES,
    )
    return st.one_of(*(st.builds(_op, _COMPARISONS, one, one) for one in families))


def _advanced() -> st.SearchStrategy[Node]:
    patterns = st.text(alphabet="aAkKbB%_øe", max_size=4) | st.sampled_from(("100\\%", "a\\_b", "K_benhavn"))
    folded = st.sampled_from((None, "casei", "accenti"))

    def like(text: Node, pattern: str, op: str | None) -> Node:
        return _op("like", _op(op, text), _op(op, pattern)) if op else _op("like", text, pattern)

    def within(members: st.SearchStrategy[Node], one: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        return st.builds(_op, st.just("in"), one, st.lists(members, min_size=1, max_size=4))

    return st.one_of(
        st.builds(like, _STRINGS, patterns, folded),
        st.builds(_op, st.just("between"), _NUMERIC, _NUMERIC | _amounts(), _NUMERIC),
        st.builds(_op, st.just("between"), _DATES, _DATES, _DATES),
        within(_TEXTS, _property(Kind.STRING)),
        within(_FOLDED, _FOLDED),
        within(_NUMERIC_LITERALS, _NUMERIC),
        within(_NUMERIC | _amounts(), _NUMERIC),
        within(_DAYS | _DATES, _property(Kind.DATE)),
        within(_MOMENTS, _property(Kind.DATETIME)),
        within(st.booleans(), _property(Kind.BOOLEAN)),
        st.builds(_op, st.just("isNull"), _property(*Kind) | _FOLDED | _amounts()),
        _property(Kind.BOOLEAN) | st.booleans(),
    )


def _temporal() -> st.SearchStrategy[Node]:
    found = []
    for literal, instants, kind in ((_DAYS, _DATES, Kind.DATE), (_MOMENTS, _TIMES, Kind.DATETIME)):
        spans = _intervals(literal, kind)
        found.append(st.builds(_op, _names("t", _OF_INSTANTS), instants | spans, instants | spans))
        found.append(st.builds(_op, _names("t", _OF_INTERVALS), spans, spans))
    return st.one_of(*found)


def _arrays() -> st.SearchStrategy[Node]:
    lists = _property(Kind.STRINGS) | st.lists(st.sampled_from(TAGS), max_size=3, unique=True)
    return st.builds(_op, _names("a", ("equals", "contains", "containedBy", "overlaps")), lists, lists)


def _names(letter: str, names: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{letter}_{name}" for name in names])


def _positions(crs: str) -> st.SearchStrategy[list[float]]:
    """Positions in a system: on the features' lattice in EPSG:25832, anywhere near them in others."""
    steps = SIDE // STEP
    if crs.endswith(("/25832", "/7416")):
        whole = st.integers(-1, steps + 1)
        return st.builds(lambda a, b: [float(WEST + STEP * a), float(SOUTH + STEP * b)], whole, whole)
    west, south, wide, high = {
        "25833": (198_000.0, 6_135_000.0, 10_000.0, 10_000.0),
        "3857": (1_145_000.0, 7_430_000.0, 14_000.0, 15_000.0),
    }.get(crs.rpartition("/")[2], (10.27, 55.30, 0.15, 0.08))
    share = st.integers(0, 9973)

    def position(a: int, b: int) -> list[float]:
        x, y = round(west + wide * a / 9973, 6), round(south + high * b / 9973, 6)
        return [y, x] if crs == f"{EPSG}4326" else [x, y]

    return st.builds(position, share, share)


def _rings(position: st.SearchStrategy[list[float]]) -> st.SearchStrategy[list[list[float]]]:
    """Triangles and rectangles, which are valid however they lie, but for those without an area."""

    def triangle(points: list[list[float]]) -> list[list[float]]:
        return [*points, points[0]]

    def rectangle(one: list[float], other: list[float]) -> list[list[float]]:
        (a, b), (c, d) = one, other
        return [[a, b], [c, b], [c, d], [a, d], [a, b]]

    def area(ring: list[list[float]]) -> bool:
        (a, b), (c, d), (e, f) = ring[:3]
        return abs((c - a) * (f - b) - (e - a) * (d - b)) > 1e-9

    triangles = st.lists(position, min_size=3, max_size=3).map(triangle)
    return (triangles | st.builds(rectangle, position, position)).filter(area)


def _geometries(crs: str) -> st.SearchStrategy[Node]:
    position = _positions(crs)
    paths = st.lists(position, min_size=2, max_size=4, unique_by=tuple)
    world = [[-90.0, -180.0, 90.0, 180.0], [-90.0, 150.0, 90.0, -150.0], [50.0, 8.0, 60.0, 10.37]]
    in_degrees = crs in (CRS84, f"{EPSG}4326")
    boxes = st.builds(
        lambda one, other: [
            *map(min, zip(one, other, strict=True)),
            *map(max, zip(one, other, strict=True)),
        ],
        position,
        position,
    ).filter(lambda box: box[0] < box[2] and box[1] < box[3])
    if in_degrees:
        wide = [box if crs != CRS84 else [box[1], box[0], box[3], box[2]] for box in world]
        boxes = boxes | st.sampled_from(wide)

    def typed(kind: str) -> Callable[[Node], Node]:
        return lambda coordinates: {"type": kind, "coordinates": coordinates}

    return st.one_of(
        boxes.map(lambda box: {"bbox": box}),
        position.map(typed("Point")),
        paths.map(typed("LineString")),
        _rings(position).map(lambda ring: {"type": "Polygon", "coordinates": [ring]}),
        st.lists(position, min_size=1, max_size=3, unique_by=tuple).map(typed("MultiPoint")),
        st.lists(paths, min_size=1, max_size=2).map(typed("MultiLineString")),
    )


def _spatial(crs: str) -> st.SearchStrategy[Node]:
    named = _property(Kind.GEOMETRY)
    sides = st.tuples(named, _geometries(crs)) | st.tuples(_geometries(crs), named) | st.tuples(named, named)
    return st.builds(lambda op, two: _op(op, *two), _names("s", _SPATIAL), sides)


def _predicates(crs: str) -> st.SearchStrategy[Node]:
    basic = _comparisons() | _advanced() | _temporal() | _arrays() | _spatial(crs) | _spatial(crs)
    return st.recursive(
        basic,
        lambda inner: st.one_of(
            st.builds(_op, st.sampled_from(("and", "or")), inner, inner),
            inner.map(lambda one: _op("not", one)),
            inner.filter(lambda one: isinstance(one, dict) and "op" in one).map(
                lambda one: _op("isNull", one)
            ),
        ),
        max_leaves=4,
    )


_PREDICATES = {crs: _predicates(crs) for crs in SYSTEMS}
FILTERS: st.SearchStrategy[tuple[Node, str]] = st.sampled_from(SYSTEMS).flatmap(
    lambda crs: st.tuples(_PREDICATES[crs], st.just(crs))
)
"""A filter that is in order, as CQL2 JSON, and the system of its coordinates."""


def text_of(node: Node) -> str:  # noqa: C901, PLR0911 - one for each form
    """A filter as CQL2 text."""
    match node:
        case bool():
            return "TRUE" if node else "false"
        case int() | float():
            return repr(node)
        case str():
            return "'" + node.replace("\\", "\\\\").replace("'", "''").replace("\t", "\\t") + "'"
        case list():
            return f"({', '.join(map(text_of, node))})"
        case {"property": str(name)}:
            return f'"{name}"' if " " in name else name
        case {"date": str(given)}:
            return f"DATE('{given}')"
        case {"timestamp": str(given)}:
            return f"timestamp('{given}')"
        case {"interval": [start, end]}:
            return f"INTERVAL({text_of(start)},{text_of(end)})"
        case {"bbox": list(corners)}:
            return f"BBOX({','.join(map(repr, corners))})"
        case {"type": str(kind), "coordinates": list(coordinates)}:
            return f"{kind.upper()}{_wkt(coordinates) if kind != 'Point' else f'({_wkt(coordinates)})'}"
        case {"op": str(op), "args": list(args)}:
            return _operation(op, args)
    raise AssertionError(node)


def _wkt(coordinates: Node) -> str:
    if isinstance(coordinates[0], float):
        return " ".join(map(repr, coordinates))
    return f"({', '.join(map(_wkt, coordinates))})"


def _operation(op: str, args: list[Node]) -> str:
    told = [text_of(one) for one in args]
    match op, told:
        case "not", [one]:
            return f"NOT ({one})"
        case "isNull", [one]:
            return f"({one}) IS NULL"
        case "between", [one, low, high]:
            return f"({one}) BETWEEN ({low}) and ({high})"
        case "like" | "in", [one, other]:
            return f"({one}) {op} {other}"
        case _, [one, other] if not op[0].isalpha() or op in ("and", "or", "div"):
            return f"({one}) {op.upper()} ({other})"
    return f"{op.upper()}({', '.join(told)})"


@st.composite
def broken_texts(draw: st.DrawFn) -> str:
    """Text of a filter with some characters gone, doubled, moved or put in."""
    node, _ = draw(FILTERS)
    text = text_of(node)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        put = draw(
            st.sampled_from(
                ("", "(", ")", "'", '"', ",", " AND ", " NOT ", "-", "^", "%", "\\", "\x00", "1e999", "x")
            )
        )
        text = text[:at] + put + text[at + draw(st.integers(0, 3)) :]
    return text


@st.composite
def broken_trees(draw: st.DrawFn) -> Node:
    """CQL2 JSON in which one part was put in the place of another, or is no part at all."""
    node, crs = draw(FILTERS)
    other, _ = draw(FILTERS)
    wrong = st.sampled_from(
        (None, [], {}, "", -0.0, 1e308, 10**30, float("nan"), "x\x00", "\ud800", {"op": "or", "args": []},
         {"date": "2022-02-30"}, {"timestamp": "9999-12-31T23:59:59-14:00"}, {"bbox": [1, 2, 3]}, {"property": "id"},
         {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]]},
         {"type": "Point", "coordinates": [float("inf"), 0.0]}, {"op": "pg_sleep", "args": [9]}, [["a"]])
    )  # fmt: skip
    put = draw(wrong | st.just(other) | _geometries(crs) | _amounts() | _FOLDED)
    return _replaced(node, draw(st.integers(0, 12)), put)[0]


def _replaced(node: Node, at: int, put: Node) -> tuple[Node, int]:
    """The tree with its part number `at` replaced, counted from the root; and how many remain to be counted."""
    if at == 0:
        return put, -1
    at -= 1
    match node:
        case {"op": _, "args": list(args)}:
            made = []
            for one in args:
                if at >= 0:
                    changed, at = _replaced(one, at, put)
                    made.append(changed)
                else:
                    made.append(one)
            return node | {"args": made}, at
    return node, at
