"""The best schedule of a problem by CP-SAT, and how far from the best it may be at most.

The solver works alone, from a fixed seed, for a stretch of deterministic time: the same problem gives the same schedule on
every machine. It begins at the greedy schedule and is never worth less. OR-Tools is loaded at the first call.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conflicts.windows.greedy import greedy_schedule
from conflicts.windows.problem import Problem, Schedule, overlap, value_of

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

_ROUNDING: Final = 1e-6
"""The solver gives its bound as a float; every value is whole."""


@dataclass(frozen=True, slots=True)
class Solution:
    """A schedule, what it is worth, and what any schedule could be worth at most, DKK."""

    schedule: Schedule
    value: int
    bound: int
    greedy_value: int


def solve(problem: Problem, effort: float, now: Schedule | None = None) -> Solution:
    """Return the best schedule found within `effort` (deterministic time); `now` is one that keeps every rule.

    Without one it begins at the greedy schedule.
    """
    begin = greedy_schedule(problem) if now is None else now
    greedy_value = value_of(problem, begin)
    if len(problem.jobs) == 1 and all(begin.placed):
        return Solution(begin, greedy_value, greedy_value, greedy_value)
    model = _Model(problem)
    model.hint(begin)
    found, bound = model.solve(effort)
    if found is None or value_of(problem, found) < greedy_value:
        found = begin
    value = value_of(problem, found)
    return Solution(found, value, max(value, min(bound, _sum_of_gains(problem))), greedy_value)


def bound_of(problem: Problem, effort: float) -> int:
    """Return what any schedule of a problem could be worth at most, DKK; for problems with gains outside."""
    bound = _Model(problem).solve(effort)[1]
    return min(bound, _sum_of_gains(problem))


def _sum_of_gains(problem: Problem) -> int:
    """A bound that always holds: each job joins at its best, and nobody moves."""
    best = [0] * len(problem.jobs)
    for joiner, gain in problem.outside:
        best[joiner] = gain
    for arc in problem.arcs:
        best[arc.joiner] = max(best[arc.joiner], arc.most(problem.jobs))
    return sum(best)


class _Model:
    """A problem in the solver's words."""

    def __init__(self, problem: Problem) -> None:
        from ortools.sat.python import cp_model  # noqa: PLC0415 - takes long to load, and few need it

        self._cp = cp_model
        self._problem = problem
        self._model = cp_model.CpModel()
        self._terms: list[Any] = []
        self._moved: dict[int, Any] = {}
        self._starts = [
            self._model.new_int_var_from_domain(
                cp_model.Domain.from_intervals([list(pair) for pair in job.starts]), f"start{number}"
            )
            for number, job in enumerate(problem.jobs)
        ]
        self._placed = self._placings()
        self._joins = {
            (arc.joiner, arc.pilot): self._model.new_bool_var(f"join{arc.joiner}_{arc.pilot}")
            for arc in problem.arcs
        }
        self._overlaps: dict[tuple[int, int], Any] = {}
        self._together: dict[tuple[int, int], Any] = {}
        self._moves()
        self._stars()
        for arc in problem.arcs:
            self._join(arc.joiner, arc.pilot)
        self._keep_order()
        self._keep_apart()
        self._keep_crews()
        self._model.maximize(sum(self._terms))

    def _placings(self) -> list[Any]:
        """Only jobs that others can keep from all their days may be left without days; what is fixed has them."""
        problem = self._problem
        pressed = {number for pair in (*problem.clashes, *problem.surfaces) for number in pair}
        pressed.update(member for crew in problem.crews for member in crew.members)
        placed: list[Any] = []
        for number in range(len(problem.jobs)):
            if number in pressed and not problem.jobs[number].fixed:
                literal = self._model.new_bool_var(f"placed{number}")
                self._terms.append(problem.unplaced_price * literal - problem.unplaced_price)
            else:
                literal = self._model.new_constant(1)
            placed.append(literal)
        return placed

    def _moves(self) -> None:
        for number, job in enumerate(self._problem.jobs):
            farthest = max(abs(job.first - job.planned), abs(job.last - job.planned))
            if not farthest:
                continue
            moved = self._model.new_int_var(0, farthest, f"moved{number}")
            placed = self._placed[number]
            self._model.add(moved >= self._starts[number] - job.planned).only_enforce_if(placed)
            self._model.add(moved >= job.planned - self._starts[number]).only_enforce_if(placed)
            self._terms.append(-job.move_price * moved)
            self._moved[number] = moved

    def _stars(self) -> None:
        """Each joins at most one, and who joins is joined by nobody."""
        by_joiner: dict[int, list[Any]] = {}
        for (joiner, pilot), literal in self._joins.items():
            by_joiner.setdefault(joiner, []).append(literal)
            self._model.add_implication(literal, self._placed[joiner])
            self._model.add_implication(literal, self._placed[pilot])
        for joiner, gain in self._problem.outside:
            leaves = self._model.new_bool_var(f"leaves{joiner}")
            self._model.add_implication(leaves, self._placed[joiner])
            by_joiner.setdefault(joiner, []).append(leaves)
            self._terms.append(gain * leaves)
        joining: dict[int, Any] = {}
        for joiner, literals in by_joiner.items():
            joining[joiner] = self._model.new_bool_var(f"joins{joiner}")
            self._model.add(sum(literals) == joining[joiner])
        for joiner, pilot in self._problem.kept:
            self._model.add(self._joins[joiner, pilot] == 1)
        for (_, pilot), literal in self._joins.items():
            if pilot in joining:
                self._model.add_implication(literal, ~joining[pilot])

    def _join(self, joiner: int, pilot: int) -> None:
        """What a join asks and gives: the two touch, and their common days are worth something."""
        problem, literal = self._problem, self._joins[joiner, pilot]
        arc = problem.arc_of[joiner, pilot]
        start, days = self._starts[joiner], problem.jobs[joiner].days
        pilot_start, pilot_days = self._starts[pilot], problem.jobs[pilot].days
        self._terms.append(arc.gain * literal)
        self._model.add(start + days + arc.wait >= pilot_start).only_enforce_if(literal)
        self._model.add(pilot_start + pilot_days + arc.wait >= start).only_enforce_if(literal)
        apart = max(problem.jobs[joiner].planned, problem.jobs[pilot].planned) - min(
            problem.jobs[joiner].planned + days, problem.jobs[pilot].planned + pilot_days
        )
        if not arc.day_gain:
            if apart > arc.wait:
                self._model.add(self._moves_of(joiner, pilot) >= (apart - arc.wait) * literal)
            return
        most = min(days, pilot_days)
        common = self._model.new_int_var(0, most, f"common{joiner}_{pilot}")
        self._model.add(common <= most * literal)
        self._model.add(common <= start + days - pilot_start).only_enforce_if(literal)
        self._model.add(common <= pilot_start + pilot_days - start).only_enforce_if(literal)
        self._model.add(self._moves_of(joiner, pilot) >= common + apart * literal)
        self._terms.append(arc.day_gain * common)
        self._overlaps[joiner, pilot] = common

    def _moves_of(self, one: int, other: int) -> Any:  # noqa: ANN401 - the solver's expression
        """How many days two jobs move together: each brings them nearer by one day at most."""
        return self._moved.get(one, 0) + self._moved.get(other, 0)

    def _keep_order(self) -> None:
        """Between the pilot and each joiner, and between joiners of one pilot."""
        for order in self._problem.orders:
            for literals in self._ways_together(order.first, order.then):
                self._goes_before(order.first, order.then, literals, whole=order.whole)
        for trench, surface in self._problem.surfaces:
            self._goes_before(trench, surface, [self._placed[trench], self._placed[surface]], whole=True)

    def _goes_before(self, first: int, then: int, literals: list[Any], *, whole: bool) -> None:
        jobs = self._problem.jobs
        lead = jobs[first].days if whole else max(0, jobs[first].days - jobs[then].days)
        self._model.add(self._starts[first] + lead <= self._starts[then]).only_enforce_if(literals)
        late = jobs[first].planned + lead - jobs[then].planned
        if late > 0:
            needed = late * (sum(literals) - len(literals) + 1)
            self._model.add(self._moves_of(first, then) >= needed)

    def _ways_together(self, one: int, other: int) -> list[list[Any]]:
        """In which ways two jobs come into one window: literals that are all true then."""
        joins = self._joins
        ways = [[joins[pair]] for pair in ((one, other), (other, one)) if pair in joins]
        ways += [
            [joins[one, pilot], joins[other, pilot]]
            for pilot in range(len(self._problem.jobs))
            if (one, pilot) in joins and (other, pilot) in joins
        ]
        return ways

    def _keep_apart(self) -> None:
        """Jobs that clash go one after the other, unless they dig together."""
        for one, other in self._problem.clashes:
            ways: list[Any] = []
            for number, literals in enumerate(self._ways_together(one, other)):
                if len(literals) == 1:
                    ways.append(literals[0])
                    continue
                both = self._model.new_bool_var(f"together{one}_{other}_{number}")
                self._model.add_bool_and(literals).only_enforce_if(both)
                self._together[one, other] = both
                ways.append(both)
            before = self._before(one, other)
            after = self._before(other, one)
            self._model.add_bool_or([*ways, before, after, ~self._placed[one], ~self._placed[other]])

    def _before(self, first: int, then: int) -> Any:  # noqa: ANN401 - the solver's literal
        literal = self._model.new_bool_var(f"before{first}_{then}")
        days = self._problem.jobs[first].days
        self._model.add(self._starts[first] + days <= self._starts[then]).only_enforce_if(literal)
        return literal

    def _keep_crews(self) -> None:
        """Jobs take one crew each; what others have of an organisation's crews is taken on its days."""
        for crew in self._problem.crews:
            most = max(crew.free)
            intervals = [
                self._model.new_optional_fixed_size_interval_var(
                    self._starts[number],
                    self._problem.jobs[number].days,
                    self._placed[number],
                    f"crew{number}",
                )
                for number in crew.members
            ]
            demands = [1] * len(intervals)
            for first, days, free in _stretches(crew.free):
                if free < most:
                    intervals.append(self._model.new_fixed_size_interval_var(first, days, f"taken{first}"))
                    demands.append(most - free)
            self._model.add_cumulative(intervals, demands, most)

    def hint(self, schedule: Schedule) -> None:
        """Begin at a schedule."""
        problem = self._problem
        for number, job in enumerate(problem.jobs):
            start = schedule.starts[number] if schedule.placed[number] else job.first
            self._model.add_hint(self._starts[number], start)
        for (joiner, pilot), literal in self._joins.items():
            self._model.add_hint(literal, schedule.pilots[joiner] == pilot)
        for (joiner, pilot), common in self._overlaps.items():
            together = overlap(
                schedule.starts[joiner],
                problem.jobs[joiner].days,
                schedule.starts[pilot],
                problem.jobs[pilot].days,
            )
            self._model.add_hint(common, together if schedule.pilots[joiner] == pilot else 0)

    def solve(self, effort: float) -> tuple[Schedule | None, int]:
        """Return the best schedule found and what any could be worth at most."""
        solver = self._cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        solver.parameters.linearization_level = 2  # the bounds by moves are what makes it fast
        solver.parameters.max_deterministic_time = effort
        status = solver.solve(self._model)
        bound = math.floor(solver.best_objective_bound + _ROUNDING)
        if status not in (self._cp.OPTIMAL, self._cp.FEASIBLE):
            return None, _sum_of_gains(self._problem)
        return self._read(solver), bound

    def _read(self, solver: "cp_model.CpSolver") -> Schedule:
        pilots: list[int | None] = [None] * len(self._problem.jobs)
        for (joiner, pilot), literal in self._joins.items():
            if solver.boolean_value(literal):
                pilots[joiner] = pilot
        starts = tuple(solver.value(start) for start in self._starts)
        placed = tuple(solver.boolean_value(literal) for literal in self._placed)
        return Schedule(starts, tuple(pilots), placed)


def _stretches(free: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Runs of days with the same number: first day, how many days, the number."""
    runs: list[tuple[int, int, int]] = []
    for day, number in enumerate(free):
        if runs and runs[-1][2] == number:
            first, days, _ = runs[-1]
            runs[-1] = (first, days + 1, number)
        else:
            runs.append((day, 1, number))
    return runs
