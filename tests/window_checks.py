"""Whether a plan keeps every rule, looked at anew from the works: dates, places and days, nothing of the planner's numbers."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations
from uuid import UUID

from conflicts.windows.plan import Brief, Plan
from ler.domain.restrictions import Restriction, RestrictionKind
from ler.domain.works import ROAD, PlannedWork, RoadOccupation, WorkStatus

_DAY = timedelta(days=1)


class PlanCheck:
    """One plan and the works that it is of."""

    def __init__(self, brief: Brief, plan: Plan) -> None:
        self.brief, self.plan = brief, plan
        self.works = {work.id: work for work in brief.works if work.id in plan.placements}
        self.days = {one: self._days(plan.placements[one].start, work) for one, work in self.works.items()}
        self.head = dict(zip(self.works, self.works, strict=True))
        for component in plan.components:
            for join in component.joins:
                self.head[join.joiner] = join.pilot
        self.excused = {frozenset(found.work_ids) for found in plan.findings}

    def _days(self, start: date, work: PlannedWork) -> set[date]:
        calendar, days, day = self.brief.work_rules.calendar, set[date](), start
        while len(days) < work.duration_days:
            if calendar.is_working_day(day):
                days.add(day)
            day += _DAY
        return days

    def broken(self) -> list[str]:
        """Every rule that is broken."""
        return [*self._alone(), *self._joins(), *self._pairs(), *self._crews(), *self._restrictions()]

    def _is_fixed(self, work: PlannedWork) -> bool:
        if work.status in {WorkStatus.FROZEN, WorkStatus.RUNNING}:
            return True
        day, ahead = self.brief.today, 0
        while ahead < self.brief.rules.freeze_days:
            ahead += self.brief.work_rules.calendar.is_working_day(day)
            day += _DAY
        while not self.brief.work_rules.calendar.is_working_day(day):
            day += _DAY
        return work.planned_start is not None and min(self._days(work.planned_start, work)) < day

    def _alone(self) -> Iterator[str]:
        for one, work in self.works.items():
            days, placement = self.days[one], self.plan.placements[one]
            if max(days) != placement.end:
                yield f"{work.title} does not end when it is said to"
            if self._is_fixed(work):
                if work.planned_start is not None and placement.moved_days:
                    yield f"{work.title} is frozen and moved"
                continue
            if min(days) < work.earliest_start or max(days) > work.latest_end:
                yield f"{work.title} is outside of its window"

    def _joins(self) -> Iterator[str]:
        for one, head in self.head.items():
            if one == head:
                continue
            work, pilot = self.works[one], self.works[head]
            if self.head[head] != head:
                yield f"{work.title} joins one that joins another"
            if not (work.willing_to_share and pilot.willing_to_share):
                yield f"{work.title} shares against somebody's will"
            if work.footprint.distance(pilot.footprint) > self.brief.rules.near_m:
                yield f"{work.title} joins from afar"
            if work.method.is_trenchless or pilot.method.is_trenchless:
                yield f"{work.title} joins without a trench"

    def _pairs(self) -> Iterator[str]:
        rules = self.brief.rules
        for a, b in combinations(self.works.values(), 2):
            if frozenset({a.id, b.id}) in self.excused:
                continue
            distance = a.footprint.distance(b.footprint)
            if distance > max(rules.near_m, rules.parallel_m):
                continue
            together = self.head[a.id] == self.head[b.id]
            if not together and self._clash(a, b, distance) and self.days[a.id] & self.days[b.id]:
                yield f"{a.title} and {b.title} take the road at once"
            if distance <= rules.near_m:
                yield from self._order(a, b, together=together)
                yield from self._order(b, a, together=together)

    def _order(self, first: PlannedWork, then: PlannedWork, *, together: bool) -> Iterator[str]:
        mine, theirs = self.days[first.id], self.days[then.id]
        if then.activity == ROAD != first.activity:
            if not first.method.is_trenchless and max(mine) >= min(theirs):
                yield f"{then.title} is laid before {first.title} is dug"
        elif together and self._goes_first(first, then):
            ahead = min(mine) <= min(theirs) and max(mine) <= max(theirs)
            if not ahead:
                yield f"{first.title} is not ahead of {then.title}"

    def _clash(self, a: PlannedWork, b: PlannedWork, distance: float) -> bool:
        roads = {a.road, b.road}
        if roads == {RoadOccupation.CLOSED}:
            return distance <= self.brief.rules.parallel_m
        return roads == {RoadOccupation.CLOSED, RoadOccupation.LANE} and distance <= self.brief.rules.near_m

    def _goes_first(self, first: PlannedWork, then: PlannedWork) -> bool:
        wishes = set(self.brief.wishes)
        if {(first.id, then.id), (then.id, first.id)} & wishes:
            return (first.id, then.id) in wishes
        if ROAD in {first.activity, then.activity}:
            return False
        usual = self.brief.rules.depth_m
        depths = [usual[work.activity] if work.depth_m is None else work.depth_m for work in (first, then)]
        return depths[0] - depths[1] >= 0.05

    def _crews(self) -> Iterator[str]:
        """Never more at once than there are crews, or than were going on where works stand."""
        for owner, crews in self.brief.crews.items():
            now: defaultdict[date, int] = defaultdict(int)
            before: defaultdict[date, int] = defaultdict(int)
            for one, work in self.works.items():
                if work.organisation_id == owner:
                    for day in self.days[one]:
                        now[day] += 1
            for stood in self._stood(owner):
                for day in stood:
                    before[day] += 1
            for day, count in now.items():
                if count > max(crews, before[day]):
                    yield f"{owner} has {count} works on {day}"

    def _stood(self, owner: UUID) -> Iterator[set[date]]:
        for one, work in self.works.items():
            if work.organisation_id == owner:
                yield self._days(self.plan.placements[one].stands, work)

    def _restrictions(self) -> Iterator[str]:
        for rule in self.brief.restrictions:
            place = rule.geometry.buffer(rule.reach_m)
            for one, work in self.works.items():
                if self._is_fixed(work) or not _concerns(rule, work):
                    continue
                part = work.opened if rule.kind is RestrictionKind.MORATORIUM else work.footprint
                last = rule.last_day or date.max
                if part.intersects(place) and any(rule.first_day <= day <= last for day in self.days[one]):
                    yield f"{work.title} digs where and when {rule.title} bars it"


def _concerns(rule: Restriction, work: PlannedWork) -> bool:
    if rule.kind is RestrictionKind.BUS_LINE:
        return work.road is RoadOccupation.CLOSED
    if rule.kind is RestrictionKind.DIVERSION:
        return work.road in {RoadOccupation.LANE, RoadOccupation.CLOSED}
    return True
