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


PAGES: Final = (Format("json", JSON, "JSON"),)
"""Of what describes; the default first."""
ITEMS: Final = (Format("json", GEOJSON, "GeoJSON"),)
"""Of features; the default first."""

TILES: Final = (Format("mvt", MVT, "Mapbox Vector Tile"),)


def format_of(request: Request, offered: Sequence[Format]) -> Format:
    """Return the format that a call asks for; a problem for an `f` that is not offered."""
    by_name = {one.name: one for one in offered}
    name = request.query_params.get("f")
    if name is not None:
        if name not in by_name:
            raise unusable("f", f"it is one of {', '.join(by_name)}")
        return by_name[name]
    liked = media_type_of(request.headers.get("accept"), [one.media_type for one in offered])
    return next((one for one in offered if one.media_type == liked), offered[0])
