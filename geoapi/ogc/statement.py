"""A query of a collection as one SQL statement, in which PostGIS writes the features as GeoJSON.

Values are parameters; names and expressions are those of `collections.toml`. How many match is counted up to a bound in
the same pass that finds the page. Where few match, the place or the filter leads, and then the order; where many do, the
order leads, and the page is full before the rest is looked at.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any, Final

from geoapi.ogc.collections import Collection, Property
from geoapi.ogc.cql2 import Kind
from geoapi.ogc.crs import STORAGE_SRID, Crs, Ring, ring_ewkb, unusable
from geoapi.ogc.query import Query
from geoapi.ogc.values import value_of
from ler.db.reading import Statement

MOST_COUNTED: Final = 10_000
"""So many are counted; of more it is not told how many they are (4 ms instead of 260 at a million)."""

_COLUMN: Final = re.compile(r"\bf\.([a-z_][a-z_0-9]*)")

HEIGHTS_KNOWN: Final = "(ST_NDims(f.geom) = 3 AND ST_AsText(f.geom) NOT LIKE '%%NaN%%')"
"""Whether all heights of a feature are known."""


type Written = Callable[[Query], str]
"""What gives the expression by which the row `f` of a feature is written."""


def is_counted(query: Query) -> bool:
    """Whether what a query finds is counted, up to a bound, and not known beforehand."""
    return query.narrowed or query.collection.total is None


def items_statement(query: Query, written: Written, *, of_many: bool = False) -> Statement:
    """Return the statement of a page of features; `of_many`: where more match than are counted.

    Its row: `features`, the text of the array without brackets, or NULL; `returned`; `matched`, NULL where there are
    more than are counted, and then there is no page yet, unless it was asked for `of_many`; `last_key`, of the last feature
    when there are more after it; `tag`.
    """
    collection = query.collection
    conditions, values = _conditions(query)
    after, key_values = _after(query)
    values |= {"limit": query.limit, "more": query.limit + 1, "offset": query.offset} | key_values
    source, order = f"{collection.source} AS f", _order(query)
    found, matched, place = "", "NULL::bigint", [after]
    if not is_counted(query):
        matched, place = f"({collection.total})", [*conditions, after]
    elif of_many:
        # What `IS TRUE` is asked of has no index, so that the order leads.
        place = [f"({' AND '.join(conditions)}) IS TRUE" if conditions else "", after]
    else:
        wanted = _columns_in(written(query), order, _key_texts(collection), after)
        found = f"""WITH found AS MATERIALIZED (SELECT {wanted} FROM {source}{_where(conditions)} LIMIT {MOST_COUNTED + 1}),
            counted AS (SELECT count(*) AS matched FROM found)"""
        source, place = "found AS f", [f"(SELECT c.matched FROM counted AS c) <= {MOST_COUNTED}", after]
        matched = f"(SELECT c.matched FROM counted AS c WHERE c.matched <= {MOST_COUNTED})"
    page = f"SELECT f.* FROM {source}{_where(place)} ORDER BY {order} LIMIT %(more)s OFFSET %(offset)s"
    last = f"string_agg(json_build_array({_key_texts(collection)})::text, '') FILTER (WHERE f.ogc_place = %(limit)s)"
    return Statement(
        f"""
        {found}
        SELECT string_agg({written(query)}, ',' ORDER BY f.ogc_place) FILTER (WHERE f.ogc_place <= %(limit)s) AS features,
            least(count(*), %(limit)s) AS returned, {matched} AS matched,
            CASE WHEN count(*) > %(limit)s THEN ({last})::json END AS last_key, ({collection.tag or "SELECT NULL"}) AS tag
        FROM (SELECT f.*, row_number() OVER (ORDER BY {order}) AS ogc_place FROM ({page}) AS f) AS f
        """,
        values,
    )


def item_statement(query: Query, written: Written) -> Statement:
    """Return the statement of one feature; it gives a row, with its `version`, or none."""
    collection = query.collection
    conditions, values = _conditions(query)
    tag = collection.tag or "SELECT NULL"
    return Statement(
        f"""
        SELECT {written(query)} AS features, 1 AS returned, 1 AS matched, NULL AS last_key, ({tag}) AS tag,
            {collection.version or "NULL"} AS version
        FROM {collection.source} AS f{_where(conditions)} LIMIT 1
        """,
        values,
    )


def tag_statement(collection: Collection) -> Statement | None:
    """Return the statement that says whether anything changed; None where only the answer itself says it."""
    return Statement(f"SELECT ({collection.tag}) AS tag", {}) if collection.tag else None


def feature_text(query: Query) -> str:
    """Return the expression that writes a row as a GeoJSON feature."""
    geometry = f"coalesce({geometry_text(query.crs)}, 'null')" if query.geometry else "'null'"
    if query.collection.geometry == "none":
        geometry = "'null'"
    return (
        f"""'{{"type":"Feature","id":' || to_json({query.collection.id})::text || ',"geometry":' || {geometry}"""
        f""" || ',"properties":' || {properties_text(query.properties)} || '}}'"""
    )


def geometry_text(crs: Crs) -> str:
    """Return the expression that writes `f.geom` in a system; with heights only where all of them are known.

    GeoJSON has no word for a height that nobody knows, and a reader that is given some takes the others for 0.
    """
    flat = f"ST_AsGeoJSON({moved('ST_Force2D(f.geom)', crs)}, {crs.decimals}, 0)"
    if not crs.heights:
        return flat
    return f"CASE WHEN {HEIGHTS_KNOWN} THEN ST_AsGeoJSON(f.geom, {crs.decimals}, 0) ELSE {flat} END"


def moved(geometry: str, crs: Crs) -> str:
    """Return the expression of a geometry in a system, its axes in that system's order."""
    found = geometry if crs.srid == STORAGE_SRID else f"ST_Transform({geometry}, {crs.srid})"
    return f"ST_FlipCoordinates({found})" if crs.flipped else found


