"""Which works clash: two at one place or side by side on one road in the same days, or one with a restriction.

Pure: lists in, conflicts out, whatever the order of the lists. Works that are drafts, done or cancelled are passed over.
Days are those on which a work *may* be going on, so that nothing is silenced that choosing days could still avoid; whether
it can is told (`certain`). Heights play no part: two works in one place are in each other's way at any depth.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from ler.domain.calendar import WorkingCalendar
from ler.domain.restrictions import Restriction
from ler.domain.work_conflicts import WorkConflict, WorkConflictKind
from ler.domain.works import ACTIVE, PlannedWork, RoadOccupation

type Days = tuple[date, date]

_TOUCHING_M: Final = 1e-6
"""Rounding of coordinates; a millionth of a metre apart is not apart."""


@dataclass(frozen=True, slots=True)
class _Side:
    """What of a work or a restriction is compared."""

    id: UUID
    place: BaseGeometry
    runs: Days
    latest_start: date
    earliest_end: date
    facts: tuple[object, ...]


def find_work_conflicts(
    works: Iterable[PlannedWork],
    restrictions: Iterable[Restriction],
    *,
    calendar: WorkingCalendar,
    adjacent_m: float,
    touching: AbstractSet[UUID] | None = None,
) -> list[WorkConflict]:
    """Return the conflicts among works and with restrictions, ordered by the ids of their sides.

    Two works that both take something of the road are adjacent up to `adjacent_m` metres. With `touching`, only conflicts
    of which a side is among those ids are looked for. InputError when the calendar does not know a work's days.
    """
    active = sorted((one for one in works if one.status in ACTIVE), key=lambda one: one.id)
    ordered = sorted(restrictions, key=lambda one: one.id)
    found = [
        *_between_works(active, calendar, adjacent_m, touching),
        *_with_restrictions(active, ordered, calendar, touching),
    ]
    return sorted(found, key=lambda one: one.sides)


def _between_works(
    works: Sequence[PlannedWork],
    calendar: WorkingCalendar,
    adjacent_m: float,
    touching: AbstractSet[UUID] | None,
) -> Iterator[WorkConflict]:
    sides = [_side_of(work, work.footprint, calendar) for work in works]
    for first, second in _near([one.place for one in sides], works, touching, adjacent_m):
        a, b = sides[first], sides[second]
        days = _shared(a.runs, b.runs)
        if days is None:
            continue
        distance_m = shapely.distance(a.place, b.place)
        if distance_m <= _TOUCHING_M:
            yield _conflict(WorkConflictKind.SAME_PLACE, a, b, days, 0.0)
        elif distance_m <= adjacent_m and RoadOccupation.NONE not in {works[first].road, works[second].road}:
            yield _conflict(WorkConflictKind.ADJACENT, a, b, days, distance_m)


def _near(
    places: Sequence[BaseGeometry],
    works: Sequence[PlannedWork],
    touching: AbstractSet[UUID] | None,
    reach_m: float,
) -> list[tuple[int, int]]:
    """The pairs of places that may be so near each other, each once, the smaller index first."""
    asked = [at for at, work in enumerate(works) if touching is None or work.id in touching]
    if not asked:
        return []
    tree = STRtree(places)
    lifted = np.array(places, dtype=object)[asked]
    left, right = tree.query(lifted, predicate="dwithin", distance=reach_m + _TOUCHING_M)
    pairs = {
        (min(asked[one], other), max(asked[one], other))
        for one, other in zip(left.tolist(), right.tolist(), strict=True)
        if asked[one] != other
    }
    return sorted(pairs)


def _with_restrictions(
    works: Sequence[PlannedWork],
    restrictions: Sequence[Restriction],
    calendar: WorkingCalendar,
    touching: AbstractSet[UUID] | None,
) -> Iterator[WorkConflict]:
    if not works or not restrictions:
        return
    reached = [_reach(one) for one in restrictions]
    at_work, at_restriction = _hits(works, reached)
    for work_at, restriction_at in sorted(zip(at_work.tolist(), at_restriction.tolist(), strict=True)):
        work, restriction = works[work_at], restrictions[restriction_at]
        if touching is not None and not {work.id, restriction.id} & touching:
            continue
        if not restriction.concerns(work):
            continue
        side = _side_of(work, restriction.reached_by(work), calendar)
        holds = restriction.first_day, restriction.last_day or date.max
        days = _shared(side.runs, holds)
        if days is None or not side.place.intersects(reached[restriction_at]):
            continue
        facts = restriction.kind, reached[restriction_at].wkb, *holds
        other = _Side(restriction.id, reached[restriction_at], holds, *holds, facts)
        yield _conflict(WorkConflictKind(restriction.kind), side, other, days, 0.0, is_work=False)


def _hits(
    works: Sequence[PlannedWork], reached: Sequence[BaseGeometry]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which works' footprints meet which restrictions. What a work opens may reach a little further: its pits."""
    covered = [shapely.union(work.footprint, work.opened) for work in works]
    at_restriction, at_work = STRtree(covered).query(np.array(reached, dtype=object), predicate="intersects")
    return at_work, at_restriction


def _reach(restriction: Restriction) -> BaseGeometry:
    return restriction.geometry.buffer(restriction.reach_m) if restriction.reach_m else restriction.geometry


def _side_of(work: PlannedWork, place: BaseGeometry, calendar: WorkingCalendar) -> _Side:
    runs = work.runs(calendar)
    facts = place.wkb, *runs, work.duration_days, work.method, work.road
    return _Side(work.id, place, runs, work.latest_start(calendar), work.earliest_end(calendar), facts)


def _shared(one: Days, other: Days) -> Days | None:
    first, last = max(one[0], other[0]), min(one[1], other[1])
    return (first, last) if first <= last else None


def _conflict(
    kind: WorkConflictKind, a: _Side, b: _Side, days: Days, distance_m: float, *, is_work: bool = True
) -> WorkConflict:
    place = shapely.shortest_line(a.place, b.place) if distance_m else shapely.intersection(a.place, b.place)
    if place.is_empty:
        # They touch by the rounding of coordinates only.
        place = shapely.shortest_line(a.place, b.place)
    return WorkConflict(
        kind=kind,
        work_id=a.id,
        other_work_id=b.id if is_work else None,
        restriction_id=None if is_work else b.id,
        place=place,
        distance_m=distance_m,
        first_day=days[0],
        last_day=days[1],
        # Neither can be done before the other begins.
        certain=a.earliest_end >= b.latest_start and b.earliest_end >= a.latest_start,
        fingerprint=_fingerprint(kind, a, b),
    )


def _fingerprint(kind: WorkConflictKind, a: _Side, b: _Side) -> str:
    digest = hashlib.sha256(kind.encode())
    for fact in (*a.facts, *b.facts):
        digest.update(fact if isinstance(fact, bytes) else f"|{fact}|".encode())
    return digest.hexdigest()
