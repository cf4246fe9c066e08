"""Predicates of filters in SQL, in the three-valued logic that both languages have.

Each function takes a node of the checked tree and its place, and returns SQL of type boolean, in parentheses. A spatial
relation is asked as `box && box AND relation`, so that an index serves it under row-level security too.
"""

from collections.abc import Mapping
from typing import Final, Literal

import shapely

from geoapi.ogc.cql2.geometry import SYSTEMS, LiteralSystem, parts_of
from geoapi.ogc.cql2.limits import MOST_SPATIAL
from geoapi.ogc.cql2.moments import OF_INSTANTS, RELATIONS, read_instant
from geoapi.ogc.cql2.operators import ARRAYS, COMPARISONS, PREDICATES, SPATIAL, misused
from geoapi.ogc.cql2.terms import CRS84, Filter, FilterError, Kind, Queryable
from geoapi.ogc.cql2.text import read_text
from geoapi.ogc.cql2.tree import canonical, normal, read_json
from geoapi.ogc.cql2.values import Scalar, Values, described

_DEAR: Final = ("s_crosses", "s_overlaps", "s_touches")
_UNBOUNDED: Final = ("'-infinity'", "'infinity'")


def compile_filter(
    given: str | Mapping[str, object],
    queryables: Mapping[str, Queryable],
    *,
    lang: Literal["cql2-text", "cql2-json"],
    crs: str = CRS84,
) -> Filter:
    """Return a filter as a condition in SQL.

    `given` is text in the language `lang`, or CQL2 JSON that was read already; `crs` is `filter-crs`, one of
    `geometry.SYSTEMS`. Geometries are compared in EPSG:25832. Raises FilterError; nothing else, whatever is given.
    """
    system = SYSTEMS.get(crs)
    if system is None:
        raise FilterError("crs-unsupported", f"filter-crs is one of: {', '.join(sorted(SYSTEMS))}")
    if isinstance(given, str):
        given_tree = read_text(given) if lang == "cql2-text" else read_json(given)
    else:
        given_tree = given
    tree = normal(given_tree)
    compiler = _Compiler(queryables, system)
    sql = compiler.predicate(tree, "")
    key = tree if compiler.spatial == 0 else {"crs": _name_of(system), "filter": tree}
    return Filter(sql, compiler.values.bound, canonical(key))


def _name_of(system: LiteralSystem) -> str:
    """Systems in which the same numbers mean the same have one name."""
    return next(name for name, one in SYSTEMS.items() if one == system)


