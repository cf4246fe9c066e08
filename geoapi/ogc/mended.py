"""What pygeoapi says of the service and its collections, mended.

It names formats that are not served (JSON-LD), services that are elsewhere or nowhere, and schemas by addresses with
a format in them; it has no sortables, its titles of links are English, it gives systems of coordinates to what has no
place and none to records. Each mend stands with its reason in `docs/reference/ogc-api.md`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from geoapi.ogc.collections import Collection
from geoapi.ogc.crs import CRS84, OFFERED, STORAGE
from geoapi.ogc.engine import Box, said_of_collections, said_of_service
from geoapi.ogc.formats import JSON, OPENAPI, PAGES, SCHEMA, Format
from geoapi.ogc.links import (
    CONFORMANCE,
    JOB_LIST,
    PROCESSES,
    QUERYABLES,
    SCHEMA_OF,
    SORTABLES,
    STYLES,
    TILESETS,
    TILING_SCHEMES,
    link,
    own_links,
)
from geoapi.ogc.offered import formats_of_items
from geoapi.problems import Language

_GREGORIAN: Final = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


@dataclass(frozen=True, slots=True)
class Extent:
    """Where and when the features of a collection are, as far as it is told."""

    box: Box | None = None
    """West, south, east, north in CRS84."""
    interval: tuple[datetime | date, datetime | date] | None = None


def landing(root: str, chosen: Format, language: Language) -> dict[str, Any]:
    """Return the landing page."""
    said = json.loads(said_of_service(root, language))
    links = [
        *own_links(root, {}, chosen, PAGES, language),
        link("service-desc", f"{root}/openapi", OPENAPI, language, told=True),
        # Features 1 names the relation by a word, Processes 1 by an address.
        link("conformance", f"{root}/conformance", JSON, language),
        link(CONFORMANCE, f"{root}/conformance", JSON, language),
        link("data", f"{root}/collections", JSON, language, told=True),
        link(TILESETS, f"{root}/tiles", JSON, language, told=True),
        link(TILING_SCHEMES, f"{root}/tileMatrixSets", JSON, language, told=True),
        link(STYLES, f"{root}/styles", JSON, language, told=True),
        link(PROCESSES, f"{root}/processes", JSON, language, told=True),
        link(JOB_LIST, f"{root}/jobs", JSON, language),
    ]
    return {"title": said["title"], "description": said["description"], "links": links}


def collections(
    root: str,
    visible: tuple[Collection, ...],
    extents: Mapping[str, Extent],
    chosen: Format,
    language: Language,
) -> dict[str, Any]:
    """Return the list of collections."""
    return {
        "links": own_links(f"{root}/collections", {}, chosen, PAGES, language),
        "collections": [*_described(root, visible, extents, chosen, language)],
    }


def collection(
    root: str, one: Collection, extent: Extent, chosen: Format, language: Language
) -> dict[str, Any]:
    """Return the description of one collection."""
    return next(_described(root, (one,), {one.name: extent}, chosen, language))


def _described(
    root: str,
    visible: tuple[Collection, ...],
    extents: Mapping[str, Extent],
    chosen: Format,
    language: Language,
) -> Iterator[dict[str, Any]]:
    said = json.loads(said_of_collections(root, visible, language))["collections"]
    for one, told in zip(visible, said, strict=True):
        found = {name: told[name] for name in ("id", "title", "description", "keywords", "itemType")}
        if one.geometry != "none":
            found |= {"crs": [crs.uri for crs in OFFERED], "storageCrs": STORAGE.uri}
        yield found | {
            "extent": _extent(extents.get(one.name, Extent())),
            "links": _links(root, one, chosen, language),
        }


def _links(root: str, one: Collection, chosen: Format, language: Language) -> list[dict[str, str]]:
    address = f"{root}/collections/{one.name}"
    return [
        *own_links(address, {}, chosen, PAGES, language),
        link("root", root, JSON, language, told=True),
        *_items(address, formats_of_items(one), language),
        link(SCHEMA_OF, f"{address}/schema", SCHEMA, language, told=True),
        link(QUERYABLES, f"{address}/queryables", SCHEMA, language, told=True),
        link(SORTABLES, f"{address}/sortables", SCHEMA, language, told=True),
        *(_drawn(address, language) if one.drawn else ()),
    ]


def _drawn(address: str, language: Language) -> Iterator[dict[str, str]]:
    yield link(TILESETS, f"{address}/tiles", JSON, language, told=True)
    yield link(STYLES, f"{address}/styles", JSON, language, told=True)


def _items(address: str, offered: Sequence[Format], language: Language) -> Iterator[dict[str, str]]:
    for one in offered:
        href = f"{address}/items" if one is offered[0] else f"{address}/items?f={one.name}"
        yield link("items", href, one.media_type, language, format_=one.title)


def _extent(one: Extent) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if one.box:
        found["spatial"] = {"bbox": [[*one.box]], "crs": CRS84.uri}
    if one.interval:
        first, last = one.interval
        # A day begins with its first second and lasts until its last one.
        told = [_moment(first, time.min), _moment(last, time(23, 59, 59))]
        found["temporal"] = {"interval": [told], "trs": _GREGORIAN}
    return found


def _moment(told: datetime | date, at: time) -> str:
    moment = told if isinstance(told, datetime) else datetime.combine(told, at, UTC)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
