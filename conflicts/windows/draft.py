"""A schedule in the making: whether a job fits on a day, alone or in a window, given all that are placed so far."""

from collections import defaultdict

from conflicts.windows.problem import Problem, Schedule, overlap


class Draft:
    """Jobs are placed, taken up and placed again; what is placed keeps every rule."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.start: list[int | None] = [None] * len(problem.jobs)
        self.pilot: list[int | None] = [None] * len(problem.jobs)
        self.joiners: defaultdict[int, set[int]] = defaultdict(set)
        self._clashes: defaultdict[int, list[int]] = defaultdict(list)
        self._orders: defaultdict[int, list[tuple[int, bool, bool]]] = defaultdict(list)
        self._surfaces: defaultdict[int, list[int]] = defaultdict(list)
        self._trenches: defaultdict[int, list[int]] = defaultdict(list)
        self._crews: defaultdict[int, list[int]] = defaultdict(list)
        self._busy: list[defaultdict[int, int]] = [defaultdict(int) for _ in problem.crews]
        for one, other in problem.clashes:
            self._clashes[one].append(other)
            self._clashes[other].append(one)
        for order in problem.orders:
            self._orders[order.first].append((order.then, True, order.whole))
            self._orders[order.then].append((order.first, False, order.whole))
        for trench, surface in problem.surfaces:
            self._surfaces[trench].append(surface)
            self._trenches[surface].append(trench)
        for number, crew in enumerate(problem.crews):
            for member in crew.members:
                self._crews[member].append(number)

    def place(self, number: int, start: int, pilot: int | None = None) -> None:
        """Put a job, which is not placed, on its days; nothing is checked."""
        self.start[number], self.pilot[number] = start, pilot
        if pilot is not None:
            self.joiners[pilot].add(number)
        self._count(number, 1)

    def take_up(self, number: int) -> None:
        """Take a placed job off its days, and out of the window that it joined."""
        self._count(number, -1)
        pilot = self.pilot[number]
        if pilot is not None:
            self.joiners[pilot].discard(number)
        self.start[number] = self.pilot[number] = None

    def _count(self, number: int, step: int) -> None:
        start = self.start[number]
        assert start is not None  # noqa: S101 - both callers place it first
        for crew in self._crews[number]:
            for day in range(start, start + self.problem.jobs[number].days):
                self._busy[crew][day] += step

    def leaves_room(self, number: int) -> tuple[int, int]:
        """First and last start of a job with which trenches and surfaces that wait for days can still go with it."""
        jobs = self.problem.jobs
        trenches = [jobs[other] for other in self._trenches[number] if self.start[other] is None]
        surfaces = [jobs[other] for other in self._surfaces[number] if self.start[other] is None]
        return (
            max((trench.first + trench.days for trench in trenches), default=jobs[number].first),
            min((surface.last - jobs[number].days for surface in surfaces), default=jobs[number].last),
        )

    def fits(self, number: int, start: int, pilot: int | None = None) -> bool:
        """Whether a job that is not placed can begin on a day, alone, with its joiners, or joining a pilot."""
        members = self._window(number, pilot)
        return (
            self._keeps_apart(number, start, members)
            and self._keeps_surfaces(number, start)
            and self._keeps_order(number, start, members)
            and self._keeps_touch(number, start, pilot)
            and self._has_crew(number, start)
        )

    def _window(self, number: int, pilot: int | None) -> set[int]:
        head = number if pilot is None else pilot
        return self.joiners[head] | {head}

    def _keeps_apart(self, number: int, start: int, members: set[int]) -> bool:
        jobs = self.problem.jobs
        for other in self._clashes[number]:
            begun = self.start[other]
            if (
                begun is not None
                and other not in members
                and overlap(start, jobs[number].days, begun, jobs[other].days)
            ):
                return False
        return True

    def _keeps_surfaces(self, number: int, start: int) -> bool:
        jobs = self.problem.jobs
        for surface in self._surfaces[number]:
            begun = self.start[surface]
            if begun is not None and begun < start + jobs[number].days:
                return False
        for trench in self._trenches[number]:
            begun = self.start[trench]
            if begun is not None and start < begun + jobs[trench].days:
                return False
        return True

    def _keeps_order(self, number: int, start: int, members: set[int]) -> bool:
        jobs = self.problem.jobs
        for other, is_first, whole in self._orders[number]:
            begun = self.start[other]
            if begun is None or other not in members:
                continue
            first = (start, start + jobs[number].days)
            then = (begun, begun + jobs[other].days)
            if not is_first:
                first, then = then, first
            if first[1] > then[0] if whole else (first[0] > then[0] or first[1] > then[1]):
                return False
        return True

    def _keeps_touch(self, number: int, start: int, pilot: int | None) -> bool:
        problem = self.problem
        pairs = [(number, pilot)] if pilot is not None else [(one, number) for one in self.joiners[number]]
        for joiner, head in pairs:
            other = head if joiner == number else joiner
            begun = self.start[other]
            if begun is None:
                continue
            gap = max(start, begun) - min(start + problem.jobs[number].days, begun + problem.jobs[other].days)
            if gap > problem.arc_of[joiner, head].wait:
                return False
        return True

    def _has_crew(self, number: int, start: int) -> bool:
        days = range(start, start + self.problem.jobs[number].days)
        return all(
            self._busy[crew][day] < self.problem.crews[crew].free_on(day)
            for crew in self._crews[number]
            for day in days
        )

    def schedule(self) -> Schedule:
        """Return what is placed."""
        starts = [
            job.planned if start is None else start
            for job, start in zip(self.problem.jobs, self.start, strict=True)
        ]
        placed = [start is not None for start in self.start]
        return Schedule(tuple(starts), tuple(self.pilot), tuple(placed))
