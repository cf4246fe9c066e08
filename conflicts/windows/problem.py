"""One problem of planning, in whole numbers: jobs on working days, who may join whom, what may not go on at once.

Days are numbers of working days from a first one. Nothing here knows of places, dates or words; a problem is the same
whatever the order in which works were given, since its jobs are sorted by id.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

Ranges = tuple[tuple[int, int], ...]
"""Ranges of days, both ends counted, in order and apart."""


@dataclass(frozen=True, slots=True)
class Job:
    """A work as the planner sees it."""

    id: UUID
    organisation: UUID
    days: int
    starts: Ranges
    """On which days it may begin; never empty. One day when it is fixed."""
    planned: int
    """Where it begins when nobody moves it; one of `starts` unless something bars that day."""
    fixed: bool
    move_price: int
    """DKK a working day."""

    @property
    def first(self) -> int:
        """Earliest start."""
        return self.starts[0][0]

    @property
    def last(self) -> int:
        """Latest start."""
        return self.starts[-1][1]

    def may_start(self, day: int) -> bool:
        """Whether it may begin on a day."""
        return any(first <= day <= last for first, last in self.starts)

    def nearest_starts(self, day: int) -> Iterator[int]:
        """Yield all starts, the nearest to a day first, the earlier before the later."""
        yield from sorted(
            (start for first, last in self.starts for start in range(first, last + 1)),
            key=lambda start: (abs(start - day), start),
        )

    def standing_at(self, start: int) -> "Job":
        """Return it fixed on a day, as what was decided."""
        return replace(self, starts=((start, start),), planned=start, fixed=True, move_price=0)


@dataclass(frozen=True, slots=True)
class Arc:
    """That one job may join another, its pilot, and what that is worth."""

    joiner: int
    pilot: int
    gain: int
    """DKK, whenever they dig."""
    day_gain: int
    """DKK for each day on which both dig."""
    wait: int
    """Working days that may lie between the two."""

    def most(self, jobs: Sequence[Job]) -> int:
        """The most that it can be worth."""
        return self.gain + self.day_gain * min(jobs[self.joiner].days, jobs[self.pilot].days)


@dataclass(frozen=True, slots=True)
class Order:
    """That in one window a job goes before another."""

    first: int
    then: int
    whole: bool
    """Whether the first must have ended (surface last), or only be ahead at both ends (deep before shallow)."""


@dataclass(frozen=True, slots=True)
class Crew:
    """An organisation's crews: how many jobs it can have going on, on each day from the first on."""

    members: tuple[int, ...]
    free: tuple[int, ...]

    def free_on(self, day: int) -> int:
        """How many jobs of these can go on, on a day; days beyond the list are as the last."""
        return self.free[min(day, len(self.free) - 1)]


@dataclass(frozen=True)
class Problem:
    """Jobs that hang together. Pairs are of positions in `jobs`, the lower first."""

    jobs: tuple[Job, ...]
    arcs: tuple[Arc, ...]
    orders: tuple[Order, ...] = ()
    """Hold between two jobs of one window."""
    clashes: tuple[tuple[int, int], ...] = ()
    """Jobs that may not go on at once unless they dig together: roads that are closed, or each other's way round."""
    surfaces: tuple[tuple[int, int], ...] = ()
    """A trench and a new surface over it: the trench ends before the surface begins, together or apart."""
    crews: tuple[Crew, ...] = ()
    unplaced_price: int = 0
    kept: tuple[tuple[int, int], ...] = ()
    """Joins, joiner and pilot, that were decided before and stay."""
    outside: tuple[tuple[int, int], ...] = ()
    """For a bound only: what a job could gain by joining some pilot outside of the problem, at most."""
    arc_of: Mapping[tuple[int, int], Arc] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arc_of", {(arc.joiner, arc.pilot): arc for arc in self.arcs})


@dataclass(frozen=True, slots=True)
class Schedule:
    """When each job begins, whom it joins, and which have no days. One entry a job."""

    starts: tuple[int, ...]
    pilots: tuple[int | None, ...]
    """Whom a job joins; None: it digs alone, or is a pilot itself."""
    placed: tuple[bool, ...]
    """Whether days were found for it; where not, its start says nothing."""


def overlap(start: int, days: int, other_start: int, other_days: int) -> int:
    """On how many days two stretches of days both go on."""
    return max(0, min(start + days, other_start + other_days) - max(start, other_start))


def value_of(problem: Problem, schedule: Schedule) -> int:
    """What a schedule is worth against everybody digging alone where they stand, DKK."""
    return sum(worths_of(problem, schedule))


def worths_of(problem: Problem, schedule: Schedule) -> list[int]:
    """What each job adds to that: a join is counted where somebody joins."""
    jobs, starts = problem.jobs, schedule.starts
    worths: list[int] = []
    for number, job in enumerate(jobs):
        if not schedule.placed[number]:
            worths.append(-problem.unplaced_price)
            continue
        worth = -job.move_price * abs(starts[number] - job.planned)
        pilot = schedule.pilots[number]
        if pilot is not None:
            arc = problem.arc_of[number, pilot]
            common = overlap(starts[number], job.days, starts[pilot], jobs[pilot].days)
            worth += arc.gain + arc.day_gain * common
        worths.append(worth)
    return worths
