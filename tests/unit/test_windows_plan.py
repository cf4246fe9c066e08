import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from shapely import LineString, Point, box

from conflicts.windows.again import Standing, plan_around, replan
from conflicts.windows.plan import Brief, Plan, plan_windows
from ler.domain.restrictions import Restriction, RestrictionKind
from ler.domain.works import Method, PlannedWork, RoadOccupation, Surface, WorkRules, WorkStatus
from ler.settings import Settings
from tests.window_checks import PlanCheck
from tests.window_city import CALENDAR, CORNER, TODAY, city_restrictions, city_works

RULES = WorkRules(CALENDAR, Settings().coverage)


def city_brief(seed: int, count: int = 70, blocks: int = 4) -> Brief:
    works = city_works(seed, count, blocks)
    owners = sorted({work.organisation_id for work in works})
    crews = dict.fromkeys(owners[:2], 1)
    pairs = random.Random(seed).sample([work.id for work in works], 20)
    wishes = tuple(zip(pairs[::2], pairs[1::2], strict=True))
    return Brief(works, TODAY, RULES, city_restrictions(seed, 5, blocks), wishes=wishes, crews=crews)


def check_city(seed: int) -> Plan:
    brief = city_brief(seed)
    plan = plan_windows(brief)
    assert PlanCheck(brief, plan).broken() == []
    for component in plan.components:
        assert component.greedy_value <= component.value <= component.bound
        moves = sum(plan.placements[one].move_dkk for one in component.work_ids if one in plan.placements)
        unplaced = sum(one not in plan.placements for one in component.work_ids)
        gains = sum(join.dkk for join in component.joins)
        assert component.value == gains - moves - unplaced * brief.prices.unplaced
    return plan


def test_every_rule_is_kept_in_cities_by_chance() -> None:
    plans = [check_city(seed) for seed in range(20)]
    assert sum(len(part.joins) for plan in plans for part in plan.components) > 100
    assert sum(part.value > part.greedy_value for plan in plans for part in plan.components) > 20


@pytest.mark.nightly
def test_every_rule_is_kept_in_two_hundred_cities() -> None:
    for seed in range(20, 220):
        check_city(seed)


def test_order_of_input_and_number_of_processes_do_not_matter() -> None:
    brief = city_brief(5)
    plan = plan_windows(brief)
    works, rules, wishes = list(brief.works), list(brief.restrictions), list(brief.wishes)
    for given in (works, rules, wishes):
        random.Random(1).shuffle(given)
    shuffled = replace(brief, works=works, restrictions=rules, wishes=tuple(wishes))
    assert plan_windows(shuffled, processes=2) == plan


def test_a_change_is_planned_as_if_all_were_planned_anew() -> None:
    brief = replace(city_brief(6), crews={})
    plan = plan_windows(brief)
    touched = next(join for part in plan.components for join in part.joins)
    works = {work.id: work for work in brief.works}
    changes = [
        {touched.joiner: replace(works[touched.joiner], willing_to_share=False)},
        {touched.pilot: replace(works[touched.pilot], status=WorkStatus.CANCELLED)},
        {touched.pilot: replace(works[touched.pilot], geometry=Point(CORNER))},
        {touched.joiner: replace(works[touched.joiner], duration_days=0)},
        {UUID(int=1): replace(works[touched.joiner], id=UUID(int=1))},
    ]
    for change in changes:
        after = replace(brief, works=list((works | change).values()))
        again = replan(plan, after, change.keys())
        assert again == plan_windows(after)
        assert again != plan


