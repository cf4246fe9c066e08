"""The conflict graph: which works may dig together, which may not go on at once, and who goes before whom.

Near is within `near_m` of each other's footprint; roads that are closed are each other's way round within `parallel_m`.
Trenchless works share no trench and join nobody. A pilot opens at least as much of the road as who joins it; of equal works
the one with the lower id is it, so that no pair counts twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from conflicts.windows.figures import Prices, WindowRules
from conflicts.windows.findings import Finding, finding
from conflicts.windows.problem import Arc, Job, Order
from ler.domain.works import OTHER, ROAD, PlannedWork, RoadOccupation

type _Footprints = np.ndarray[tuple[int], np.dtype[np.object_]]
type _Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]

_SAME_DEPTH_M = 0.05
_TAKES_LANES = frozenset({RoadOccupation.LANE, RoadOccupation.CLOSED})


@dataclass(frozen=True, slots=True)
class Sharing:
    """What two works have in common."""

    arc: Arc
    m2: float
    """Surface that both open, and that is made good once."""
    part: float
    """Part of the joiner that lies near the pilot, 0 to 1: so much of each common day is saved."""
    opening: bool
    """Whether the joiner needs no opening of the road of its own."""
    takes_road: bool
    """Whether both take some of the road."""


@dataclass(frozen=True)
class Graph:
    """Works by position, and what lies between them."""

    arcs: Sequence[Sharing]
    orders: Sequence[Order]
    clashes: Sequence[tuple[int, int]]
    surfaces: Sequence[tuple[int, int]]
    findings: Sequence[Finding]


@dataclass(frozen=True)
class Scene:
    """Works that can be planned, sorted by id, with their jobs."""

    works: Sequence[PlannedWork]
    jobs: Sequence[Job]
    rules: WindowRules
    prices: Prices

    def only(self, numbers: Sequence[int]) -> "Scene":
        """Return some of the works, by number and sorted."""
        works, jobs = [self.works[n] for n in numbers], [self.jobs[n] for n in numbers]
        return Scene(works, jobs, self.rules, self.prices)


def is_surface(work: PlannedWork) -> bool:
    """Whether a work lays the surface, and so comes last."""
    return work.activity == ROAD


def depth_of(work: PlannedWork, rules: WindowRules) -> float:
    """How deep a work goes, m: as it says, or as works of its kind do."""
    return rules.depth_m.get(work.activity, rules.depth_m[OTHER]) if work.depth_m is None else work.depth_m


def graph_of(
    scene: Scene, wishes: frozenset[tuple[UUID, UUID]] = frozenset(), around: Sequence[int] | None = None
) -> Graph:
    """Return what lies between works; `wishes` are pairs of ids of which the first is to go before the second.

    `around` are the positions of those of which all pairs are looked for; None: of all.
    """
    footprints = np.array([work.footprint for work in scene.works], dtype=object)
    tree = shapely.STRtree(footprints)
    of = np.arange(len(footprints)) if around is None else np.array(around, dtype=int)
    near = _pairs(tree, footprints, of, scene.rules.near_m)
    findings: list[Finding] = []
    orders = [order for pair in near if (order := _order(scene, pair, wishes)) is not None]
    return Graph(
        arcs=[share for share in _sharings(scene, footprints, near) if _can_touch(scene, share.arc)],
        orders=orders,
        clashes=list(_clashes(scene, _closed(scene, tree, footprints, of), near, findings)),
        surfaces=list(_surfaces(scene, near, findings)),
        findings=findings,
    )


def _pairs(
    tree: shapely.STRtree, footprints: _Footprints, of: _Numbers, distance_m: float
) -> list[tuple[int, int]]:
    """Pairs of which one is among `of`, the lower number first, sorted."""
    one, other = tree.query(footprints[of], predicate="dwithin", distance=distance_m)
    pairs = np.sort(np.stack([of[one], other], axis=1), axis=1)
    return sorted({(first, then) for first, then in pairs.tolist() if first != then})


def _sharings(scene: Scene, footprints: _Footprints, near: Iterable[tuple[int, int]]) -> Iterator[Sharing]:
    """What each pair that may dig together has in common, as far as it can pay."""
    pairs = np.array([pair for pair in near if _may_share(scene, *pair)], dtype=int).reshape(-1, 2)
    reach = {
        number: footprints[number].buffer(scene.rules.near_m, quad_segs=4) for number in np.unique(pairs)
    }
    for one, other in pairs.tolist():
        parts = (_part(footprints[one], reach[other]), _part(footprints[other], reach[one]))
        share = _sharing(scene, (one, other), parts)
        if share.part >= scene.rules.least_part and share.arc.most(scene.jobs) > 0:
            yield share


def _part(footprint: BaseGeometry, reach: BaseGeometry) -> float:
    """Which part of a footprint lies near another work, 0 to 1."""
    if not footprint.area:
        return 0.0
    return min(1.0, float(footprint.intersection(reach).area / footprint.area))


def _may_share(scene: Scene, one: int, other: int) -> bool:
    works = scene.works[one], scene.works[other]
    return all(work.willing_to_share and not work.method.is_trenchless for work in works)


def _sharing(scene: Scene, pair: tuple[int, int], parts: tuple[float, float]) -> Sharing:
    """The one that opens less joins the one that opens more; a number of each is what it has near the other."""
    works, prices, rules = scene.works, scene.prices, scene.rules
    m2 = min(works[number].opened_m2 * part for number, part in zip(pair, parts, strict=True))
    (joiner, part), (pilot, _) = sorted(
        zip(pair, parts, strict=True), key=lambda one: (works[one[0]].opened_m2, -one[0])
    )
    roads = works[joiner].road, works[pilot].road
    surface = is_surface(works[joiner]) != is_surface(works[pilot])
    opening = part >= rules.opening_part
    gain = prices.opening * opening - prices.joining + round(m2 * prices.surface_m2[works[joiner].surface])
    day_gain = 0 if surface else round(part * min(prices.day[road] for road in roads))
    return Sharing(
        arc=Arc(joiner, pilot, gain, day_gain, rules.wait_days if surface else 0),
        m2=m2,
        part=part,
        opening=opening,
        takes_road=RoadOccupation.NONE not in roads,
    )


def _can_touch(scene: Scene, arc: Arc) -> bool:
    """Whether their days let them come together at all."""
    joiner, pilot = scene.jobs[arc.joiner], scene.jobs[arc.pilot]
    return (
        joiner.first - arc.wait <= pilot.last + pilot.days
        and pilot.first - arc.wait <= joiner.last + joiner.days
    )


def _order(scene: Scene, pair: tuple[int, int], wishes: frozenset[tuple[UUID, UUID]]) -> Order | None:
    """Surface last; then as wished; then deep before shallow."""
    one, other = pair
    works = scene.works
    if is_surface(works[one]) != is_surface(works[other]):
        first, then = (other, one) if is_surface(works[one]) else (one, other)
        return Order(first, then, whole=True)
    for first, then in (pair, pair[::-1]):
        if (works[first].id, works[then].id) in wishes:
            return Order(first, then, whole=False)
    depths = depth_of(works[one], scene.rules), depth_of(works[other], scene.rules)
    if is_surface(works[one]) or abs(depths[0] - depths[1]) < _SAME_DEPTH_M:
        return None
    first, then = pair if depths[0] > depths[1] else pair[::-1]
    return Order(first, then, whole=False)


def _closed(
    scene: Scene, tree: shapely.STRtree, footprints: _Footprints, of: _Numbers
) -> set[tuple[int, int]]:
    """Two closed roads that are each other's way round."""
    closed = np.array([work.road is RoadOccupation.CLOSED for work in scene.works], dtype=bool)
    pairs = _pairs(tree, footprints, of[closed[of]], scene.rules.parallel_m)
    return {(one, other) for one, other in pairs if closed[one] and closed[other]}


