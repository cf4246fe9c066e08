"""Where lines must be looked for, to scale: the band of what their position may be off and half their outer size.

Bands that are known are filled, run into one another and have one edge; those for which the worst case was taken are
hatched and hide nothing. Sheet millimetres.
"""

import math
from collections.abc import Sequence

import cairocffi
import numpy as np
import shapely

from ler.packages.map_canvas import kept, set_colour
from ler.packages.map_paths import Path, dots_path, line_paths, polygon_path
from ler.packages.map_shapes import Band, lines, points, polygons
from ler.packages.styles import BandStyle


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
    """All at once, so that many that overlap are not darker than one; lines fall, those of the dig area rise."""
    if not covers:
        return
    left, top, right, bottom = context.clip_extents()
    context.push_group_with_content(cairocffi.CONTENT_ALPHA)
    for cover in covers:
        cover.paint(context)
    together = context.pop_group()
    context.push_group()
    high, every = bottom - top, style.hatch_spacing_mm * math.sqrt(2)
    begins = np.arange(math.floor((left - high) / every) * every, right, every)
    ends = np.column_stack((begins, np.full_like(begins, top), begins + high, np.full_like(begins, bottom)))
    Path(ends.reshape(-1, 2), np.tile([True, False], len(begins))).add_to(context)
    set_colour(context, style.hatch)
    context.set_line_width(style.hatch_mm)
    context.set_line_cap(cairocffi.LINE_CAP_BUTT)
    context.stroke()
    context.pop_group_to_source()
    context.mask(together)