class _Compiler:
    """One compilation of one filter."""

    def __init__(self, queryables: Mapping[str, Queryable], system: LiteralSystem) -> None:
        self.values = Values(queryables)
        self.spatial = 0
        self._system = system

    def predicate(self, node: object, place: str) -> str:
        match node:
            case bool():
                return "TRUE" if node else "FALSE"
            case {"property": str(name)}:
                return self._flag(name, place)
            case {"op": str(op), "args": list(args)}:
                return self._operation(op, args, place)
        raise FilterError(
            "predicate-expected", "a condition is expected here, such as a comparison: `name = 'x'`", place
        )

    def _flag(self, name: str, place: str) -> str:
        found = self.values.queryable(name, place)
        if found.kind is not Kind.BOOLEAN:
            raise FilterError(
                "predicate-expected",
                f"{name[:60]!r} is {described(found.kind)}, no condition by itself",
                place,
            )
        return f"({found.column})"

    def _operation(self, op: str, args: list[object], place: str) -> str:  # noqa: C901, PLR0911 - one for each operator
        at = [f"{place}/args/{n}" for n in range(len(args))]
        match op, args:
            case "and" | "or", [_, _, *_]:
                joint = f" {op.upper()} "
                return f"({joint.join(self.predicate(one, at[n]) for n, one in enumerate(args))})"
            case "not", [one]:
                return f"(NOT {self.predicate(one, at[0])})"
            case "isNull", [one]:
                return self._is_null(one, at[0])
            case "like", [text, pattern]:
                return self._like(text, pattern, at)
            case "between", [_, _, _]:
                value, low, high = self._compared(args, at, ordered=True)
                return f"({value} BETWEEN {low} AND {high})"
            case "in", [one, list(members)]:
                return self._in(one, members, at)
            case _, [left, right] if op in COMPARISONS:
                first, second = self._compared([left, right], at, ordered=op not in ("=", "<>"))
                return f"({first} {op} {second})"
            case _, [left, right] if op in SPATIAL:
                return self._relation(op, left, right, at)
            case _, [left, right] if op in RELATIONS:
                return self._intervals(op, left, right, at)
            case _, [left, right] if op in ARRAYS:
                return (
                    f"({ARRAYS[op].format(self.values.texts(left, at[0]), self.values.texts(right, at[1]))})"
                )
        raise misused(op, place)

    # Comparisons

    def _compared(self, nodes: list[object], at: list[str], *, ordered: bool) -> list[str]:
        """Return the SQL of operands of one kind; texts that are put in order are so by code point."""
        sides = self._alike(nodes, at)
        collate = ' COLLATE "C"' if ordered and sides[0].kind is Kind.STRING else ""
        return [f"{self.values.sql(one)}{collate}" for one in sides]

    def _alike(self, nodes: list[object], at: list[str]) -> list[Scalar]:
        return self.values.alike([self.values.scalar(one, at[n]) for n, one in enumerate(nodes)], at)

    def _is_null(self, node: object, place: str) -> str:
        match node:
            case {"property": str(name)}:
                return f"({self.values.queryable(name, place).column} IS NULL)"
            case {"op": str(op)} if op in PREDICATES:
                return f"({self.predicate(node, place)} IS NULL)"
        return f"({self.values.sql(self.values.scalar(node, place))} IS NULL)"

    def _like(self, text: object, pattern: object, at: list[str]) -> str:
        left = self.values.scalar(text, at[0])
        if left.kind is not Kind.STRING:
            raise FilterError("kinds-differ", f"LIKE is of a text, not of {described(left.kind)}", at[0])
        return f"({self.values.sql(left)} LIKE {self.values.pattern(pattern, at[1])})"

    def _in(self, one: object, members: list[object], at: list[str]) -> str:
        if not members:
            raise FilterError("arguments", "a list after IN has at least one value", at[1])
        places = [at[0], *(f"{at[1]}/{n}" for n in range(len(members)))]
        left, *rest = self._alike([one, *members], places)
        sql = self.values.sql(left)
        if all(member.value is not None for member in rest):
            return f"({sql} = ANY ({self.values.many(rest)}))"
        return f"({sql} IN ({', '.join(self.values.sql(member) for member in rest)}))"

    # Relations of geometries

    def _relation(self, op: str, left: object, right: object, at: list[str]) -> str:
        self.spatial += 1
        if self.spatial > MOST_SPATIAL:
            raise FilterError(
                "filter-too-large", f"the filter has more than {MOST_SPATIAL} spatial conditions", at[0]
            )
        sides = [self._geometries(one, at[n]) for n, one in enumerate((left, right))]
        if any(len(side) > 1 for side in sides) and op not in ("s_intersects", "s_disjoint"):
            raise FilterError(
                "geometry-collection", "a GEOMETRYCOLLECTION may only intersect or be disjoint", at[0]
            )
        written = [isinstance(one, dict) and "property" not in one for one in (left, right)]
        pairs = [_related(op, (one, other), written) for one in sides[0] for other in sides[1]]
        found = pairs[0] if len(pairs) == 1 else f"({' OR '.join(pairs)})"
        return f"(NOT {found})" if op == "s_disjoint" else found

    def _geometries(self, node: object, place: str) -> list[str]:
        match node:
            case {"property": str(name)}:
                found = self.values.queryable(name, place)
                if found.kind is Kind.GEOMETRY:
                    return [found.column]
                raise FilterError(
                    "kinds-differ", f"{name[:60]!r} is {described(found.kind)}, no geometry", place
                )
            case {"bbox": _} | {"type": _}:
                parts = parts_of(node, self._system, place)
                return [self._geometry(shapely.to_wkb(part)) for part in parts]
        raise FilterError(
            "value-expected", "a geometry is expected here: a property, POINT(...), BBOX(...)", place
        )

    def _geometry(self, wkb: bytes) -> str:
        return f"ST_GeomFromWKB({self.values.bind(wkb, 'bytea')}, 25832)"

    # Relations in time

    def _intervals(self, op: str, left: object, right: object, at: list[str]) -> str:
        sides = [self._ends(one, at[n]) for n, one in enumerate((left, right))]
        kinds = {kind for side in sides for kind, _ in side if kind}
        if len(kinds) > 1:
            raise FilterError("kinds-differ", "dates and moments are not mixed: write TIMESTAMP(...)", at[0])
        if op not in OF_INSTANTS and any(not _is_interval(one) for one in (left, right)):
            raise FilterError(
                "kinds-differ", f"{op.upper()} is of intervals only: INTERVAL(start,end)", at[0]
            )
        cast = "date" if kinds == {Kind.DATE} else "timestamptz"
        (start, end), (other_start, other_end) = [
            [sql or f"{_UNBOUNDED[n]}::{cast}" for n, (_, sql) in enumerate(side)] for side in sides
        ]
        relation = RELATIONS[op].format(s1=start, e1=end, s2=other_start, e2=other_end)
        return f"({relation})"

    def _ends(self, node: object, place: str) -> list[tuple[Kind | None, str]]:
        """Return kind and SQL of start and end; both empty where there is no end."""
        match node:
            case {"interval": [start, end]}:
                within = f"{place}/interval"
                ends = [self._end(start, f"{within}/0"), self._end(end, f"{within}/1")]
                known = [one.value for one in ends if one and one.value is not None]
                if len(known) == 2 and type(known[0]) is type(known[1]) and known[0] > known[1]:  # type: ignore[operator]  # noqa: PLR2004 - both ends
                    raise FilterError("date-invalid", "the interval ends before it begins", place)
                return [(one.kind, self.values.sql(one)) if one else (None, "") for one in ends]
        instant = self._instant(self.values.scalar(node, place), place)
        sql = self.values.sql(instant)
        return [(instant.kind, sql), (instant.kind, sql)]

    def _end(self, node: object, place: str) -> Scalar | None:
        if node == "..":
            return None
        return self._instant(self.values.scalar(node, place), place)

    def _instant(self, scalar: Scalar, place: str) -> Scalar:
        if isinstance(scalar.node, str):
            value, kind = read_instant(scalar.node, place)
            return Scalar(kind, "", value)
        if scalar.kind in (Kind.DATE, Kind.DATETIME):
            return scalar
        raise FilterError("kinds-differ", f"{described(scalar.kind)} is no date, moment or interval", place)


def _related(op: str, sides: tuple[str, str], written: list[bool]) -> str:
    """Return one relation of two geometries, of which those that are written stay the same for every row.

    Touching, crossing and overlapping are worked out anew for each row, 2 ms for a box of thousands of positions. What
    lies away from a written geometry or wholly inside of it does none of that, and is told apart in microseconds.
    """
    one, other = sides
    first = ""
    if op in _DEAR and written[0] != written[1]:
        literal, feature = (one, other) if written[0] else (other, one)
        first = f"ST_Intersects({literal}, {feature}) AND NOT ST_ContainsProperly({literal}, {feature}) AND "
    return f"({one} && {other} AND {first}{SPATIAL[op]}({one}, {other}))"


def _is_interval(node: object) -> bool:
    return isinstance(node, dict) and "interval" in node
