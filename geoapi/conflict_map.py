"""The dig and its conflicts on a map: lines grey, conflicts in the colours of their zones and numbered, sections by letter.

Places are EPSG:25832; the figure's lengths millimetres. A number that would stand on another is left out, and counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from conflicts.clearances import Zone
from conflicts.dig import Footprint
from conflicts.sections import Section, Told
from geoapi.section_drawing import ZONE_COLOURS
from ler.packages.figures import Clip, Ellipse, Figure, Mark, Paint, Point, Shape, Words, line, rectangle
from ler.packages.letter_flow import WIDTH
from ler.packages.map_canvas import INK, Box, Frame, fit_frame
from ler.packages.map_scale import scale_bar

HEIGHT: Final = 110.0
_LEAST_HEIGHT: Final = 50.0
_MARGIN: Final = 4.0
_ROOM: Final = 24.0
"""For numbers and letters above and below what is drawn."""
_FREE_MM: Final = (5.2, 4.0)
"""Between the middles of two numbers."""
_LARGEST_SCALE: Final = 100
_SURFACE: Final = 2
_LINE: Final = 1
_GROUND: Final = Paint("#f6f6f4")
_DIG: Final = Paint("#ffe9a8", "#7a5c00", 0.4, opacity=0.8)
_DRAWN: Final = Paint(edge="#767d85", width=0.3)


def conflict_map(
    parts: Sequence[Footprint],
    told: Sequence[Told],
    sections: Mapping[str, Section],
    words: Any,  # noqa: ANN401 - texts by name
) -> tuple[Figure, int]:
    """Return the map, and how many numbers found no room."""
    grounds = [part.geometry.buffer(part.half_m) if part.half_m else part.geometry for part in parts]
    places = [one.row["geom"] for one in told if one.row["geom"] is not None]
    frame = _frame(shapely.union_all([*grounds, *places]).buffer(1))
    height = frame.box.height
    seen = shapely.box(*frame.bounds)
    inner: list[Mark] = [rectangle(0, 0, WIDTH, height, _GROUND)]
    for ground in grounds:
        inner += _drawn(ground, frame, _DIG)
    for one in told:
        if one.line is not None:
            inner += _drawn(shapely.intersection(one.line, seen), frame, _DRAWN)
    for one in reversed(told):
        if one.row["geom"] is not None:
            colour = ZONE_COLOURS[Zone(one.row["zone"])]
            inner += _drawn(one.row["geom"], frame, Paint(edge=colour, width=0.9))
    for name, section in sections.items():
        inner += _cut(name, section, frame)
    numbers, left = _numbers(told, frame)
    marks = [Clip((0, 0, WIDTH, height), [*inner, *numbers]), *_margin(frame)]
    title = words.map.format(denominator=frame.denominator)
    listed = "; ".join(f"{one.number}: {one.row['zone']}" for one in told)
    return Figure(title, f"{words.map_intro} {listed}", WIDTH, height, marks), left


def _frame(seen: BaseGeometry) -> Frame:
    """As large as fits, and no higher than it needs."""
    ground = shapely.box(*seen.bounds)
    widest = fit_frame(ground, Box(0, 0, WIDTH, HEIGHT), margin_mm=_MARGIN, largest=_LARGEST_SCALE)
    _, south, _, north = seen.bounds
    height = min(HEIGHT, max(_LEAST_HEIGHT, (north - south) / widest.metres_per_mm + 2 * _ROOM))
    return fit_frame(ground, Box(0, 0, WIDTH, height), margin_mm=_MARGIN, largest=widest.denominator)


def _margin(frame: Frame) -> Iterator[Mark]:
    yield rectangle(2, frame.box.height - 8, 46, 6, Paint("#ffffff", opacity=0.85))
    yield from scale_bar(4, frame.box.height - 4, 1 / frame.metres_per_mm)
    yield Shape(
        [[(WIDTH - 6, 4), (WIDTH - 3.8, 10), (WIDTH - 6, 8.8), (WIDTH - 8.2, 10)]], Paint(INK), closed=True
    )
    yield Words(WIDTH - 6, 13.4, "N", 3, bold=True, align="centre")


def _drawn(geometry: BaseGeometry, frame: Frame, paint: Paint) -> Iterator[Mark]:
    """Areas as rings, lines as they are; a point, or a line without length, as a dot of the same colour."""
    for part in shapely.get_parts(shapely.get_parts(shapely.force_2d(geometry))):
        if part.is_empty:
            continue
        dimension = shapely.get_dimensions(part)
        if dimension == _SURFACE:
            yield Shape([_way(ring, frame) for ring in shapely.get_rings(part)], paint, closed=True)
        elif dimension == _LINE and part.length > 0:
            yield Shape([_way(part, frame)], paint)
        else:
            ((x, y),) = _way(part, frame)[:1]
            yield Ellipse(x, y, 0.9, 0.9, Paint(paint.edge))


def _way(geometry: BaseGeometry, frame: Frame) -> list[Point]:
    return [(x, y) for x, y in frame.to_sheet(shapely.get_coordinates(geometry)).tolist()]


def _cut(name: str, section: Section, frame: Frame) -> Iterator[Mark]:
    (x0, y0), (x1, y1) = _way(section.cut, frame)
    yield line((x0, y0), (x1, y1), width=0.3, dash=(2.0, 0.8, 0.4, 0.8))
    for x, y, end in ((x0, y0, name), (x1, y1, f"{name}'")):
        yield Ellipse(x, y, 2.0, 2.0, Paint("#ffffff", INK, 0.3))
        yield Words(x, y + 0.9, end, 2.5, bold=True, align="centre")


def _numbers(told: Sequence[Told], frame: Frame) -> tuple[list[Mark], int]:
    """Numbers beside their conflicts, the nearest zone first."""
    marks: list[Mark] = []
    taken: list[Point] = []
    left = 0
    for one in told:
        if one.row["geom"] is None:
            continue
        ((x, y),) = _way(shapely.point_on_surface(one.row["geom"]), frame)
        place = next((spot for spot in _around(x, y) if _is_free(spot, taken, frame.box)), None)
        if place is None:
            left += 1
            continue
        taken.append(place)
        colour = ZONE_COLOURS[Zone(one.row["zone"])]
        wide = 1.8 * len(str(one.number)) + 1.8
        marks.append(line((x, y), place, colour=colour, width=0.2))
        marks.append(rectangle(place[0] - wide / 2, place[1] - 1.7, wide, 3.4, Paint("#ffffff", colour, 0.3)))
        marks.append(
            Words(place[0], place[1] + 0.9, str(one.number), 2.5, bold=True, colour=colour, align="centre")
        )
    return marks, left


def _around(x: float, y: float) -> Iterator[Point]:
    for ring in (1, 2, 3):
        for step_x, step_y in ((1, -1), (-1, -1), (1, 1), (-1, 1), (1, 0), (-1, 0), (0, -1), (0, 1)):
            yield x + 5.4 * ring * step_x, y + 4.2 * ring * step_y


def _is_free(spot: Point, taken: Sequence[Point], box: Box) -> bool:
    edge = _FREE_MM[0]
    if not (edge < spot[0] < box.width - 2 * edge and edge < spot[1] < box.height - 2 * edge):
        return False
    return all(abs(spot[0] - x) >= _FREE_MM[0] or abs(spot[1] - y) >= _FREE_MM[1] for x, y in taken)
