"""Digging windows in the database: who sees, proposes, invites and answers, how they end, and who is told."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest
from shapely import LineString
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from conflicts.windows.again import Standing, plan_around
from geoapi.windows_desk import (
    EnteredGround,
    Planned,
    brief_entered,
    keep_proposals,
    plan_again,
    plan_entered,
)
from geoapi.works_desk import WorksDesk
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.windows import WindowAnswer, WindowState, settled
from ler.errors import NotFoundError, RefusedError
from ler.services.windows import (
    StoredWindow,
    answer_window,
    expire_windows,
    get_window,
    invite_window,
    list_windows,
)
from ler.services.works import enter_works
from ler.settings import Settings
from tests.integration.test_db_world import World, line, square, world
from tests.window_city import city_works

__all__ = ["world"]

TODAY = date(2026, 2, 2)
LATER = datetime.now(UTC) + timedelta(days=14)
SETTINGS = Settings()
DESK = WorksDesk(SETTINGS, TODAY)
VALUES = {
    "title": "New main",
    "activity": "vand",
    "method": "open-trench",
    "duration_days": 5,
    "earliest_start": "2026-04-01",
    "latest_end": "2026-09-30",
    "planned_start": "2026-05-04",
    "road": "lane",
    "surface": "asphalt",
    "willing_to_share": True,
}


def plan(world: World, who: UUID = PLATFORM_OPERATOR) -> tuple[Planned, list[UUID]]:
    with world.acting(who) as connection:
        planned = plan_entered(connection, SETTINGS, TODAY)
        return planned, keep_proposals(connection, who, planned)[0]


def works(world: World, owners: Iterable[UUID], line_: LineString) -> list[UUID]:
    made = []
    for number, owner in enumerate(owners):
        with world.acting(owner) as connection:
            change = {"title": f"Work {number}", "planned_start": f"2026-05-{4 + 7 * number:02}"}
            made.append(DESK.create(connection, owner, VALUES | change, line_).work.work.id)
    return made


def told(world: World, who: UUID) -> list[tuple[str, str]]:
    with world.database.connect() as connection:
        return connection.execute(
            "SELECT kind, data ->> 'state' FROM ler.notice"
            " WHERE audience_id = %s AND kind LIKE 'window.%%' ORDER BY at, kind",
            [who],
        ).fetchall()


def answered(
    world: World, who: UUID, window: UUID, *, accepts: bool, work: UUID | None = None
) -> WindowState:
    with world.acting(who) as connection:
        return answer_window(connection, who, window, accepts=accepts, work_id=work)


def invited(world: World, window: UUID) -> None:
    with world.acting(PLATFORM_OPERATOR) as connection:
        invite_window(connection, PLATFORM_OPERATOR, window, LATER)


def found(world: World, who: UUID, window: UUID) -> StoredWindow:
    with world.acting(who) as connection:
        return get_window(connection, window)


@pytest.fixture
def three(world: World) -> list[UUID]:
    return [world.owner(name, square(0, 0, 1, 1)) for name in ("Water", "Power", "Fibre")]


def test_a_window_goes_from_proposal_to_agreement_and_then_stands(world: World, three: list[UUID]) -> None:
    water, power, fibre = three
    ids = works(world, (water, power), line((0, 0), (100, 0)))
    planned, (window,) = plan(world)
    assert planned.plan.findings == []
    kept = found(world, fibre, window)
    assert (kept.state, {one.member.work_id for one in kept.members}) == (WindowState.PROPOSED, {*ids})
    assert kept.window.openings_saved == 1
    assert kept.window.days_saved == pytest.approx(5)
    with pytest.raises(RefusedError) as early:
        answered(world, water, window, accepts=True)
    assert early.value.code == "window-settled"
    invited(world, window)
    assert told(world, water) == told(world, power) == [("window.invited", "invited")]
    with pytest.raises(NotFoundError):
        answered(world, fibre, window, accepts=True)
    pilot = kept.window.pilot_work_id
    leads, joins = (water, power) if ids[0] == pilot else (power, water)
    assert answered(world, joins, window, accepts=False) is WindowState.INVITED
    assert answered(world, joins, window, accepts=True) is WindowState.INVITED
    assert answered(world, leads, window, accepts=True, work=pilot) is WindowState.AGREED
    assert told(world, joins) == [("window.invited", "invited"), ("window.settled", "agreed")]
    with pytest.raises(RefusedError):
        answered(world, joins, window, accepts=False)


def test_what_is_agreed_is_planned_around(world: World, three: list[UUID]) -> None:
    water, power, fibre = three
    works(world, (water, power), line((0, 200), (100, 200)))
    _, (window,) = plan(world)
    invited(world, window)
    pilot = found(world, water, window).window.pilot_work_id
    states = [answered(world, owner, window, accepts=True) for owner in (water, power)]
    assert states == [WindowState.INVITED, WindowState.AGREED]
    agreed = {one.member.work_id: one.member.start_on for one in found(world, water, window).members}
    (third,) = works(world, (fibre,), line((0, 203), (60, 203)))
    planned, (second,) = plan(world)
    assert {work: planned.plan.placements[work].start for work in agreed} == agreed
    assert planned.plan.placements[pilot].fixed
    assert third in {one.member.work_id for one in found(world, fibre, second).members}
    with world.acting(fibre) as connection:
        mine = list_windows(connection, organisation_id=fibre)
        assert [one.id for one in mine] == [second]
        public = connection.execute(text("SELECT id, works, saved_dkk FROM ler.ogc_digging_window")).all()
    assert [(row.id, row.works) for row in public] == [(window, 2)]


def test_who_is_silent_does_not_join_and_a_new_plan_takes_the_place_of_the_old(
    world: World, three: list[UUID]
) -> None:
    water, power, _ = three
    works(world, (water, power), line((0, 400), (100, 400)))
    _, (window,) = plan(world)
    _, (again,) = plan(world)
    assert found(world, water, window).state is WindowState.WITHDRAWN
    invited(world, again)
    assert plan(world)[1] == [], "an invitation stands until it is settled"
    assert found(world, water, again).state is WindowState.INVITED
    with world.database.connect() as connection:
        connection.execute("UPDATE ler.digging_window SET answer_by = now() WHERE id = %s", [again])
    with pytest.raises(RefusedError):
        answered(world, water, again, accepts=True)
    with world.acting(None, role="ler_worker") as connection:
        assert expire_windows(connection) == 1
        assert expire_windows(connection) == 0
    ended = found(world, water, again)
    assert ended.state is WindowState.EXPIRED
    assert {one.answer for one in ended.members} == {WindowAnswer.SILENT}
    assert told(world, power) == [("window.invited", "invited"), ("window.settled", "expired")]


def test_only_who_coordinates_a_place_proposes_and_invites_there(world: World, three: list[UUID]) -> None:
    water, power, _ = three
    works(world, (water, power), line((0, 600), (100, 600)))
    with pytest.raises(RefusedError) as refused:
        plan(world, water)
    assert refused.value.code == "role-missing"
    _, (window,) = plan(world)
    with world.acting(water) as connection, pytest.raises(RefusedError) as other:
        invite_window(connection, water, window, LATER)
    assert other.value.code == "role-missing"
    for statement in (
        "UPDATE ler.digging_window SET state = 'agreed'",
        "UPDATE ler.window_work SET answer = 'accepted'",
        "DELETE FROM ler.window_work",
    ):
        with world.acting(PLATFORM_OPERATOR) as connection, pytest.raises(ProgrammingError):
            connection.execute(text(statement))


def test_the_database_settles_as_the_rules_do(world: World, three: list[UUID]) -> None:
    water, power, fibre = three
    ids = works(world, (water, power, fibre), line((0, 800), (100, 800)))
    _, (window,) = plan(world)
    pilot = found(world, water, window).window.pilot_work_id
    with world.database.connect() as connection:
        for answers in product(WindowAnswer, repeat=3):
            said = dict(zip(ids, answers, strict=True))
            connection.execute("UPDATE ler.digging_window SET state = 'invited' WHERE id = %s", [window])
            for work, answer in said.items():
                connection.execute(
                    "UPDATE ler.window_work SET answer = %s WHERE window_id = %s AND work_id = %s",
                    [answer.value, window, work],
                )
            row = connection.execute("SELECT ler.settle_window(%s)", [window]).fetchone()
            assert row is not None
            assert WindowState(row[0]) is settled(pilot, said), said
        connection.rollback()


def test_a_window_that_is_not_there_is_not_found(world: World, three: list[UUID]) -> None:
    with world.acting(three[0]) as connection, pytest.raises(NotFoundError):
        get_window(connection, uuid4())


def test_what_a_change_touches_is_planned_again_by_reading_no_more_than_lies_around_it(
    world: World, three: list[UUID]
) -> None:
    for number, owner in enumerate(three):
        made = [replace(work, organisation_id=owner) for work in city_works(4, 90, 4)[number::3]]
        with world.acting(owner) as connection:
            enter_works(connection, owner, made)
    planned, _ = plan(world)
    parts = [part for part in planned.plan.components if part.joins]
    largest = max(parts, key=lambda part: len(part.work_ids))
    for part in (largest, *parts[:2]):
        changed = part.joins[0].joiner
        with world.acting(PLATFORM_OPERATOR) as connection:
            again = plan_again(connection, SETTINGS, TODAY, [changed])
            brief = brief_entered(connection, SETTINGS, TODAY)
        pilots = {join.joiner: join.pilot for one in planned.plan.components for join in one.joins}
        starts = {one: planned.plan.placements[one].start for one in {*pilots, *pilots.values()}}
        window = {one for one in starts if pilots.get(one, one) == pilots[changed]}
        assert again.plan == plan_around(brief, window, Standing(starts, pilots))
        assert again.plan.components == [part]
        assert {work.id for work in again.brief.works} == {*part.work_ids}
    with world.acting(PLATFORM_OPERATOR) as connection:
        lone = min(planned.plan.components, key=lambda part: len(part.work_ids)).work_ids
        ground = EnteredGround(connection, {})
        met = ground.beside(ground.named(lone), 10.0)
        places = {work.id: work.footprint for work in brief.works}
        near = {one for one, place in places.items() if place.dwithin(places[lone[0]], 10.0)}
        assert near <= {work.id for work in met}
        assert len(ground.read) < len(places) / 2
