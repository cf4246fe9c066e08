"""What a call asks of a collection: its parameters, read strictly into one value.

What is not understood is refused, not ignored: a filter that is passed over would show lines where none were asked for, or
none where there are some.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from starlette.datastructures import QueryParams

from geoapi.moments import moment_of
from geoapi.ogc.collections import Collection, Property
from geoapi.ogc.cql2 import Filter, compile_filter
from geoapi.ogc.crs import CRS84, Bounds, Crs, Ring, box_of, crs_of, unusable
from geoapi.ogc.record_query import RECORDS, Condition, record_conditions
from geoapi.ogc.times import Span, span_of
from geoapi.ogc.values import value_of
from geoapi.parameters import check_names
from ler.errors import RefusedError

DEFAULT_LIMIT: Final = 100
LARGEST_LIMIT: Final = 10_000
LARGEST_OFFSET: Final = 10_000_000
_LONGEST: Final = 20_000
"""Characters of one parameter; a polygon of 500 corners has 15,000."""
MOST_SORTED: Final = 5

ITEMS: Final = frozenset(
    {
        *(
            "f",
            "lang",
            "bbox",
            "bbox-crs",
            "crs",
            "datetime",
            "limit",
            "offset",
            "cursor",
            "sortby",
            "properties",
        ),
        *("skipGeometry", "filter", "filter-lang", "filter-crs"),
    }
)
"""Parameters of every collection's items; besides them, each queryable by its name."""
ITEM: Final = frozenset({"f", "lang", "crs", "properties", "skipGeometry"})
PINNED: Final = "as-of"
"""The parameter of collections of which older versions can be read."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """By what items are sorted."""

    property: Property
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a collection."""

    collection: Collection
    crs: Crs = CRS84
    box: Ring | None = None
    """In EPSG:25832; empty: nowhere."""
    span: Span | None = None
    filter: Filter | None = None
    equal: Mapping[str, str] = field(default_factory=dict)
    """Queryable -> the value that it must have."""
    sorting: tuple[Sorting, ...] = ()
    properties: tuple[Property, ...] = ()
    """Those that are told."""
    geometry: bool = True
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    after: tuple[Any, ...] | None = None
    """The key after which the page begins."""
    as_of: Any = None
    """A time or the number of a version."""
    further: tuple[Condition, ...] = ()
    item: str | None = None
    """The one feature that is asked for."""

    @property
    def narrowed(self) -> bool:
        """Whether it asks for some of the features."""
        return bool(
            self.box is not None or self.span or self.filter or self.equal or self.item or self.further
        )


def items_query(collection: Collection, given: QueryParams, coverage: Bounds) -> Query:
    """Return what the parameters of `items` ask for; a problem that names each that cannot be used."""
    queryables = collection.queryables
    asked = ITEMS | (RECORDS if collection.record else frozenset())
    known = asked | ({PINNED} if collection.pinned else set()) | ({*queryables} - {"geom"})
    check_known(given, known)
    box_crs = crs_of(given["bbox-crs"], "bbox-crs") if "bbox-crs" in given else CRS84
    return Query(
        collection,
        **_shown(collection, given),
        box=box_of(given["bbox"], box_crs, coverage) if "bbox" in given else None,
        span=span_of(given["datetime"]) if "datetime" in given else None,
        filter=_filter(collection, given),
        equal={name: given[name] for name in queryables if name in given and name not in asked},
        further=record_conditions(given) if collection.record else (),
        sorting=_sorting(collection, given.get("sortby")),
        limit=_whole(given, "limit", DEFAULT_LIMIT, 1, None),
        offset=_whole(given, "offset", 0, 0, LARGEST_OFFSET),
        after=_place(collection, given["cursor"]) if "cursor" in given else None,
        as_of=_moment(given[PINNED]) if PINNED in given else None,
    )


def item_query(collection: Collection, item: str, given: QueryParams) -> Query:
    """Return what the parameters of one item ask for."""
    check_known(given, ITEM | ({PINNED} if collection.pinned else set()))
    as_of = _moment(given[PINNED]) if PINNED in given else None
    return Query(collection, **_shown(collection, given), item=item, limit=1, as_of=as_of)