def _clashes(
    scene: Scene, closed: set[tuple[int, int]], near: Iterable[tuple[int, int]], findings: list[Finding]
) -> Iterator[tuple[int, int]]:
    """Besides those, a closed road and a lane taken in the same place."""
    pairs = closed.union(
        pair
        for pair in near
        if {scene.works[n].road for n in pair} <= _TAKES_LANES
        and any(scene.works[n].road is RoadOccupation.CLOSED for n in pair)
    )
    for one, other in sorted(pairs):
        jobs = scene.jobs[one], scene.jobs[other]
        if not _may_meet(*jobs):
            continue
        if all(job.fixed for job in jobs):
            findings.append(finding("fixed-clash", scene.works[one], scene.works[other]))
        else:
            yield one, other


def _may_meet(one: Job, other: Job) -> bool:
    """Whether two jobs can go on at the same time."""
    return one.first < other.last + other.days and other.first < one.last + one.days


def _surfaces(
    scene: Scene, near: Iterable[tuple[int, int]], findings: list[Finding]
) -> Iterator[tuple[int, int]]:
    """Trenches that are dug before the new surface comes, together or apart."""
    for pair in near:
        if is_surface(scene.works[pair[0]]) == is_surface(scene.works[pair[1]]):
            continue
        trench, surface = pair[::-1] if is_surface(scene.works[pair[0]]) else pair
        if scene.works[trench].method.is_trenchless:
            continue
        if scene.jobs[trench].first + scene.jobs[trench].days > scene.jobs[surface].last:
            findings.append(finding("surface-first", scene.works[trench], scene.works[surface]))
        elif scene.jobs[trench].last + scene.jobs[trench].days > scene.jobs[surface].first:
            yield trench, surface
