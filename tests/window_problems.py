"""Problems of planning by chance, the best answer by going through all, and a check of every rule; nothing of the planner."""

import random
from collections.abc import Iterator
from uuid import UUID

from conflicts.windows.problem import Arc, Crew, Job, Order, Problem, Schedule


def random_problem(seed: int, size: int, starts: int) -> Problem:
    """Jobs that mostly hang together; `starts`: on how many days each may begin at most."""
    chance = random.Random(seed)
    fixed = chance.randrange(size) if chance.random() < 0.5 else None
    jobs = tuple(_job(chance, number, starts, fixed=number == fixed) for number in range(size))
    pairs = [(one, other) for one in range(size) for other in range(one + 1, size)]
    near = [pair for pair in pairs if chance.random() < 0.7]
    surface = size - 1 if chance.random() < 0.4 else None
    arcs = [_arc(chance, pair, surface) for pair in near]
    orders = [
        Order(one, other, whole=other == surface)
        for one, other in near
        if other == surface or chance.random() < 0.5
    ]
    clashes = tuple(pair for pair in pairs if chance.random() < 0.3)
    surfaces = tuple(pair for pair in near if pair[1] == surface and chance.random() < 0.7)
    crews: tuple[Crew, ...] = ()
    if chance.random() < 0.5:
        free = tuple(chance.choice((1, 1, 2)) for _ in range(40))
        crews = (Crew(tuple(sorted(chance.sample(range(size), min(size, 3)))), free),)
    return Problem(jobs, tuple(arcs), tuple(orders), clashes, surfaces, crews, unplaced_price=100_000)


def _job(chance: random.Random, number: int, starts: int, *, fixed: bool) -> Job:
    days, first = chance.randint(1, 6), chance.randint(0, 12)
    count = 1 if fixed else chance.randint(1, starts)
    ranges: tuple[tuple[int, int], ...] = ((first, first + count - 1),)
    if count >= 3 and chance.random() < 0.3:
        ranges = ((first, first), (first + 2, first + count - 1))
    planned = first if fixed else chance.choice((first, first + count - 1))
    return Job(
        UUID(int=number),
        UUID(int=number % 3),
        days,
        ranges,
        planned,
        fixed,
        chance.choice((0, 100, 150, 900)),
    )


def _arc(chance: random.Random, pair: tuple[int, int], surface: int | None) -> Arc:
    joiner, pilot = pair if chance.random() < 0.5 else pair[::-1]
    last = surface in pair
    return Arc(
        joiner,
        pilot,
        chance.randint(-800, 3000),
        0 if last else chance.choice((0, 300, 700)),
        2 if last else 0,
    )


def worth(problem: Problem, schedule: Schedule) -> int:
    """What a schedule is worth, day by day."""
    total = 0
    for number, job in enumerate(problem.jobs):
        if not schedule.placed[number]:
            total -= problem.unplaced_price
            continue
        total -= abs(schedule.starts[number] - job.planned) * job.move_price
        for arc in problem.arcs:
            if arc.joiner == number and schedule.pilots[number] == arc.pilot:
                common = _days(problem, schedule, number) & _days(problem, schedule, arc.pilot)
                total += arc.gain + arc.day_gain * len(common)
    return total


def _days(problem: Problem, schedule: Schedule, number: int) -> set[int]:
    start = schedule.starts[number]
    return set(range(start, start + problem.jobs[number].days))


def broken_rules(problem: Problem, schedule: Schedule) -> list[str]:
    """Every rule that a schedule breaks."""
    return [
        *_broken_alone(problem, schedule),
        *_broken_pairs(problem, schedule),
        *_broken_crews(problem, schedule),
    ]


def _broken_alone(problem: Problem, schedule: Schedule) -> Iterator[str]:
    for number, job in enumerate(problem.jobs):
        start, pilot = schedule.starts[number], schedule.pilots[number]
        if not schedule.placed[number]:
            if job.fixed:
                yield f"{number} is fixed and has no days"
            if pilot is not None or number in schedule.pilots:
                yield f"{number} has no days and a window"
            continue
        if not any(first <= start <= last for first, last in job.starts):
            yield f"{number} begins on {start}, which is not among its days"
        if job.fixed and start != job.planned:
            yield f"{number} is fixed and moved"
        if pilot is not None:
            yield from _broken_join(problem, schedule, number, pilot)


