"""What a collection can be asked for, as a JSON Schema (OGC API - Features Part 3, `queryables`)."""

from collections.abc import Mapping
from typing import Any, Final

from geoapi.ogc.cql2.terms import Kind, Queryable

TYPES: Final[dict[Kind, dict[str, Any]]] = {
    Kind.STRING: {"type": "string"},
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
    Kind.GEOMETRY: {"format": "geometry-any"},
    Kind.STRINGS: {"type": "array", "items": {"type": "string"}},
}
"""The schema of a value of each kind."""


def queryables_schema(queryables: Mapping[str, Queryable], *, address: str, title: str) -> dict[str, Any]:
    """Return the schema that lies at `address`; the first geometry is the primary one."""
    first = next((name for name, one in queryables.items() if one.kind is Kind.GEOMETRY), None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address,
        "type": "object",
        "title": title,
        "properties": {
            name: ({"title": one.title} if one.title else {})
            | TYPES[one.kind]
            | ({"x-ogc-role": "primary-geometry"} if name == first else {})
            for name, one in queryables.items()
        },
        "additionalProperties": False,
    }
