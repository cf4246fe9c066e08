"""In which formats the OGC API answers, and which of them a call asks for: by `f`, or by `Accept`.

An `f` that there is not is refused. An `Accept` that nothing suits is passed over, which RFC 9110 (12.5.1) allows:
programs that name one format by habit would be sent away otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from geoapi.negotiation import media_type_of
from geoapi.ogc.crs import unusable

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
SCHEMA: Final = "application/schema+json"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"

JSONFG: Final = "application/vnd.ogc.fg+json"
FGB: Final = "application/flatgeobuf"
CSV: Final = "text/csv"
GML: Final = "application/gml+xml;version=3.2"
HTML: Final = "text/html"

MVT: Final = "application/vnd.mapbox-vector-tile"
MAPLIBRE: Final = "application/vnd.mapbox.style+json"
SLD: Final = "application/vnd.ogc.sld+xml;version=1.1"
QLR: Final = "application/x-qgis-layer-definition"
QML: Final = "application/xml"
"""Of QGIS, which has no name of its own for it."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write an answer."""

    name: str
    """The value of `f`."""
    media_type: str
    title: str
    """How it is called, in any language."""


_PAGE: Final = Format("html", HTML, "HTML")
PAGES: Final = (Format("json", JSON, "JSON"), _PAGE)
"""Of what describes; the default first."""
API: Final = (Format("json", OPENAPI, "OpenAPI 3.0"), _PAGE)
SCHEMAS: Final = (Format("json", SCHEMA, "JSON Schema"), _PAGE)
_GEOJSON: Final = Format("json", GEOJSON, "GeoJSON")
_JSONFG: Final = Format("jsonfg", JSONFG, "JSON-FG")
_GML: Final = Format("gml", GML, "LER GML")
_TABLES: Final = (Format("fgb", FGB, "FlatGeobuf"), Format("csv", CSV, "CSV"))
ITEM: Final = (_GEOJSON, _JSONFG, _PAGE)
"""Of one feature; the default first."""
RECORDS: Final = (_GEOJSON, _PAGE)
"""Of records, which are GeoJSON with members of their own."""
ITEMS: Final = (_GEOJSON, _JSONFG, *_TABLES, _PAGE)
"""Of features of any kind; the default first."""
LER_ITEMS: Final = (_GEOJSON, _JSONFG, _GML, *_TABLES, _PAGE)
"""Of features of the LER model."""

TILES: Final = (Format("mvt", MVT, "Mapbox Vector Tile"),)


def format_of(request: Request, offered: Sequence[Format]) -> Format:
    """Return the format that a call asks for; a problem for an `f` that is not offered."""
    name = request.query_params.get("f")
    if name is not None:
        for one in offered:
            if one.name == name:
                return one
        raise unusable("f", f"it is one of {', '.join(one.name for one in offered)}")
    accept = request.headers.get("accept")
    if accept is None:
        return offered[0]
    bare = {one.media_type.partition(";")[0]: one for one in offered}
    liked = media_type_of(accept, [*bare])
    return bare[liked] if liked else offered[0]
