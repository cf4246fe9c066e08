"""The answers of the OGC API as OpenAPI describes them: its pages, its problems, and the features of each collection."""

from typing import Any, Final

from geoapi.ogc.collections import Collection, Property
from geoapi.ogc.schemas import property_schema
from geoapi.problems import Language

type Node = dict[str, Any]

_TEXT: Final = {"type": "string"}
_GEOMETRIES: Final = [
    *("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
    "GeometryCollection",
]
_LINKS: Final = {"type": "array", "items": {"$ref": "#/components/schemas/link"}}


def _object(required: str = "", **properties: Node) -> Node:
    found: Node = {"type": "object", "properties": properties}
    return found | ({"required": required.split()} if required else {})


def _list(items: Node, **more: Any) -> Node:  # noqa: ANN401 - keywords of JSON schema
    return {"type": "array", "items": items, **more}


_SHARED: Final[dict[str, Node]] = {
    "link": _object("rel href type", rel=_TEXT, href=_TEXT, type=_TEXT, title=_TEXT, hreflang=_TEXT),
    "landing": _object("title links", title=_TEXT, description=_TEXT, links=_LINKS),
    "conformance": _object("conformsTo", conformsTo=_list(_TEXT)),
    "extent": _object(
        spatial=_object(
            "bbox crs", bbox=_list(_list({"type": "number"}, minItems=4, maxItems=4), minItems=1), crs=_TEXT
        ),
        temporal=_object("interval", interval=_list(_list(_TEXT, minItems=2, maxItems=2)), trs=_TEXT),
    ),
    "collection": _object(
        "id title links itemType",
        id=_TEXT,
        title=_TEXT,
        description=_TEXT,
        keywords=_list(_TEXT),
        links=_LINKS,
        extent={"$ref": "#/components/schemas/extent"},
        itemType={"type": "string", "enum": ["feature", "record"]},
        crs=_list(_TEXT),
        storageCrs=_TEXT,
    ),
    "collections": _object(
        "collections links", links=_LINKS, collections=_list({"$ref": "#/components/schemas/collection"})
    ),
    "document": {"type": "object"},
    "geometry": {
        **_object(
            "type",
            type={"type": "string", "enum": _GEOMETRIES},
            coordinates={"type": "array", "items": {}},
            geometries={"type": "array", "items": {"$ref": "#/components/schemas/geometry"}},
        ),
        "nullable": True,
    },
    "problem": _object(
        "type title status",
        type=_TEXT,
        title=_TEXT,
        status={"type": "integer"},
        detail=_TEXT,
        instance=_TEXT,
        mend=_TEXT,
        errors=_list(_object("code detail", code=_TEXT, detail=_TEXT, pointer=_TEXT)),
        errors_total={"type": "integer"},
    ),
}


def components(visible: tuple[Collection, ...], language: Language) -> Node:
    """Return the schemas of all answers: `feature.NAME` and `features.NAME` for each collection."""
    found = dict(_SHARED)
    for one in visible:
        found[f"feature.{one.name}"] = _feature(one, language)
        found[f"features.{one.name}"] = _features(one)
    return found


def _feature(one: Collection, language: Language) -> Node:
    return _object(
        "type id geometry properties",
        type={"type": "string", "enum": ["Feature"]},
        id=_TEXT,
        geometry={"$ref": "#/components/schemas/geometry"},
        properties={
            "type": "object",
            "properties": {each.name: _nullable(each, language) for each in one.properties},
            # A record says more than what may be asked for.
            "additionalProperties": one.record,
        },
        links=_LINKS,
    )


def _features(one: Collection) -> Node:
    count = {"type": "integer", "minimum": 0}
    return _object(
        "type features links timeStamp numberReturned",
        type={"type": "string", "enum": ["FeatureCollection"]},
        features=_list({"$ref": f"#/components/schemas/feature.{one.name}"}),
        links=_LINKS,
        timeStamp={"type": "string", "format": "date-time"},
        numberMatched=count,
        numberReturned=count,
    )


def _nullable(one: Property, language: Language) -> Node:
    """What has no value is null; of what has a list of values, null must stand in the list."""
    schema = property_schema(one, language) | {"nullable": True}
    return schema | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})
