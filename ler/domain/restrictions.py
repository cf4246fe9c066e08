"""Restrictions: where, and within which days, a road or a place is not to be dug up or closed, and who says so.

A restriction forbids nothing by itself: a work that meets one gets a conflict that somebody judges (`meets`). Both ends of
its days count; one without a last day holds until it is ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Final
from uuid import UUID

from shapely.geometry.base import BaseGeometry

from ler.domain.dig_area import Coverage
from ler.domain.faults import Fault
from ler.domain.registration import text_faults
from ler.domain.works import LONGEST_TITLE, PlannedWork, RoadOccupation, WorkLimits, geometry_faults

LONGEST_SOURCE: Final = 500
"""Characters."""


class RestrictionKind(StrEnum):
    """Why a place is not to be touched."""

    MORATORIUM = "moratorium"
    """The surface is new and stays whole: met by what opens it."""
    CLOSED_PERIOD = "closed-period"
    """Nobody works there: a shopping street before Christmas, frost, a bird's breeding time."""
    EVENT = "event"
    """A market, a race, a concert."""
    BUS_LINE = "bus-line"
    """Buses run there: met by what takes a lane or closes the road."""
    DIVERSION = "diversion"
    """Traffic is led through there past another work: met by what takes a lane or closes the road."""


_TAKES_LANES: Final = frozenset({RoadOccupation.LANE, RoadOccupation.CLOSED})


@dataclass(frozen=True)
class Restriction:
    """One restriction as an authority or an organisation entered it."""

    id: UUID
    organisation_id: UUID
    kind: RestrictionKind
    title: str
    geometry: BaseGeometry
    """EPSG:25832, metres, two numbers a vertex: an area, or the line of a road or bus route."""
    first_day: date
    last_day: date | None
    """None: until it is ended."""
    source: str
    """Who says so, and where it can be read."""
    work_id: UUID | None = None
    """Of a diversion, the work past which traffic is led; such a diversion never stands in that work's own way."""
    version: int = 1

    @property
    def reach_m(self) -> float:
        """Half the width of the road that a line stands for, m; an area is as drawn. [INF] two lanes."""
        return 0.0 if self.geometry.geom_type in {"Polygon", "MultiPolygon"} else 3.5

    @cached_property
    def place(self) -> BaseGeometry:
        """What it covers, EPSG:25832: an area as drawn, a line as wide as the road that it stands for."""
        return self.geometry.buffer(self.reach_m) if self.reach_m else self.geometry

    def concerns(self, work: PlannedWork) -> bool:
        """Whether a work is of the kind that the restriction is about, wherever and whenever it is done."""
        if self.kind in {RestrictionKind.BUS_LINE, RestrictionKind.DIVERSION}:
            return work.road in _TAKES_LANES and work.id != self.work_id
        return True

    def reached_by(self, work: PlannedWork) -> BaseGeometry:
        """Return what of a work the restriction is about: of a moratorium what it opens, of others all it covers."""
        return work.opened if self.kind is RestrictionKind.MORATORIUM else work.footprint


def restriction_faults(
    restriction: Restriction, *, coverage: Coverage, limits: WorkLimits, base: str = ""
) -> list[Fault]:
    """Return all faults of a restriction; `base` leads to its properties, the geometry has `/geometry`.

    One that covers everything is refused by the size of its area, as a work is.
    """
    return [
        *geometry_faults(restriction.geometry, coverage, limits),
        *(Fault(f.code, base + f.pointer, f.message) for f in _property_faults(restriction)),
    ]


def _property_faults(restriction: Restriction) -> Iterator[Fault]:
    yield from text_faults("/title", restriction.title, LONGEST_TITLE)
    yield from text_faults("/source", restriction.source, LONGEST_SOURCE)
    first, last = restriction.first_day, restriction.last_day
    if last is not None and last < first:
        yield Fault("work-window", "/last_day", f"it ends ({last}) before it begins ({first})")
    if restriction.work_id is not None and restriction.kind is not RestrictionKind.DIVERSION:
        yield Fault("restriction-work", "/work_id", "only a diversion is of a work")