def test_a_large_component_is_planned_again_only_around_a_change() -> None:
    brief = city_brief(7, count=90, blocks=2)
    brief = replace(brief, crews={}, rules=replace(brief.rules, most_works=10))
    plan = plan_windows(brief)
    large = max(plan.components, key=lambda part: len(part.work_ids))
    assert large.parts > 3
    works = {work.id: work for work in brief.works}
    stood = 0
    for changed in large.work_ids[:4]:
        later = replace(works[changed], latest_end=works[changed].latest_end + timedelta(days=14))
        after = replace(brief, works=list((works | {changed: later}).values()))
        again, anew = replan(plan, after, {changed}), plan_windows(after)
        assert PlanCheck(after, again).broken() == []
        (part,) = (one for one in again.components if changed in one.work_ids)
        (other,) = (one for one in anew.components if changed in one.work_ids)
        assert part.work_ids == other.work_ids
        assert part.greedy_value == other.greedy_value <= part.value <= min(part.bound, other.bound)
        assert other.value <= part.bound
        stood += sum(
            again.placements[one] == plan.placements.get(one)
            for one in part.work_ids
            if one in again.placements
        )
    assert stood > 2 * len(large.work_ids)


def test_what_some_works_touch_is_planned_as_in_the_plan_of_all() -> None:
    brief = replace(city_brief(6), crews={})
    plan = plan_windows(brief)
    some = [part.work_ids[0] for part in plan.components if len(part.work_ids) > 1][:3]
    around = plan_around(brief, some)
    wanted = [part for part in plan.components if not {*some}.isdisjoint(part.work_ids)]
    assert [*around.components] == wanted
    touched = {one for part in wanted for one in part.work_ids}
    assert around.placements == {one: at for one, at in plan.placements.items() if one in touched}
    assert {*around.findings} == {one for one in plan.findings if not touched.isdisjoint(one.work_ids)}
    assert plan_around(brief, []).components == []


def test_windows_of_a_large_component_that_were_told_stand_but_around_the_work() -> None:
    brief = city_brief(7, count=90, blocks=2)
    brief = replace(brief, crews={}, rules=replace(brief.rules, most_works=10))
    plan = plan_windows(brief)
    large = max(plan.components, key=lambda part: len(part.work_ids))
    pilots = {join.joiner: join.pilot for join in large.joins}
    starts = {one: plan.placements[one].start for one in {*pilots.keys(), *pilots.values()}}
    changed = large.work_ids[0]
    later = next(work for work in brief.works if work.id == changed)
    later = replace(later, latest_end=later.latest_end + timedelta(days=14))
    after = replace(brief, works=[later if work.id == changed else work for work in brief.works])
    again = plan_around(after, [changed], Standing(starts, pilots))
    (part,) = again.components
    assert (part.work_ids, part.greedy_value <= part.value <= part.bound) == (large.work_ids, True)
    whole = replace(after, works=[work for work in after.works if work.id in large.work_ids])
    assert PlanCheck(whole, again).broken() == []
    kept = [one for one, start in starts.items() if again.placements[one].start == start]
    assert len(kept) > len(starts) / 2
    assert all(
        again.placements[one] == plan.placements[one] for one in large.work_ids if plan.placements[one].fixed
    )


def _work(number: int, **values: Any) -> PlannedWork:  # noqa: ANN401 - what a test changes, by name
    east, north = CORNER
    given: dict[str, Any] = {
        "id": UUID(int=number),
        "organisation_id": UUID(int=100 + number),
        "title": f"work {number}",
        "geometry": LineString([(east, north + number), (east + 100, north + number)]),
        "activity": "el",
        "method": Method.OPEN_TRENCH,
        "depth_m": None,
        "duration_days": 10,
        "earliest_start": date(2027, 3, 1),
        "latest_end": date(2027, 6, 30),
        "planned_start": date(2027, 4, 1),
        "road": RoadOccupation.LANE,
        "surface": Surface.ASPHALT,
        "willing_to_share": True,
    }
    return PlannedWork(**(given | values))


def _plan(*works: PlannedWork, **values: Any) -> Plan:  # noqa: ANN401 - parts of the brief, by name
    return plan_windows(Brief(works, TODAY, RULES, **values))


def _codes(plan: Plan) -> list[str]:
    return [found.code for found in plan.findings]


def test_two_that_lie_side_by_side_dig_together_deep_before_shallow() -> None:
    plan = _plan(
        _work(1, activity="telekommunikation"), _work(2, activity="afløb", planned_start=date(2027, 4, 12))
    )
    (join,) = plan.components[0].joins
    first, second = plan.placements[UUID(int=2)], plan.placements[UUID(int=1)]
    assert (first.start, first.end) <= (second.start, second.end)
    assert (join.days, join.m2, join.opening) == (10, 101.0, True)
    assert join.dkk == 12_000 - 4_000 + 101 * 900 + 10 * 6_000


