"""How far lines are from a dig in the plane, and how they lie to it.

The distance of a pair is an interval: a line may lie anywhere in its band, and a bore strays. Both ends are of the outside
of the line to the outside of what is dug, 0 where they may touch. What has no place may be nowhere but here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from conflicts.clearances import Arrangement
from conflicts.dig import Footprint
from conflicts.existing import Existing, Floats, Geometries

CROSSING_DEG: Final = 30.0
"""[INF] From this angle on a line crosses; below it runs along. No source that was read says it."""
_ELONGATED: Final = 1.5
"""Of an area's squared perimeter to that of a square: four times as long as wide."""
_LOCAL_M: Final = 0.5
_LINE: Final = 1
_SURFACE: Final = 2
DECIMALS: Final = 3
"""Distances are told, and compared with rules, to 1 mm."""


@dataclass(frozen=True)
class Distances:
    """Of chosen lines to a dig; arrays of one length. Metres."""

    which: NDArray[np.int64]
    """Places in `Existing`."""
    drawn_m: Floats
    """As drawn; 0 where they touch, and NaN of what has no place."""
    least_m: Floats
    most_m: Floats
    """NaN: nobody knows."""
    nearest: Sequence[Footprint]
    """The part of the dig that each is nearest to."""


def distances(existing: Existing, parts: Sequence[Footprint], reach_m: float) -> Distances:
    """Return the distances of all lines that may be within `reach_m` of a dig, in their order."""
    which = _near(existing, parts, reach_m)
    geometries = existing.geometries[which]
    drawn = np.full((len(parts), len(which)), np.nan)
    tolerance = np.array([part.tolerance_m for part in parts])[:, None]
    for number, part in enumerate(parts):
        shapely.prepare(part.geometry)
        drawn[number] = np.maximum(shapely.distance(part.geometry, geometries) - part.half_m, 0.0)
    placeless = np.isnan(drawn).all(axis=0)
    nearest = np.where(placeless, 0, np.argmin(np.where(np.isnan(drawn), np.inf, drawn), axis=0))
    least = np.maximum(drawn - tolerance - existing.half_m[which], 0.0).min(axis=0)
    slack = existing.off_m[which] - existing.nearer_m[which]
    most = np.maximum(drawn + tolerance + slack, 0.0).min(axis=0)
    least[placeless] = 0.0
    return Distances(
        which,
        np.round(drawn.min(axis=0), DECIMALS),
        np.round(least, DECIMALS),
        np.round(np.maximum(most, least), DECIMALS),
        [parts[number] for number in nearest],
    )


def _near(existing: Existing, parts: Sequence[Footprint], reach_m: float) -> NDArray[np.int64]:
    """Places of the lines whose bands may come within reach, in order; exact distances are taken afterwards."""
    if np.isinf(reach_m):
        return np.arange(len(existing.geometries))
    found = [existing.placeless]
    for part in parts:
        around_m = reach_m + existing.widest_m + part.half_m + part.tolerance_m
        found.append(existing.tree.query(part.geometry, predicate="dwithin", distance=around_m))
    return np.unique(np.concatenate(found)).astype(np.int64)


def arrangements(existing: Existing, found: Distances) -> tuple[list[Arrangement], Floats]:
    """Return how each line lies to the dig as both are drawn, and at which angle it crosses, degrees; else NaN."""
    angles = np.full(len(found.which), np.nan)
    arranged = [Arrangement.PARALLEL] * len(found.which)
    geometries = existing.geometries[found.which]
    components, overhead = existing.is_component[found.which], existing.is_overhead[found.which]
    for place, part in enumerate(found.nearest):
        if overhead[place]:
            arranged[place] = Arrangement.OVERHEAD
        elif found.drawn_m[place] == 0.0 and components[place]:
            arranged[place] = Arrangement.ABOVE
        elif found.drawn_m[place] == 0.0:
            angles[place] = _angle(geometries[place], part)
            if angles[place] >= CROSSING_DEG:
                arranged[place] = Arrangement.CROSSING
    return arranged, np.round(angles, 0)


def _angle(line: BaseGeometry, part: Footprint) -> float:
    """Between a line and the dig that it meets, 0 to 90 degrees; NaN where the dig has no direction."""
    if shapely.get_dimensions(line) != _LINE:
        return float("nan")
    if shapely.get_dimensions(part.geometry) == _LINE:
        return _between(line, part.geometry)
    if shapely.get_dimensions(part.geometry) == _SURFACE:
        return _across(line, part.geometry)
    return float("nan")


def _between(line: BaseGeometry, axis: BaseGeometry) -> float:
    here = shapely.get_point(shapely.shortest_line(line, axis), 0)
    directions = [_direction(one, here) for one in (line, axis)]
    cosine = abs(float(directions[0] @ directions[1]))
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def _direction(line: BaseGeometry, here: BaseGeometry) -> Floats:
    """Of a line at the place nearest to a point; a line of several parts is that of the nearest."""
    parts = shapely.get_parts(line)
    path = parts[int(np.argmin(shapely.distance(parts, here)))]
    at_m, length_m = float(shapely.line_locate_point(path, here)), float(shapely.length(path))
    around_m = [max(at_m - _LOCAL_M, 0.0), min(at_m + _LOCAL_M, length_m)]
    ends = shapely.line_interpolate_point(path, around_m)
    way = np.subtract(*shapely.get_coordinates(ends)[::-1])
    length = float(np.hypot(*way))
    direction: Floats = way / length if length else np.array([np.nan, np.nan])
    return direction


def _across(line: BaseGeometry, area: BaseGeometry) -> float:
    """Of a line that runs through a long narrow area: a chord as long as it is wide crosses at a right angle."""
    half_perimeter, size = shapely.length(area) / 2, shapely.area(area)
    if half_perimeter**2 < _ELONGATED * 4 * size:
        return float("nan")
    # Length and width of a rectangle, bent or not, by their sum and product.
    width = (half_perimeter - float(np.sqrt(half_perimeter**2 - 4 * size))) / 2
    inside = shapely.get_parts(shapely.intersection(line, area))
    chord = float(shapely.length(inside).max(initial=0.0))
    return float(np.degrees(np.arcsin(min(width / chord, 1.0)))) if chord > 0 else float("nan")


def locations(existing: Existing, found: Distances) -> Geometries:
    """Return where each conflict is, EPSG:25832: what of the line lies in the dig, else the shortest way to it.

    None of what has no place.
    """
    parts = np.array([*(part.geometry for part in found.nearest), None], dtype=object)[:-1]
    geometries = existing.geometries[found.which]
    shortest: Geometries = shapely.shortest_line(geometries, parts)
    inside = shapely.intersection(geometries, parts)
    within = (shapely.get_dimensions(parts) == _SURFACE) & ~(
        shapely.is_empty(inside) | shapely.is_missing(inside)
    )
    placed: Geometries = np.where(within, inside, shortest)
    return placed