def _broken_join(problem: Problem, schedule: Schedule, number: int, pilot: int) -> Iterator[str]:
    waits = {(arc.joiner, arc.pilot): arc.wait for arc in problem.arcs}
    if (number, pilot) not in waits:
        yield f"{number} may not join {pilot}"
        return
    if schedule.pilots[pilot] is not None:
        yield f"{number} joins {pilot}, which joins another"
    mine, theirs = _days(problem, schedule, number), _days(problem, schedule, pilot)
    between = max(min(theirs) - max(mine), min(mine) - max(theirs)) - 1
    if not mine & theirs and between > waits[number, pilot]:
        yield f"{number} and its pilot {pilot} are {between} days apart"


def _broken_pairs(problem: Problem, schedule: Schedule) -> Iterator[str]:
    heads = [number if pilot is None else pilot for number, pilot in enumerate(schedule.pilots)]
    for one, other in problem.clashes:
        apart = schedule.placed[one] and schedule.placed[other] and heads[one] != heads[other]
        if apart and _days(problem, schedule, one) & _days(problem, schedule, other):
            yield f"{one} and {other} go on at once"
    for trench, surface in problem.surfaces:
        both = schedule.placed[trench] and schedule.placed[surface]
        if both and max(_days(problem, schedule, trench)) >= min(_days(problem, schedule, surface)):
            yield f"{surface} is laid before {trench} is dug"
    for order in problem.orders:
        if heads[order.first] != heads[order.then]:
            continue
        first, then = _days(problem, schedule, order.first), _days(problem, schedule, order.then)
        if order.whole and max(first) >= min(then):
            yield f"{order.first} has not ended when {order.then} begins"
        if min(first) > min(then) or max(first) > max(then):
            yield f"{order.first} is not ahead of {order.then}"


def _broken_crews(problem: Problem, schedule: Schedule) -> Iterator[str]:
    for crew in problem.crews:
        for day, free in enumerate(crew.free):
            busy = [n for n in crew.members if schedule.placed[n] and day in _days(problem, schedule, n)]
            if len(busy) > free:
                yield f"{busy} are busy on day {day}, and there are {free} crews"


def best_worth(problem: Problem) -> int:
    """What the best schedule is worth, by going through all of them."""
    return _best(problem, [], [], [], -(10**9))


def _best(
    problem: Problem, starts: list[int], pilots: list[int | None], placed: list[bool], best: int
) -> int:
    number = len(starts)
    if number == len(problem.jobs):
        schedule = Schedule(tuple(starts), tuple(pilots), tuple(placed))
        return best if broken_rules(problem, schedule) else max(best, worth(problem, schedule))
    if _could_reach(problem, starts, pilots, placed) <= best or _is_hopeless(problem, starts, pilots, placed):
        return best
    job = problem.jobs[number]
    choices: list[int | None] = [None, *(arc.pilot for arc in problem.arcs if arc.joiner == number)]
    for pilot in choices:
        for first, last in job.starts:
            for start in range(first, last + 1):
                best = _best(problem, [*starts, start], [*pilots, pilot], [*placed, True], best)
    if job.fixed:
        return best
    return _best(problem, [*starts, job.planned], [*pilots, None], [*placed, False], best)


def _could_reach(problem: Problem, starts: list[int], pilots: list[int | None], placed: list[bool]) -> int:
    """No schedule that begins so is worth more: what moves cost so far, and each at its best in its window."""
    total = 0
    for number, job in enumerate(problem.jobs):
        if number < len(starts) and not placed[number]:
            total -= problem.unplaced_price
            continue
        if number < len(starts):
            total -= abs(starts[number] - job.planned) * job.move_price
        joins = [
            arc.gain + arc.day_gain * min(job.days, problem.jobs[arc.pilot].days)
            for arc in problem.arcs
            if arc.joiner == number and (number >= len(starts) or pilots[number] == arc.pilot)
        ]
        total += max(joins, default=0) if number < len(starts) else max([0, *joins])
    return total


def _is_hopeless(problem: Problem, starts: list[int], pilots: list[int | None], placed: list[bool]) -> bool:
    """Whether the last job breaks a rule that no later one can mend."""
    count = len(starts)
    if count < 2:
        return False
    for pilot in pilots:
        if pilot is not None and pilot < count and (pilots[pilot] is not None or not placed[pilot]):
            return True
    schedule = Schedule(tuple(starts), tuple(pilots), tuple(placed))
    heads = [number if pilot is None else pilot for number, pilot in enumerate(pilots)]
    for one, other in problem.clashes:
        apart = other == count - 1 and placed[one] and placed[other] and heads[one] != heads[other]
        if apart and _days(problem, schedule, one) & _days(problem, schedule, other):
            return True
    return False
