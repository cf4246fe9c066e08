"""Letters along lines: where they can stand without touching each other, and how they are drawn.

All coordinates are sheet millimetres. A line that is too short or too crooked gets no letter; its colour, dash and the
legend must do.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import batched

import cairocffi
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString

from ler.packages.map_canvas import (
    Box,
    Coordinates,
    cap_height,
    set_colour,
    set_font,
    text_width,
)
from ler.packages.map_paths import Path, outline_path
from ler.packages.styles import DangerStyle

SIZE_MM, NOTE_MM = 2.5, 2.1
TRIANGLE_MM = 2.6

_SPACING_MM = 34.0
_SHORTEST_MM = 5.0
_SHORTEST_WITH_TRIANGLE_MM = 12.0
_BATCH = 500  # lines at once: the memory for their places stays small
_MOST_SAMPLES = 200_000
_NEVER = 1 << 30
_MOST_SLOTS = 60  # of one line: a hostile zigzag may be kilometres long on one sheet
_CLEAR_MM = 1.3
_STRAIGHT = 0.94
_PLATE_OPACITY, _PLATE_SHARE = 0.88, 0.4
_MARGIN_MM = 0.35
_ALONE_MM = 6.0  # a triangle this near warns of a line as well as one of its own
_STEEP = 0.02  # letters on upright lines all read from below
_PLACES = np.array([0.5, 0.39, 0.61, 0.28, 0.72, 0.16, 0.84, 0.05, 0.95])  # within a slot, best first


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """A line that wants letters: the text, its colour, and the danger class that adds triangles."""

    line: LineString
    text: str
    colour: str
    danger: DangerStyle | None = None
    size_mm: float = SIZE_MM


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
    size_mm: float = SIZE_MM


class Ground:
    """Which places of the frame are taken, in circles; looked up by cells of a few millimetres."""

    def __init__(self, box: Box, *, cell_mm: float = 8.0) -> None:
        self._sides = box.left, box.top, box.right, box.bottom
        self._cell = cell_mm
        self._largest = 0.0
        self._taken: defaultdict[tuple[int, int], list[tuple[float, float, float]]] = defaultdict(list)

    def take(self, x: float, y: float, radius: float) -> None:
        """Keep a circle free of everything else."""
        self._taken[int(x // self._cell), int(y // self._cell)].append((x, y, radius))
        self._largest = max(self._largest, radius)

    def is_free(self, x: float, y: float, radius: float) -> bool:
        """Whether a circle lies within the frame and off every circle taken."""
        left, top, right, bottom = self._sides
        if not (left + radius < x < right - radius and top + radius < y < bottom - radius):
            return False
        reach, cell = radius + self._largest, self._cell
        for column in range(int((x - reach) // cell), int((x + reach) // cell) + 1):
            for row in range(int((y - reach) // cell), int((y + reach) // cell) + 1):
                for other_x, other_y, other in self._taken.get((column, row), ()):
                    if (x - other_x) ** 2 + (y - other_y) ** 2 <= (radius + other) ** 2:
                        return False
        return True


@dataclass(frozen=True, slots=True)
class _Series:
    """What is to be repeated along one line: its letters, or triangles if `text` is empty."""

    line: int
    request: LabelRequest
    text: str
    half_width: float
    spacing_mm: float

    @property
    def shortest_mm(self) -> float:
        """What the line must measure."""
        return _SHORTEST_MM + 2 * self.half_width if self.text else _SHORTEST_WITH_TRIANGLE_MM

    def label(self, x: float, y: float, angle: float) -> Label:
        """It at a place on the line, which runs at the angle there."""
        request = self.request
        turn = _upright(angle) if self.text else 0.0
        return Label(self.text, x, y, turn, self.half_width, request.colour, request.danger, request.size_mm)


class _Lines:
    """Many lines at once: a place by the number of its line and how far along it lies."""

    def __init__(self, lines: Sequence[LineString]) -> None:
        self._coordinates, index = shapely.get_coordinates(np.array(lines, dtype=object), return_index=True)
        steps = np.hypot(*np.diff(self._coordinates, axis=0).T) if len(index) else np.empty(0)
        steps[np.diff(index) != 0] = 0.0
        self._along = np.concatenate(([0.0], steps.cumsum()))
        self._first = np.searchsorted(index, np.arange(len(lines)))
        self._last = np.searchsorted(index, np.arange(len(lines)), side="right") - 1
        self.lengths = self._along[self._last] - self._along[self._first]

    def at(self, line: NDArray[np.intp], station: Coordinates) -> Coordinates:
        """Coordinates (..., 2) of stations (...), mm from the beginnings of the lines (...)."""
        along = self._along[self._first[line]] + np.clip(station, 0.0, self.lengths[line])
        before = np.searchsorted(self._along, along, side="right") - 1
        before = np.clip(before, self._first[line], np.maximum(self._last[line] - 1, self._first[line]))
        after = np.minimum(before + 1, self._last[line])
        step = self._along[after] - self._along[before]
        share = np.where(step > 0, (along - self._along[before]) / np.where(step > 0, step, 1.0), 0.0)
        begin, end = self._coordinates[before], self._coordinates[after]
        return begin + share[..., None] * (end - begin)


class _Crowd:
    """How many lines run near a place, roughly: counted in cells of a grid."""

    def __init__(self, lines: _Lines, count: int) -> None:
        """From the first `count` of the lines."""
        lengths = lines.lengths[:count]
        every = max(_CLEAR_MM * 0.7, float(lengths.sum()) / _MOST_SAMPLES)
        samples = np.ceil(lengths / every).astype(np.intp) + 1
        of = np.repeat(np.arange(count), samples)
        number = np.arange(of.size) - (samples.cumsum() - samples)[of]
        cells = self._cells(lines.at(of, number * every))
        self._low = cells.min(axis=0, initial=0) - 1
        self._shape = cells.max(axis=0, initial=0) - self._low + 2
        flat = np.ravel_multi_index((cells - self._low).T, self._shape)
        met = np.unique(flat * count + of) // max(count, 1)
        found = np.bincount(met, minlength=self._shape.prod()).reshape(self._shape)
        padded = np.pad(found, 1)
        rows, columns = self._shape
        nine = [padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
        self._count = np.sum(nine, axis=0)

    @staticmethod
    def _cells(places: Coordinates) -> NDArray[np.intp]:
        return np.floor(places / _CLEAR_MM).astype(np.intp)

    def at(self, places: Coordinates) -> NDArray[np.intp]:
        """The count at places (..., 2) on the lines."""
        cells = np.clip(self._cells(places) - self._low, 0, self._shape - 1)
        count: NDArray[np.intp] = self._count[cells[..., 0], cells[..., 1]]
        return count


class LabelPlacer:
    """Finds places for letters and triangles on the ground that is still free, away from other lines."""

    def __init__(self, context: cairocffi.Context, ground: Ground, requests: Sequence[LabelRequest]) -> None:
        self._context = context
        self._ground = ground
        self._requests = sorted(requests, key=_urgency)
        self._half_widths: dict[tuple[str, float], float] = {}

    def place(self, notes: Sequence[LabelRequest] = ()) -> list[Label]:
        """Letters of all lines first, then triangles, dangerous and long lines before others; then the notes.

        A dangerous line gets a triangle though there is no place free, unless there is one near.
        """
        requests = [*self._requests, *notes]
        lines = _Lines([request.line for request in requests])
        crowd = _Crowd(lines, len(self._requests))
        series = [_Series(n, r, r.text, self._half_width(r), _SPACING_MM) for n, r in enumerate(requests)]
        letters, small = series[: len(self._requests)], series[len(self._requests) :]
        triangles = [
            _Series(n, r, "", TRIANGLE_MM / 2, r.danger.triangle_every_mm)
            for n, r in enumerate(self._requests)
            if r.danger
        ]
        labels = [*self._place(letters, lines, crowd), *self._place(triangles, lines, crowd)]
        labels += self._forced([label for label in labels if not label.text])
        return [*labels, *self._place([replace(one, spacing_mm=math.inf) for one in small], lines, crowd)]

    def _half_width(self, request: LabelRequest) -> float:
        wanted = request.text, request.size_mm
        if wanted not in self._half_widths:
            set_font(self._context, request.size_mm, bold=True)
            self._half_widths[wanted] = text_width(self._context, request.text) / 2 + _MARGIN_MM
        return self._half_widths[wanted]

    def _forced(self, triangles: Sequence[Label]) -> Iterator[Label]:
        """Triangles in the middle of dangerous lines that have none near."""
        warned = {
            rank: self._near(rank, triangles) for rank in {r.danger.rank for r in self._requests if r.danger}
        }
        near: dict[tuple[int, int], int] = {}
        for number, request in enumerate(self._requests):
            if request.danger is None or number in warned[request.danger.rank]:
                continue
            middle = request.line.interpolate(0.5, normalized=True)
            cell = int(middle.x // _ALONE_MM), int(middle.y // _ALONE_MM)
            if near.get(cell, 0) < request.danger.rank:
                near[cell] = request.danger.rank
                label = Label("", middle.x, middle.y, 0.0, TRIANGLE_MM / 2, request.colour, request.danger)
                self._ground.take(middle.x, middle.y, label.half_width + 0.4)
                yield label

    def _near(self, rank: int, triangles: Sequence[Label]) -> set[int]:
        """Which of the requests have a triangle of at least this rank near."""
        places = [(one.x, one.y) for one in triangles if one.danger and one.danger.rank >= rank]
        if not places:
            return set()
        lines = np.array([request.line for request in self._requests])
        tree = shapely.STRtree(shapely.points(places))
        return set(tree.query(lines, predicate="dwithin", distance=_ALONE_MM)[0].tolist())

    def _place(self, series: Sequence[_Series], lines: _Lines, crowd: _Crowd) -> Iterator[Label]:
        for batch in batched(series, _BATCH):
            yield from self._place_batch(batch, lines, crowd)

    def _place_batch(self, batch: Sequence[_Series], lines: _Lines, crowd: _Crowd) -> Iterator[Label]:
        """In each slot at the free place with the fewest lines near it, where the line is straight."""
        number = np.array([one.line for one in batch])
        lengths, half_widths = lines.lengths[number], np.array([one.half_width for one in batch])
        slots = np.clip(np.rint(lengths / [one.spacing_mm for one in batch]), 1, _MOST_SLOTS)
        slots = np.where(lengths < [one.shortest_mm for one in batch], 0, slots).astype(np.intp)
        of = np.repeat(np.arange(len(batch)), slots)
        slot = np.arange(of.size) - (slots.cumsum() - slots)[of]
        stations = (slot[:, None] + _PLACES) / slots[of, None] * lengths[of, None]
        half, on = half_widths[of, None], number[of, None]
        here = lines.at(on, stations)
        chord = lines.at(on, stations + half) - lines.at(on, stations - half)
        fits = (half < stations) & (stations < lengths[of, None] - half)
        fits &= np.hypot(chord[..., 0], chord[..., 1]) >= _STRAIGHT * 2 * half
        choices = np.argsort(np.where(fits, crowd.at(here), _NEVER), axis=1, kind="stable")
        angles = np.arctan2(chord[..., 1], chord[..., 0])
        rows = zip(of.tolist(), choices.tolist(), here.tolist(), angles.tolist(), fits.tolist(), strict=True)
        for which, order, places, turns, usable in rows:
            one = batch[which]
            for choice in order:
                x, y = places[choice]
                if not usable[choice]:
                    break
                if self._ground.is_free(x, y, one.half_width + 0.4):
                    self._ground.take(x, y, one.half_width + 0.4)
                    yield one.label(x, y, turns[choice])
                    break


def _urgency(request: LabelRequest) -> tuple[int, float]:
    return -(request.danger.rank if request.danger else 0), -request.line.length


def _upright(angle: float) -> float:
    """The angle in whole degrees, since fonts are made ready for each; turned where letters would stand on their heads."""
    angle = math.radians(round(math.degrees(angle)))
    if angle > math.pi / 2 - _STEEP:
        return angle - math.pi
    if angle < -math.pi / 2 - _STEEP:
        return angle + math.pi
    return angle


def draw_labels(context: cairocffi.Context, labels: Sequence[Label]) -> None:
    """Letters along their lines on plates that break the line; triangles always upright, above all."""
    words = [label for label in labels if label.text]
    for colour in sorted({_ground_colour(label) for label in words}):
        context.new_path()
        _plates([label for label in words if _ground_colour(label) == colour]).add_to(context)
        set_colour(context, colour, _PLATE_OPACITY)
        context.fill()
    for size, colour in sorted({(label.size_mm, label.colour) for label in words}):
        set_font(context, size, bold=True)
        set_colour(context, colour)
        for label in words:
            if (label.size_mm, label.colour) == (size, colour):
                _draw_word(context, label)
    for danger in sorted(
        {one.danger for one in labels if one.danger and not one.text}, key=lambda one: one.rank
    ):
        places = [(one.x, one.y) for one in labels if one.danger == danger and not one.text]
        draw_triangles(context, danger, np.array(places), TRIANGLE_MM)


def _ground_colour(label: Label) -> str:
    return label.danger.fill if label.danger else "#ffffff"


def _plates(labels: Sequence[Label]) -> Path:
    """A rectangle around each word."""
    turns, halves = np.array([one.angle for one in labels]), np.array([one.half_width for one in labels])
    along = np.column_stack((np.cos(turns), np.sin(turns))) * halves[:, None]
    across = np.column_stack((-np.sin(turns), np.cos(turns)))
    across *= np.array([_PLATE_SHARE * one.size_mm for one in labels])[:, None]
    middles = np.array([(one.x, one.y) for one in labels])
    corners = np.stack(
        [middles + i * along + j * across for i, j in ((1, 1), (-1, 1), (-1, -1), (1, -1))], axis=1
    )
    begins = np.tile([True, False, False, False], len(labels))
    return Path(corners.reshape(-1, 2), begins, closed=True)


def _draw_word(context: cairocffi.Context, label: Label) -> None:
    """With the context's font and colour."""
    context.save()
    context.translate(label.x, label.y)
    context.rotate(label.angle)
    context.move_to(_MARGIN_MM - label.half_width, cap_height(label.size_mm) / 2)
    context.show_text(label.text)
    context.restore()


def draw_triangles(
    context: cairocffi.Context, danger: DangerStyle, centres: Coordinates, size_mm: float
) -> None:
    """Warning triangles around places (n, 2): filled for the highest class, outlined for the lower."""
    half, height = size_mm / 2, size_mm * 0.87
    triangles = outline_path(
        np.array([(0, -height * 0.6), (half, height * 0.4), (-half, height * 0.4)]), centres
    )
    signs = [
        outline_path(
            size_mm * np.array([(-0.06, top), (0.06, top), (0.06, bottom), (-0.06, bottom)]), centres
        )
        for top, bottom in ((-0.24, 0.03), (0.12, 0.23))
    ]
    context.set_dash([])
    context.new_path()
    triangles.add_to(context)
    set_colour(context, "#ffffff")
    context.set_line_width(0.24 * size_mm)
    context.stroke_preserve()
    set_colour(context, danger.edge if danger.triangle_filled else "#ffffff")
    context.fill_preserve()
    set_colour(context, danger.edge)
    context.set_line_width(0.1 * size_mm)
    context.stroke()
    set_colour(context, "#ffffff" if danger.triangle_filled else danger.edge)
    for sign in signs:
        sign.add_to(context)
    context.fill()
