"""What stands in and around the map frame besides the lines: base map, area, bands, grid, scale bar, north arrow.

Context unit millimetre; map coordinates EPSG:25832, metres.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cairocffi
from shapely import Polygon

from ler.packages.base_map import BaseMap
from ler.packages.map_bands import draw_bands
from ler.packages.map_canvas import (
    INK,
    MUTED,
    Box,
    Frame,
    draw_panel,
    draw_text,
    kept,
    set_colour,
)
from ler.packages.map_paths import polygon_path
from ler.packages.map_shapes import Band
from ler.packages.style_classes import SecurityStyle
from ler.packages.styles import Styles

_GRID_NEAREST_MM = 28.0
_TICK_MM = 1.6
_CELL_EDGE_MM = 0.3
_GRID_COLOUR = "#8b939c"
_LABEL_MM = 2.2
_POWERS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies below the lines; areas in sheet mm."""

    area: Sequence[Polygon]
    cells: Sequence[Polygon]
    """Where lines run that are pointed out on site and not shown."""
    bands: Sequence[Band]
    base_map: BaseMap


def draw_ground(context: cairocffi.Context, frame: Frame, ground: Ground, styles: Styles) -> None:
    """Base map, the veil outside the dig area, its hatching, what is not shown, where lines may lie, the outline."""
    draw_panel(context, frame.box, fill=styles.background)
    with kept(context):
        _clip_to(context, frame.box)
        ground.base_map.draw(context, frame, styles.street)
        _draw_veil(context, frame.box, ground.area, styles)
        draw_hatching(context, frame.box, ground.area, styles)
        draw_cells(context, ground.cells, styles.security("site-marking"))
        draw_bands(context, ground.bands, styles.band)
        draw_outline(context, ground.area, styles, factor=styles.size_factor(frame.denominator))


def draw_cells(context: cairocffi.Context, cells: Sequence[Polygon], style: SecurityStyle) -> None:
    """A tint over each cell, its edge, and the class's letter in its middle."""
    if not cells:
        return
    context.new_path()
    polygon_path(cells).add_to(context)
    set_colour(context, style.fill, style.opacity)
    context.fill_preserve()
    set_colour(context, style.fill)
    context.set_dash([])
    context.set_line_width(_CELL_EDGE_MM)
    context.stroke()
    for cell in cells:
        middle = cell.representative_point()
        draw_text(
            context,
            style.letter,
            middle.x,
            middle.y + 1,
            size_mm=3.0,
            bold=True,
            colour=style.fill,
            align="centre",
        )


def _clip_to(context: cairocffi.Context, box: Box) -> None:
    context.new_path()
    context.rectangle(box.left, box.top, box.width, box.height)
    context.clip()


def _draw_veil(context: cairocffi.Context, box: Box, area: Sequence[Polygon], styles: Styles) -> None:
    context.new_path()
    context.rectangle(box.left, box.top, box.width, box.height)
    polygon_path(area).add_to(context)
    context.set_fill_rule(cairocffi.FILL_RULE_EVEN_ODD)
    set_colour(context, styles.outside.fill, styles.outside.opacity)
    context.fill()
    context.set_fill_rule(cairocffi.FILL_RULE_WINDING)


def draw_hatching(context: cairocffi.Context, box: Box, area: Sequence[Polygon], styles: Styles) -> None:
    """Thin rising lines within the area, as far as it lies in the box."""
    with kept(context):
        _clip_to(context, box)
        _add_area(context, area)
        context.clip()
        offset = -box.height
        while offset < box.width:
            context.move_to(box.left + offset, box.bottom)
            context.line_to(box.left + offset + box.height, box.top)
            offset += styles.area.hatch_spacing_mm
        context.set_dash([])
        context.set_line_width(styles.area.hatch_mm)
        set_colour(context, styles.area.hatch, styles.area.hatch_opacity)
        context.stroke()


def draw_outline(
    context: cairocffi.Context, area: Sequence[Polygon], styles: Styles, *, factor: float = 1.0
) -> None:
    """The area's outline; the factor makes it thinner."""
    outline_mm = styles.area.outline_mm * factor
    context.set_dash([])
    for colour, width in ((styles.halo, outline_mm + 0.5 * factor), (styles.area.outline, outline_mm)):
        _add_area(context, area)
        set_colour(context, colour)
        context.set_line_width(width)
        context.stroke()


def _add_area(context: cairocffi.Context, area: Sequence[Polygon]) -> None:
    context.new_path()
    polygon_path(area).add_to(context)


