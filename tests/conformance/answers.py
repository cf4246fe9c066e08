"""JSON schemas of answers, written from the standards: OGC 17-069r4 (Features 1), OGC 18-058r1 (2), RFC 7946 (GeoJSON)."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

_TEXT = {"type": "string", "minLength": 1}
_POSITION = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}


def _object(required: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(items: Any, least: int = 0, most: int | None = None) -> dict[str, Any]:  # noqa: ANN401 - a schema
    return {"type": "array", "items": items, "minItems": least} | ({} if most is None else {"maxItems": most})


def _geometry(name: str, coordinates: dict[str, Any]) -> dict[str, Any]:
    return _object("type coordinates", type={"const": name}, coordinates=coordinates)


_LINE = _list(_POSITION, 2)
_RINGS = _list(_list(_POSITION, 4), 1)
_GEOMETRY = {
    "oneOf": [
        _geometry("Point", _POSITION),
        _geometry("MultiPoint", _list(_POSITION)),
        _geometry("LineString", _LINE),
        _geometry("MultiLineString", _list(_LINE)),
        _geometry("Polygon", _RINGS),
        _geometry("MultiPolygon", _list(_RINGS)),
    ]
}
_LINKS = _list(
    _object(
        "href rel type",
        href={**_TEXT, "pattern": "^https?://"},
        rel=_TEXT,
        type=_TEXT,
        title=_TEXT,
        hreflang={"enum": ["da", "en"]},
    ),
    1,
)
_FEATURE = _object(
    "type id geometry properties",
    type={"const": "Feature"},
    id=_TEXT,
    geometry={"oneOf": [{"type": "null"}, _GEOMETRY]},
    properties={"type": "object"},
    links=_LINKS,
)
_CRS = {"type": "string", "pattern": r"^http://www\.opengis\.net/def/crs/(OGC|EPSG)/[0-9.]+/[A-Za-z0-9]+$"}
_COLLECTION = _object(
    "id title description links extent itemType",
    id={"type": "string", "pattern": "^[a-z0-9-]+$"},
    title=_TEXT,
    description=_TEXT,
    keywords=_list(_TEXT),
    links=_LINKS,
    itemType={"enum": ["feature", "record"]},
    extent=_object(
        "",
        spatial=_object("bbox crs", bbox=_list(_list({"type": "number"}, 4, 4), 1), crs=_CRS),
        temporal=_object(
            "interval trs",
            interval=_list(_list({"type": "string", "format": "date-time"}, 2, 2), 1),
            trs={"const": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"},
        ),
    ),
    crs=_list(_CRS, 1),
    storageCrs=_CRS,
)
_SCHEMAS = {
    "landing": _object("title description links", title=_TEXT, description=_TEXT, links=_LINKS),
    "conformance": _object("conformsTo", conformsTo=_list({**_TEXT, "format": "uri"}, 1)),
    "collection": _COLLECTION,
    "collections": _object("links collections", links=_LINKS, collections=_list(_COLLECTION)),
    "feature": _FEATURE,
    "features": _object(
        "type features links timeStamp numberReturned",
        type={"const": "FeatureCollection"},
        features=_list(_FEATURE),
        links=_LINKS,
        timeStamp={"type": "string", "format": "date-time"},
        numberMatched={"type": "integer", "minimum": 0},
        numberReturned={"type": "integer", "minimum": 0},
    ),
}


def check(name: str, document: object) -> None:
    """Fail where an answer is not as the standard has it."""
    faults = [f"{error.json_path}: {error.message[:300]}" for error in _validator(name).iter_errors(document)]
    assert not faults, faults[:5]


@cache
def _validator(name: str) -> Draft202012Validator:
    Draft202012Validator.check_schema(_SCHEMAS[name])
    return Draft202012Validator(_SCHEMAS[name], format_checker=Draft202012Validator.FORMAT_CHECKER)
