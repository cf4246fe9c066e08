"""On which paper, at which scale and in how many sheets an area is drawn.

The rule: one sheet, A4 or else A3, if it shows the whole area at 1:500 or larger, at the largest round scale from 1:100
down. Else A3 sheets at 1:500, which every office prints, if six are enough. Else one sheet of A1 in the same way; else
A1 sheets at the largest round scale from 1:500 down at which forty are enough. Sheets overlap, so that no line is only
at an edge.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import shapely
from shapely import Polygon

from ler.errors import InputError
from ler.packages.map_canvas import DENOMINATORS, Box, Frame, fit_frame
from ler.packages.map_sheet import Layout, Side


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet across, mm."""

    name: str
    width_mm: float
    height_mm: float

    @property
    def box(self) -> Box:
        """The whole sheet."""
        return Box(0, 0, self.width_mm, self.height_mm)


A4, A3, A1 = Paper("A4", 297, 210), Paper("A3", 420, 297), Paper("A1", 841, 594)

LARGEST: Final = 100
"""Denominator of the largest scale of a sheet."""
WORKING: Final = 500
"""Denominator of the smallest scale at which lines of a street are told apart well."""
MOST_A3: Final = 6
MOST_SHEETS: Final = 40
OVERLAP_MM: Final = 12.0

_STEPS: Final[dict[Side, tuple[int, int]]] = {
    "north": (-1, 0),
    "east": (0, 1),
    "south": (1, 0),
    "west": (0, -1),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One of the sheets: its number from 1 and what it shows."""

    number: int
    frame: Frame
    neighbours: dict[Side, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheets:
    """All sheets of an area, north-west first, and the frame of the index when there are several."""

    paper: Paper
    layout: Layout
    sheets: Sequence[Sheet]
    index: Frame | None


def choose_sheets(area: Polygon, layout_of: Callable[[Paper], Layout]) -> Sheets:
    """Choose by the rule; `area` in EPSG:25832. InputError for an area that no paper shows."""
    for paper, most in ((A4, 0), (A3, MOST_A3), (A1, 0)):
        layout = layout_of(paper)
        frame = fit_frame(area, layout.frame, largest=LARGEST)
        if frame.denominator <= WORKING:
            return Sheets(paper, layout, [Sheet(1, frame)], None)
        frames = _tiles(area, layout.frame, WORKING, most)
        if frames:
            return Sheets(paper, layout, _numbered(frames), fit_frame(area, layout.frame))
    for denominator in (scale for scale in DENOMINATORS if scale >= WORKING):
        frames = _tiles(area, layout.frame, denominator, MOST_SHEETS)
        if frames:
            return Sheets(A1, layout, _numbered(frames), fit_frame(area, layout.frame))
    raise InputError("The dig area is too large for a plan.")


def _tiles(area: Polygon, box: Box, denominator: int, most: int) -> dict[tuple[int, int], Frame]:
    """The frames that meet the area, by row and column; none when there were too many."""
    overlap_m = OVERLAP_MM * denominator / 1000
    width_m, height_m = (side * denominator / 1000 for side in (box.width, box.height))
    step_x, step_y = width_m - overlap_m, height_m - overlap_m
    west, south, east, north = area.bounds
    columns = max(1, math.ceil((east - west - overlap_m) / step_x))
    rows = max(1, math.ceil((north - south - overlap_m) / step_y))
    if columns * rows > most * most:
        return {}
    left = (west + east - columns * step_x - overlap_m) / 2
    top = (north + south + rows * step_y + overlap_m) / 2
    shapely.prepare(area)
    frames = {}
    for row in range(rows):
        for column in range(columns):
            frame = Frame(box, left + column * step_x, top - row * step_y, denominator)
            if area.intersects(shapely.box(*frame.bounds)):
                frames[row, column] = frame
    return frames if len(frames) <= most else {}


def _numbered(frames: dict[tuple[int, int], Frame]) -> list[Sheet]:
    numbers = {place: number for number, place in enumerate(frames, start=1)}
    return [
        Sheet(
            numbers[row, column],
            frame,
            {
                side: numbers[row + down, column + right]
                for side, (down, right) in _STEPS.items()
                if (row + down, column + right) in numbers
            },
        )
        for (row, column), frame in frames.items()
    ]
