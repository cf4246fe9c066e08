"""Which works hang together with some of them: looked for from near to near, without the rest of the city."""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from conflicts.windows.components import pieces_of
from conflicts.windows.findings import Finding
from conflicts.windows.graph import Scene, graph_of
from conflicts.windows.ground import Ground
from conflicts.windows.jobs import Calendar, jobs_of
from conflicts.windows.plan import Brief, Stage, calendar_of, sound_works
from conflicts.windows.problem import Job
from conflicts.windows.wishes import Wishes, wishes_of
from ler.domain.works import PlannedWork, RoadOccupation


@dataclass(frozen=True)
class Touched:
    """The works of the components of some works, among all that were met on the way."""

    stage: Stage
    """Everything met that can be planned; with crews, all works of their organisations too."""
    numbers: Collection[int]
    """Those of the components, by their numbers in the stage."""
    wishes: Wishes
    findings: list[Finding]
    """What is to be said of all that were met."""


def touched_by(brief: Brief, ground: Ground, some: Collection[UUID]) -> Touched:
    """Return what hangs together with some works; of the brief everything but its works counts."""
    seen = _Field(brief, calendar_of(brief))
    wished = {one for pair in brief.wishes for one in pair}
    seen.meet(ground.named(wished | {*some}))
    wishes = wishes_of(brief.wishes, {one: seen.works[one] for one in wished & seen.works.keys()})
    found = {one for one in some if one in seen.jobs}
    fresh = found
    while fresh:
        fresh = _met(seen, ground, wishes, fresh) - found
        found |= fresh
    seen.meet(ground.owned_by(brief.crews.keys()) if brief.crews else [])
    stage = Stage(seen.scene(seen.jobs), seen.calendar, brief.crews, [])
    numbers = [number for number, work in enumerate(stage.scene.works) if work.id in found]
    return Touched(stage, numbers, wishes, [*seen.findings])


def _met(seen: "_Field", ground: Ground, wishes: Wishes, fresh: Collection[UUID]) -> set[UUID]:
    """The works that hang together with those found last. What ties two works lies between them alone."""
    rules = seen.brief.rules
    works = [seen.works[one] for one in sorted(fresh)]
    closed = [work for work in works if work.road is RoadOccupation.CLOSED]
    beside = [
        *ground.beside(works, rules.near_m),
        *(ground.beside(closed, rules.parallel_m) if closed else ()),
    ]
    seen.meet(beside)
    scene = seen.scene({*fresh}.union(work.id for work in beside).intersection(seen.jobs))
    around = [number for number, work in enumerate(scene.works) if work.id in fresh]
    graph = graph_of(scene, wishes.pairs, around)
    seen.findings.update(graph.findings)
    pieces = [{scene.works[number].id for number in piece.numbers} for piece in pieces_of(graph, scene.jobs)]
    return {one for piece in pieces if not piece.isdisjoint(fresh) for one in piece}


@dataclass
class _Field:
    """The works that were met, judged as they are met."""

    brief: Brief
    calendar: Calendar
    works: dict[UUID, PlannedWork] = field(default_factory=dict)
    """Without faults, whether they have days or not."""
    jobs: dict[UUID, Job] = field(default_factory=dict)
    findings: set[Finding] = field(default_factory=set)
    met: set[UUID] = field(default_factory=set)

    def meet(self, works: Collection[PlannedWork]) -> None:
        new = {work.id: work for work in works if work.id not in self.met}
        self.met |= new.keys()
        sound, faults = sound_works(self.brief, new.values())
        jobs, found = jobs_of(sound, self.brief.restrictions, self.calendar)
        self.findings.update(faults, found)
        self.works |= {work.id: work for work in sound}
        self.jobs |= {job.id: job for job in jobs if job is not None}

    def scene(self, ids: Collection[UUID]) -> Scene:
        chosen = sorted(ids)
        works, jobs = [self.works[one] for one in chosen], [self.jobs[one] for one in chosen]
        return Scene(works, jobs, self.brief.rules, self.brief.prices)
