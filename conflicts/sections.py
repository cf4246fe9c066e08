"""Places of a dig at which a section is worth a drawing: where lines cross it or lie below it, near ones together.

A section looks along the dig, with a mark for each line that crosses there, and across it, with one for each line that runs
beside it there. Lengths are metres; places EPSG:25832, in the plane. Nothing is drawn here, and no distance is worked out
anew: marks carry those of their conflicts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal
from uuid import UUID

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from conflicts.clearances import ZONES, Arrangement, Clearances, Zone
from conflicts.dig import Dig, Footprint, footprints
from conflicts.distance import CROSSING_DEG
from conflicts.existing import Delivered, Existing, existing_of

STRETCH_M: Final = 12.0
"""Crossings within so much of the dig share a section."""
ASIDE_M: Final = 8.0
"""How far on each side of the dig's middle a section looks."""
_SURFACE: Final = 2
_LINE: Final = 1
_BEYOND_M: Final = 100.0
"""How far a place may lie beyond the end of a part of the dig, as that of a line that meets the pit at its end."""
_CROSSES: Final = frozenset({Arrangement.CROSSING, Arrangement.ABOVE})


@dataclass(frozen=True, slots=True)
class Told:
    """A conflict as a report tells it, with the place of its line."""

    number: int
    """In the order of the report, from 1."""
    row: Mapping[str, Any]
    """Columns of `ler.ogc_conflict`; `geom` as a geometry or None."""
    line: BaseGeometry | None
    """The whole line as it is drawn; None where it has no place, or is not known any more."""
    half_m: float
    """Half width of the band that it lies in, its outer size within."""

    @property
    def top_m(self) -> tuple[float, float] | None:
        """Least and most of its top below the bottom of the dig; None: not known."""
        least, most = self.row["below_min_m"], self.row["below_max_m"]
        return None if least is None or most is None else (least, most)


@dataclass(frozen=True, slots=True)
class Mark:
    """A line cut by a section: where its drawn middle is, and what it may reach on either side."""

    told: Told
    at_m: float
    half_m: float


@dataclass(frozen=True, slots=True)
class Opening:
    """From where to where a section meets the dig."""

    start_m: float
    end_m: float
    stray_m: float = 0.0
    """How far a bore may come to lie beside that; 0: the ground is open."""


@dataclass(frozen=True, slots=True)
class View:
    """What a section sees: the ground from the left to the right, where of it is dug, and the lines."""

    side: Literal["along", "across"]
    left_m: float
    right_m: float
    dug: Sequence[Opening]
    """In every part of the dig that lies here: a bore, its pits, an area on both sides of what is left of it."""
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Section:
    """A place that is drawn."""

    place: shapely.Point
    cut: shapely.LineString
    """Where the dig is cut across."""
    along: View
    across: View

    @property
    def numbers(self) -> list[int]:
        """Of all conflicts in it."""
        return sorted({mark.told.number for view in (self.along, self.across) for mark in view.marks})


def told_of(
    rows: Sequence[Mapping[str, Any]],
    delivered: Sequence[Delivered],
    clearances: Clearances,
    unknown_accuracy_m: float,
) -> list[Told]:
    """Return conflicts with the places of their lines, the nearest zone first and numbered so."""
    lines = _places(existing_of(delivered, clearances, unknown_accuracy_m))
    ordered = sorted(rows, key=lambda row: ZONES.index(Zone(row["zone"])))
    found = []
    for number, row in enumerate(ordered, 1):
        geometry, half_m = lines.get((row["owner_id"], row["gml_id"]), (None, 0.0))
        found.append(Told(number, row, geometry, half_m))
    return found


def _places(existing: Existing) -> dict[tuple[UUID | None, str], tuple[BaseGeometry | None, float]]:
    """Where each line is and its half band, by owner and id."""
    places = zip(existing.geometries, existing.half_m.tolist(), strict=True)
    names = [(one.owner_id, one.feature.gml_id) for one in existing.delivered]
    return dict(reversed([*zip(names, places, strict=True)]))


