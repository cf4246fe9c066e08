"""Where lines must be looked for, to scale: the band of what their position may be off and half their outer size.

Bands that are known are filled, run into one another and have one edge; those for which the worst case was taken are
hatched and hide nothing. Sheet millimetres.
"""

from collections.abc import Sequence
from typing import Final

import cairocffi
import shapely

from ler.packages.map_canvas import kept, set_colour
from ler.packages.map_paths import dots_path, line_paths, polygon_path
from ler.packages.map_shapes import Band, lines, points, polygons
from ler.packages.styles import BandStyle

_TILE: Final = 100


def draw_bands(context: cairocffi.Context, bands: Sequence[Band], style: BandStyle) -> None:
    """All edges before all fills; what is unknown above them, since one can see through it."""
    known = [_Cover(band) for band in bands if band.known]
    with kept(context):
        context.set_dash([])
        context.set_line_cap(cairocffi.LINE_CAP_ROUND)
        for colour, edge_mm in ((style.edge, style.edge_mm), (style.fill, 0.0)):
            set_colour(context, colour)
            for cover in known:
                cover.paint(context, edge_mm)
        _hatch(context, [_Cover(band) for band in bands if not band.known], style)


class _Cover:
    """What a band covers: strokes along lines and on points, polygons with a margin."""

    def __init__(self, band: Band) -> None:
        self._half_mm = band.half_mm
        surfaces, places = polygons(band.shapes), points(band.shapes)
        self._strokes = line_paths(lines(band.shapes))
        if places:
            self._strokes.append(dots_path(shapely.get_coordinates(places)))
        self._surfaces = polygon_path(surfaces) if surfaces else None

    def paint(self, context: cairocffi.Context, more_mm: float = 0.0) -> None:
        """Cover it, and so much more on each side, with the context's source."""
        context.set_line_width(2 * (self._half_mm + more_mm))
        for path in self._strokes:
            context.new_path()
            path.add_to(context)
            context.stroke()
        if self._surfaces:
            context.new_path()
            self._surfaces.add_to(context)
            context.stroke_preserve()
            context.fill()


def _hatch(context: cairocffi.Context, covers: Sequence[_Cover], style: BandStyle) -> None:
    """All at once, so that many that overlap are not darker than one."""
    if covers:
        context.push_group_with_content(cairocffi.CONTENT_ALPHA)
        for cover in covers:
            cover.paint(context)
        together = context.pop_group()
        context.set_source(_hatching(style))
        context.mask(together)


def _hatching(style: BandStyle) -> cairocffi.SurfacePattern:
    """Lines that fall to the right, those of the dig area rise: one tile, repeated."""
    side = _TILE  # whole units, or the tile's sides would be rounded; the pattern makes them millimetres
    tile = cairocffi.RecordingSurface(cairocffi.CONTENT_COLOR_ALPHA, (0, 0, side, side))
    context = cairocffi.Context(tile)
    set_colour(context, style.hatch)
    context.set_line_width(style.hatch_mm * _TILE / style.hatch_spacing_mm)
    for shift in (-side, 0.0, side):
        context.move_to(shift - side, -side)
        context.line_to(shift + side, side)
        context.line_to(shift + 2 * side, 2 * side)
    context.stroke()
    pattern = cairocffi.SurfacePattern(tile)
    pattern.set_extend(cairocffi.EXTEND_REPEAT)
    pattern.set_matrix(cairocffi.Matrix(xx=_TILE / style.hatch_spacing_mm, yy=_TILE / style.hatch_spacing_mm))
    return pattern
