"""A window drawn for a report: where its works lie, and when each is done.

Lengths of figures are millimetres; places are EPSG:25832.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from ler.domain.windows import WindowAnswer
from ler.packages.figures import Figure, Mark, Paint, Point, Shape, Words, line, rectangle
from ler.packages.letter_flow import WIDTH
from ler.packages.map_canvas import MUTED
from ler.packages.map_scale import scale_bar

MAP_HEIGHT: Final = 66.0
LABELS: Final = 56.0
"""Width of the names beside a timeline."""
_ROW: Final = 6.0
_MARGIN_M: Final = 8.0
_WEEKS: Final = 12
"""Lines of a timeline, at most."""
_LONGEST: Final = 34
_JOINS: Final = Paint("#1f6f8b", "#14495c", 0.3, opacity=0.45)
_PILOT: Final = Paint("#c4631b", "#7a3a0b", 0.3, opacity=0.75)
_STANDS: Final = Paint(edge="#555555", width=0.25, dash=(1.1, 0.8))
_GROUND: Final = Paint("#f6f6f4")


@dataclass(frozen=True, slots=True)
class ShownWork:
    """What is drawn and told of one work of a window; the first in order comes first."""

    title: str
    footprint: BaseGeometry | None
    """None: of a work that is over and that who reads it may not see."""
    start: date
    end: date
    stands: date
    moved_days: int
    is_pilot: bool
    answer: WindowAnswer | None = None
    """None: nobody was asked yet."""


def window_map(works: Sequence[ShownWork], place: BaseGeometry, words: Any) -> Figure:  # noqa: ANN401 - texts by name
    """Draw each work's footprint with its turn, north up, the largest below; as high as they need."""
    west, south, east, north = place.buffer(_MARGIN_M).bounds
    scale = min(WIDTH / (east - west), MAP_HEIGHT / (north - south))
    west -= (WIDTH / scale - (east - west)) / 2
    height = max((north - south) * scale, 14.0)
    drawn = [(turn, work, work.footprint) for turn, work in enumerate(works, 1) if work.footprint is not None]
    drawn.sort(key=lambda one: (-one[2].area, one[0]))
    marks: list[Mark] = [rectangle(0, 0, WIDTH, height, _GROUND)]
    numbers: list[Mark] = []
    for turn, work, footprint in drawn:
        paint = _PILOT if work.is_pilot else _JOINS
        marks.append(Shape([*_rings(footprint, west, north, scale)], paint, closed=True))
        middle = _place_of(turn, len(works), footprint)
        x, y = (middle.x - west) * scale, (north - middle.y) * scale
        numbers.append(Words(x, y + 1.1, str(turn), 3.0, bold=True, align="centre"))
    marks += [*numbers, *scale_bar(4, height - 3, scale)]
    told = "; ".join(f"{turn}. {work.title}" for turn, work in enumerate(works, 1))
    return Figure(words.map, told, WIDTH, height, marks)


def _place_of(turn: int, works: int, footprint: BaseGeometry) -> shapely.Point:
    """Where a work's number stands: within it, each further along, so that those of parallel works keep apart."""
    west, south, east, north = footprint.bounds
    first, last = (turn - 1) / works, turn / works
    if east - west > north - south:
        share = shapely.box(west + first * (east - west), south, west + last * (east - west), north)
    else:
        share = shapely.box(west, north - last * (north - south), east, north - first * (north - south))
    part = shapely.intersection(footprint, share)
    return shapely.point_on_surface(part if part.area else footprint)


def _rings(footprint: BaseGeometry, west: float, north: float, scale: float) -> Iterator[list[Point]]:
    for part in shapely.get_parts(footprint):
        for ring in shapely.get_rings(part):
            yield [
                ((x - west) * scale, (north - y) * scale) for x, y in shapely.get_coordinates(ring).tolist()
            ]


def timeline(works: Sequence[ShownWork], words: Any) -> Figure:  # noqa: ANN401 - texts by name
    """Draw works below each other, days from left to right.

    A work that stands elsewhere is shown there as long as it is here, give or take a weekend.
    """
    first = min(min(work.start, work.stands) for work in works)
    last = max(max(work.end, work.stands + (work.end - work.start)) for work in works)
    # Whole weeks: the last one has room for its day too.
    first -= timedelta(days=first.weekday())
    last += timedelta(days=6 - last.weekday())
    scale = (WIDTH - LABELS) / ((last - first).days + 1)
    height = (len(works) + 1) * _ROW
    marks: list[Mark] = [rectangle(0, 0, WIDTH, height, _GROUND)]
    for day in _mondays(first, last):
        x = LABELS + (day - first).days * scale
        marks.append(line((x, 0), (x, height - _ROW), colour="#bbbbbb", width=0.2))
        marks.append(Words(x + 0.4, height - 2, day.strftime("%d.%m"), 2.3, colour=MUTED))
    told = []
    for row, work in enumerate(works):
        top = row * _ROW
        width = ((work.end - work.start).days + 1) * scale
        short = work.title if len(work.title) <= _LONGEST else f"{work.title[: _LONGEST - 1]}…"
        marks.append(Words(1, top + 4.1, f"{row + 1}. {short}", 2.6))
        if work.moved_days:
            stands = LABELS + (work.stands - first).days * scale
            marks.append(rectangle(stands, top + 1.2, width, _ROW - 2.4, _STANDS))
        start = LABELS + (work.start - first).days * scale
        marks.append(rectangle(start, top + 1.2, width, _ROW - 2.4, _PILOT if work.is_pilot else _JOINS))
        told.append(f"{row + 1}. {work.title}: {work.start} – {work.end}")
    return Figure(words.timeline, "; ".join(told), WIDTH, height, marks)


def _mondays(first: date, last: date) -> Iterator[date]:
    weeks = (last - first).days // 7 + 1
    step = -(-weeks // _WEEKS)
    return (first + timedelta(weeks=week) for week in range(0, weeks, step))
