"""What describes tiles: sets of tiles of a collection and of all that a caller sees, and the grids that they lie in.

What pygeoapi says of these is not used: it has no limits, no layers and no tiles of the whole, and its addresses of tile
matrix sets lead nowhere.
"""

from collections.abc import Callable
from typing import Any, Final

from anyio import from_thread
from fastapi import Request, Response
from starlette.routing import Route

from geoapi.ogc.collections import Collection
from geoapi.ogc.crs import CRS84, STORAGE_SRID, transformer
from geoapi.ogc.endpoint import PAGE, route
from geoapi.ogc.formats import JSON, MVT, PAGES, format_of
from geoapi.ogc.html import words
from geoapi.ogc.links import TILING_SCHEME, link
from geoapi.ogc.schemas import property_schema
from geoapi.ogc.site import check_visible, collection_of, gate_of, language, root_of
from geoapi.ogc.tags import document_answer
from geoapi.ogc.tile_matrix_sets import (
    TileMatrixSet,
    described,
    limits_of,
    listed,
    tile_matrix_set,
    tile_matrix_sets,
)
from geoapi.ogc.tile_statement import told_properties
from geoapi.ogc.tiles import COLLECTIONS, chosen_collections, drawable
from geoapi.platform import platform_of
from geoapi.problems import Language

_DIMENSIONS: Final = {"point": 0, "line": 1, "polygon": 2}
_PLACE: Final = "{tileMatrix}/{tileRow}/{tileCol}"
_TITLES: Final[dict[Language, str]] = {"en": "Everything that you see", "da": "Alt, hvad du kan se"}


def _tilesets(request: Request) -> dict[str, Any]:
    collection = _visible(request)
    title = collection.titles[language(request)]
    return _list(request, f"{root_of(request)}/collections/{collection.name}", title)


def _tileset(request: Request) -> dict[str, Any]:
    collection = _visible(request)
    address = f"{root_of(request)}/collections/{collection.name}"
    return _one(request, address, collection.titles[language(request)], (collection,))


def _dataset_tilesets(request: Request) -> dict[str, Any]:
    gate_of(request).read(request)
    return _list(request, root_of(request), _TITLES[language(request)])


def _dataset_tileset(request: Request) -> dict[str, Any]:
    collections = from_thread.run(chosen_collections, request)
    caller = gate_of(request).read(request).caller
    for one in collections:
        check_visible(request, one, caller)
    return _one(request, root_of(request), _TITLES[language(request)], collections)


def _sets(request: Request) -> dict[str, Any]:
    gate_of(request).read(request)
    return listed(root_of(request), language(request))


def _set(request: Request) -> dict[str, Any]:
    gate_of(request).read(request)
    return described(_tms(request), root_of(request), language(request))


def _visible(request: Request) -> Collection:
    collection = collection_of(request, request.path_params["name"])
    check_visible(request, collection, gate_of(request).read(request).caller)
    return drawable(collection)


def _tms(request: Request) -> TileMatrixSet:
    return tile_matrix_set(request.path_params["tms"])


def _list(request: Request, address: str, title: str) -> dict[str, Any]:
    """The sets of tiles of a resource. No template of tiles: clients of the standard's tests call each link as it is."""
    root = root_of(request)
    told = [
        _about(root, one, title)
        | {"links": _links(root, f"{address}/tiles/{one.id}", one, language(request))}
        for one in tile_matrix_sets().values()
    ]
    return {"tilesets": told, "links": [link("self", f"{address}/tiles", JSON, language(request), told=True)]}


def _one(request: Request, address: str, title: str, collections: tuple[Collection, ...]) -> dict[str, Any]:
    tms, root = _tms(request), root_of(request)
    coverage = platform_of(request).settings.coverage
    here = f"{address}/tiles/{tms.id}"
    chosen = request.query_params.get(COLLECTIONS)
    query = f"?{COLLECTIONS}={chosen}&f=mvt" if chosen is not None else "?f=mvt"
    west, south, east, north = transformer(STORAGE_SRID, CRS84.srid).transform_bounds(*coverage)
    item = link("item", f"{here}/{_PLACE}{query}", MVT, language(request)) | {"templated": True}
    return _about(root, tms, title) | {
        "tileMatrixSetLimits": [one.described for one in limits_of(tms, coverage).values()],
        "boundingBox": {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84.uri},
        "layers": [_layer(root, one, language(request)) for one in collections],
        "links": [*_links(root, here, tms, language(request)), item],
    }


def _about(root: str, tms: TileMatrixSet, title: str) -> dict[str, Any]:
    return {
        "title": f"{title} ({tms.id})",
        "dataType": "vector",
        "crs": tms.crs.uri,
        "tileMatrixSetURI": tms.uri_at(root),
    }


def _links(root: str, here: str, tms: TileMatrixSet, told_in: Language) -> list[dict[str, str]]:
    return [
        link("self", here, JSON, told_in, told=True),
        link(TILING_SCHEME, tms.address(root), JSON, told_in, told=True),
    ]


def _layer(root: str, one: Collection, told_in: Language) -> dict[str, Any]:
    properties = {"id": {"type": "string"}} | {
        each.name: property_schema(each, told_in) for each in told_properties(one)
    }
    layer: dict[str, Any] = {
        "id": one.name,
        "title": one.titles[told_in],
        "dataType": "vector",
        "links": [link("geodata", f"{root}/collections/{one.name}", JSON, told_in, told=True)],
        "propertiesSchema": {"type": "object", "properties": properties},
    }
    if one.geometry in _DIMENSIONS:
        layer["geometryDimension"] = _DIMENSIONS[one.geometry]
    return layer


def _title(request: Request) -> str:
    said = words(language(request))
    return str(said.tile_matrix_sets_title if "/tileMatrixSets" in request.url.path else said.tiles_title)


def _route(path: str, tell: Callable[[Request], dict[str, Any]], *more: str) -> Route:
    def answer(request: Request) -> Response:
        return document_answer(request, tell(request), format_of(request, PAGES), _title(request))

    return route(path, answer, known=PAGE | {*more})


ROUTES: Final = (
    _route("/tileMatrixSets", _sets),
    _route("/tileMatrixSets/{tms}", _set),
    _route("/tiles", _dataset_tilesets),
    _route("/tiles/{tms}", _dataset_tileset, COLLECTIONS),
    _route("/collections/{name}/tiles", _tilesets),
    _route("/collections/{name}/tiles/{tms}", _tileset),
)
