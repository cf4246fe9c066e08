import pytest

from conflicts.windows.greedy import greedy_schedule
from conflicts.windows.in_parts import solve_in_parts
from conflicts.windows.problem import Problem, value_of
from conflicts.windows.solver import solve
from tests.window_problems import best_worth, broken_rules, random_problem, worth

EFFORT = 4.0


def _is_best(problem: Problem) -> None:
    solution = solve(problem, EFFORT)
    best = best_worth(problem)
    assert broken_rules(problem, solution.schedule) == []
    assert solution.value == worth(problem, solution.schedule) == best
    assert solution.bound == best
    greedy = greedy_schedule(problem)
    assert broken_rules(problem, greedy) == []
    assert value_of(problem, greedy) == worth(problem, greedy) <= best


@pytest.mark.parametrize(("size", "starts", "count"), [(2, 8, 25), (4, 4, 30), (6, 3, 10)])
def test_the_optimum_is_that_of_going_through_all(size: int, starts: int, count: int) -> None:
    for seed in range(count):
        _is_best(random_problem(seed, size, starts))


@pytest.mark.nightly
@pytest.mark.parametrize("size", [8, 9, 10])
def test_the_optimum_of_ten_works_is_that_of_going_through_all(size: int) -> None:
    for seed in range(12):
        _is_best(random_problem(seed, size, 2))


def test_what_is_cut_keeps_every_rule_and_its_bound() -> None:
    better = 0
    for seed in range(20):
        problem = random_problem(seed, 5, 3)
        ties = [(arc.joiner, arc.pilot) for arc in problem.arcs] + [*problem.clashes, *problem.surfaces]
        whole = solve_in_parts(problem, ties, 2, EFFORT)
        solution = whole.solution
        assert len(whole.bounds) > 1
        assert broken_rules(problem, solution.schedule) == []
        assert worth(problem, solution.schedule) == solution.value
        assert solution.greedy_value <= solution.value <= best_worth(problem) <= solution.bound
        better += solution.value > solution.greedy_value
    assert better > 4


def test_a_small_effort_still_keeps_every_rule_and_a_bound() -> None:
    problem = random_problem(3, 12, 12)
    hasty, thorough = solve(problem, 0.0001), solve(problem, EFFORT)
    assert broken_rules(problem, hasty.schedule) == []
    assert hasty.greedy_value <= hasty.value <= thorough.value <= hasty.bound
