"""Work x work and work x restriction, held to a brute force that has no index and counts days one by one."""

import random
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations, product
from uuid import UUID

import pytest
from shapely import LineString, Point, box
from shapely.geometry.base import BaseGeometry

from conflicts.work_conflicts import find_work_conflicts
from ler.calendar_of_denmark import calendar_of_denmark
from ler.domain.restrictions import Restriction, RestrictionKind
from ler.domain.work_conflicts import JudgementState, WorkConflict, judgement_state
from ler.domain.works import Method, PlannedWork, RoadOccupation, WorkStatus
from tests.unit.test_works import EAST, NORTH, WORK

CALENDAR = calendar_of_denmark(2025, 2027)
ADJACENT_M = 20.0
A = replace(WORK, id=UUID(int=10), road=RoadOccupation.LANE)
DAY = timedelta(days=1)


def found(
    works: list[PlannedWork], restrictions: list[Restriction] | None = None, touching: set[UUID] | None = None
) -> list[WorkConflict]:
    return find_work_conflicts(
        works, restrictions or [], calendar=CALENDAR, adjacent_m=ADJACENT_M, touching=touching
    )


def shifted(work: PlannedWork, number: int, north_m: float = 0.0, **change: object) -> PlannedWork:
    line = LineString([(EAST, NORTH + north_m), (EAST + 100, NORTH + north_m)])
    return replace(work, **({"id": UUID(int=number), "geometry": line} | change))  # type: ignore[arg-type]


def at(
    first: tuple[int, int], last: tuple[int, int] | None, kind: RestrictionKind, place: BaseGeometry
) -> Restriction:
    return Restriction(
        id=UUID(int=99),
        organisation_id=UUID(int=2),
        kind=kind,
        title="x",
        geometry=place,
        first_day=date(2026, *first),
        last_day=None if last is None else date(2026, *last),
        source="x",
    )


def test_trenches_are_one_place_up_to_their_width_and_adjacent_up_to_the_distance_that_is_set() -> None:
    def kinds(north_m: float, road: RoadOccupation = RoadOccupation.FOOTWAY) -> list[tuple[str, float]]:
        other = shifted(A, 11, north_m, road=road)
        return [(one.kind.value, round(one.distance_m, 6)) for one in found([other, A])]

    assert kinds(1.0) == [("same-place", 0.0)]
    assert kinds(1.001) == [("adjacent", 0.001)]
    assert kinds(21.0) == [("adjacent", 20.0)]
    assert kinds(21.001) == []
    # Beside the road nobody's traffic is in the way.
    assert kinds(1.001, RoadOccupation.NONE) == []
    assert kinds(1.0, RoadOccupation.NONE) == [("same-place", 0.0)]


def test_works_meet_on_the_days_that_both_may_run_and_surely_when_neither_can_be_first() -> None:
    later = shifted(A, 11, earliest_start=date(2026, 3, 13), latest_end=date(2026, 3, 31), duration_days=2)
    (conflict,) = found([A, later])
    assert (conflict.first_day, conflict.last_day, conflict.certain) == (date(2026, 3, 13),) * 2 + (False,)
    assert found([A, replace(later, earliest_start=date(2026, 3, 14))]) == []
    assert found([A, replace(later, planned_start=date(2026, 3, 16))]) == []
    (conflict,) = found([replace(A, duration_days=6), shifted(A, 11, duration_days=5)])
    assert conflict.certain
    (conflict,) = found([replace(A, duration_days=5), shifted(A, 11, duration_days=5)])
    assert not conflict.certain


@pytest.mark.parametrize("status", [WorkStatus.DRAFT, WorkStatus.DONE, WorkStatus.CANCELLED])
def test_what_is_not_going_to_be_dug_is_in_nobodys_way(status: WorkStatus) -> None:
    assert found([A, shifted(A, 11, status=status)]) == []


def test_a_moratorium_is_met_by_what_opens_the_surface_there() -> None:
    surface = at((1, 1), None, RestrictionKind.MORATORIUM, box(EAST + 40, NORTH - 5, EAST + 60, NORTH + 5))
    bore = replace(A, method=Method.DIRECTIONAL_DRILLING)
    assert [one.kind for one in found([A], [surface])] == ["moratorium"]
    assert found([bore], [surface]) == []
    assert len(found([bore], [replace(surface, geometry=Point(EAST, NORTH).buffer(1))])) == 1
    assert found([A], [replace(surface, last_day=date(2026, 3, 1))]) == []
    (conflict,) = found([A], [replace(surface, last_day=date(2026, 3, 2))])
    assert (conflict.certain, conflict.restriction_id, conflict.other_work_id) == (True, surface.id, None)
    assert conflict.place.area == pytest.approx(20.0)


@pytest.mark.parametrize("kind", [RestrictionKind.BUS_LINE, RestrictionKind.DIVERSION])
def test_buses_and_diverted_traffic_need_the_lane_and_not_the_footway(kind: RestrictionKind) -> None:
    # 3.5 m to each side of the line, and half a metre of the trench.
    def beside(north_m: float) -> Restriction:
        return at((3, 1), (3, 31), kind, LineString([(EAST, NORTH + north_m), (EAST + 9, NORTH + north_m)]))

    assert [one.kind.value for one in found([A], [beside(4.0)])] == [kind.value]
    assert found([A], [beside(4.01)]) == []
    assert found([replace(A, road=RoadOccupation.FOOTWAY)], [beside(0)]) == []


