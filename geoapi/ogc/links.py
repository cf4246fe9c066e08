"""Links of the OGC API's answers."""

from typing import Any, Final

from geoapi.ogc.collections import Collection
from geoapi.problems import Language

JSON: Final = "application/json"
TILESETS: Final = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
TILING_SCHEME: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
TILING_SCHEMES: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
STYLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/styles"
_TILES: Final[dict[Language, str]] = {"en": "Vector tiles", "da": "Vektorfliser"}
_GRIDS: Final[dict[Language, str]] = {"en": "Tile matrix sets", "da": "Fliseinddelinger"}
_STYLES: Final[dict[Language, str]] = {"en": "Map styles", "da": "Kortstile"}


def link(rel: str, href: str, media_type: str = JSON, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a link; `more` are its further members, such as `title` and `templated`."""
    return {"rel": rel, "type": media_type, "href": href, **more}


def landing_links(root: str, language: Language) -> list[dict[str, Any]]:
    """Return what the landing page leads to besides what pygeoapi knows of."""
    return [
        link(TILESETS, f"{root}/tiles", title=_TILES[language]),
        link(TILING_SCHEMES, f"{root}/tileMatrixSets", title=_GRIDS[language]),
        link(STYLES, f"{root}/styles", title=_STYLES[language]),
    ]


def collection_links(root: str, collection: Collection, language: Language) -> list[dict[str, Any]]:
    """Return what a collection leads to besides what pygeoapi knows of: its tiles and styles, where it has a place."""
    if collection.geometry == "none":
        return []
    address = f"{root}/collections/{collection.name}"
    return [
        link(TILESETS, f"{address}/tiles", title=_TILES[language]),
        link(STYLES, f"{address}/styles", title=_STYLES[language]),
    ]