def draw_grid(context: cairocffi.Context, frame: Frame) -> None:
    """Crosses in the map, ticks on all sides, eastings below and northings on the left, metres."""
    interval = grid_interval(frame)
    west, south, east, north = frame.bounds
    eastings = _multiples(west, east, interval)
    northings = _multiples(south, north, interval)
    box = frame.box
    context.new_path()
    for easting in eastings:
        for northing in northings:
            _add_cross(context, frame.x_mm(easting), frame.y_mm(northing))
    context.set_dash([])
    context.set_line_width(0.15)
    set_colour(context, _GRID_COLOUR)
    context.stroke()
    for easting in eastings:
        x = frame.x_mm(easting)
        for y, step in ((box.top, _TICK_MM), (box.bottom, -_TICK_MM)):
            context.move_to(x, y)
            context.line_to(x, y + step)
    for northing in northings:
        y = frame.y_mm(northing)
        for x, step in ((box.left, _TICK_MM), (box.right, -_TICK_MM)):
            context.move_to(x, y)
            context.line_to(x + step, y)
    set_colour(context, INK)
    context.set_line_width(0.2)
    context.stroke()
    _label_grid(context, frame, eastings, northings)


def grid_interval(frame: Frame) -> int:
    """Round distance of grid lines, metres, that lie some centimetres apart on the sheet."""
    nearest = _GRID_NEAREST_MM * frame.metres_per_mm
    steps = (m * power for power in _POWERS for m in (1, 2, 5))
    return next(step for step in steps if step >= nearest)


def _multiples(low: float, high: float, interval: int) -> list[int]:
    first = -int(-low // interval)
    return [n * interval for n in range(first, int(high // interval) + 1)]


def _add_cross(context: cairocffi.Context, x: float, y: float) -> None:
    context.move_to(x - _TICK_MM, y)
    context.line_to(x + _TICK_MM, y)
    context.move_to(x, y - _TICK_MM)
    context.line_to(x, y + _TICK_MM)


def _label_grid(
    context: cairocffi.Context, frame: Frame, eastings: Sequence[int], northings: Sequence[int]
) -> None:
    box = frame.box
    for easting in eastings:
        if box.left + 9 < (x := frame.x_mm(easting)) < box.right - 9:
            draw_text(
                context,
                _spaced(easting) + " E",
                x,
                box.bottom + 3.2,
                size_mm=_LABEL_MM,
                colour=MUTED,
                align="centre",
            )
    for northing in northings:
        if box.top + 10 < (y := frame.y_mm(northing)) < box.bottom - 10:
            with kept(context):
                context.translate(box.left - 1.3, y)
                context.rotate(-1.5707963267948966)
                draw_text(
                    context, _spaced(northing) + " N", 0, 0, size_mm=_LABEL_MM, colour=MUTED, align="centre"
                )


def _spaced(metres: int) -> str:
    return f"{metres:,}".replace(",", " ")


def draw_neatline(context: cairocffi.Context, box: Box) -> None:
    """The line around the map frame."""
    context.new_path()
    context.rectangle(box.left, box.top, box.width, box.height)
    context.set_dash([])
    context.set_line_width(0.35)
    set_colour(context, INK)
    context.stroke()


def bar_length(frame: Frame, longest_mm: float) -> tuple[int, int]:
    """Round length of the scale bar, metres, and into how many parts it is split."""
    longest = longest_mm * frame.metres_per_mm
    lengths = [(m * power, pieces) for power in _POWERS for m, pieces in ((1, 5), (2, 4), (5, 5))]
    return max(((length, pieces) for length, pieces in lengths if length <= longest), default=(1, 1))


def draw_scale_bar(context: cairocffi.Context, frame: Frame, x: float, y: float, longest_mm: float) -> None:
    """A bar of black and white parts of a round length, its upper left corner at x, y; figures above it."""
    length_m, pieces = bar_length(frame, longest_mm)
    piece_mm = length_m / frame.metres_per_mm / pieces
    bar = Box(x, y + 3.4, piece_mm * pieces, 1.5)
    draw_panel(context, bar, fill="#ffffff", edge=INK, edge_mm=0.22)
    set_colour(context, INK)
    for piece in range(0, pieces, 2):
        context.rectangle(bar.left + piece * piece_mm, bar.top, piece_mm, bar.height)
    context.fill()
    draw_text(context, "0", x, y + 2.4, size_mm=2.4, align="left")
    draw_text(context, f"{_spaced(length_m)} m", bar.right + 1, y + 2.4, size_mm=2.4, align="right")


def draw_north_arrow(context: cairocffi.Context, x: float, y: float, letter: str) -> None:
    """A needle, left half dark and right half white, 11 mm high, its top at x, y, with the letter above it."""
    draw_text(context, letter, x, y + 2.6, size_mm=3.4, bold=True, align="centre")
    top, bottom, waist = y + 3.4, y + 12.6, y + 10.6
    for side, fill in ((-2.4, INK), (2.4, "#ffffff")):
        context.new_path()
        context.move_to(x, top)
        context.line_to(x + side, bottom)
        context.line_to(x, waist)
        context.close_path()
        set_colour(context, fill)
        context.fill_preserve()
        set_colour(context, INK)
        context.set_dash([])
        context.set_line_width(0.25)
        context.stroke()
