"""A large problem, planned in parts: each beside what is decided, and a bound for the whole that the cut cannot break.

It begins at the greedy schedule of the whole; each part is planned again where the others stand, and only gets better. Then
what has no days is planned again with those around it. What a part could be worth at most is worked out without the others,
as if each of its jobs might also join the best pilot outside: over all parts no schedule of the whole is worth more.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from conflicts.windows.components import parts_of
from conflicts.windows.draft import Draft
from conflicts.windows.greedy import greedy_schedule, place_alone, urgency
from conflicts.windows.problem import Arc, Crew, Order, Problem, Schedule, value_of, worths_of
from conflicts.windows.solver import Solution, bound_of, solve

type Bounds = Mapping[tuple[int, ...], int]
"""What parts could be worth at most, each by its jobs."""


_AROUND: Final = 20
"""Jobs that are planned again around one that changed."""


@dataclass(frozen=True)
class Before:
    """How the jobs were planned before some of them changed, by their numbers now."""

    start: Mapping[int, int]
    pilot: Mapping[int, int]
    changed: frozenset[int]
    """New ones too."""
    bounds: Bounds

    def head(self, number: int) -> int:
        """The pilot whose window a job was in; itself, when it joined nobody."""
        return self.pilot.get(number, number)

    def window_of(self, number: int) -> list[int]:
        """A job, and those that were in one window with it."""
        head = self.head(number)
        return [number, *sorted(one for one in self.start if self.head(one) == head and one != number)]


@dataclass(frozen=True)
class Whole:
    """A solution of the whole, and the parts that its bound is the sum of; none when it was planned as one."""

    solution: Solution
    bounds: Bounds


def solve_in_parts(
    problem: Problem,
    ties: Sequence[tuple[int, int]],
    most: int,
    effort: float,
    before: Before | None = None,
) -> Whole:
    """Return a schedule of the whole.

    `ties` are the pairs of jobs that hang together, the most worthy first; a part has at most `most` jobs. With a plan from
    before, only what changed and those around it are planned again, as long as that is not worse than the greedy schedule.
    """
    count = len(problem.jobs)
    parts = parts_of(count, ties, most)
    if len(parts) == 1:
        return Whole(solve(problem, effort), {})
    greedy = greedy_schedule(problem)
    greedy_value = value_of(problem, greedy)
    whole = _Whole(problem, greedy if before is None else _as_before(problem, before))
    few = most if before is None else min(most, _AROUND)
    for part in parts if before is None else whole.around_changed(before, few):
        whole.plan_again(part, effort)
    for number in range(count):
        if number not in whole.start:
            whole.plan_again(whole.around([number], few), effort)
    value = value_of(problem, whole.schedule())
    if value < greedy_value:
        value = whole.catch_up(greedy, parts, effort)
    if value < greedy_value:
        return solve_in_parts(problem, ties, most, effort)
    crowded = [pair for pair in ties if any(number not in whole.start for number in pair)]
    bounds = whole.bounds(parts_of(count, [*crowded, *ties], most), effort, before)
    bound = max(value, sum(bounds.values()))
    return Whole(Solution(whole.schedule(), value, bound, greedy_value), bounds)


def _as_before(problem: Problem, before: Before) -> Schedule:
    """What of a plan from before still keeps every rule; who was in a window with what changed has no days yet.

    Of whom nobody knows where it was goes to the free days nearest to where it stands, who has the fewest first.
    """
    broken = {before.head(number) for number in before.changed} | before.changed
    draft = Draft(problem)
    for number, job in enumerate(problem.jobs):
        if job.fixed:
            draft.place(number, job.planned)
    for number in sorted(before.start, key=lambda one: (one in before.pilot, one)):
        if number not in broken and before.head(number) not in broken:
            _place_as_before(draft, number, before)
    unknown = [one for one in range(len(problem.jobs)) if one not in before.start and one not in broken]
    for number in sorted(unknown, key=lambda one: urgency(problem, one)):
        if draft.start[number] is None:
            place_alone(draft, number)
    return draft.schedule()


def _place_as_before(draft: Draft, number: int, before: Before) -> None:
    """Pilots and who digs alone come first: who joins finds its pilot where it was, or waits for days of its own."""
    start, pilot = before.start[number], before.pilot.get(number)
    fixed_at = draft.start[number]
    if pilot is not None:
        lost = draft.start[pilot] != before.start[pilot] or (number, pilot) not in draft.problem.arc_of
        if lost or fixed_at not in {None, start}:
            return
    elif fixed_at is not None:
        return
    if fixed_at is not None:
        draft.take_up(number)
    if draft.problem.jobs[number].may_start(start) and draft.fits(number, start, pilot):
        draft.place(number, start, pilot)
    elif fixed_at is not None:
        draft.place(number, fixed_at)


class _Whole:
    """The whole problem and where everybody stands by now; who has no days, has no start."""

    def __init__(self, problem: Problem, now: Schedule) -> None:
        self.problem = problem
        placed = [number for number, has_days in enumerate(now.placed) if has_days]
        self.start = {number: now.starts[number] for number in placed}
        self.pilot: dict[int, int] = {
            number: pilot for number, pilot in enumerate(now.pilots) if pilot is not None
        }
        self._joiners: defaultdict[int, set[int]] = defaultdict(set)
        for number, pilot in self.pilot.items():
            self._joiners[pilot].add(number)
        self._arcs: defaultdict[int, list[Arc]] = defaultdict(list)
        self._clashes: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._surfaces: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._orders: defaultdict[int, list[Order]] = defaultdict(list)
        self._met: defaultdict[int, set[int]] = defaultdict(set)
        for arc in problem.arcs:
            self._enter(self._arcs, (arc.joiner, arc.pilot), arc, meets=True)
        for pair in problem.clashes:
            self._enter(self._clashes, pair, pair, meets=True)
        for pair in problem.surfaces:
            self._enter(self._surfaces, pair, pair, meets=True)
        for order in problem.orders:
            self._enter(self._orders, (order.first, order.then), order, meets=False)

    def _enter[T](
        self, book: defaultdict[int, list[T]], pair: tuple[int, int], what: T, *, meets: bool
    ) -> None:
        for one, other in (pair, pair[::-1]):
            book[one].append(what)
            if meets:
                self._met[one].add(other)

    def schedule(self) -> Schedule:
        jobs = self.problem.jobs
        return Schedule(
            tuple(self.start.get(number, job.planned) for number, job in enumerate(jobs)),
            tuple(self.pilot.get(number) for number in range(len(jobs))),
            tuple(number in self.start for number in range(len(jobs))),
        )

    def around(self, numbers: Sequence[int], most: int) -> list[int]:
        """Some jobs and those that they meet, and those that these meet, until there are enough."""
        found = [*numbers][:most]
        for one in found:
            found += [other for other in sorted(self._met[one]) if other not in found][: most - len(found)]
        return found

    def around_changed(self, before: Before, most: int) -> list[list[int]]:
        """What changed, with the windows that it was in and those around: each changed job in one part at least."""
        parts: list[list[int]] = []
        for number in sorted(before.changed):
            if not any(number in part for part in parts):
                parts.append(self.around(before.window_of(number), most))
        return parts

    def plan_again(self, part: Iterable[int], effort: float) -> None:
        """Plan some jobs anew; all others keep their days, and their windows unless those were a job's of the part."""
        own = set(part)
        met = {o for one in own for o in self._met[one] if o not in own and o in self.start}
        mates = {mate for one in met for mate in self._window_of(one) if mate not in own}
        numbers = sorted(own | met | mates)
        problem = self._beside(own, numbers)
        now = self._now(numbers)
        solution = solve(problem, effort, now)
        if solution.value > value_of(problem, now):
            self._decide(numbers, solution.schedule)

    def catch_up(self, better: Schedule, parts: Iterable[tuple[int, ...]], effort: float) -> int:
        """Plan those parts again that are worth less than by another schedule; return what the whole is worth then."""
        wanted = worths_of(self.problem, better)
        for part in parts:
            now = worths_of(self.problem, self.schedule())
            if sum(now[number] for number in part) < sum(wanted[number] for number in part):
                self.plan_again(part, effort)
        return value_of(self.problem, self.schedule())

    def _window_of(self, number: int) -> set[int]:
        head = self.pilot.get(number, number)
        return {head} | self._joiners[head]

    def _now(self, numbers: Sequence[int]) -> Schedule:
        place = {number: index for index, number in enumerate(numbers)}
        pilots = [self.pilot.get(number) for number in numbers]
        return Schedule(
            tuple(self.start.get(number, self.problem.jobs[number].planned) for number in numbers),
            tuple(None if pilot is None or pilot not in place else place[pilot] for pilot in pilots),
            tuple(number in self.start for number in numbers),
        )

    def _decide(self, numbers: Sequence[int], schedule: Schedule) -> None:
        for number in numbers:
            self.start.pop(number, None)
            pilot = self.pilot.pop(number, None)
            if pilot is not None:
                self._joiners[pilot].discard(number)
        for index, number in enumerate(numbers):
            if schedule.placed[index]:
                self.start[number] = schedule.starts[index]
            joined = schedule.pilots[index]
            if joined is not None:
                self.pilot[number] = numbers[joined]
                self._joiners[numbers[joined]].add(number)

    def _beside(self, own: set[int], numbers: Sequence[int]) -> Problem:
        """Some jobs together with decided ones, which stay where they are."""
        problem, chosen = self.problem, set(numbers)
        kept = [
            (number, pilot)
            for number in numbers
            if number not in own and (pilot := self.pilot.get(number)) is not None and pilot not in own
        ]
        arcs = {
            (arc.joiner, arc.pilot): arc
            for number in sorted(own)
            for arc in self._arcs[number]
            if arc.joiner in chosen and arc.pilot in chosen
        }
        arcs |= {pair: replace(problem.arc_of[pair], gain=0, day_gain=0) for pair in kept}
        jobs = [
            problem.jobs[number] if number in own else problem.jobs[number].standing_at(self.start[number])
            for number in numbers
        ]
        return self._only(
            numbers,
            Problem(
                jobs=tuple(jobs),
                arcs=tuple(arcs.values()),
                clashes=self._between(self._clashes, own, chosen),
                surfaces=self._between(self._surfaces, own, chosen),
                crews=tuple(self._left(crew, chosen) for crew in problem.crews),
                unplaced_price=problem.unplaced_price,
                kept=tuple(kept),
            ),
        )

    def _between(
        self, book: defaultdict[int, list[tuple[int, int]]], own: set[int], chosen: set[int]
    ) -> tuple[tuple[int, int], ...]:
        pairs = {pair for number in own for pair in book[number] if chosen.issuperset(pair)}
        return tuple(sorted(pairs))

    def _left(self, crew: Crew, inside: set[int]) -> Crew:
        """What decided jobs leave of an organisation's crews; those inside the problem count by themselves."""
        free = list(crew.free)
        for member in crew.members:
            if member in self.start and member not in inside:
                start = self.start[member]
                for day in range(start, min(start + self.problem.jobs[member].days, len(free))):
                    free[day] -= 1
        return Crew(crew.members, tuple(max(0, number) for number in free))

    def bounds(
        self, parts: Iterable[tuple[int, ...]], effort: float, before: Before | None
    ) -> dict[tuple[int, ...], int]:
        """What each part could be worth at most; known from before where nothing in or beside it has changed."""
        known = {} if before is None else before.bounds
        changed = frozenset() if before is None else before.changed
        near = changed.union(*(self._met[number] for number in changed))
        return {
            part: known[part]
            if part in known and near.isdisjoint(part)
            else bound_of(self.relaxed(part), effort)
            for part in parts
        }

    def relaxed(self, part: Iterable[int]) -> Problem:
        """A part by itself, where each may also join outside, and two that could both join there do not clash."""
        own = set(part)
        outside: dict[int, int] = {}
        pilots: defaultdict[int, set[int]] = defaultdict(set)
        arcs: list[Arc] = []
        for number in sorted(own):
            for arc in self._arcs[number]:
                if arc.joiner != number:
                    continue
                if arc.pilot in own:
                    arcs.append(arc)
                else:
                    outside[number] = max(outside.get(number, 0), arc.most(self.problem.jobs))
                    pilots[number].add(arc.pilot)
        numbers = sorted(own)
        clashes = self._between(self._clashes, own, own)
        return self._only(
            numbers,
            Problem(
                jobs=tuple(self.problem.jobs[number] for number in numbers),
                arcs=tuple(arcs),
                clashes=tuple((a, b) for a, b in clashes if not pilots[a] & pilots[b]),
                surfaces=self._between(self._surfaces, own, own),
                crews=self.problem.crews,
                unplaced_price=self.problem.unplaced_price,
                outside=tuple(sorted(outside.items())),
            ),
        )

    def _only(self, numbers: Sequence[int], given: Problem) -> Problem:
        """The same problem with its jobs, which it has already, numbered from 0, and their orders."""
        place = {number: index for index, number in enumerate(numbers)}

        def pairs(found: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
            return tuple((place[one], place[other]) for one, other in found)

        orders = {
            (order.first, order.then): order
            for number in numbers
            for order in self._orders[number]
            if order.first in place and order.then in place
        }
        members = [[place[m] for m in crew.members if m in place] for crew in given.crews]
        return replace(
            given,
            arcs=tuple(replace(arc, joiner=place[arc.joiner], pilot=place[arc.pilot]) for arc in given.arcs),
            orders=tuple(
                replace(order, first=place[order.first], then=place[order.then]) for order in orders.values()
            ),
            clashes=pairs(given.clashes),
            surfaces=pairs(given.surfaces),
            crews=tuple(
                Crew(tuple(some), crew.free)
                for some, crew in zip(members, given.crews, strict=True)
                if len(some) > min(crew.free)
            ),
            kept=pairs(given.kept),
            outside=tuple((place[number], gain) for number, gain in given.outside),
        )
