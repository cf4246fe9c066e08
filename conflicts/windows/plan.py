"""A plan of all works: when each is done, which dig together, how good that is, and what could not be planned.

Components are planned apart, in processes of their own when asked for; the plan is the same however many there are and in
whatever order works come. After a change only the components that it touches are planned again (`again`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from multiprocessing import get_context
from uuid import UUID

from conflicts.windows.components import Piece, pieces_of
from conflicts.windows.crews import CrewBook
from conflicts.windows.days import WorkDays, days_of
from conflicts.windows.figures import Prices, WindowRules, standard_prices, standard_rules
from conflicts.windows.findings import Finding, finding
from conflicts.windows.graph import Graph, Scene, Sharing, graph_of
from conflicts.windows.in_parts import Before, Whole, solve_in_parts
from conflicts.windows.jobs import Calendar, jobs_of
from conflicts.windows.problem import Job, Problem, Schedule, overlap
from conflicts.windows.solver import Solution
from conflicts.windows.wishes import Wishes, wishes_of
from ler.domain.restrictions import Restriction
from ler.domain.works import ACTIVE, PlannedWork, WorkRules

_CHUNK = 16
"""Components that a process takes at a time."""


@dataclass(frozen=True)
class Brief:
    """What is to be planned, and by what."""

    works: Sequence[PlannedWork]
    today: date
    work_rules: WorkRules
    restrictions: Sequence[Restriction] = ()
    wishes: Collection[tuple[UUID, UUID]] = ()
    """Pairs of works of which, in one window, the first goes before the second."""
    crews: Mapping[UUID, int] = field(default_factory=dict)
    """How many works an organisation can have going on; who is not named has no limit."""
    rules: WindowRules = field(default_factory=standard_rules)
    prices: Prices = field(default_factory=standard_prices)


@dataclass(frozen=True, slots=True)
class Placement:
    """When a work is done by the plan."""

    start: date
    end: date
    stands: date
    """First day when nobody moves it."""
    moved_days: int
    """Working days from there, earlier is less than nothing."""
    move_dkk: int
    fixed: bool


@dataclass(frozen=True, slots=True)
class Join:
    """That a work digs in the window of another, and what that saves."""

    joiner: UUID
    pilot: UUID
    days: float
    """Working days of occupied road, for the part of the joiner that lies there."""
    m2: float
    opening: bool
    dkk: int


@dataclass(frozen=True, slots=True)
class Component:
    """Works that hang together, and how well they are planned, DKK."""

    work_ids: tuple[UUID, ...]
    value: int
    """Against everybody digging alone where they stand."""
    bound: int
    """No plan of them is worth more."""
    greedy_value: int
    joins: tuple[Join, ...]
    part_bounds: tuple[tuple[tuple[UUID, ...], int], ...] = ()
    """Of one that was planned in parts: what the bound is the sum of, so that a change asks for few of them anew."""

    @property
    def parts(self) -> int:
        """In how many parts it was planned; 1: as one."""
        return max(1, len(self.part_bounds))

    @property
    def gap(self) -> float:
        """How far from the best it may be, as part of the bound."""
        return (self.bound - self.value) / max(1, abs(self.bound))


@dataclass(frozen=True)
class Plan:
    """The whole: every work that can be planned has a component; who has no days, no placement."""

    placements: Mapping[UUID, Placement]
    components: Sequence[Component]
    wish_rank: Mapping[UUID, int]
    findings: Sequence[Finding]


def plan_windows(brief: Brief, *, processes: int = 1, workers: Executor | None = None) -> Plan:
    """Plan all works, in so many processes of this machine, or by those workers."""
    works, faults = sound_works(brief, brief.works)
    wishes = wishes_of(brief.wishes, {work.id: work for work in works})
    stage = _staged(brief, works)
    components, placements, found = planned(
        stage, wishes, range(len(stage.scene.works)), standing={}, processes=processes, workers=workers
    )
    findings = [*faults, *wishes.findings, *stage.findings, *found]
    return Plan(placements, components, wishes.rank, sorted_findings(findings))


def sorted_findings(findings: Collection[Finding]) -> list[Finding]:
    """Return each finding once, in an order that depends on nothing else."""
    return sorted(set(findings), key=lambda found: (found.code, found.work_ids, found.en))


def sound_works(brief: Brief, works: Iterable[PlannedWork]) -> tuple[list[PlannedWork], list[Finding]]:
    """Return the works that others must reckon with, sorted by id, without those that have faults."""
    sound: list[PlannedWork] = []
    findings: list[Finding] = []
    for work in sorted((work for work in works if work.status in ACTIVE), key=lambda work: work.id):
        faults = brief.work_rules.faults(work)
        if faults:
            findings.append(finding("work-faulty", work, why="; ".join(fault.message for fault in faults)))
        else:
            sound.append(work)
    return sound, findings


@dataclass(frozen=True)
class Stage:
    """Works that can be planned, by number, and what is to be said of the others."""

    scene: Scene
    calendar: Calendar
    crews: Mapping[UUID, int]
    findings: Sequence[Finding]


def calendar_of(brief: Brief) -> Calendar:
    """Return by what days and prices a brief is planned."""
    return Calendar(days_of(brief.work_rules.calendar), brief.today, brief.rules, brief.prices)


def _staged(brief: Brief, works: Sequence[PlannedWork]) -> Stage:
    calendar = calendar_of(brief)
    jobs, findings = jobs_of(works, brief.restrictions, calendar)
    pairs = [(work, job) for work, job in zip(works, jobs, strict=True) if job is not None]
    scene = Scene([work for work, _ in pairs], [job for _, job in pairs], brief.rules, brief.prices)
    return Stage(scene, calendar, brief.crews, findings)


@dataclass(frozen=True)
class Task:
    """One component, ready to be solved anywhere."""

    numbers: tuple[int, ...]
    problem: Problem
    ties: tuple[tuple[int, int], ...]
    shares: tuple[Sharing, ...]
    most: int
    effort: float
    before: Before | None = None


def _solved(task: Task) -> Whole:
    return solve_in_parts(task.problem, task.ties, task.most, task.effort, task.before)


def planned(
    stage: Stage,
    wishes: Wishes,
    numbers: Collection[int],
    *,
    standing: Mapping[UUID, Placement],
    processes: int = 1,
    workers: Executor | None = None,
    before: Callable[[Task, WorkDays], Before | None] | None = None,
) -> tuple[list[Component], dict[UUID, Placement], list[Finding]]:
    """Plan some of the works; the others stand, and keep their crews."""
    scene = stage.scene
    some = scene.only(sorted(numbers))
    graph = graph_of(some, wishes.pairs)
    book = CrewBook(stage.crews, scene.jobs, len(stage.calendar.days))
    tasks = _tasks(some, graph, book)
    if before is not None:
        tasks = [replace(task, before=before(task, stage.calendar.days)) for task in tasks]
    solutions = _all_solved(tasks, processes) if workers is None else _solved_by(workers, tasks)
    for job in scene.jobs:
        placement = standing.get(job.id)
        if placement is not None:
            book.add(job, job.planned, -1)
            book.add(job, stage.calendar.days.from_(placement.start), 1)
    components: list[Component] = []
    placements: dict[UUID, Placement] = {}
    findings = list(graph.findings)
    for task, whole in zip(tasks, solutions, strict=True):
        solution = _with_crews(task, whole.solution, book)
        components.append(_component(some, task, whole, solution))
        for place, number in enumerate(task.numbers):
            if solution.schedule.placed[place]:
                start = solution.schedule.starts[place]
                placements[some.jobs[number].id] = _placement(stage.calendar, some.jobs[number], start)
            else:
                findings.append(finding("no-room", some.works[number]))
    return components, placements, findings


def _tasks(scene: Scene, graph: Graph, book: CrewBook) -> list[Task]:
    return [_task(scene, piece, book) for piece in pieces_of(graph, scene.jobs)]


def _task(scene: Scene, piece: Piece, book: CrewBook) -> Task:
    place = {number: index for index, number in enumerate(piece.numbers)}
    jobs = tuple(scene.jobs[number] for number in piece.numbers)
    problem = Problem(
        jobs=jobs,
        arcs=tuple(
            replace(share.arc, joiner=place[share.arc.joiner], pilot=place[share.arc.pilot])
            for share in piece.shares
        ),
        orders=tuple(replace(o, first=place[o.first], then=place[o.then]) for o in piece.orders),
        clashes=tuple((place[one], place[other]) for one, other in piece.clashes),
        surfaces=tuple((place[trench], place[surface]) for trench, surface in piece.surfaces),
        crews=book.crews(jobs, alone=True),
        unplaced_price=scene.prices.unplaced,
    )
    ties = tuple((place[one], place[other]) for one, other in piece.edges(scene.jobs))
    rules = scene.rules
    return Task(piece.numbers, problem, ties, tuple(piece.shares), rules.most_works, rules.effort)


def _all_solved(tasks: Sequence[Task], processes: int) -> list[Whole]:
    if processes <= 1 or len(tasks) <= _CHUNK:
        return [_solved(task) for task in tasks]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return _solved_by(pool, tasks)


def _solved_by(workers: Executor, tasks: Sequence[Task]) -> list[Whole]:
    largest_first = sorted(range(len(tasks)), key=lambda number: (-len(tasks[number].numbers), number))
    chunks = [largest_first[first : first + _CHUNK] for first in range(0, len(tasks), _CHUNK)]
    solved = workers.map(_some_solved, [[tasks[number] for number in chunk] for chunk in chunks])
    by_number = {
        n: one for chunk, some in zip(chunks, solved, strict=True) for n, one in zip(chunk, some, strict=True)
    }
    return [by_number[number] for number in range(len(tasks))]


def _some_solved(tasks: Sequence[Task]) -> list[Whole]:
    return [_solved(task) for task in tasks]


def _with_crews(task: Task, alone: Solution, book: CrewBook) -> Solution:
    """Enter a component's works beside the others; where crews are lacking it is planned again with those left."""
    jobs = task.problem.jobs
    for job in jobs:
        book.add(job, job.planned, -1)
    solution = alone
    if not book.has_room(*_placed(task, alone)):
        beside = replace(task.problem, crews=book.crews(jobs, alone=False))
        solution = _solved(replace(task, problem=beside)).solution
    for job, start in zip(*_placed(task, solution), strict=True):
        book.add(job, start, 1)
    return solution


