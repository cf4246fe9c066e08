"""All that a caller sees in QGIS, in one step: a layer definition of its collections, styled, over a map of tiles.

The file holds addresses and styles, no data and no token: QGIS asks for the data itself, each time it draws, by the
authentication that `authcfg` names. Collections that are empty are left out, for QGIS takes a layer without features for a
table; the map of tiles below shows what comes later.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from fastapi import Request, Response

from geoapi.ogc.collections import Collection, visible_collections
from geoapi.ogc.crs import unusable
from geoapi.ogc.endpoint import route
from geoapi.ogc.families import feature_type_of
from geoapi.ogc.formats import QLR
from geoapi.ogc.query import check_known
from geoapi.ogc.site import gate_of, language, root_of
from geoapi.ogc.styles import DEEPEST, collection_style, is_buried, tile_layer, whole
from geoapi.ogc.tags import answered, content_tag
from geoapi.problems import Language
from ler.db.reading import Statement
from ler.packages.styles import load_styles
from ler.packages.styling.parts import Shape
from ler.packages.styling.qgis_layers import DEGREES, MapLayer, TilesLayer, VectorLayer, layer_definition
from ler.packages.styling.qgis_tiles import tile_renderer

_AUTHCFG: Final = re.compile(r"[a-z0-9]{7}")
_PAGE: Final = 1000
_SHAPES: Final = (Shape.POINT, Shape.LINE, Shape.AREA)
"""By dimension."""
_MAP: Final[dict[Language, str]] = {"en": "Map (always up to date)", "da": "Kort (altid ajour)"}


def _definition(request: Request) -> Response:
    given = request.query_params
    check_known(given, {"authcfg", "theme", "lang"})
    theme = given.get("theme", load_styles().theme)
    load_styles(theme)
    if "authcfg" in given and not _AUTHCFG.fullmatch(given["authcfg"]):
        raise unusable("authcfg", "it is the seven letters and digits of an authentication in QGIS")
    layers = [*_layers(request, theme)]
    content = layer_definition("LER", layers).encode()
    headers = {"Content-Disposition": 'attachment; filename="ler.qlr"', "Content-Language": language(request)}
    return answered(request, content, content_tag(content), QLR, headers)


def _layers(request: Request, theme: str) -> Iterator[MapLayer]:
    """The layers, the topmost first."""
    caller = gate_of(request).read(request).caller
    visible = visible_collections(caller.scopes if caller else frozenset())
    for collection, shape in _held(request, visible):
        yield VectorLayer(
            collection.name,
            collection.titles[language(request)],
            _features(request, collection),
            collection_style(theme, collection, shape),
            provider="OAPIF",
            system=DEGREES,
        )
    drawn = whole(visible)
    renderer = tile_renderer(load_styles(theme), [tile_layer(theme, one) for one in drawn])
    yield TilesLayer("tiles", _MAP[language(request)], _tiles(request, drawn), renderer)


def _held(request: Request, visible: tuple[Collection, ...]) -> Iterator[tuple[Collection, Shape]]:
    """Each collection that holds something, and of which shape QGIS takes it to be: that of its first feature."""
    asked = [one for one in visible if one.drawn and one.name != "package-features"]
    asked.sort(key=_depth)
    read = gate_of(request).read(request, *map(_first, asked))
    for one, rows in zip(asked, read.rows, strict=True):
        if rows:
            yield one, _SHAPES[rows[0].dimension]


def _depth(collection: Collection) -> tuple[bool, bool]:
    """By what is drawn on top: components, then lines, then areas and reports."""
    return not is_buried(collection), collection.geometry != "any" or feature_type_of(collection) is None


def _first(collection: Collection) -> Statement:
    where = "f.geom IS NOT NULL" + (f" AND {collection.where}" if collection.where else "")
    order = ", ".join(f"f.{column}" for column, _ in collection.key)
    found = f"SELECT ST_Dimension(f.geom) AS dimension FROM {collection.source} AS f WHERE {where}"
    return Statement(f"{found} ORDER BY {order} LIMIT 1", {})


def _features(request: Request, collection: Collection) -> str:
    parts: dict[str, Any] = {
        "url": f"{root_of(request)}/",
        "typename": collection.name,
        "restrictToRequestBBOX": 1,
        "pagingEnabled": "true",
        "pageSize": _PAGE,
    }
    told = [f"{name}='{value}'" for name, value in parts.items()]
    if "authcfg" in request.query_params:
        told.append(f"authcfg={request.query_params['authcfg']}")
    return " ".join(told)


def _tiles(request: Request, collections: tuple[Collection, ...]) -> str:
    names = ",".join(one.name for one in collections)
    address = f"{root_of(request)}/tiles/WebMercatorQuad/%7Bz%7D/%7By%7D/%7Bx%7D?collections%3D{names}"
    source = f"type=xyz&url={address}&zmin=0&zmax={DEEPEST}"
    authentication = request.query_params.get("authcfg")
    return source + (f"&authcfg={authentication}" if authentication else "")


ROUTES: Final = (route("/package.qlr", _definition),)
