"""JSON schemas of collections (Features 3 and 5): what a feature says, and what filters may name."""

from typing import Any, Final

from geoapi.ogc.collections import GEOMETRY, Collection, Property
from geoapi.ogc.cql2 import Kind
from geoapi.ogc.cql2.schema import TYPES
from geoapi.problems import Language

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_OBJECT: Final = {"type": "object"}
_FORMATS: Final = {
    "point": "geometry-point",
    "line": "geometry-linestring",
    "polygon": "geometry-polygon",
    "any": "geometry-any",
}


def property_schema(one: Property, language: Language) -> dict[str, Any]:
    """Return the schema of a property, with its title, unit (UCUM) and codes."""
    schema: dict[str, Any] = {
        "title": one.titles[language],
        **(_OBJECT if one.kind is None else TYPES[one.kind]),
    }
    if one.unit:
        schema |= {"x-ogc-unit": one.unit}
    if one.codes and one.kind is Kind.STRINGS:
        schema["items"] = {"type": "string", "enum": [*one.codes]}
    elif one.codes:
        schema["enum"] = [*one.codes]
    return schema


def feature_schema(collection: Collection, address: str, language: Language) -> dict[str, Any]:
    """Return the schema of the features of a collection (Features 5), for answers: `id` is read only."""
    # What GeoJSON calls id stands here by its role; LER has an attribute of that name.
    taken = any(one.name == "id" for one in collection.properties)
    properties: dict[str, Any] = {
        "feature_id" if taken else "id": {"type": "string", "x-ogc-role": "id", "readOnly": True},
        **_geometry(collection),
    }
    roles = _roles(collection)
    for one in collection.properties:
        properties[one.name] = property_schema(one, language) | roles.get(one.column, {})
    return _document(collection, f"{address}/schema", language, properties) | {
        "additionalProperties": collection.record
    }


def queryables_schema(collection: Collection, address: str, language: Language) -> dict[str, Any]:
    """Return the schema of what filters may name (Features 3): there is nothing else."""
    properties = _geometry(collection) | {
        one.name: property_schema(one, language) for one in collection.properties if one.kind is not None
    }
    return _document(collection, f"{address}/queryables", language, properties) | {
        "additionalProperties": False
    }


def sortables_schema(collection: Collection, address: str, language: Language) -> dict[str, Any]:
    """Return the schema of what features may be sorted by (Features 5): there is nothing else."""
    properties = {name: property_schema(one, language) for name, one in collection.sortables.items()}
    return _document(collection, f"{address}/sortables", language, properties) | {
        "additionalProperties": False
    }


def _roles(collection: Collection) -> dict[str, dict[str, str]]:
    """The roles of the columns by which `datetime` selects, where they are told as properties."""
    match collection.time:
        case ():
            return {}
        case (moment,):
            return {f"f.{moment}": {"x-ogc-role": "primary-instant"}}
        case (start, end):
            return {
                f"f.{start}": {"x-ogc-role": "primary-interval-start"},
                f"f.{end}": {"x-ogc-role": "primary-interval-end"},
            }
    raise ValueError(f"{collection.name} has more times than a start and an end")


def _geometry(collection: Collection) -> dict[str, Any]:
    if collection.geometry == "none":
        return {}
    return {GEOMETRY: {"x-ogc-role": "primary-geometry", "format": _FORMATS[collection.geometry]}}


def _document(
    collection: Collection, address: str, language: Language, properties: dict[str, Any]
) -> dict[str, Any]:
    return {
        "$schema": _DRAFT,
        "$id": address,
        "type": "object",
        "title": collection.titles[language],
        "description": collection.descriptions[language],
        "properties": properties,
    }
