"""The style source as a MapLibre style over vector tiles.

Conditions are written as filters of old, which MapLibre and QGIS both read; QGIS passes over most expressions. Letters are
not written: they need fonts in a format of their own, which nothing here serves; types are told by colour and dash.
"""

from collections.abc import Sequence
from typing import Any

from ler.packages.styles import Styles
from ler.packages.styling.maplibre import SOURCE, legend, line_paint, pixels
from ler.packages.styling.parts import Stroke
from ler.packages.styling.tile_drawing import GEOMETRY, Drawn, Fill, TileLayer, drawn_tiles

type Json = dict[str, Any]


def tile_style(
    styles: Styles, layers: Sequence[TileLayer], tiles: str, bounds: Sequence[float], deepest: int
) -> Json:
    """Return the style; `tiles` is the address of a tile with {z}, {x}, {y}, `bounds` are in degrees."""
    source = {
        "type": "vector",
        "tiles": [tiles],
        "bounds": [*bounds],
        "minzoom": 0,
        "maxzoom": deepest,
        "promoteId": "id",
    }
    ground = {"id": "background", "type": "background", "paint": {"background-color": styles.background}}
    return {
        "version": 8,
        "name": f"LER, {styles.theme}",
        "metadata": {"ler:theme": styles.theme, "ler:legend": list(legend(styles))},
        "sources": {SOURCE: source},
        "layers": [ground, *map(_layer, drawn_tiles(styles, layers))],
    }


def _layer(drawn: Drawn) -> Json:
    kind, paint = _painted(drawn)
    return {
        "id": drawn.name,
        "type": kind,
        "source": SOURCE,
        "source-layer": drawn.layer,
        "filter": ["all", ["==", "$type", GEOMETRY[drawn.shape]], *drawn.conditions],
        "paint": paint,
    }


def _painted(drawn: Drawn) -> tuple[str, Json]:
    paint = drawn.paint
    if isinstance(paint, Stroke):
        return "line", line_paint(paint)
    if isinstance(paint, Fill):
        edge = {"fill-outline-color": paint.edge} if paint.edge else {}
        return "fill", {"fill-color": paint.colour, "fill-opacity": paint.opacity} | edge
    told: Json = {"circle-color": paint.colour, "circle-radius": pixels(paint.size_mm / 2)}
    if paint.edge:
        told |= {"circle-stroke-color": paint.edge.colour, "circle-stroke-width": pixels(paint.edge.width_mm)}
    return "circle", told
