"""Tiles and styles in the API's own description, with the names of operations that OGC API Tiles asks for."""

from typing import Any, Final

from geoapi.ogc.collections import Collection
from geoapi.ogc.formats import HTML, JSON, MAPLIBRE, MVT, QLR, QML, SLD
from geoapi.ogc.openapi_operation import Node, operation
from geoapi.ogc.openapi_parameters import reference
from geoapi.ogc.openapi_texts import words
from geoapi.ogc.query import PINNED
from geoapi.ogc.tile_matrix_sets import tile_matrix_sets
from geoapi.problems import Language

_ANY: Final[Node] = {"schema": {"type": "object"}}
_BYTES: Final[Node] = {"schema": {"type": "string", "format": "binary"}}
_TEXT: Final[Node] = {"schema": {"type": "string"}}


def tile_paths(visible: tuple[Collection, ...], language: Language) -> Node:
    """Return the paths of tiles, sets of tiles and tile matrix sets."""
    tms = _path("tileMatrixSetId", language, enum=[*tile_matrix_sets()])
    place = [_path("tileMatrix", language), _whole("tileRow", language), _whole("tileCol", language)]
    chosen = _query("collections", {"type": "array", "items": {"type": "string"}}, language)
    found = {
        "/tileMatrixSets": _page("getTileMatrixSetsList", language),
        "/tileMatrixSets/{tileMatrixSetId}": _page("getTileMatrixSet", language, tms),
        **_tiles("", "dataset", language, given=[tms], place=place, more=[chosen]),
    }
    if any(one.drawn for one in visible):
        given = [reference("collectionId"), tms]
        path = "/collections/{collectionId}"
        found |= _tiles(path, "collection", language, given=given, place=place, more=[])
        found[f"{path}{_TILE}"]["get"]["parameters"].append(reference(PINNED))
    return found


def style_paths(visible: tuple[Collection, ...], language: Language) -> Node:
    """Return the paths of styles."""
    style = _path("styleId", language)
    f = _query("f", {"type": "string", "enum": ["mapbox", "sld"], "default": "mapbox"}, language)
    written: Node = {MAPLIBRE: _ANY, SLD: _TEXT}
    found = {
        "/styles": _page("getStyles", language),
        "/styles/{styleId}": _operation("getStyle", written, language, style, f),
        "/package.qlr": _operation(
            "getLayerDefinition",
            {QLR: _TEXT},
            language,
            _query("authcfg", {"type": "string", "pattern": "^[a-z0-9]{7}$"}, language),
            _query("theme", {"type": "string"}, language),
            reference("lang"),
        ),
    }
    if any(one.drawn for one in visible):
        name = reference("collectionId")
        f = _query("f", {"type": "string", "enum": ["mapbox", "sld", "qml"], "default": "mapbox"}, language)
        found |= {
            "/collections/{collectionId}/styles": _page("collection.getStyles", language, name),
            "/collections/{collectionId}/styles/{styleId}": _operation(
                "collection.getStyle", written | {QML: _TEXT}, language, name, style, f
            ),
        }
    return found


_SET: Final = "/tiles/{tileMatrixSetId}"
_TILE: Final = f"{_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"


def _tiles(
    start: str, what: str, language: Language, *, given: list[Node], place: list[Node], more: list[Node]
) -> Node:
    """Sets of tiles, one of them, and its tiles; `given` ends with the parameter of the set."""
    f = _query("f", {"type": "string", "enum": ["mvt"], "default": "mvt"}, language)
    tile = _operation(f"{what}.vector.getTile", {MVT: _BYTES}, language, *given, *place, *more, f)
    tile["get"]["responses"]["204"] = {"description": words("responses", "empty", language)}
    return {
        f"{start}/tiles": _page(f"{what}.vector.getTileSetsList", language, *given[:-1]),
        f"{start}{_SET}": _page(f"{what}.vector.getTileSet", language, *given, *more),
        f"{start}{_TILE}": tile,
    }


def _page(name: str, language: Language, *given: Node) -> Node:
    return _operation(name, {JSON: _ANY, HTML: {}}, language, *given, reference("f"), reference("lang"))


def _operation(name: str, content: Node, language: Language, *given: Node) -> Node:
    summary = words("operations", name.rpartition(".")[2], language)
    return operation(name, summary, language, content, given=[*given])


def _whole(name: str, language: Language) -> Node:
    return _path(name, language) | {"schema": {"type": "integer", "minimum": 0}}


def _path(name: str, language: Language, **schema: Any) -> Node:  # noqa: ANN401 - JSON
    described = words("parameters", name, language)
    told = {"type": "string", **schema}
    return {"name": name, "in": "path", "required": True, "description": described, "schema": told}


def _query(name: str, schema: Node, language: Language) -> Node:
    described = words("parameters", name, language)
    told = {"style": "form", "explode": False, "description": described, "schema": schema}
    return {"name": name, "in": "query", "required": False, **told}
