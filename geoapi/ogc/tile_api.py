"""Tiles and styles in the API's own description (OpenAPI 3.0), with the names of operations that the standard asks for."""

from typing import Any, Final

from geoapi.ogc.collections import Collection
from geoapi.ogc.links import JSON
from geoapi.ogc.tile_matrix_sets import tile_matrix_sets

MVT: Final = "application/vnd.mapbox-vector-tile"
MAPLIBRE: Final = "application/vnd.mapbox.style+json"
SLD: Final = "application/vnd.ogc.sld+xml;version=1.1"
QML: Final = "application/vnd.qgis.qml+xml"
_COLLECTIONS: Final = {
    "name": "collections",
    "in": "query",
    "required": False,
    "description": "The collections that are its layers; absent: all that the caller sees",
    "style": "form",
    "explode": False,
    "schema": {"type": "array", "items": {"type": "string"}},
}


def tile_paths(visible: tuple[Collection, ...]) -> dict[str, Any]:
    """Return the paths of tiles, sets of tiles and tile matrix sets; `visible` are the collections that are named."""
    tms = _path("tileMatrixSetId", enum=[*tile_matrix_sets()])
    matrix = _path("tileMatrix", description="The step of the set, from 0")
    place = [matrix, *(_path(name, kind="integer", minimum=0) for name in ("tileRow", "tileCol"))]
    name = _path("collectionId", enum=[one.name for one in visible if one.geometry != "none"])
    found = {
        "/tileMatrixSets": _get("The tile matrix sets", "getTileMatrixSetsList", JSON),
        "/tileMatrixSets/{tileMatrixSetId}": _get("A tile matrix set", "getTileMatrixSet", JSON, tms),
    }
    for start, what, more in (
        ("", "dataset", [_COLLECTIONS]),
        ("/collections/{collectionId}", "collection", []),
    ):
        of = [] if what == "dataset" else [name]
        sets, one = f"{start}/tiles", f"{start}/tiles/{{tileMatrixSetId}}"
        operation = f"{what}.vector"
        found[sets] = _get("The sets of vector tiles", f"{operation}.getTileSetsList", JSON, *of)
        found[one] = _get("A set of vector tiles", f"{operation}.getTileSet", JSON, *of, tms, *more)
        path = f"{one}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
        found[path] = _get("A vector tile", f"{operation}.getTile", MVT, *of, tms, *place, *more)
        found[path]["get"]["responses"]["204"] = {"description": "There is nothing in it"}
    return found


def style_paths(visible: tuple[Collection, ...]) -> dict[str, Any]:
    """Return the paths of styles; `visible` are the collections that are named."""
    style = _path("styleId")
    name = _path("collectionId", enum=[one.name for one in visible if one.geometry != "none"])
    of_collection = _get("A style of a collection", "collection.getStyle", MAPLIBRE, name, style)
    of_collection["get"]["responses"]["200"]["content"] |= {SLD: {}, QML: {}}
    of_all = _get("A style of all that the caller sees", "getStyle", MAPLIBRE, style)
    of_all["get"]["responses"]["200"]["content"] |= {SLD: {}}
    return {
        "/styles": _get("The styles", "getStyles", JSON),
        "/styles/{styleId}": of_all,
        "/collections/{collectionId}/styles": _get("Its styles", "collection.getStyles", JSON, name),
        "/collections/{collectionId}/styles/{styleId}": of_collection,
    }


def _get(summary: str, operation: str, media_type: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    responses = {"200": {"description": summary, "content": {media_type: {}}}}
    responses |= {status: {"description": text} for status, text in _REFUSALS.items()}
    return {
        "get": {
            "summary": summary,
            "operationId": operation,
            "parameters": [*parameters],
            "responses": responses,
        }
    }


_REFUSALS: Final = {
    "400": "A parameter cannot be used",
    "401": "A token is wanted",
    "404": "There is no such thing, for this caller",
}


def _path(
    name: str,
    *,
    kind: str = "string",
    description: str | None = None,
    **schema: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    told = {"name": name, "in": "path", "required": True, "schema": {"type": kind, **schema}}
    return told if description is None else told | {"description": description}