def test_a_diversion_is_never_in_the_way_of_the_work_that_it_leads_past() -> None:
    past = replace(at((3, 1), (3, 31), RestrictionKind.DIVERSION, A.geometry), work_id=A.id)
    other = shifted(A, 11, 300.0, geometry=A.geometry)
    assert [one.work_id for one in found([A, other], [past]) if one.restriction_id] == [other.id]


def test_what_is_judged_is_to_be_judged_again_when_one_side_changed_and_only_then() -> None:
    (before,) = found([A, shifted(A, 11)])
    assert judgement_state(None, before.fingerprint) is JudgementState.OPEN
    for same in (shifted(A, 11, title="Other", version=2), shifted(A, 11, contact="c@example.dk")):
        (after,) = found([same, A])
        assert judgement_state(before.fingerprint, after.fingerprint) is JudgementState.JUDGED
    other = shifted(A, 11)
    for changed in (
        replace(other, duration_days=9),
        replace(other, planned_start=date(2026, 3, 3), duration_days=5),
        replace(other, width_m=2.0),
        replace(other, road=RoadOccupation.CLOSED),
    ):
        (after,) = found([A, changed])
        assert judgement_state(before.fingerprint, after.fingerprint) is JudgementState.JUDGE_AGAIN


def random_town(chance: random.Random) -> tuple[list[PlannedWork], list[Restriction]]:
    def place() -> tuple[float, float]:
        return EAST + chance.uniform(0, 400), NORTH + chance.uniform(0, 400)

    def shape() -> BaseGeometry:
        x, y = place()
        shapes: list[BaseGeometry] = [
            Point(x, y),
            LineString([(x, y), (x + chance.uniform(1, 80), y + chance.uniform(-80, 80))]),
            box(x, y, x + chance.uniform(1, 40), y + chance.uniform(1, 40)),
        ]
        return chance.choice(shapes)

    works = []
    for number in range(60):
        start = date(2026, 1, 5) + DAY * chance.randrange(120)
        duration = chance.randint(1, 15)
        works.append(
            replace(
                A,
                id=UUID(int=chance.getrandbits(128)),
                organisation_id=UUID(int=number % 5),
                geometry=shape(),
                duration_days=duration,
                earliest_start=start,
                latest_end=start + DAY * chance.randint(25, 60),
                planned_start=start if chance.random() < 0.3 else None,
                road=chance.choice([*RoadOccupation]),
                method=chance.choice([*Method]),
                status=chance.choice([*WorkStatus]),
                width_m=chance.choice([None, 0.5, 3.0]),
            )
        )
    restrictions = [
        replace(
            at((2, 1), chance.choice([None, (2, 20)]), chance.choice([*RestrictionKind]), shape()),
            id=UUID(int=chance.getrandbits(128)),
            work_id=chance.choice(works).id,
        )
        for _ in range(25)
    ]
    return works, restrictions


def days_of(work: PlannedWork) -> set[date]:
    first, last = work.runs(CALENDAR)
    return {first + DAY * number for number in range((last - first).days + 1)}


def by_brute_force(
    works: list[PlannedWork], restrictions: list[Restriction]
) -> set[tuple[frozenset[UUID], str, float, date, date]]:
    told = set()
    active = [one for one in works if one.status in {"planned", "agreed", "frozen", "running"}]
    for one, other in combinations(active, 2):
        days = days_of(one) & days_of(other)
        apart_m = one.footprint.distance(other.footprint)
        both_on_road = "none" not in {one.road, other.road}
        if days and (apart_m == 0 or (apart_m <= ADJACENT_M and both_on_road)):
            kind = "adjacent" if apart_m else "same-place"
            told.add((frozenset({one.id, other.id}), kind, round(apart_m, 6), min(days), max(days)))
    for work, rule in product(active, restrictions):
        days = {day for day in days_of(work) if rule.first_day <= day <= (rule.last_day or day)}
        opened = work.opened if rule.kind == "moratorium" else work.footprint
        reach_m = 0.0 if rule.geometry.geom_type == "Polygon" else 3.5
        reached = rule.geometry.buffer(reach_m) if reach_m else rule.geometry
        takes_lane = work.road in {"lane", "closed"} and rule.work_id != work.id
        if days and reached.intersects(opened) and (takes_lane or rule.kind not in {"bus-line", "diversion"}):
            told.add((frozenset({work.id, rule.id}), rule.kind.value, 0.0, min(days), max(days)))
    return told


def test_a_town_of_works_clashes_as_the_brute_force_says_whatever_the_order() -> None:
    seen: set[str] = set()
    for seed in range(6):
        chance = random.Random(seed)
        works, restrictions = random_town(chance)
        conflicts = found(works, restrictions)
        told = {
            (frozenset(one.sides), one.kind.value, round(one.distance_m, 6), one.first_day, one.last_day)
            for one in conflicts
        }
        assert told == by_brute_force(works, restrictions)
        assert len(told) == len(conflicts)
        seen |= {one.kind.value for one in conflicts}
        chance.shuffle(works)
        chance.shuffle(restrictions)
        assert found(works, restrictions) == conflicts
        asked = {works[0].id, works[1].id, restrictions[0].id}
        assert found(works, restrictions, asked) == [one for one in conflicts if asked & {*one.sides}]
    assert seen == {"same-place", "adjacent", *RestrictionKind}