def sections(dig: Dig, told: Sequence[Told], clearances: Clearances) -> list[Section]:
    """Return the sections of all crossings and components below a dig, along its parts."""
    parts = footprints(dig, clearances)
    axes = [_axis(part) for part in parts]
    crossing: dict[int, list[Mark]] = {}
    for one in told:
        if one.row["geom"] is None or one.row["arrangement"] not in _CROSSES:
            continue
        # A line may cross more than once.
        for where in shapely.get_parts(one.row["geom"]):
            number = int(np.argmin([shapely.distance(part.geometry, where) for part in parts]))
            crossing.setdefault(number, []).append(_crossing(one, where, parts[number], axes[number]))
    return [
        _section(parts, number, axes[number], near, told)
        for number in sorted(crossing)
        for near in _stretches(_joined(crossing[number]))
    ]


def _crossing(one: Told, where: BaseGeometry, part: Footprint, axis: shapely.LineString) -> Mark:
    """What of the dig's length a line may take over its whole width, its band cut at the angle of the crossing."""
    first, last = _reach(axis, where)
    half_m = one.half_m
    if one.row["angle_deg"] is not None:
        angle = np.radians(max(one.row["angle_deg"], CROSSING_DEG))
        half_m = float(half_m / np.sin(angle) + part.half_m / np.tan(angle))
    return Mark(one, (first + last) / 2, half_m + (last - first) / 2)


def _joined(marks: Sequence[Mark]) -> Iterator[Mark]:
    """A line that crosses on both sides of an area's hole, or bends there, is one mark where the two reach each other."""
    for _, group in groupby(sorted(marks, key=_by_line), key=lambda mark: mark.told.number):
        last, *others = group
        for mark in others:
            start, end = last.at_m - last.half_m, max(last.at_m + last.half_m, mark.at_m + mark.half_m)
            if mark.at_m - mark.half_m <= last.at_m + last.half_m:
                last = Mark(last.told, (start + end) / 2, (end - start) / 2)
            else:
                yield last
                last = mark
        yield last


def _by_line(mark: Mark) -> tuple[int, float, float]:
    return mark.told.number, mark.at_m - mark.half_m, mark.at_m


def _stretches(marks: Iterable[Mark]) -> Iterator[list[Mark]]:
    near: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark.at_m, mark.told.number)):
        if near and mark.at_m - near[0].at_m > STRETCH_M:
            yield near
            near = []
        near.append(mark)
    yield near


