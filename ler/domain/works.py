"""Planned works: what somebody is going to dig, where, how, and within which days.

A work says by itself when it may be done (`earliest_start` to `latest_end`) and how many working days it takes; while it
has no `planned_start` it may be anywhere in between. Days are whole legal days of Denmark, and both ends count. What the
law does not say and no register publishes is marked [INF].
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Final
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from ler.domain.calendar import WorkingCalendar
from ler.domain.dig_area import MAX_VERTICES, Coverage, check_place
from ler.domain.faults import Fault
from ler.domain.registration import text_faults
from ler.domain.request_rules import DEEPEST_M
from ler.errors import RefusedError
from ler.model import load_model

ROAD: Final = "road"
"""The activity of works on the road itself: resurfacing, kerbs, paths."""
OTHER: Final = "other"
LONGEST_TITLE: Final = 200
"""Characters."""
LONGEST_REFERENCE: Final = 50
"""Characters."""
LONGEST_CONTACT: Final = 254
"""Characters."""
WIDEST_M: Final = 60.0
"""As the widest corridor of a dig area."""
MOST_DUCTS: Final = 1000
"""[INF] More are a slip of the hand."""
DEFAULT_WIDTH_M: Final = 1.0
"""[INF] Of a trench that does not say how wide it is; a machine's bucket and room for a man."""
PIT_M: Final = 2.0
"""[INF] Side of the pit at each end of a bore."""

