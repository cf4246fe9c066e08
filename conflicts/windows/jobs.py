"""From planned works to jobs: on which working days each may begin, where it stands, whether it may move.

A work moves only while it is planned or agreed and begins after the frozen days ahead. Restrictions bar the days on which
they meet it; a bus line bars only the closing of its road, and what is fixed stays where it is and is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import shapely

from conflicts.windows.days import WorkDays
from conflicts.windows.figures import Prices, WindowRules
from conflicts.windows.findings import Finding, finding
from conflicts.windows.problem import Job, Ranges
from ler.domain.restrictions import Restriction, RestrictionKind
from ler.domain.works import PlannedWork, RoadOccupation, WorkStatus

_STANDS: frozenset[WorkStatus] = frozenset({WorkStatus.FROZEN, WorkStatus.RUNNING})


@dataclass(frozen=True, slots=True)
class Bar:
    """Days that a restriction takes from a work, by number, both ends counted."""

    first: int
    last: int
    title: str


@dataclass(frozen=True)
class Calendar:
    """What all works are planned by."""

    days: WorkDays
    today: date
    rules: WindowRules
    prices: Prices

    @property
    def first_free(self) -> int:
        """The first working day on which something that moves may begin."""
        return self.days.from_(self.today) + self.rules.freeze_days


def jobs_of(
    works: Sequence[PlannedWork], restrictions: Sequence[Restriction], calendar: Calendar
) -> tuple[list[Job | None], list[Finding]]:
    """Return the job of each work, None for one that cannot be planned, and what is to be said about them."""
    bars = bars_of(works, restrictions, calendar.days)
    jobs: list[Job | None] = []
    findings: list[Finding] = []
    for number, work in enumerate(works):
        job, found = _job(work, bars.get(number, []), calendar)
        jobs.append(job)
        if found is not None:
            findings.append(found)
    return jobs, findings


def _job(work: PlannedWork, bars: Sequence[Bar], calendar: Calendar) -> tuple[Job | None, Finding | None]:
    days = calendar.days
    stands = days.from_(work.planned_start or work.earliest_start)
    if is_fixed(work, stands, calendar):
        met = [bar for bar in bars if bar.first < stands + work.duration_days and stands <= bar.last]
        found = finding("fixed-barred", work, bars=_named(met)) if met else None
        return _of(work, ((stands, stands),), stands, calendar, fixed=True), found
    first = max(days.from_(work.earliest_start), calendar.first_free)
    last = days.until(work.latest_end) - work.duration_days + 1
    if first > last:
        free = days.date(min(calendar.first_free, len(days) - 1))
        return None, finding("work-too-late", work, last=work.latest_end, free=free)
    starts = _without(first, last, work.duration_days, bars)
    if not starts:
        return None, finding("work-barred", work, bars=_named(bars))
    planned = stands if work.planned_start is not None else starts[0][0]
    return _of(work, starts, planned, calendar, fixed=False), None


def is_fixed(work: PlannedWork, stands: int, calendar: Calendar) -> bool:
    """Whether a work stays where it stands: it is frozen or runs, or begins within the frozen days."""
    return work.status in _STANDS or (work.planned_start is not None and stands < calendar.first_free)


def _of(work: PlannedWork, starts: Ranges, planned: int, calendar: Calendar, *, fixed: bool) -> Job:
    return Job(
        id=work.id,
        organisation=work.organisation_id,
        days=work.duration_days,
        starts=starts,
        planned=planned,
        fixed=fixed,
        move_price=0 if work.planned_start is None else calendar.prices.move(work.status),
    )


def _without(first: int, last: int, duration: int, bars: Sequence[Bar]) -> Ranges:
    """Starts from the first to the last on which no barred day is met."""
    ranges: list[tuple[int, int]] = []
    free = first
    for bar in sorted(bars, key=lambda bar: (bar.first, bar.last)):
        begin = bar.first - duration
        if free <= min(begin, last):
            ranges.append((free, min(begin, last)))
        free = max(free, bar.last + 1)
    if free <= last:
        ranges.append((free, last))
    return tuple(ranges)


def _named(bars: Sequence[Bar]) -> str:
    return ", ".join(sorted({bar.title for bar in bars}))


def bars_of(
    works: Sequence[PlannedWork], restrictions: Sequence[Restriction], days: WorkDays
) -> Mapping[int, list[Bar]]:
    """Return the days that restrictions take from works, by position of the work."""
    bars: dict[int, list[Bar]] = {}
    if not restrictions or not works:
        return bars
    tree = shapely.STRtree([work.footprint for work in works])
    found = tree.query([rule.place for rule in restrictions], predicate="intersects")
    for rule_number, number in np.transpose(found).tolist():
        rule, work = restrictions[rule_number], works[number]
        if not _bars(rule, work) or not rule.reached_by(work).intersects(rule.place):
            continue
        last = len(days) - 1 if rule.last_day is None else days.until(rule.last_day)
        bar = Bar(days.from_(rule.first_day), last, rule.title)
        if bar.first <= bar.last:
            bars.setdefault(number, []).append(bar)
    return bars


def _bars(rule: Restriction, work: PlannedWork) -> bool:
    if rule.kind is RestrictionKind.BUS_LINE:
        return work.road is RoadOccupation.CLOSED
    return rule.concerns(work)
