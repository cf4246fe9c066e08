"""A good schedule at once: everybody where they stand or as near as can be, then the best pairs put together.

It is where the solver starts, and what the solver must beat. It keeps every rule and is never worth less than leaving
everybody alone.
"""

from collections.abc import Iterator

from conflicts.windows.draft import Draft
from conflicts.windows.problem import Arc, Problem, Schedule, overlap


def greedy_schedule(problem: Problem) -> Schedule:
    """Return a schedule that keeps every rule; a job for which it found no days is not placed."""
    draft = Draft(problem)
    pilots = dict(problem.kept)
    for number in sorted((*pilots, *pilots.values())):
        if draft.start[number] is None:
            draft.place(number, problem.jobs[number].planned, pilots.get(number))
    for number, job in enumerate(problem.jobs):
        if job.fixed and draft.start[number] is None:
            draft.place(number, job.planned)
    alone = (number for number, start in enumerate(draft.start) if start is None)
    for number in sorted(alone, key=lambda n: urgency(problem, n)):
        place_alone(draft, number)
    jobs = problem.jobs
    for arc in sorted(problem.arcs, key=lambda arc: (-arc.most(jobs), arc.joiner, arc.pilot)):
        _try_to_join(draft, arc)
    for number, start in enumerate(draft.start):
        if start is None:
            place_alone(draft, number)
    return draft.schedule()


def urgency(problem: Problem, number: int) -> tuple[int, int, int]:
    """By what jobs come first when they look for days: who has the fewest to choose from."""
    job = problem.jobs[number]
    return (job.last - job.first, job.planned, number)


def place_alone(draft: Draft, number: int) -> None:
    """Put a job on the days nearest to where it stands on which it fits alone; none are found: it stays without."""
    job = draft.problem.jobs[number]
    first, last = draft.leaves_room(number)
    starts = (day for day in job.nearest_starts(job.planned) if first <= day <= last)
    start = next((day for day in starts if draft.fits(number, day)), None)
    if start is not None:
        draft.place(number, start)


def _try_to_join(draft: Draft, arc: Arc) -> None:
    """Put a job into the window of another where that pays, moving the joiner, or the pilot to it."""
    joiner, pilot = arc.joiner, arc.pilot
    at, pilot_at = draft.start[joiner], draft.start[pilot]
    if pilot_at is None or draft.pilot[pilot] is not None:
        return
    if draft.pilot[joiner] is not None or draft.joiners[joiner]:
        return
    if at is not None:
        draft.take_up(joiner)
    before = -draft.problem.unplaced_price if at is None else -_moved(draft, joiner, at)
    best = (before, pilot_at, at, False)
    for day in _starts_near(draft, arc, pilot_at):
        worth = _worth(draft, arc, day, pilot_at)
        if worth > best[0] and draft.fits(joiner, day, pilot):
            best = (worth, pilot_at, day, True)
    if at is not None and not draft.joiners[pilot] and not draft.problem.jobs[pilot].fixed:
        draft.take_up(pilot)
        for day in _pilot_starts_near(draft, arc, at):
            worth = _worth(draft, arc, at, day) + _moved(draft, pilot, pilot_at) - _moved(draft, pilot, day)
            if worth > best[0] and _fit_together(draft, arc, at, day):
                best = (worth, day, at, True)
        draft.place(pilot, best[1])
    if best[2] is not None:
        draft.place(joiner, best[2], pilot if best[3] else None)


def _fit_together(draft: Draft, arc: Arc, at: int, pilot_at: int) -> bool:
    if not draft.fits(arc.pilot, pilot_at):
        return False
    draft.place(arc.pilot, pilot_at)
    fits = draft.fits(arc.joiner, at, arc.pilot)
    draft.take_up(arc.pilot)
    return fits


def _moved(draft: Draft, number: int, start: int) -> int:
    job = draft.problem.jobs[number]
    return job.move_price * abs(start - job.planned)


def _worth(draft: Draft, arc: Arc, start: int, pilot_start: int) -> int:
    jobs = draft.problem.jobs
    together = overlap(start, jobs[arc.joiner].days, pilot_start, jobs[arc.pilot].days)
    return arc.gain + arc.day_gain * together - _moved(draft, arc.joiner, start)


def _starts_near(draft: Draft, arc: Arc, pilot_at: int) -> Iterator[int]:
    job, pilot = draft.problem.jobs[arc.joiner], draft.problem.jobs[arc.pilot]
    yield from _within(job.starts, pilot_at - job.days - arc.wait, pilot_at + pilot.days + arc.wait)


def _pilot_starts_near(draft: Draft, arc: Arc, at: int) -> Iterator[int]:
    job, pilot = draft.problem.jobs[arc.joiner], draft.problem.jobs[arc.pilot]
    yield from _within(pilot.starts, at - pilot.days - arc.wait, at + job.days + arc.wait)


def _within(ranges: tuple[tuple[int, int], ...], first: int, last: int) -> Iterator[int]:
    for begin, end in ranges:
        yield from range(max(begin, first), min(end, last) + 1)