def _axis(part: Footprint) -> shapely.LineString:
    """The line along which a part is dug: itself, the middle of the narrowest rectangle around an area, or through a pit."""
    ground = part.geometry
    if shapely.get_dimensions(ground) == _LINE:
        return shapely.LineString(shapely.get_coordinates(ground))
    if shapely.get_dimensions(ground) != _SURFACE:
        x, y = shapely.get_coordinates(ground)[0]
        return shapely.LineString([(x - part.half_m, y), (x + part.half_m, y)])
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(ground))[:4]
    if np.hypot(*(corners[1] - corners[0])) < np.hypot(*(corners[2] - corners[1])):
        corners = np.roll(corners, -1, axis=0)
    ends = sorted([(corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2], key=tuple)
    return shapely.LineString(ends)


def _reach(axis: shapely.LineString, ground: BaseGeometry) -> tuple[float, float]:
    """From where to where along an axis something lies; beyond its ends as if it went on straight."""
    first, second, *_ = ahead = shapely.get_coordinates(axis)
    *_, third, last = ahead
    longer = np.array([_ahead(second, first), *ahead, _ahead(third, last)])
    points = shapely.points(shapely.get_coordinates(ground))
    found = shapely.line_locate_point(shapely.LineString(longer), points) - _BEYOND_M
    return float(found.min()), float(found.max())


def _ahead(
    start: "np.ndarray[tuple[int], np.dtype[np.float64]]", end: "np.ndarray[tuple[int], np.dtype[np.float64]]"
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    way = end - start
    further: np.ndarray[tuple[int], np.dtype[np.float64]] = end + way / np.hypot(*way) * _BEYOND_M
    return further


def _section(
    parts: Sequence[Footprint],
    number: int,
    axis: shapely.LineString,
    near: list[Mark],
    told: Sequence[Told],
) -> Section:
    part, first, last = parts[number], near[0].at_m, near[-1].at_m
    middle_m = min(max((first + last) / 2, 0.0), float(axis.length))
    around_m = max(4.0, *(abs(end - middle_m) + 2.0 for end in (first, last)))
    others = [other for place, other in enumerate(parts) if place != number and _touch(part, other)]
    lengths = [
        Opening(0.0, float(axis.length), part.tolerance_m),
        *(_along(other, axis) for other in others),
    ]
    along = View("along", middle_m - around_m, middle_m + around_m, lengths, near)
    place = shapely.line_interpolate_point(axis, middle_m)
    cut = _cut(axis, middle_m)
    dug = [opening for one in (part, *others) for opening in _across(one, cut)]
    seen = {mark.told.number for mark in near}
    beside = [
        Mark(one, at_m, one.half_m)
        for one in told
        if one.number not in seen and one.row["arrangement"] not in _CROSSES and one.line is not None
        for at_m in _cuts(one.line, cut)
    ]
    # As far as the dig and the lines that are there, and no farther.
    ends = [abs(end) + one.stray_m for one in dug for end in (one.start_m, one.end_m)]
    reach_m = max([2.0, *ends, *(abs(mark.at_m) + mark.half_m for mark in beside)]) + 0.5
    reach_m = min(reach_m, ASIDE_M)
    beside.sort(key=lambda mark: (mark.at_m, mark.told.number))
    return Section(place, cut, along, View("across", -reach_m, reach_m, dug, beside))


def _cut(axis: shapely.LineString, at_m: float) -> shapely.LineString:
    """Across the axis at a place, from its left to its right."""
    ends = shapely.line_interpolate_point(axis, [max(at_m - 0.5, 0.0), min(at_m + 0.5, axis.length)])
    (x0, y0), (x1, y1) = shapely.get_coordinates(ends)
    length = float(np.hypot(x1 - x0, y1 - y0)) or 1.0
    side = np.array([-(y1 - y0), x1 - x0]) / length * ASIDE_M
    middle = shapely.get_coordinates(shapely.line_interpolate_point(axis, at_m))[0]
    return shapely.LineString([middle + side, middle - side])


def _touch(part: Footprint, other: Footprint) -> bool:
    return bool(shapely.distance(part.geometry, other.geometry) <= part.half_m + other.half_m)


def _along(part: Footprint, axis: shapely.LineString) -> Opening:
    start_m, end_m = _reach(axis, part.geometry)
    return Opening(start_m - part.half_m, end_m + part.half_m, part.tolerance_m)


def _across(part: Footprint, cut: shapely.LineString) -> Iterator[Opening]:
    """Where a cut meets a part, from the middle of the cut: an area as often as it lies there."""
    ground, half_m = part.geometry, part.half_m
    dimension = shapely.get_dimensions(ground)
    if dimension not in {_SURFACE, _LINE}:
        away_m = float(shapely.distance(ground, cut))
        if away_m >= half_m:
            return
        half_m = float(np.sqrt(half_m**2 - away_m**2))
    met = ground if dimension not in {_SURFACE, _LINE} else shapely.intersection(ground, cut)
    for one in shapely.get_parts(met):
        start_m, end_m = _reach(cut, one)
        yield Opening(start_m - half_m - ASIDE_M, end_m + half_m - ASIDE_M, part.tolerance_m)


def _cuts(line: BaseGeometry, cut: shapely.LineString) -> list[float]:
    """Where a line is cut, from the middle of the cut; of what only lies near it, where that is nearest."""
    met = shapely.intersection(line, cut)
    if shapely.is_empty(met):
        return []
    places = shapely.centroid(shapely.get_parts(met))
    return sorted(float(at) - ASIDE_M for at in shapely.line_locate_point(cut, places))