_GEOMETRIES: Final = frozenset({"Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})


class Method(StrEnum):
    """How the ground is opened: the methods of `ler.domain.work_codes`, whose names in Danish and English lie there."""

    HAND = "hand"
    VACUUM = "vacuum"
    OPEN_TRENCH = "open-trench"
    MILLING = "milling"
    PLOUGHING = "ploughing"
    MOLING = "moling"
    DIRECTIONAL_DRILLING = "directional-drilling"
    BORING = "boring"
    OTHER = "other"

    @property
    def is_trenchless(self) -> bool:
        """Whether the surface between two pits stays whole."""
        return self in {Method.MOLING, Method.DIRECTIONAL_DRILLING}


class RoadOccupation(StrEnum):
    """What of the road is taken, from the least to the most."""

    NONE = "none"
    FOOTWAY = "footway"
    CYCLE_PATH = "cycle-path"
    LANE = "lane"
    CLOSED = "closed"
    """Nobody gets through; traffic is led another way."""


class Surface(StrEnum):
    """What is opened, and made good afterwards."""

    ASPHALT = "asphalt"
    CONCRETE = "concrete"
    PAVING = "paving"
    GRAVEL = "gravel"
    GRASS = "grass"
    SOIL = "soil"
    OTHER = "other"


class WorkStatus(StrEnum):
    """How firm a work is."""

    DRAFT = "draft"
    """Seen by its own organisation only."""
    PLANNED = "planned"
    """Published; its days may still move within its window."""
    AGREED = "agreed"
    """Its days are agreed with whom it concerns."""
    FROZEN = "frozen"
    """Too near to be moved."""
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


MAY_FOLLOW: Final[Mapping[WorkStatus, frozenset[WorkStatus]]] = {
    WorkStatus.DRAFT: frozenset({WorkStatus.PLANNED, WorkStatus.CANCELLED}),
    WorkStatus.PLANNED: frozenset(
        {WorkStatus.AGREED, WorkStatus.FROZEN, WorkStatus.RUNNING, WorkStatus.CANCELLED}
    ),
    WorkStatus.AGREED: frozenset(
        {WorkStatus.PLANNED, WorkStatus.FROZEN, WorkStatus.RUNNING, WorkStatus.CANCELLED}
    ),
    WorkStatus.FROZEN: frozenset({WorkStatus.AGREED, WorkStatus.RUNNING, WorkStatus.CANCELLED}),
    WorkStatus.RUNNING: frozenset({WorkStatus.DONE, WorkStatus.CANCELLED}),
    WorkStatus.DONE: frozenset(),
    WorkStatus.CANCELLED: frozenset(),
}
"""What may come after each status, besides itself. What was published is never a draft again."""

ACTIVE: Final = frozenset({WorkStatus.PLANNED, WorkStatus.AGREED, WorkStatus.FROZEN, WorkStatus.RUNNING})
"""Of works that others must reckon with."""


@dataclass(frozen=True, slots=True)
class WorkLimits:
    """What one planned work may be; all [INF]."""

    max_area_m2: float = 1_000_000.0
    max_extent_m: float = 25_000.0
    """Longer side of its bounding box; longer works are registered in sections."""
    longest_window_days: int = 3_660
    """From the first to the last day; plans of dig-once platforms reach five to ten years ahead."""


@dataclass(frozen=True)
class PlannedWork:
    """One work as planned by one organisation. Its window holds the duration once `WorkRules` found no fault."""

    id: UUID
    organisation_id: UUID
    title: str
    geometry: BaseGeometry
    """EPSG:25832, metres, two numbers a vertex: the trench's centre line, the bore, the area, or the place of one pit."""
    activity: str
    """What is laid, by LER's forsyningsart; or `road`, or `other`."""
    method: Method
    depth_m: float | None
    """Of the deepest place below the surface; None: not known."""
    duration_days: int
    """Working days."""
    earliest_start: date
    latest_end: date
    """Last day on which it may still be going on."""
    planned_start: date | None = None
    """First day when nobody moves it; None: somewhere in its window."""
    road: RoadOccupation = RoadOccupation.NONE
    surface: Surface = Surface.OTHER
    status: WorkStatus = WorkStatus.PLANNED
    willing_to_share: bool = False
    """Whether others may join: one trench, one closing of the road."""
    ducts_wanted: int = 0
    """Empty ducts that the organisation would use in a trench of another."""
    ducts_offered: int = 0
    """Empty ducts that others may use in this one."""
    width_m: float | None = None
    """Of the trench along a line, or of the pit at a point; None: not known, taken for DEFAULT_WIDTH_M."""
    road_area_m2: float | None = None
    """Surface that is opened and made good, when it is not what the drawing gives."""
    reference: str | None = None
    """The organisation's own number of it."""
    contact: str | None = None
    """Whom to turn to. Told to organisations of the register, never to the public."""
    version: int = 1

    @cached_property
    def footprint(self) -> BaseGeometry:
        """What it covers on the ground, EPSG:25832: an area as drawn, a line or point as wide as it says."""
        if self.geometry.geom_type in {"Polygon", "MultiPolygon"}:
            return self.geometry
        return self.geometry.buffer((self.width_m or DEFAULT_WIDTH_M) / 2, cap_style="square")

    @cached_property
    def opened(self) -> BaseGeometry:
        """Where the surface is broken: the footprint; of a trenchless line the pits at its ends."""
        if not (self.method.is_trenchless and self.geometry.geom_type in {"LineString", "MultiLineString"}):
            return self.footprint
        ends = [
            shapely.get_point(line, index) for line in shapely.get_parts(self.geometry) for index in (0, -1)
        ]
        return shapely.union_all([end.buffer(PIT_M / 2, cap_style="square") for end in ends])

    @property
    def opened_m2(self) -> float:
        """Surface that is opened and made good, m2: as said, or as drawn."""
        return self.opened.area if self.road_area_m2 is None else self.road_area_m2

    def runs(self, calendar: WorkingCalendar) -> tuple[date, date]:
        """First and last day on which it may be going on: its planned days, or its whole window."""
        if self.planned_start is None:
            return self.earliest_start, self.latest_end
        return self.planned_start, calendar.last_of(self.planned_start, self.duration_days)

    def latest_start(self, calendar: WorkingCalendar) -> date:
        """Return the last day on which it may begin: the planned one, or that which leaves it time enough."""
        return self.planned_start or calendar.first_of(self.latest_end, self.duration_days)

    def earliest_end(self, calendar: WorkingCalendar) -> date:
        """Return the first day on which it may be done."""
        return calendar.last_of(self.planned_start or self.earliest_start, self.duration_days)


def known_activities() -> tuple[str, ...]:
    """Return what a work may lay or be: LER's utility types, `road` and `other`."""
    return (*load_model().code_lists["Forsyningsart"].values, ROAD, OTHER)


@dataclass(frozen=True, slots=True)
class WorkRules:
    """By what works are judged here. A calendar that does not know a window's days makes it a fault: it is too far away."""

    calendar: WorkingCalendar
    coverage: Coverage
    limits: WorkLimits = field(default_factory=WorkLimits)

    def faults(self, work: PlannedWork, base: str = "") -> list[Fault]:
        """Return all faults of a work; `base` leads to its properties, and the geometry has the pointer `/geometry`."""
        return [
            *geometry_faults(work.geometry, self.coverage, self.limits),
            *(
                Fault(fault.code, base + fault.pointer, fault.message)
                for fault in _property_faults(work, self.calendar, self.limits)
            ),
        ]


def status_fault(before: WorkStatus, after: WorkStatus) -> Fault | None:
    """Return why a work that was in one status cannot be in another."""
    if after is before or after in MAY_FOLLOW[before]:
        return None
    wanted = ", ".join(sorted(MAY_FOLLOW[before])) or "nothing"
    return Fault("work-status", "/status", f"after '{before}' may come {wanted}, not '{after}'")


def geometry_faults(geometry: BaseGeometry, coverage: Coverage, limits: WorkLimits) -> list[Fault]:
    """Return the first thing that is wrong with the place of a work or a restriction, in EPSG:25832."""
    fault = _geometry_fault(geometry, coverage, limits)
    return [] if fault is None else [Fault(fault[0], "/geometry", fault[1])]


def _geometry_fault(  # noqa: PLR0911 - one line a rule
    geometry: BaseGeometry, coverage: Coverage, limits: WorkLimits
) -> tuple[str, str] | None:
    kind = geometry.geom_type
    if kind not in _GEOMETRIES:
        return "geometry-type", f"a place is one of {', '.join(sorted(_GEOMETRIES))}, not a {kind}"
    if geometry.is_empty:
        return "geometry-empty", "the geometry is empty"
    if shapely.get_num_coordinates(geometry) > MAX_VERTICES:
        return "area-size", f"the geometry has more than {MAX_VERTICES} vertices: simplify it"
    if not geometry.is_valid:
        return "geometry-invalid", f"the geometry is not valid ({explain_validity(geometry)}): draw it anew"
    if kind.endswith("LineString") and not geometry.length:
        return "geometry-invalid", "the line has no length: it needs two different points"
    try:
        check_place(geometry, coverage)
    except RefusedError as refusal:
        return refusal.code, str(refusal)
    west, south, east, north = geometry.bounds
    extent_m = max(east - west, north - south)
    if extent_m > limits.max_extent_m:
        return (
            "area-size",
            f"the geometry is {extent_m:,.0f} m long, at most {limits.max_extent_m:,.0f} m: split it",
        )
    if geometry.area > limits.max_area_m2:
        return (
            "area-size",
            f"the area is {geometry.area:,.0f} m², at most {limits.max_area_m2:,.0f} m²: split it",
        )
    return None


def _property_faults(work: PlannedWork, calendar: WorkingCalendar, limits: WorkLimits) -> Iterator[Fault]:
    yield from text_faults("/title", work.title, LONGEST_TITLE)
    yield from text_faults("/reference", work.reference or "", LONGEST_REFERENCE, empty=True)
    yield from text_faults("/contact", work.contact or "", LONGEST_CONTACT, empty=True)
    if work.activity not in known_activities():
        yield Fault(
            "work-activity",
            "/activity",
            f"{work.activity!r} is none of: {', '.join(sorted(known_activities()))}",
        )
    yield from _window_faults(work, calendar, limits)
    yield from _figure_faults(work, limits)


def _window_faults(work: PlannedWork, calendar: WorkingCalendar, limits: WorkLimits) -> Iterator[Fault]:
    first, last = work.earliest_start, work.latest_end
    if work.duration_days < 1:
        yield Fault(
            "work-duration",
            "/duration_days",
            f"a work takes at least one working day, not {work.duration_days}",
        )
        return
    if last < first:
        yield Fault("work-window", "/latest_end", f"the work must end ({last}) before it may begin ({first})")
        return
    if (last - first).days >= limits.longest_window_days:
        yield Fault(
            "work-window",
            "/latest_end",
            f"from {first} to {last} are more than {limits.longest_window_days} days",
        )
        return
    if not (calendar.first <= first and last <= calendar.last):
        yield Fault(
            "work-window",
            "/earliest_start",
            f"the window {first} to {last} is not within {calendar.first} to {calendar.last}",
        )
        return
    room = calendar.working_days(first, last)
    if work.duration_days > room:
        yield Fault(
            "work-duration",
            "/duration_days",
            f"the work takes {work.duration_days} working days, and {first} to {last} has {room}",
        )
    elif work.planned_start is not None:
        latest = calendar.first_of(last, work.duration_days)
        if not first <= work.planned_start <= latest:
            yield Fault(
                "work-start",
                "/planned_start",
                f"the work is to start {work.planned_start}; in its window it can from {first} to {latest}",
            )


def _figure_faults(work: PlannedWork, limits: WorkLimits) -> Iterator[Fault]:
    for code, name, value, most in (
        ("depth-invalid", "depth_m", work.depth_m, DEEPEST_M),
        ("work-width", "width_m", work.width_m, WIDEST_M),
    ):
        if value is not None and not 0 < value <= most:
            yield Fault(code, f"/{name}", f"{name} is {value}: more than 0, at most {most:g} m")
    if work.road_area_m2 is not None and not 0 <= work.road_area_m2 <= limits.max_area_m2:
        yield Fault(
            "work-area",
            "/road_area_m2",
            f"road_area_m2 is {work.road_area_m2}: from 0 to {limits.max_area_m2:,.0f} m²",
        )
    for name, count in (("ducts_wanted", work.ducts_wanted), ("ducts_offered", work.ducts_offered)):
        if not 0 <= count <= MOST_DUCTS:
            yield Fault("work-ducts", f"/{name}", f"{name} is {count}: from 0 to {MOST_DUCTS}")
