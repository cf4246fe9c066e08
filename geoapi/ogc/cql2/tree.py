"""The one form of a filter: CQL2 JSON whose every part was looked at, so that what follows need not doubt its shape.

Refused: what CQL2 JSON does not know, what nests too deep or has too many terms, numbers that are not finite or beyond 64
bits, texts that a database cannot keep. Names, kinds and geometries are looked at later.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Never

from geoapi.ogc.cql2.limits import MOST_JSON_CHARACTERS, MOST_LEVELS, MOST_TERMS, MOST_VERTICES
from geoapi.ogc.cql2.operators import PREDICATES
from geoapi.ogc.cql2.terms import FilterError

type Tree = dict[str, object]

_LARGEST: Final = 2**63 - 1
_GEOMETRIES: Final = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
_DEEPEST_COORDINATES: Final = 4
_SPELLED: Final = {name.lower(): name for name in PREDICATES}
"""As CQL2 JSON spells operators; text has them in any case."""


def read_json(given: str) -> object:
    """Return what a JSON text holds. FilterError `filter-too-long` or `filter-syntax`."""
    if len(given) > MOST_JSON_CHARACTERS:
        raise FilterError("filter-too-long", f"the filter has more than {MOST_JSON_CHARACTERS} characters")
    try:
        return json.loads(given, parse_constant=_no_constant, object_pairs_hook=_no_repetition)
    except (ValueError, RecursionError):
        raise FilterError("filter-syntax", "the filter is no JSON, or repeats a name") from None


def normal(given: object) -> object:
    """Return the filter in its one form: operators as CQL2 JSON spells them, whole numbers as integers, AND and OR flat.

    FilterError: `filter-syntax`, `filter-too-deep`, `filter-too-large`, `number-range`, `text-invalid`, `null-literal`.
    """
    return _Looker().node(given, "", 0)


def canonical(tree: object) -> str:
    """Return the one text of a tree."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass
class _Looker:
    terms: int = 0
    vertices: int = 0

    def node(self, given: object, place: str, level: int) -> object:
        self.terms += 1
        if self.terms > MOST_TERMS:
            raise FilterError("filter-too-large", f"the filter has more than {MOST_TERMS} terms")
        if level > MOST_LEVELS:
            raise FilterError(
                "filter-too-deep", f"the filter nests deeper than {MOST_LEVELS} levels", place[:80]
            )
        match given:
            case bool():
                return given
            case int() | float():
                return finite(given, place)
            case str():
                return _kept(given, place)
            case list():
                return [self.node(one, f"{place}/{n}", level + 1) for n, one in enumerate(given)]
            case Mapping():
                return self._object(given, place, level)
            case None:
                raise FilterError(
                    "null-literal", "NULL is no value: write IS NULL, or the operator isNull", place
                )
        raise FilterError("filter-syntax", "this is not CQL2 JSON", place)

    def _object(  # noqa: PLR0911 - one for each form of CQL2 JSON
        self, given: Mapping[object, object], place: str, level: int
    ) -> Tree:
        match dict(given):
            case {"op": str(op), "args": list(args), **rest} if not rest:
                return self._operation(_kept(op, place), args, f"{place}/args", level)
            case {"property": str(name), **rest} if not rest:
                return {"property": _kept(name, place)}
            case {"date": str(day), **rest} if not rest:
                return {"date": _kept(day, place)}
            case {"timestamp": str(moment), **rest} if not rest:
                return {"timestamp": _kept(moment, place)}
            case {"interval": [start, end], **rest} if not rest:
                sides = [start, end]
                within = f"{place}/interval"
                return {
                    "interval": [self.node(one, f"{within}/{n}", level + 1) for n, one in enumerate(sides)]
                }
            case {"bbox": list(corners), **rest} if not rest:
                self._count(2, place)
                return {"bbox": [_coordinate(one, f"{place}/bbox") for one in corners[:7]]}
            case {"type": "GeometryCollection", "geometries": list(parts), **rest} if not rest:
                within = f"{place}/geometries"
                found = [self.node(one, f"{within}/{n}", level + 1) for n, one in enumerate(parts)]
                return {"type": "GeometryCollection", "geometries": found}
            case {"type": str(kind), "coordinates": list(positions), **rest} if (
                not rest and kind in _GEOMETRIES
            ):
                return {"type": kind, "coordinates": self._coordinates(positions, f"{place}/coordinates", 1)}
        raise FilterError("filter-syntax", "this is not CQL2 JSON", place)

    def _operation(self, op: str, args: list[object], place: str, level: int) -> Tree:
        name = _SPELLED.get(op.lower(), op.lower())
        found = [self.node(one, f"{place}/{n}", level + 1) for n, one in enumerate(args)]
        if name in ("and", "or"):
            found = [part for one in found for part in _parts(name, one)]
        return {"op": name, "args": found}

    def _coordinates(self, given: list[object], place: str, depth: int) -> list[object]:
        if depth > _DEEPEST_COORDINATES:
            raise FilterError("geometry-invalid", "the coordinates nest too deep", place)
        if given and not isinstance(given[0], list):
            self._count(1, place)
            return [_coordinate(one, place) for one in given[:5]]
        found: list[object] = []
        for one in given:
            if not isinstance(one, list):
                raise FilterError("geometry-invalid", "positions and numbers are mixed", place)
            found.append(self._coordinates(one, place, depth + 1))
        return found

    def _count(self, vertices: int, place: str) -> None:
        self.vertices += vertices
        if self.vertices > MOST_VERTICES:
            raise FilterError(
                "filter-too-large", f"the geometries have more than {MOST_VERTICES} positions", place
            )


def finite(given: float, place: str) -> int | float:
    """Return a number, as an integer where it is whole. FilterError `number-range`."""
    if isinstance(given, float) and not math.isfinite(given):
        raise FilterError("number-range", "a number is too large", place)
    if isinstance(given, float) and given.is_integer() and abs(given) <= _LARGEST:
        given = int(given)
    if isinstance(given, int) and not -_LARGEST - 1 <= given <= _LARGEST:
        raise FilterError("number-range", "a whole number has more than 64 bits", place)
    return given


def _coordinate(given: object, place: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise FilterError("geometry-invalid", "a coordinate is no number", place)
    return float(finite(given, place))


def _kept(text: str, place: str) -> str:
    """PostgreSQL keeps neither NUL nor half a character."""
    if "\x00" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise FilterError("text-invalid", "a text has a character that no database keeps", place)
    return text


def _parts(op: str, node: object) -> list[object]:
    match node:
        case {"op": same, "args": list(args)} if same == op:
            return args
    return [node]


def _no_constant(name: str) -> Never:
    raise ValueError(name)


def _no_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is repeated")
    return found
