"""Letters along lines: where they can stand without touching each other, and how they are drawn.

All coordinates are sheet millimetres. A line that is too short or too crooked gets no letter; its colour, dash and the
legend must do.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched, chain

import cairocffi
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString

from ler.packages.map_canvas import (
    Box,
    Coordinates,
    cap_height,
    draw_text,
    kept,
    set_colour,
    set_font,
    text_width,
)
from ler.packages.styles import DangerStyle

SIZE_MM = 2.5
TRIANGLE_MM = 2.6

_SPACING_MM = 34.0
_SHORTEST_MM = 5.0
_SHORTEST_WITH_TRIANGLE_MM = 12.0
_BATCH = 200  # lines at once: faster than one by one, and the memory for their places stays small
_MOST_SLOTS = 60  # of one line: a hostile zigzag may be kilometres long on one sheet
_CLEAR_MM = 1.3
_STRAIGHT = 0.94
_STEEP = 0.02  # letters on upright lines all read from below
_PLACES = np.array([0.5, 0.39, 0.61, 0.28, 0.72, 0.16, 0.84, 0.05, 0.95])  # within a slot, best first


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """A line that wants letters: the text, its colour, and the danger class that adds triangles."""

    line: LineString
    text: str
    colour: str
    danger: DangerStyle | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A letter, or a warning triangle if `text` is empty, with its middle at x, y; the angle is in radians."""

    text: str
    x: float
    y: float
    angle: float
    half_width: float
    colour: str
    danger: DangerStyle | None


