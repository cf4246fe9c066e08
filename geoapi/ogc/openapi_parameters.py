"""The parameters of the OGC API as OpenAPI describes them: one for each that `geoapi.ogc.query` reads."""

import re
from typing import Any, Final

from geoapi.ogc.collections import GEOMETRY, Collection, Property
from geoapi.ogc.cql2 import Kind
from geoapi.ogc.crs import CRS84, OFFERED
from geoapi.ogc.formats import PAGES, Format
from geoapi.ogc.offered import formats_of_item, formats_of_items
from geoapi.ogc.openapi_texts import words
from geoapi.ogc.query import DEFAULT_LIMIT, ITEM, ITEMS, LARGEST_LIMIT, LARGEST_OFFSET, MOST_SORTED, PINNED
from geoapi.ogc.record_query import RECORDS
from geoapi.ogc.schemas import property_schema
from geoapi.problems import Language

type Node = dict[str, Any]

_CRS: Final = {"type": "string", "format": "uri", "enum": [one.uri for one in OFFERED], "default": CRS84.uri}
_LISTED: Final = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
_QUERY: Final[dict[str, Node]] = {
    "f": {"type": "string", "enum": [one.name for one in PAGES], "default": PAGES[0].name},
    "lang": {"type": "string", "enum": ["da", "en"]},
    "limit": {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
    "offset": {"type": "integer", "minimum": 0, "maximum": LARGEST_OFFSET, "default": 0},
    "cursor": {"type": "string", "minLength": 1},
    "bbox": {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 4,
        "maxItems": 6,
        "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
    },
    **dict.fromkeys(RECORDS, _LISTED),
    "bbox-crs": _CRS,
    "crs": _CRS,
    "datetime": {"type": "string"},
    "skipGeometry": {"type": "boolean", "default": False},
    "filter": {"type": "string"},
    "filter-lang": {"type": "string", "enum": ["cql2-text", "cql2-json", "cql-text"], "default": "cql2-text"},
    "filter-crs": _CRS,
    PINNED: {"type": "string", "minLength": 1},
}
_OWN: Final = frozenset({"f", "sortby", "properties"})
"""Parameters that are different from collection to collection, or from pages to items."""


def reference(name: str) -> Node:
    """Return a reference to a parameter that many operations have."""
    return {"$ref": f"#/components/parameters/{name}"}


def components(visible: tuple[Collection, ...], language: Language) -> Node:
    """Return the parameters that many operations have."""
    found = {name: _query(name, schema, language) for name, schema in _QUERY.items()}
    if visible:
        found["collectionId"] = _path(
            "collectionId", {"type": "string", "enum": [one.name for one in visible]}, language
        )
        found["featureId"] = _path("featureId", {"type": "string", "minLength": 1}, language)
    return found


def items_parameters(one: Collection, language: Language) -> list[Node]:
    """Return the parameters of the items of a collection, its queryables among them."""
    asked = ITEMS | (RECORDS if one.record else frozenset())
    shared = sorted(asked - _OWN) + ([PINNED] if one.pinned else [])
    by_name = {each.name: each for each in one.properties}
    return [
        *(reference(name) for name in shared),
        *_shown(one, formats_of_items(one), language),
        *_sorted_by(one, language),
        *(
            _queryable(by_name[name], language)
            for name in one.queryables
            if name != GEOMETRY and name not in asked
        ),
    ]


def item_parameters(one: Collection, language: Language) -> list[Node]:
    """Return the parameters of one item of a collection."""
    shared = sorted(ITEM - _OWN) + ([PINNED] if one.pinned else [])
    return [
        reference("featureId"),
        *(reference(name) for name in shared),
        *_shown(one, formats_of_item(one), language),
    ]


def _shown(one: Collection, offered: tuple[Format, ...], language: Language) -> list[Node]:
    names = {"type": "string", "enum": [each.name for each in one.properties]}
    formats = {"type": "string", "enum": [each.name for each in offered], "default": offered[0].name}
    return [
        _query("f", formats, language),
        _query("properties", {"type": "array", "items": names, "uniqueItems": True}, language),
    ]


def _sorted_by(one: Collection, language: Language) -> list[Node]:
    if not one.sortables:
        return []
    names = "|".join(re.escape(name) for name in one.sortables)
    schema = {
        "type": "array",
        "items": {"type": "string", "pattern": f"^[+-]?({names})$"},
        "minItems": 1,
        "maxItems": MOST_SORTED,
        "uniqueItems": True,
    }
    return [_query("sortby", schema, language)]


def _queryable(one: Property, language: Language) -> Node:
    schema = property_schema(one, language)
    if one.kind is Kind.STRINGS:
        schema = schema["items"]
    return _query(
        one.name, schema, language, words("parameters", "queryable", language, one.titles[language])
    )


def _query(name: str, schema: Node, language: Language, described: str = "") -> Node:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "style": "form",
        "explode": False,
        "description": described or words("parameters", name, language),
        "schema": schema,
    }


def _path(name: str, schema: Node, language: Language) -> Node:
    described = words("parameters", name, language)
    return {"name": name, "in": "path", "required": True, "description": described, "schema": schema}
