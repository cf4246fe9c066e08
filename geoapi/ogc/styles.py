"""OGC API Styles: how the map is drawn, in each theme of the one style source, for MapLibre, SLD and QGIS.

The style of the whole draws the tiles of all that the caller sees; that of a collection its tiles alone. Layers by type of
what was delivered are not drawn in the whole: `package-features` has them all.
"""

import json
from collections.abc import Sequence
from typing import Final

from fastapi import Request, Response

from geoapi.ogc.collections import Collection, visible_collections
from geoapi.ogc.crs import CRS84, STORAGE_SRID, transformer
from geoapi.ogc.endpoint import PAGE, route
from geoapi.ogc.families import feature_type_of
from geoapi.ogc.formats import JSON, MAPLIBRE, PAGES, QML, SLD, Format, format_of
from geoapi.ogc.html import words
from geoapi.ogc.links import link
from geoapi.ogc.site import check_visible, collection_of, gate_of, language, root_of
from geoapi.ogc.tags import answered, content_tag, document_answer
from geoapi.ogc.tiles import drawable
from geoapi.platform import platform_of
from ler.packages.styles import load_styles
from ler.packages.styling.maplibre_tiles import tile_style
from ler.packages.styling.parts import Shape, kind_of_type
from ler.packages.styling.qml import Bands, Layer, labeling, renderer
from ler.packages.styling.sld import sld
from ler.packages.styling.tables import AREA_TABLE, TableStyle, note_style, table_style
from ler.packages.styling.tile_drawing import LER_UTILITY, TileLayer

WHOLE: Final = (Format("mapbox", MAPLIBRE, "MapLibre"), Format("sld", SLD, "SLD 1.1"))
ONE: Final = (*WHOLE, Format("qml", QML, "QGIS"))
DEEPEST: Final = 20
"""The zoom to which clients ask for tiles; a step of these is 5 mm on the ground."""
_BURIED: Final = frozenset({"network", "package-features"})
_SHAPES: Final = {"line": Shape.LINE, "polygon": Shape.AREA, "point": Shape.POINT}


def whole(visible: Sequence[Collection]) -> tuple[Collection, ...]:
    """Return those of the collections that a map of everything draws, lowest first."""
    drawn = [one for one in visible if one.drawn and feature_type_of(one) is None]
    return tuple(sorted(drawn, key=is_buried))


def is_buried(collection: Collection) -> bool:
    """Whether a collection holds lines and components."""
    return collection.name in _BURIED or feature_type_of(collection) is not None


def maplibre_style(request: Request, theme: str, collections: Sequence[Collection], tiles: str) -> bytes:
    """Return the style over the tiles of collections; `tiles` is the address of their set, with its query."""
    address, _, query = tiles.partition("?")
    template = f"{address}/WebMercatorQuad/{{z}}/{{y}}/{{x}}" + (f"?{query}" if query else "")
    coverage = platform_of(request).settings.coverage
    bounds = transformer(STORAGE_SRID, CRS84.srid).transform_bounds(*coverage)
    layers = [tile_layer(theme, one) for one in collections]
    style = tile_style(load_styles(theme), layers, template, bounds, DEEPEST)
    return json.dumps(style, ensure_ascii=False, separators=(",", ":")).encode()


def collection_style(theme: str, collection: Collection, shape: Shape | None = None) -> TableStyle:
    """Return how QGIS draws the features of one shape in a collection; None: of the shape that most of them have."""
    feature_type = feature_type_of(collection)
    if feature_type:
        usual = Shape.POINT if collection.geometry == "any" else Shape.LINE
        return table_style(theme, feature_type, shape or usual, Bands.WITHOUT)
    if is_buried(collection):
        styles, layer = load_styles(theme), Layer(shape or Shape.LINE, bands=Bands.WITHOUT)
        return TableStyle(layer.shape, renderer(styles, layer), labeling(styles, layer))
    if collection.geometry == "polygon":
        return table_style(theme, AREA_TABLE, Shape.AREA)
    return note_style(shape or _SHAPES.get(collection.geometry, Shape.POINT))


def tile_layer(theme: str, collection: Collection) -> TileLayer:
    """Return what the layer of a collection in tiles holds."""
    feature_type = feature_type_of(collection)
    kind = kind_of_type(feature_type, load_styles(theme)) if feature_type else None
    return TileLayer(collection.name, is_buried(collection), collection.utility_type, kind)


def _styles(request: Request) -> Response:
    gate_of(request).read(request)
    return _listed(request, f"{root_of(request)}/styles", WHOLE)


def _collection_styles(request: Request) -> Response:
    collection = _visible(request)
    return _listed(request, f"{root_of(request)}/collections/{collection.name}/styles", ONE)


def _style(request: Request) -> Response:
    theme, chosen = request.path_params["style"], format_of(request, WHOLE)
    load_styles(theme)
    caller = gate_of(request).read(request).caller
    if chosen.name == "sld":
        return _written(request, sld(load_styles(theme), attribute=LER_UTILITY).encode(), chosen)
    collections = whole(visible_collections(caller.scopes if caller else frozenset()))
    tiles = f"{root_of(request)}/tiles"
    if collections:
        tiles += f"?collections={','.join(one.name for one in collections)}"
    return _written(request, maplibre_style(request, theme, collections, tiles), chosen)


def _collection_style(request: Request) -> Response:
    collection = _visible(request)
    theme, chosen = request.path_params["style"], format_of(request, ONE)
    styles = load_styles(theme)
    match chosen.name:
        case "sld":
            content = sld(
                styles, layer=collection.name, attribute=LER_UTILITY, utility=collection.utility_type
            ).encode()
        case "qml":
            content = collection_style(theme, collection).qml.encode()
        case _:
            tiles = f"{root_of(request)}/collections/{collection.name}/tiles"
            content = maplibre_style(request, theme, (collection,), tiles)
    return _written(request, content, chosen)


def _visible(request: Request) -> Collection:
    collection = collection_of(request, request.path_params["name"])
    check_visible(request, collection, gate_of(request).read(request).caller)
    return drawable(collection)


def _listed(request: Request, address: str, formats: Sequence[Format]) -> Response:
    chosen = format_of(request, PAGES)
    told_in = language(request)
    themes = [
        {
            "id": theme,
            "title": {"da": name.da, "en": name.en}[told_in],
            "links": [
                link(
                    "stylesheet",
                    f"{address}/{theme}?f={one.name}",
                    one.media_type,
                    told_in,
                    format_=one.title,
                )
                for one in formats
            ],
        }
        for theme, name in load_styles().themes
    ]
    document = {
        "default": load_styles().theme,
        "styles": themes,
        "links": [link("self", address, JSON, told_in, told=True)],
    }
    return document_answer(request, document, chosen, words(told_in).styles_title)


def _written(request: Request, content: bytes, chosen: Format) -> Response:
    return answered(request, content, content_tag(content), chosen.media_type)


ROUTES: Final = (
    route("/styles", _styles, known=PAGE),
    route("/styles/{style}", _style, known=PAGE),
    route("/collections/{name}/styles", _collection_styles, known=PAGE),
    route("/collections/{name}/styles/{style}", _collection_style, known=PAGE),
)
