"""Features as pages: a map of those on the page, a table with their values, a form that selects, and the pages beside it.

The form works by GET; a field that is left empty is not asked for. Coordinates are told in EPSG:25832, by which the map is
drawn.
"""

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import Any, Final
from urllib.parse import quote

from geoapi.ogc.collections import Property
from geoapi.ogc.cql2 import Kind
from geoapi.ogc.crs import OFFERED, STORAGE
from geoapi.ogc.html import html_page, words
from geoapi.ogc.links import addressed
from geoapi.ogc.offered import formats_of_item, formats_of_items
from geoapi.ogc.query import ITEMS, Query
from geoapi.ogc.site import language, root_of
from geoapi.ogc.statement import feature_text
from geoapi.ogc.svg_map import draw
from geoapi.ogc.writers import Body, Page, Writer, crs_header

_SYSTEMS: Final = [
    {"uri": one.uri, "name": ":".join(one.uri.split("/")[-3::2])} for one in OFFERED if not one.heights
]


def _items(page: Page) -> Body:
    request, query = page.request, page.query
    collection, told_in = query.collection, language(request)
    said = words(told_in)
    features = page.listed
    columns = [
        one for one in query.properties if any(each["properties"][one.name] is not None for each in features)
    ]
    here = f"{root_of(request)}/collections/{collection.name}/items"
    fields = [*_fields(query)]
    counts = {"returned": page.returned, "matched": page.matched}
    values = {
        "title": collection.titles[told_in],
        "collection": collection,
        "action": here,
        "given": request.query_params,
        "narrowed": query.narrowed or bool(request.query_params.get("q")),
        "fields": fields,
        "systems": _SYSTEMS,
        "counted": (said.returned if page.matched is None else said.matched).format(**counts),
        "paging": [*_paging(page, here)],
        "columns": columns,
        "rows": [
            {
                "id": one["id"],
                "href": f"{here}/{quote(one['id'], safe='')}",
                "cells": [_cell(one["properties"][column.name]) for column in columns],
            }
            for one in features
        ],
        "map": draw(collection, features, escape(said.map.format(len(features))), told_in),
    }
    content, headers = html_page(request, "items", told_in, values, formats_of_items(collection))
    return content, headers | crs_header(query.crs)


def _item(page: Page) -> Body:
    request, collection, told_in = page.request, page.query.collection, language(page.request)
    feature = page.listed[0]
    told = feature["properties"]
    values = {
        "title": f"{collection.titles[told_in]}: {feature['id']}",
        "collection": collection,
        "id": feature["id"],
        "told": [(one, _cell(told[one.name])) for one in page.query.properties if told[one.name] is not None],
        "map": draw(collection, [feature], escape(words(told_in).map.format(1)), told_in),
    }
    content, headers = html_page(request, "item", told_in, values, formats_of_item(collection))
    return content, headers | crs_header(page.query.crs)


def _fields(query: Query) -> Iterator[Property]:
    """What the form asks for besides place and time: what can be typed, or chosen from a list."""
    for one in query.collection.properties:
        if one.kind not in {None, Kind.STRINGS} and one.name not in ITEMS:
            yield one


def _paging(page: Page, here: str) -> Iterator[dict[str, str]]:
    """Links to the first page, the one before and the next one."""
    said = words(language(page.request))
    given = {name: value for name, value in page.request.query_params.items() if value}
    if "cursor" in given or "offset" in given:
        first = {name: value for name, value in given.items() if name not in {"cursor", "offset"}}
        yield {"href": addressed(here, first), "title": said.first, "rel": "first"}
    titles = {"prev": said.prev, "next": said.next}
    for one in page.links:
        if one["rel"] in titles:
            yield {"href": one["href"], "title": titles[one["rel"]], "rel": one["rel"]}


def _cell(value: Any) -> str:  # noqa: ANN401 - as JSON has it
    match value:
        case None:
            return ""
        case list():
            return ", ".join(map(_cell, value))
        case dict():
            return "; ".join(f"{name}: {_cell(one)}" for name, one in value.items())
    return str(value)


def _prepared(query: Query) -> Query:
    return replace(query, crs=STORAGE)


HTML_WRITER: Final = Writer(feature_text, _items, _item, _prepared)