def _placed(task: Task, solution: Solution) -> tuple[list[Job], list[int]]:
    schedule = solution.schedule
    places = [place for place, placed in enumerate(schedule.placed) if placed]
    return [task.problem.jobs[place] for place in places], [schedule.starts[place] for place in places]


def _component(scene: Scene, task: Task, alone: Whole, solution: Solution) -> Component:
    """The bound is that of the component by itself: what other components take of crews can only lower it."""
    return Component(
        work_ids=tuple(scene.jobs[number].id for number in task.numbers),
        value=solution.value,
        bound=max(alone.solution.bound, solution.value),
        greedy_value=solution.greedy_value,
        joins=tuple(_joins(task, solution.schedule)),
        part_bounds=tuple(
            (tuple(task.problem.jobs[place].id for place in part), bound)
            for part, bound in alone.bounds.items()
        ),
    )


def _joins(task: Task, schedule: Schedule) -> Iterator[Join]:
    jobs, place = task.problem.jobs, {number: index for index, number in enumerate(task.numbers)}
    for share in task.shares:
        joiner, pilot = place[share.arc.joiner], place[share.arc.pilot]
        if schedule.pilots[joiner] != pilot:
            continue
        common = overlap(schedule.starts[joiner], jobs[joiner].days, schedule.starts[pilot], jobs[pilot].days)
        yield Join(
            joiner=jobs[joiner].id,
            pilot=jobs[pilot].id,
            days=common * share.part if share.takes_road else 0.0,
            m2=share.m2,
            opening=share.opening,
            dkk=share.arc.gain + share.arc.day_gain * common,
        )


def _placement(calendar: Calendar, job: Job, start: int) -> Placement:
    days = calendar.days
    return Placement(
        start=days.date(start),
        end=days.date(start + job.days - 1),
        stands=days.date(job.planned),
        moved_days=start - job.planned,
        move_dkk=job.move_price * abs(start - job.planned),
        fixed=job.fixed,
    )