class Ground:
    """Which places of the frame are taken, in circles; looked up by cells of a few millimetres."""

    def __init__(self, box: Box, *, cell_mm: float = 8.0) -> None:
        self._sides = box.left, box.top, box.right, box.bottom
        self._cell = cell_mm
        self._taken: defaultdict[tuple[int, int], list[tuple[float, float, float]]] = defaultdict(list)

    def take(self, x: float, y: float, radius: float) -> None:
        """Keep a circle free of everything else: noted in the cells around, so that a place looks into one only."""
        column, row = int(x // self._cell), int(y // self._cell)
        for cell in ((column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
            self._taken[cell].append((x, y, radius))

    def is_free(self, x: float, y: float, radius: float) -> bool:
        """Whether a circle lies within the frame and off every circle taken."""
        left, top, right, bottom = self._sides
        if not (left + radius < x < right - radius and top + radius < y < bottom - radius):
            return False
        near = self._taken.get((int(x // self._cell), int(y // self._cell)), ())
        return all(math.hypot(x - other[0], y - other[1]) > radius + other[2] for other in near)


@dataclass(frozen=True, slots=True)
class _Series:
    """What is to be repeated along one line: its letters, or triangles if `text` is empty."""

    request: LabelRequest
    text: str
    half_width: float
    spacing_mm: float

    @property
    def shortest_mm(self) -> float:
        """What the line must measure."""
        return _SHORTEST_MM + 2 * self.half_width if self.text else _SHORTEST_WITH_TRIANGLE_MM


class LabelPlacer:
    """Finds places for letters and triangles on the ground that is still free, away from other lines."""

    def __init__(self, context: cairocffi.Context, ground: Ground, requests: Sequence[LabelRequest]) -> None:
        self._context = context
        self._ground = ground
        self._requests = sorted(requests, key=_urgency)
        self._tree = shapely.STRtree([request.line for request in requests])

    def place(self) -> list[Label]:
        """Letters of all lines first, then triangles: dangerous and long lines before others."""
        set_font(self._context, SIZE_MM, bold=True)
        texts = {request.text for request in self._requests}
        half_widths = {text: text_width(self._context, text) / 2 + 0.35 for text in texts}
        letters = (_Series(r, r.text, half_widths[r.text], _SPACING_MM) for r in self._requests)
        triangles = (
            _Series(r, "", TRIANGLE_MM / 2, r.danger.triangle_every_mm) for r in self._requests if r.danger
        )
        series = batched(chain(letters, triangles), _BATCH)
        return [label for batch in series for label in self._place(batch)]

    def _place(self, batch: Sequence[_Series]) -> Iterator[Label]:
        lines = np.array([series.request.line for series in batch])
        lengths = shapely.length(lines)
        slots = np.clip(np.rint(lengths / [series.spacing_mm for series in batch]), 1, _MOST_SLOTS)
        slots = np.where(lengths < [series.shortest_mm for series in batch], 0, slots).astype(int)
        of = np.repeat(np.arange(len(batch)), slots)
        slot = np.arange(of.size) - (slots.cumsum() - slots)[of]
        stations = (slot[:, None] + _PLACES) / slots[of, None] * lengths[of, None]
        places = _along(lines[of, None], stations)
        for i, along, xys in zip(of.tolist(), stations.tolist(), places.tolist(), strict=True):
            half_width, last = batch[i].half_width, lengths[i] - batch[i].half_width
            free = [
                station
                for station, (x, y) in zip(along, xys, strict=True)
                if half_width < station < last and self._ground.is_free(x, y, half_width + 0.4)
            ]
            if free and (label := self._best_label(batch[i], np.array(free))):
                self._ground.take(label.x, label.y, half_width + 0.4)
                yield label

    def _best_label(self, series: _Series, stations: Coordinates) -> Label | None:
        """At the first of the stations with the fewest lines near it, where the line is straight."""
        request, half_width = series.request, series.half_width
        shifts = np.array([[-half_width], [0.0], [half_width]])
        before, here, after = _along(request.line, stations + shifts)
        chord = after - before
        straight = np.flatnonzero(np.hypot(chord[:, 0], chord[:, 1]) >= _STRAIGHT * 2 * half_width)
        if not straight.size:
            return None
        hits = self._tree.query(shapely.points(here[straight]), predicate="dwithin", distance=_CLEAR_MM)
        best = straight[np.bincount(hits[0], minlength=straight.size).argmin()]
        x, y = here[best].tolist()
        angle = _upright(math.atan2(chord[best, 1], chord[best, 0])) if series.text else 0.0
        return Label(series.text, x, y, angle, half_width, request.colour, request.danger)


def _along(lines: LineString | NDArray[np.object_], stations: Coordinates) -> Coordinates:
    """Coordinates (..., 2) of the stations (...), mm from the lines' beginnings."""
    places = shapely.line_interpolate_point(lines, stations)
    return shapely.get_coordinates(places).reshape(*stations.shape, 2)


def _urgency(request: LabelRequest) -> tuple[int, float]:
    return -(request.danger.rank if request.danger else 0), -request.line.length


def _upright(angle: float) -> float:
    """The angle, turned by half a circle where letters would stand on their heads."""
    if angle > math.pi / 2 - _STEEP:
        return angle - math.pi
    if angle < -math.pi / 2 - _STEEP:
        return angle + math.pi
    return angle


def leave_gaps(context: cairocffi.Context, labels: Iterable[Label], box: Box) -> None:
    """Clip so that what is drawn next leaves the places of the letters open: a line breaks for its own letter only."""
    context.new_path()
    context.rectangle(box.left, box.top, box.width, box.height)
    for label in labels:
        with kept(context):
            context.translate(label.x, label.y)
            context.rotate(label.angle)
            context.rectangle(-label.half_width, -1.0, 2 * label.half_width, 2.0)
    context.set_fill_rule(cairocffi.FILL_RULE_EVEN_ODD)
    context.clip()
    context.set_fill_rule(cairocffi.FILL_RULE_WINDING)


def draw_labels(context: cairocffi.Context, labels: Iterable[Label]) -> None:
    """Letters along their lines with a white edge; triangles always upright."""
    for label in labels:
        with kept(context):
            context.translate(label.x, label.y)
            if label.text:
                context.rotate(label.angle)
                baseline = cap_height(SIZE_MM) / 2
                draw_text(
                    context,
                    label.text,
                    0,
                    baseline,
                    size_mm=SIZE_MM,
                    bold=True,
                    colour=label.colour,
                    align="centre",
                    halo=True,
                )
            elif label.danger:
                draw_triangle(context, label.danger, TRIANGLE_MM)


def draw_triangle(context: cairocffi.Context, danger: DangerStyle, size_mm: float) -> None:
    """A warning triangle around the context's origin: filled for the highest class, outlined for the lower."""
    half, height = size_mm / 2, size_mm * 0.87
    context.new_path()
    context.move_to(0, -height * 0.6)
    context.line_to(half, height * 0.4)
    context.line_to(-half, height * 0.4)
    context.close_path()
    set_colour(context, "#ffffff")
    context.set_dash([])
    context.set_line_width(0.24 * size_mm)
    context.stroke_preserve()
    set_colour(context, danger.edge if danger.triangle_filled else "#ffffff")
    context.fill_preserve()
    set_colour(context, danger.edge)
    context.set_line_width(0.1 * size_mm)
    context.stroke()
    set_colour(context, "#ffffff" if danger.triangle_filled else danger.edge)
    context.rectangle(-0.06 * size_mm, -0.24 * size_mm, 0.12 * size_mm, 0.27 * size_mm)
    context.rectangle(-0.06 * size_mm, 0.12 * size_mm, 0.12 * size_mm, 0.11 * size_mm)
    context.fill()
