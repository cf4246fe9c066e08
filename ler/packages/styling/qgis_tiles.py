"""The style source for a layer of vector tiles in QGIS, from 3.22 on: the element `renderer`."""

from collections.abc import Sequence
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from ler.packages.styles import Styles
from ler.packages.styling.parts import Shape, Stroke
from ler.packages.styling.qml import fill_layer, line_layer, marker_layer, symbol
from ler.packages.styling.tile_drawing import GEOMETRY, Condition, Drawn, Fill, TileLayer, drawn_tiles

_GEOMETRY: Final = {Shape.POINT: 0, Shape.LINE: 1, Shape.AREA: 2}
_HAIR_MM: Final = 0.1


def tile_renderer(styles: Styles, layers: Sequence[TileLayer]) -> str:
    """Return the element."""
    written = "".join(map(_style, drawn_tiles(styles, layers)))
    return f'<renderer type="basic"><styles>{written}</styles></renderer>'


def _style(drawn: Drawn) -> str:
    # Without it, QGIS draws the middle of areas as points.
    of_shape: Condition = ["==", "_geom_type", GEOMETRY[drawn.shape]]
    chosen = " AND ".join(map(_expression, (of_shape, *drawn.conditions)))
    return (
        f"<style name={quoteattr(drawn.name)} layer={quoteattr(drawn.layer)} expression={quoteattr(chosen)} "
        f'geometry="{_GEOMETRY[drawn.shape]}" enabled="1" min-zoom="-1" max-zoom="-1">'
        f"<symbols>{symbol(drawn.shape, [_painted(drawn)])}</symbols></style>"
    )


def _painted(drawn: Drawn) -> str:
    paint = drawn.paint
    if isinstance(paint, Stroke):
        return fill_layer(paint.colour, 0, paint) if drawn.shape is Shape.AREA else line_layer(paint)
    if isinstance(paint, Fill):
        return fill_layer(paint.colour, paint.opacity, Stroke(paint.edge, _HAIR_MM) if paint.edge else None)
    return marker_layer("circle", paint.colour, paint.size_mm, paint.edge)


def _expression(condition: Condition) -> str:
    """Return a condition as QGIS writes it."""
    operator, *rest = condition
    match operator:
        case "all":
            return f"({' AND '.join(map(_expression, rest))})"
        case "none":
            return f"NOT ({' OR '.join(map(_expression, rest))})"
        case "has":
            return f"{_column(rest[0])} IS NOT NULL"
        case "in":
            return f"{_column(rest[0])} IN ({_listed(rest[1:])})"
        case "!in":
            return f"({_column(rest[0])} IS NULL OR {_column(rest[0])} NOT IN ({_listed(rest[1:])}))"
        case _:
            return f"{_column(rest[0])} {_COMPARED[operator]} {_listed(rest[1:])}"


_COMPARED: Final = {"==": "=", ">=": ">=", "<": "<"}


def _listed(values: Sequence[Any]) -> str:
    return ", ".join("'" + str(value).replace("'", "''") + "'" for value in values)


def _column(name: str) -> str:
    return f'"{name}"'