def properties_text(properties: tuple[Property, ...]) -> str:
    """Return the expression that writes properties as a JSON object, with null for what has no value."""
    if not properties:
        return "'{}'"
    told = ", ".join(f'{one.column} AS "{one.name}"' for one in properties)
    return f"(SELECT row_to_json(p)::text FROM (SELECT {told}) AS p)"


def _conditions(query: Query) -> tuple[list[str], dict[str, Any]]:
    conditions = [query.collection.where] if query.collection.where else []
    values: dict[str, Any] = {}
    for condition, more in _narrowed(query):
        conditions.append(condition)
        values |= more
    return conditions, values


def _narrowed(query: Query) -> Iterator[tuple[str, dict[str, Any]]]:
    collection = query.collection
    if query.item is not None:
        yield f"{collection.id} = %(item)s", {"item": query.item}
    if query.box is not None and collection.geometry != "none":
        yield _in_place(query.box)
    if query.span:
        yield from _in_time(query)
    for number, (name, value) in enumerate(query.equal.items()):
        queryable = collection.queryables[name]
        yield (
            _equal(queryable.column, queryable.kind, f"e{number}"),
            {f"e{number}": _value(name, queryable.kind, value)},
        )
    for condition, given in query.further:
        yield condition, dict(given)
    if query.filter:
        yield f"({query.filter.sql})", query.filter.values


def _in_place(box: Ring) -> tuple[str, dict[str, Any]]:
    """A feature without a place is in all places (Features 1, requirement 24); so are all of a collection without."""
    if not box:
        return "f.geom IS NULL", {}
    place = "%(box)s::geometry"
    # The box of boxes first: it has an index whatever the rights of the caller are.
    return (
        f"(f.geom && {place} AND ST_Intersects(f.geom, {place}) OR f.geom IS NULL)",
        {"box": ring_ewkb(box)},
    )


def _in_time(query: Query) -> Iterator[tuple[str, dict[str, Any]]]:
    """A feature without a time is in all times (Features 1, requirement 26); so are all of a collection without."""
    time, span = query.collection.time, query.span
    if not time or span is None:
        return
    first, last = f"f.{time[0]}", f"f.{time[-1]}"
    if span.end is not None:
        yield f"({first} IS NULL OR {first} <= %(until)s)", {"until": span.end}
    if span.start is not None:
        # A day lasts until its end.
        bound = f"CASE WHEN pg_typeof({last}) = 'date'::regtype THEN %(from)s::date ELSE %(from)s END"
        yield f"({last} IS NULL OR {last} >= {bound})", {"from": span.start}


def _equal(column: str, kind: Kind, name: str) -> str:
    # The cast makes an array of what else would be a query of rows.
    return f"%({name})s = ANY (({column})::text[])" if kind is Kind.STRINGS else f"{column} = %({name})s"


def _value(name: str, kind: Kind, given: str) -> Any:  # noqa: ANN401 - of the kind
    try:
        return value_of(kind, given)
    except ValueError:
        raise unusable(name, f"a value of kind {kind} is wanted") from None


@cache
def _columns(collection: Collection) -> str:
    return ", ".join(f"f.{column}" for column, _ in collection.key)


@lru_cache(maxsize=256)
def _columns_in(*expressions: str) -> str:
    """The columns of the row `f` that expressions name: what is kept of each row until the page is known."""
    return ", ".join(f"f.{name}" for name in sorted({*_COLUMN.findall(" ".join(expressions))}))


def _order(query: Query) -> str:
    sorted_by = [
        f"{one.property.column} {'DESC NULLS LAST' if one.descending else 'ASC NULLS LAST'}"
        for one in query.sorting
    ]
    return ", ".join([*sorted_by, _columns(query.collection)])


def _key_texts(collection: Collection) -> str:
    return ", ".join(f"f.{column}::text" for column, _ in collection.key)


def _after(query: Query) -> tuple[str, dict[str, Any]]:
    if query.after is None:
        return "", {}
    key = query.collection.key
    values = ", ".join(f"%(k{number})s::{kind}" for number, (_, kind) in enumerate(key))
    condition = f"({_columns(query.collection)}) > ({values})"
    return condition, {f"k{number}": value for number, value in enumerate(query.after)}


def _where(conditions: list[str]) -> str:
    told = [one for one in conditions if one]
    return f" WHERE {' AND '.join(told)}" if told else ""