def test_the_frozen_the_running_and_the_near_do_not_move() -> None:
    near = TODAY + timedelta(days=8)
    works = [
        _work(1, status=WorkStatus.FROZEN, planned_start=date(2027, 3, 1)),
        _work(2, status=WorkStatus.RUNNING, planned_start=date(2027, 6, 1)),
        _work(3, earliest_start=TODAY, planned_start=near),
        _work(4, planned_start=date(2027, 5, 10)),
    ]
    plan = _plan(*works)
    assert [plan.placements[UUID(int=n)].start for n in (1, 2, 3)] == [w.planned_start for w in works[:3]]
    assert plan.components[0].joins


def test_who_does_not_share_and_who_bores_joins_nobody() -> None:
    bored = _work(3, method=Method.DIRECTIONAL_DRILLING)
    plan = _plan(_work(1), _work(2, willing_to_share=False), bored)
    assert not [join for part in plan.components for join in part.joins]


def test_what_is_wrong_is_named_and_the_rest_is_planned() -> None:
    east, north = CORNER
    moratorium = Restriction(
        UUID(int=50),
        UUID(int=9),
        RestrictionKind.MORATORIUM,
        "Ny belægning",
        box(east + 500, north - 10, east + 600, north + 10),
        date(2026, 1, 1),
        None,
        "made up",
    )
    under = LineString([(east + 500, north), (east + 600, north)])
    plan = _plan(
        _work(1),
        _work(2),
        _work(3),
        _work(4, duration_days=200),
        _work(5, latest_end=date(2027, 1, 1)),
        _work(6, geometry=LineString()),
        _work(7, geometry=under),
        _work(8, earliest_start=date(2026, 12, 1), latest_end=date(2027, 1, 20), planned_start=None),
        restrictions=[moratorium],
        wishes=[
            (UUID(int=1), UUID(int=2)),
            (UUID(int=2), UUID(int=3)),
            (UUID(int=3), UUID(int=1)),
            (UUID(int=1), UUID(int=77)),
        ],
    )
    assert _codes(plan) == [
        "order-cycle",
        "order-unknown",
        "work-barred",
        *3 * ["work-faulty"],
        "work-too-late",
    ]
    assert all(found.da and found.en for found in plan.findings)
    assert set(plan.placements) == {UUID(int=n) for n in (1, 2, 3)}
    assert len(plan.components[0].joins) == 2


def test_closed_roads_nearby_wait_for_each_other_or_dig_together() -> None:
    east, north = CORNER
    parallel = LineString([(east, north + 80), (east + 100, north + 80)])
    far = LineString([(east, north + 300), (east + 100, north + 300)])
    closed = [
        _work(n, road=RoadOccupation.CLOSED, geometry=place, willing_to_share=n < 3)
        for n, place in ((1, LineString([(east, north), (east + 100, north)])), (2, parallel), (3, far))
    ]
    plan = _plan(*closed)
    first, second, third = (plan.placements[UUID(int=n)] for n in (1, 2, 3))
    assert first.end < second.start or second.end < first.start
    assert third.moved_days == 0
    beside = [_work(n, road=RoadOccupation.CLOSED) for n in (1, 2)]
    assert {placement.start for placement in _plan(*beside).placements.values()} == {date(2027, 4, 1)}


def test_no_days_are_left_between_two_that_are_fixed() -> None:
    fixed = _work(
        1, status=WorkStatus.FROZEN, road=RoadOccupation.CLOSED, duration_days=60, willing_to_share=False
    )
    squeezed = _work(
        2,
        road=RoadOccupation.CLOSED,
        earliest_start=date(2027, 4, 5),
        latest_end=date(2027, 5, 1),
        planned_start=None,
    )
    plan = _plan(fixed, squeezed)
    assert _codes(plan) == ["no-room"]
    assert set(plan.placements) == {UUID(int=1)}
