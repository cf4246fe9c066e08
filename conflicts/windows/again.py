"""Planning again after a change: the components that it touches, and of a large one what lies around the change.

All other works keep their days and their crews, and are not even read. Works that are held to their days never move.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from conflicts.windows.days import WorkDays
from conflicts.windows.ground import Ground, ListedGround
from conflicts.windows.in_parts import Before
from conflicts.windows.plan import Brief, Plan, Task, planned, sorted_findings
from conflicts.windows.touched import touched_by


@dataclass(frozen=True, slots=True)
class Standing:
    """Windows that were told before: where their works are, and whose they join. All other works stand by themselves."""

    start: Mapping[UUID, date]
    pilot: Mapping[UUID, UUID]


def plan_around(
    brief: Brief, some: Collection[UUID], standing: Standing | None = None, ground: Ground | None = None
) -> Plan:
    """Plan the components of some works only; all other works keep their days, and their crews.

    A component that is planned as one is planned as `plan_windows` does. A large one keeps the windows that are `standing`,
    but around those works and where that would be worse than the greedy plan. Works are looked up on the `ground` when it
    is given, and those of the brief are not looked at.
    """
    touched = touched_by(brief, ground or ListedGround(brief.works), some)
    named = frozenset(some)
    before = None if standing is None else _Stood(standing, named).of
    components, placements, found = planned(
        touched.stage, touched.wishes, touched.numbers, standing={}, before=before
    )
    here = named | placements.keys()
    told = [one for one in (*touched.findings, *found) if not here.isdisjoint(one.work_ids)]
    return Plan(
        placements, components, touched.wishes.rank, sorted_findings([*told, *touched.wishes.findings])
    )


def replan(plan: Plan, brief: Brief, changed: Collection[UUID]) -> Plan:
    """Plan again what a change of works touches: `brief` holds all works as they are now, `plan` is from before.

    Works that were changed, added or taken away are named in `changed`; all else stays as it was.
    """
    named = frozenset(changed)
    seeds = named.union(*(part.work_ids for part in plan.components if not named.isdisjoint(part.work_ids)))
    touched = touched_by(brief, ListedGround(brief.works), seeds)
    gone = seeds.union(touched.stage.scene.works[number].id for number in touched.numbers)
    kept = {one: placement for one, placement in plan.placements.items() if one not in gone}
    before = _Earlier(plan, named, seeds).of
    components, placements, found = planned(
        touched.stage, touched.wishes, touched.numbers, standing=kept, before=before
    )
    standing = [part for part in plan.components if gone.isdisjoint(part.work_ids)]
    told = [one for one in plan.findings if one.work_ids and gone.isdisjoint(one.work_ids)]
    here = [one for one in (*touched.findings, *found) if not gone.isdisjoint(one.work_ids)]
    return Plan(
        placements=kept | placements,
        components=sorted((*standing, *components), key=lambda part: part.work_ids),
        wish_rank=touched.wishes.rank,
        findings=sorted_findings([*told, *here, *touched.wishes.findings]),
    )


@dataclass(frozen=True)
class _Earlier:
    """A plan from before, what has changed since, and the works of the components that it touched."""

    plan: Plan
    changed: frozenset[UUID]
    touched: frozenset[UUID]

    def of(self, task: Task, days: WorkDays) -> Before | None:
        """Return how a large component was planned before; None for one that is planned as one."""
        if len(task.numbers) <= task.most:
            return None
        place = {job.id: index for index, job in enumerate(task.problem.jobs)}
        parts = [part for part in self.plan.components if not self.touched.isdisjoint(part.work_ids)]
        start = {
            place[one]: days.from_(placement.start)
            for one, placement in self.plan.placements.items()
            if one in place and one in self.touched
        }
        joins = [join for part in parts for join in part.joins if {join.joiner, join.pilot} <= place.keys()]
        bounds = {
            tuple(place[one] for one in ids): bound
            for part in parts
            for ids, bound in part.part_bounds
            if place.keys() >= set(ids)
        }
        changed = frozenset(place[one] for one in place if one in self.changed or one not in self.touched)
        return Before(start, {place[join.joiner]: place[join.pilot] for join in joins}, changed, bounds)


@dataclass(frozen=True)
class _Stood:
    """Windows that were told before, and the works around which is planned again."""

    standing: Standing
    changed: frozenset[UUID]

    def of(self, task: Task, days: WorkDays) -> Before | None:
        """Return where the works of a large component stood; None for one that is planned as one."""
        if len(task.numbers) <= task.most:
            return None
        jobs, told = task.problem.jobs, self.standing
        place = {job.id: index for index, job in enumerate(jobs)}
        return Before(
            start={
                index: days.from_(told.start[job.id])
                for index, job in enumerate(jobs)
                if job.id in told.start
            },
            pilot={
                place[one]: place[pilot] for one, pilot in told.pilot.items() if {one, pilot} <= place.keys()
            },
            changed=frozenset(place[one] for one in self.changed if one in place),
            bounds={},
        )
