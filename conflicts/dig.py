"""The work as far as conflicts go: which ground it opens, how deep, and how.

What is drawn by its line has half its width on each side; nothing is buffered, since a buffer's polygon lies inside the
true distance. A bore is its line with what it may stray, and a pit at each end, where the ground is open. A bore of
which only an area is told may run anywhere in it, and stray out of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from conflicts.clearances import Clearances
from ler.domain.works import DEFAULT_WIDTH_M, PIT_M, PlannedWork

_TRENCHLESS: Final = "trenchless"
_LINE: Final = 1
_SURFACE: Final = 2


@dataclass(frozen=True, slots=True)
class Dig:
    """A dig of which the distances are asked for."""

    area: BaseGeometry
    """EPSG:25832: what is opened, or its axis, or points."""
    activity: str | None = None
    """A kind of work (`ler.domain.work_codes`), or the LER forsyningsart of what is laid; None or another: anything."""
    method: str | None = None
    """A method of `ler.domain.work_codes`; None or another: any."""
    depth_m: float | None = None
    """Of the deepest place below the surface; None: however deep."""
    width_m: float | None = None
    """Of a trench or bore that is drawn by its line, or of a pit that is drawn as a point."""
    pits: Sequence[BaseGeometry] = ()
    """Of a bore; none: one at each end of its lines."""
    on: date | None = None
    """Day by which rules must be valid; None: all of them are."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """A part of the ground that is opened."""

    geometry: BaseGeometry
    """EPSG:25832, in the plane."""
    half_m: float
    """How far it reaches besides."""
    tolerance_m: float = 0.0
    """How far it may come to lie elsewhere."""


def dig_of_work(work: PlannedWork) -> Dig:
    """Return the dig of a planned work, by the rules of the day on which it begins at the earliest."""
    day = work.planned_start or work.earliest_start
    return Dig(work.geometry, work.activity, work.method.value, work.depth_m, work.width_m, on=day)


def footprints(dig: Dig, clearances: Clearances) -> list[Footprint]:
    """Return the parts of the ground that a dig opens."""
    ground = shapely.force_2d(dig.area)
    sort = clearances.method_of(dig.method)
    tolerance_m = clearances.methods[sort].own_tolerance if sort else 0.0
    width_m = DEFAULT_WIDTH_M if dig.width_m is None else dig.width_m
    found = []
    # Twice: a collection may hold collections.
    for part in shapely.get_parts(shapely.get_parts(ground)):
        dimension = shapely.get_dimensions(part)
        if dimension == _SURFACE:
            found.append(Footprint(part, 0.0, tolerance_m))
        elif dimension == _LINE:
            found.append(Footprint(part, width_m / 2, tolerance_m))
            if sort == _TRENCHLESS and not dig.pits:
                found += [_pit(shapely.get_point(part, end)) for end in (0, -1)]
        else:
            found.append(_pit(part, PIT_M if dig.width_m is None else dig.width_m))
    return [*found, *(Footprint(shapely.force_2d(pit), 0.0) for pit in dig.pits)]


def _pit(middle: BaseGeometry, side_m: float = PIT_M) -> Footprint:
    """A square pit, turned as is worst."""
    return Footprint(middle, side_m / 2**0.5)
