"""Places of a dig at which a section is worth a drawing: where lines cross it or lie below it, near ones together.

A section looks along the dig, with a mark for each line that crosses there, and across it, with one for each line that runs
beside it there. Lengths are metres; places EPSG:25832, in the plane. Nothing is drawn here, and no distance is worked out
anew: marks carry those of their conflicts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
class View:
    """What a section sees: the ground from the left to the right, where of it is dug, and the lines."""

    side: Literal["along", "across"]
    left_m: float
    right_m: float
    dug: tuple[float, float]
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
    parts = [part for part in footprints(dig, clearances) if shapely.get_dimensions(part.geometry) > 0]
    if not parts:
        return []
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
        _section(parts[number], axes[number], near, told)
        for number in sorted(crossing)
        for near in _stretches(crossing[number])
    ]


def _crossing(one: Told, where: BaseGeometry, part: Footprint, axis: shapely.LineString) -> Mark:
    """What of the dig's length a line may take over its whole width, its band cut at the angle of the crossing."""
    ends = shapely.line_locate_point(axis, shapely.points(shapely.get_coordinates(where)))
    first, last = float(ends.min()), float(ends.max())
    half_m = one.half_m
    if one.row["angle_deg"] is not None:
        angle = np.radians(max(one.row["angle_deg"], CROSSING_DEG))
        half_m = float(half_m / np.sin(angle) + part.half_m / np.tan(angle))
    return Mark(one, (first + last) / 2, half_m + (last - first) / 2)


def _stretches(marks: Sequence[Mark]) -> Iterator[list[Mark]]:
    near: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark.at_m, mark.told.number)):
        if near and mark.at_m - near[0].at_m > STRETCH_M:
            yield near
            near = []
        near.append(mark)
    yield near


def _axis(part: Footprint) -> shapely.LineString:
    """The line along which a part is dug: itself, or the middle of the narrowest rectangle around an area."""
    ground = part.geometry
    if shapely.get_dimensions(ground) == _LINE:
        return shapely.LineString(shapely.get_coordinates(ground))
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(ground))[:4]
    if np.hypot(*(corners[1] - corners[0])) < np.hypot(*(corners[2] - corners[1])):
        corners = np.roll(corners, -1, axis=0)
    ends = sorted([(corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2], key=tuple)
    return shapely.LineString(ends)


def _section(part: Footprint, axis: shapely.LineString, near: list[Mark], told: Sequence[Told]) -> Section:
    first, last = near[0].at_m, near[-1].at_m
    middle_m = (first + last) / 2
    around_m = max(4.0, (last - first) / 2 + 2.0)
    along = View("along", middle_m - around_m, middle_m + around_m, (0.0, float(axis.length)), near)
    place = shapely.line_interpolate_point(axis, middle_m)
    cut = _cut(axis, middle_m)
    dug = _dug(part, cut)
    seen = {mark.told.number for mark in near}
    beside = [
        Mark(one, at_m, one.half_m)
        for one in told
        if one.number not in seen and one.row["arrangement"] not in _CROSSES and one.line is not None
        for at_m in _cuts(one.line, cut)
    ]
    # As far as the dig and the lines that are there, and no farther.
    reach_m = max([2.0, *(abs(end) for end in dug), *(abs(mark.at_m) + mark.half_m for mark in beside)]) + 0.5
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


def _dug(part: Footprint, cut: shapely.LineString) -> tuple[float, float]:
    if shapely.get_dimensions(part.geometry) != _SURFACE:
        return -part.half_m, part.half_m
    inside = shapely.get_parts(shapely.intersection(part.geometry, cut))
    if not len(inside):
        return 0.0, 0.0
    middle = shapely.line_interpolate_point(cut, ASIDE_M)
    nearest = inside[int(np.argmin(shapely.distance(inside, middle)))]
    ends = shapely.line_locate_point(cut, shapely.points(shapely.get_coordinates(nearest))) - ASIDE_M
    return float(ends.min()), float(ends.max())


def _cuts(line: BaseGeometry, cut: shapely.LineString) -> list[float]:
    """Where a line is cut, from the middle of the cut; of what only lies near it, where that is nearest."""
    met = shapely.intersection(line, cut)
    if shapely.is_empty(met):
        return []
    places = shapely.centroid(shapely.get_parts(met))
    return sorted(float(at) - ASIDE_M for at in shapely.line_locate_point(cut, places))