def tile_query(collection: Collection, given: QueryParams) -> Query:
    """Return what the parameters of a tile ask for."""
    check_known(given, {"f"} | ({PINNED} if collection.pinned else set()))
    return Query(collection, as_of=_moment(given[PINNED]) if PINNED in given else None)


def check_known(given: QueryParams, known: frozenset[str] | set[str]) -> None:
    """Refuse parameters that there are not, those that are given twice, and those that are too long."""
    check_names(given, known)
    for name, value in given.items():
        if len(value) > _LONGEST or "\x00" in value:
            raise unusable(name, f"at most {_LONGEST} characters are taken, and none of them NUL")


def cursor_of(key: list[Any]) -> str:
    """Return the word for the place after a key."""
    return urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def _shown(collection: Collection, given: QueryParams) -> dict[str, Any]:
    """What is told of each feature."""
    by_name = collection.by_name
    wanted = given["properties"].split(",") if "properties" in given else [*by_name]
    unknown = [name for name in wanted if name not in by_name]
    if unknown and wanted != [""]:
        raise unusable("properties", f"there is no property {unknown[0][:100]}")
    geometry = given.get("skipGeometry", "false")
    if geometry not in {"true", "false"}:
        raise unusable("skipGeometry", "it is true or false")
    return {
        "crs": crs_of(given["crs"]) if "crs" in given else CRS84,
        "properties": tuple(by_name[name] for name in wanted if name in by_name),
        "geometry": geometry == "false",
    }


def _filter(collection: Collection, given: QueryParams) -> Filter | None:
    if "filter" not in given:
        for name in ("filter-lang", "filter-crs"):
            if name in given:
                raise unusable(name, "it goes with a filter")
        return None
    lang: Literal["cql2-text", "cql2-json"]
    match given.get("filter-lang", "cql2-text"):
        case "cql2-text" | "cql-text":  # the draft's name, by which GDAL asks
            lang = "cql2-text"
        case "cql2-json":
            lang = "cql2-json"
        case _:
            raise unusable("filter-lang", "it is cql2-text or cql2-json")
    crs = crs_of(given["filter-crs"], "filter-crs") if "filter-crs" in given else CRS84
    return compile_filter(given["filter"], collection.queryables, lang=lang, crs=crs.uri)


def _sorting(collection: Collection, given: str | None) -> tuple[Sorting, ...]:
    if given is None:
        return ()
    by_name = collection.sortables
    found = []
    for part in given.split(","):
        name = part.lstrip("+- ") if part[:1] in {"+", "-", " "} else part
        if name not in by_name:
            raise unusable("sortby", f"there is no sortable property {name[:100]}")
        found.append(Sorting(by_name[name], part.startswith("-")))
    if len(found) > MOST_SORTED or len({one.property.name for one in found}) < len(found):
        raise unusable("sortby", f"at most {MOST_SORTED} properties, each once")
    return tuple(found)


def _whole(given: QueryParams, name: str, default: int, least: int, most: int | None) -> int:
    """A whole number; `limit` may ask for more than is given (Features 1, requirement 21)."""
    if name not in given:
        return default
    text = given[name]
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < least:  # noqa: PLR2004 - fits a bigint
        raise unusable(name, f"a whole number from {least} on is wanted")
    if most is not None and int(text) > most:
        raise unusable(name, f"at most {most}; use the links `next` instead")
    return min(int(text), LARGEST_LIMIT) if most is None else int(text)


def _place(collection: Collection, given: str) -> tuple[Any, ...]:
    try:
        found = json.loads(urlsafe_b64decode(given + "=" * (-len(given) % 4)))
        return tuple(
            value_of(kind, str(one)) for (_, kind), one in zip(collection.key, list(found), strict=True)
        )
    except (ValueError, TypeError, RecursionError):
        raise unusable("cursor", "it is none of ours") from None


def _moment(given: str) -> Any:  # noqa: ANN401 - a time or the number of a version
    try:
        return moment_of(given)
    except RefusedError as error:
        raise unusable(PINNED, str(error)) from None
