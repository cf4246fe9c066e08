"""A second opinion on filters: CQL2 JSON evaluated with geopandas, pandas and shapely, never with SQL.

Truth values are pandas' nullable booleans, which have the three-valued logic of CQL2. Geometries are compared in the
system in which the filter was written, the features being moved there, so that nothing of the compiler's own way is used.
"""

import math
import operator
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geoapi.ogc.cql2 import CRS84

type Value = Any
type Values = list[Any]
type Truth = pd.Series[Any]

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_COMPUTE: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: math.nan if b == 0 else a / b,
    "div": lambda a, b: math.nan if b == 0 else float(math.trunc(a / b)),
    "%": lambda a, b: math.nan if b == 0 else float(_remainder(int(a), int(b))),
    "^": math.pow,
}
_INTERVALS: dict[str, Callable[[Any, Any, Any, Any], bool | None]] = {
    "t_after": lambda a, _b, _c, d: _is(a, ">", d),
    "t_before": lambda _a, b, c, _d: _is(b, "<", c),
    "t_disjoint": lambda a, b, c, d: _either(_is(a, ">", d), _is(b, "<", c)),
    "t_intersects": lambda a, b, c, d: _not(_either(_is(a, ">", d), _is(b, "<", c))),
    "t_equals": lambda a, b, c, d: _both(_is(a, "=", c), _is(b, "=", d)),
    "t_contains": lambda a, b, c, d: _both(_is(a, "<", c), _is(b, ">", d)),
    "t_during": lambda a, b, c, d: _both(_is(a, ">", c), _is(b, "<", d)),
    "t_finishedBy": lambda a, b, c, d: _both(_is(a, "<", c), _is(b, "=", d)),
    "t_finishes": lambda a, b, c, d: _both(_is(a, ">", c), _is(b, "=", d)),
    "t_meets": lambda _a, b, c, _d: _is(b, "=", c),
    "t_metBy": lambda a, _b, _c, d: _is(a, "=", d),
    "t_overlappedBy": lambda a, b, c, d: _both(_is(a, ">", c), _is(a, "<", d), _is(b, ">", d)),
    "t_overlaps": lambda a, b, c, d: _both(_is(a, "<", c), _is(b, ">", c), _is(b, "<", d)),
    "t_startedBy": lambda a, b, c, d: _both(_is(a, "=", c), _is(b, ">", d)),
    "t_starts": lambda a, b, c, d: _both(_is(a, "=", c), _is(b, "<", d)),
}
_SETS: dict[str, Callable[[set[str], set[str]], bool]] = {
    "a_equals": operator.eq,
    "a_contains": operator.ge,
    "a_containedBy": operator.le,
    "a_overlaps": lambda a, b: bool(a & b),
}
_WITHOUT_MARK = str.maketrans(
    dict(zip("øØłŁđĐðÐħĦıŧŦ", "oOlLdDdDhHitT", strict=True))
    | {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ẞ": "SS", "þ": "th", "Þ": "TH"}
)
CLOSE_M = 0.03
"""Nearer than this to a change of a relation, two ways to move a geometry may differ."""


class Oracle:
    """The features, and which of them a filter finds."""

    def __init__(self, frame: gpd.GeoDataFrame) -> None:
        self._frame = frame
        self._moved: dict[tuple[str, str], gpd.GeoSeries] = {}
        self._known: dict[str, Truth] = {}

    def ids(self, tree: object, crs: str = CRS84) -> list[int]:
        """Positions of the rows for which the filter is true."""
        found = self._truth(tree, crs).fillna(value=False)
        return [n for n, true in enumerate(found) if true]

    def unsure(self, tree: object, crs: str, row: int) -> bool:
        """Whether a row lies so close to an edge of a geometry of the filter that both answers are right."""
        if crs.endswith(("/25832", "/7416")):
            return False
        near = CLOSE_M if crs.endswith(("/25833", "/3857")) else CLOSE_M / 60_000
        for name in ("geom", "spot"):
            ours = self._in_system(name, crs).iloc[row]
            for literal in literals(tree):
                other = _shape(literal, crs)
                if ours is not None and any(
                    shapely.distance(shapely.MultiPoint(shapely.get_coordinates(one)), _edges(two)) < near
                    for one, two in ((ours, other), (other, ours))
                ):
                    return True
        return False

    def _truth(self, node: object, crs: str) -> Truth:
        key = f"{node!r} {crs}"
        if key not in self._known:
            self._known[key] = self._judged(node, crs)
        return self._known[key]

    def _judged(self, node: object, crs: str) -> Truth:  # noqa: C901, PLR0911, PLR0912 - one for each operator
        match node:
            case bool():
                return self._same(node)
            case {"property": str(name)}:
                return _truths(self._frame[name])
            case {"op": "and", "args": [first, *rest]}:
                found = self._truth(first, crs)
                for one in rest:
                    found = found & self._truth(one, crs)
                return found
            case {"op": "or", "args": [first, *rest]}:
                found = self._truth(first, crs)
                for one in rest:
                    found = found | self._truth(one, crs)
                return found
            case {"op": "not", "args": [one]}:
                return ~self._truth(one, crs)
            case {"op": "isNull", "args": [{"property": str(name)}]}:
                return _truths([_missing(one) for one in self._frame[name]])
            case {"op": "isNull", "args": [{"op": str(op)} as one]} if op not in _COMPUTE and op not in _FOLD:
                return _truths(self._truth(one, crs).isna())
            case {"op": "isNull", "args": [one]}:
                return _truths([value is None for value in self._values(one)])
            case {"op": "like", "args": [text, pattern]}:
                pairs = zip(self._values(text), self._values(pattern), strict=True)
                return _truths([None if a is None else bool(_like(b).fullmatch(a)) for a, b in pairs])
            case {"op": "between", "args": [one, low, high]}:
                return self._compared(">=", one, low) & self._compared("<=", one, high)
            case {"op": "in", "args": [one, list(members)]}:
                found = self._same(value=False)
                for member in members:
                    found = found | self._compared("=", one, member)
                return found
            case {"op": str(op), "args": [left, right]} if op in _COMPARE:
                return self._compared(op, left, right)
            case {"op": str(op), "args": [left, right]} if op.startswith("s_"):
                return self._related(op, left, right, crs)
            case {"op": str(op), "args": [left, right]} if op in _INTERVALS:
                return self._in_time(op, left, right)
            case {"op": str(op), "args": [left, right]} if op in _SETS:
                pairs = zip(self._values(left), self._values(right), strict=True)
                return _truths(
                    [None if a is None or b is None else _SETS[op](set(a), set(b)) for a, b in pairs]
                )
        raise AssertionError(node)

    def _same(self, value: Value) -> Truth:
        return _truths([value] * len(self._frame))

    def _compared(self, op: str, left: object, right: object) -> Truth:
        instants = any(_is_instant(one, self._frame) for one in (left, right))
        sides = [self._instants(one) if instants else self._values(one) for one in (left, right)]
        pairs = zip(*sides, strict=True)
        return _truths([None if a is None or b is None else _COMPARE[op](*_alike(a, b)) for a, b in pairs])

    def _values(self, node: object) -> Values:
        match node:
            case {"property": str(name)}:
                return [*self._frame[name]]
            case {"op": "casei" | "accenti" as op, "args": [one]}:
                return [None if text is None else _FOLD[str(op)](text) for text in self._values(one)]
            case {"op": str(op), "args": [left, right]}:
                pairs = zip(self._operands(op, left), self._operands(op, right), strict=True)
                found = [None if a is None or b is None else _COMPUTE[op](a, b) for a, b in pairs]
                return [None if one is None or math.isnan(one) else one for one in found]
        return [node] * len(self._frame)

    def _operands(self, op: str, node: object) -> Values:
        """What arithmetic is done with: doubles of which the largest and smallest are unknown."""
        values = self._values(node)
        if op == "%":
            return values
        match node:
            case {"property": "x" | "y"}:
                return [None if one is None or not _bearable(one) else float(one) for one in values]
        return [None if one is None else float(one) for one in values]

    def _instants(self, node: object) -> Values:
        match node:
            case {"date": str(day)}:
                node = date.fromisoformat(day)
            case {"timestamp": str(moment)}:
                node = datetime.fromisoformat(moment)
            case str():
                node = datetime.fromisoformat(node) if "T" in node else date.fromisoformat(node)
        return [None if one is None else _number_of(one) for one in self._values(node)]

    def _in_time(self, op: str, left: object, right: object) -> Truth:
        ends: list[Values] = []
        for node in (left, right):
            match node:
                case {"interval": [start, end]}:
                    ends += [self._end(start, -math.inf), self._end(end, math.inf)]
                case _:
                    ends += [self._instants(node)] * 2
        return _truths([_INTERVALS[op](*four) for four in zip(*ends, strict=True)])

    def _end(self, node: object, unbounded: float) -> Values:
        return [unbounded] * len(self._frame) if node == ".." else self._instants(node)

    def _related(self, op: str, left: object, right: object, crs: str) -> Truth:
        sides = [self._shapes(one, crs) for one in (left, right)]
        if op == "s_disjoint":
            return ~self._related("s_intersects", left, right, crs)
        relation = getattr(shapely, op.removeprefix("s_"))
        missing = [a is None or b is None for a, b in zip(*sides, strict=True)]
        found = relation(*sides)
        return _truths([None if gone else bool(one) for gone, one in zip(missing, found, strict=True)])

    def _shapes(self, node: object, crs: str) -> Sequence[BaseGeometry | None]:
        match node:
            case {"property": str(name)}:
                return [*self._in_system(name, crs)]
        return [_shape(node, crs)] * len(self._frame)

    def _in_system(self, name: str, crs: str) -> gpd.GeoSeries:
        key = (name, crs)
        if key not in self._moved:
            series = gpd.GeoSeries(self._frame[name], crs=25832)
            if not crs.endswith(("/25832", "/7416")):
                series = series.segmentize(25.0).to_crs(pyproj.CRS.from_user_input(_epsg(crs)))
            self._moved[key] = series
        return self._moved[key]


def literals(node: object) -> Iterator[dict[str, Any]]:
    """Every geometry that is written in a filter."""
    match node:
        case {"bbox": _} | {"type": _}:
            yield dict(node) if isinstance(node, dict) else {}
        case {"args": list(args)}:
            for one in args:
                yield from literals(one)


def _shape(node: Value, crs: str) -> BaseGeometry:
    match node:
        case {"bbox": list(corners)}:
            half = len(corners) // 2
            (a, b), (c, d) = corners[:2], corners[half : half + 2]
            left, bottom, right, top = (b, a, d, c) if _latitude_first(crs) else (a, b, c, d)
            if left > right:
                return shapely.union(
                    shapely.box(left, bottom, 180, top), shapely.box(-180, bottom, right, top)
                )
            return shapely.box(left, bottom, right, top)
    shape = shapely.geometry.shape(node)
    return shapely.transform(shape, lambda xy: xy[:, ::-1]) if _latitude_first(crs) else shape


def _edges(shape: BaseGeometry) -> BaseGeometry:
    return shape.boundary if shape.geom_type.endswith("Polygon") else shape


def _latitude_first(crs: str) -> bool:
    return crs == f"{EPSG}4326"


def _epsg(crs: str) -> str:
    return "EPSG:4326" if "CRS84" in crs else f"EPSG:{crs.rpartition('/')[2]}"


def _truths(values: Value) -> Truth:
    return pd.Series([*values], dtype="boolean")


def _missing(value: Value) -> bool:
    return value is None


def _remainder(a: int, b: int) -> int:
    return abs(a) % abs(b) * (1 if a >= 0 else -1)


def _bearable(value: float) -> bool:
    return value == 0 or 1e-15 <= abs(value) <= 1e15


def _number_of(one: date | datetime) -> float:
    return one.timestamp() if isinstance(one, datetime) else float(one.toordinal())


def _is_instant(node: object, frame: gpd.GeoDataFrame) -> bool:
    match node:
        case {"date": _} | {"timestamp": _}:
            return True
        case {"property": str(name)}:
            return any(isinstance(one, date) for one in frame[name])
    return False


def _is(a: Value, op: str, b: Value) -> bool | None:
    return None if a is None or b is None else _COMPARE[op](a, b)


def _alike(a: Value, b: Value) -> tuple[Any, Any]:
    """A whole number beside a double is one."""
    return (float(a), float(b)) if isinstance(a, float) or isinstance(b, float) else (a, b)


def _both(*sides: bool | None) -> bool | None:
    return False if False in sides else None if None in sides else True


def _either(*sides: bool | None) -> bool | None:
    return True if True in sides else None if None in sides else False


def _not(side: bool | None) -> bool | None:  # noqa: FBT001 - a truth value of three
    return None if side is None else not side


def _accenti(text: str) -> str:
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if not "\u0300" <= one <= "\u036f")
    return bare.translate(_WITHOUT_MARK)


_FOLD: dict[str, Callable[[str], str]] = {"casei": str.upper, "accenti": _accenti}


def _like(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(one) or re.escape(one[-1]) for one in parts), re.DOTALL)
