"""Planned works in the database: versions, who sees and writes what, conflicts after each change, and who is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from geoalchemy2.shape import from_shape
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, ProgrammingError

from conflicts.work_conflict_store import refresh_work_conflicts
from geoapi.works_desk import WorksDesk
from ler.db import tables
from ler.domain.faults import FaultsError
from ler.domain.roles import Role
from ler.domain.work_conflicts import JudgementState
from ler.errors import NotFoundError, RefusedError
from ler.rules_in_force import calendar_between
from ler.services.area_subscriptions import follow_area, list_areas_followed, unfollow_area
from ler.services.restrictions import find_restriction, list_restrictions
from ler.services.work_conflicts import get_conflict, judge_conflict, list_conflicts
from ler.services.works import StoredWork, find_work, list_works
from ler.settings import Settings
from tests.integration.test_db_world import World, line, square, world

__all__ = ["world"]

TODAY = date(2026, 2, 2)
LINE = line((0, 0), (100, 0))
VALUES = {
    "title": "New main",
    "activity": "vand",
    "method": "open-trench",
    "duration_days": 5,
    "earliest_start": "2026-03-02",
    "latest_end": "2026-03-31",
    "road": "lane",
    "reference": "A-1",
    "contact": "Site office, 12 34 56 78",
}
SETTINGS = Settings()
DESK = WorksDesk(SETTINGS, TODAY)
COLLECTION = text("SELECT id, state, is_conflict FROM ler.ogc_work_conflict")
MORATORIUM = {
    "kind": "moratorium",
    "title": "New asphalt",
    "first_day": "2026-01-01",
    "source": "Decision of the municipality",
}


def planned(world: World, who: UUID, geometry: BaseGeometry = LINE, **change: Any) -> StoredWork:  # noqa: ANN401 - values
    with world.acting(who) as connection:
        return DESK.create(connection, who, VALUES | change, geometry).work


def told(world: World, who: UUID) -> list[tuple[str, dict[str, Any]]]:
    with world.database.connect() as connection:
        return [
            (kind, data)
            for kind, data in connection.execute(
                "SELECT kind, data FROM ler.notice WHERE audience_id = %s AND kind LIKE 'work.%%' ORDER BY at, kind",
                [who],
            )
        ]


def test_a_work_is_changed_by_who_knows_its_version_and_by_nobody_else(world: World) -> None:
    water, gas = world.owner("Water", square(0, 0, 1, 1)), world.owner("Gas", square(0, 0, 1, 1))
    work = planned(world, water)
    assert (work.work.version, work.work.contact, work.work.depth_m) == (1, VALUES["contact"], None)
    with world.acting(water) as connection:
        changed = DESK.change(
            connection, water, work.work.id, {"depth_m": 1.5, "contact": None}, expected_version=1
        )
        assert (changed.work.work.version, changed.work.work.depth_m, changed.work.work.contact) == (
            2,
            1.5,
            None,
        )
        again = DESK.change(connection, water, work.work.id, {"depth_m": 1.5}, expected_version=2)
        assert again.work.work.version == 2, "what changes nothing is no new version"
        with pytest.raises(RefusedError) as stale:
            DESK.change(connection, water, work.work.id, {"depth_m": 2}, expected_version=1)
        assert stale.value.code == "precondition-failed"
        with pytest.raises(FaultsError) as wrong:
            DESK.change(
                connection,
                water,
                work.work.id,
                {"status": "draft", "method": "magic", "duration_days": 400},
                expected_version=2,
            )
        assert [(f.code, f.pointer) for f in wrong.value.faults] == [("field-invalid", "/method")]
        with pytest.raises(FaultsError) as wrong:
            DESK.change(connection, water, work.work.id, {"status": "draft"}, expected_version=2)
        assert wrong.value.code == "work-status"
        whole = VALUES | {"title": "Another"}
        replaced = DESK.replace(connection, water, work.work.id, whole, LINE, expected_version=2)
        assert (replaced.work.work.depth_m, replaced.work.work.title) == (None, "Another")
    with world.acting(gas) as connection:
        assert find_work(connection, work.work.id) is not None
        with pytest.raises(NotFoundError):
            DESK.change(connection, gas, work.work.id, {"depth_m": 2}, expected_version=3)
        with pytest.raises(NotFoundError):
            DESK.end(connection, gas, work.work.id, expected_version=3)
        stolen = update(tables.planned_work).values(title="stolen")
        assert connection.execute(stolen).rowcount == 0
    with world.acting(water) as connection:
        ended = DESK.end(connection, water, work.work.id, expected_version=3)
        assert ended.work.ended_at is not None
        assert list_works(connection) == []
        with pytest.raises(NotFoundError):
            DESK.end(connection, water, work.work.id, expected_version=4)
    with world.acting(gas) as connection:
        assert find_work(connection, work.work.id) is None
    with world.database.connect() as superuser:
        events = superuser.execute(
            "SELECT action, details ->> 'version' FROM ler.audit_event WHERE object_id = %s ORDER BY id",
            [work.work.id],
        ).fetchall()
    assert events == [
        ("owner:work:add", None),
        *(("owner:work:change", version) for version in ("2", "3")),
        ("owner:work:end", "4"),
    ]


def test_drafts_are_their_organisations_and_contacts_are_not_for_the_public(world: World) -> None:
    water, gas = world.owner("Water", square(0, 0, 1, 1)), world.owner("Gas", square(0, 0, 1, 1))
    draft = planned(world, water, status="draft")
    public = planned(world, water, reference="A-2")
    seen = select(tables.planned_work.c.id)
    with world.acting(gas) as connection:
        assert [*connection.execute(seen).scalars()] == [public.work.id]
        with pytest.raises(ProgrammingError):
            connection.execute(
                insert(tables.planned_work).values(
                    organisation_id=water, geom=from_shape(LINE, 25832), surface="other", status="planned",
                    willing_to_share=False, ducts_wanted=0, ducts_offered=0,
                    **{name: VALUES[name] for name in VALUES if name != "reference"},
                )
            )  # fmt: skip
    with world.acting(None) as connection:
        assert connection.execute(seen).all() == []
        rows = connection.execute(text("SELECT * FROM ler.ogc_planned_work")).mappings().all()
        assert [row["id"] for row in rows] == [public.work.id]
        assert "contact" not in rows[0]
        # Who has no CVR number may be a person.
        assert rows[0]["organisation_name"] is None
        assert connection.execute(text("SELECT * FROM ler.ogc_restriction")).all() == []
        for deleting in ("DELETE FROM ler.ogc_planned_work", "DELETE FROM ler.ogc_restriction"):
            with pytest.raises(DBAPIError), connection.begin_nested():
                connection.execute(text(deleting))
    with world.acting(tables.PLATFORM_OPERATOR) as connection:
        DESK.restrict(connection, tables.PLATFORM_OPERATOR, MORATORIUM, square(0, 50, 1, 51))
        assert connection.execute(select(tables.area_subscription)).all() == []
    with world.acting(None) as connection:
        assert connection.execute(text("SELECT title FROM ler.ogc_restriction")).scalars().all() == [
            "New asphalt"
        ]
        for table in (tables.restriction, tables.work_conflict, tables.work_judgement):
            assert (
                connection.execute(
                    select(table.c.fingerprint if "fingerprint" in table.c else table.c.id)
                ).all()
                == []
            )
    with world.acting(None, role="ler_worker") as connection, pytest.raises(DBAPIError):
        connection.execute(seen)
    with world.acting(water) as connection:
        DESK.change(connection, water, draft.work.id, {"status": "planned"}, expected_version=1)
    with world.acting(None) as connection:
        found = connection.execute(text("SELECT id, seq FROM ler.ogc_planned_work ORDER BY seq")).all()
    assert [row.id for row in found] == [draft.work.id, public.work.id]


def test_a_reference_names_one_work_of_an_organisation(world: World) -> None:
    water, gas = world.owner("Water", square(0, 0, 1, 1)), world.owner("Gas", square(0, 0, 1, 1))
    work = planned(world, water)
    planned(world, gas)
    with pytest.raises(RefusedError) as taken:
        planned(world, water)
    assert taken.value.code == "work-reference"
    with world.acting(water) as connection:
        DESK.end(connection, water, work.work.id, expected_version=1)
    planned(world, water)


def test_only_who_has_a_say_at_a_place_restricts_it(world: World) -> None:
    water, town = world.owner("Water", square(0, 0, 1, 1)), world.organisation("Town")
    with world.acting(tables.PLATFORM_OPERATOR) as connection:
        area = from_shape(MultiPolygon([square(0, -50, 50, 50)]), 25832)
        connection.execute(
            insert(tables.grant).values(organisation_id=town, role=Role.AUTHORITY.value, area=area)
        )
    work = planned(world, water)
    inside, outside = square(0, -5, 40, 5), square(40, -5, 60, 5)
    for who, place, values, allowed in (
        (town, inside, MORATORIUM, True),
        (town, outside, MORATORIUM, False),
        (water, inside, MORATORIUM, False),
        (water, inside, MORATORIUM | {"kind": "diversion"}, False),
        (water, inside, MORATORIUM | {"kind": "diversion", "work_id": str(work.work.id)}, True),
        (tables.PLATFORM_OPERATOR, outside, MORATORIUM, True),
    ):
        with world.acting(who) as connection:
            if allowed:
                DESK.restrict(connection, who, values, place)
            else:
                with pytest.raises(RefusedError) as refused:
                    DESK.restrict(connection, who, values, place)
                assert refused.value.code == "restriction-not-yours"
                connection.rollback()
    with world.acting(water) as connection:
        kinds = [
            (one.restriction.kind, one.restriction.organisation_id) for one in list_restrictions(connection)
        ]
        assert kinds == [("moratorium", town), ("diversion", water), ("moratorium", tables.PLATFORM_OPERATOR)]
        with pytest.raises(NotFoundError):
            DESK.end_restriction(
                connection, water, list_restrictions(connection)[0].restriction.id, expected_version=1
            )
        # Nobody is led past a work that is not.
        diversion = list_restrictions(connection, organisation_id=water)[0].restriction.id
    gas = world.owner("Gas", square(0, 0, 1, 1))
    led_into = planned(world, gas).work.id
    with world.acting(water) as connection:
        before = [one.restriction_id for one in list_conflicts(connection, water, thing_id=led_into)]
        assert diversion in before
        DESK.end(connection, water, work.work.id, expected_version=1)
        gone = find_restriction(connection, diversion)
        assert gone is not None
        assert gone.ended_at is not None
        after = [one.restriction_id for one in list_conflicts(connection, water, thing_id=led_into)]
        assert {*before} - {*after} == {diversion, None}


def test_conflicts_follow_each_change_and_are_judged_by_their_sides(world: World) -> None:
    water, gas, heat = (world.owner(name, square(0, 0, 1, 1)) for name in ("Water", "Gas", "Heat"))
    first = planned(world, water)
    with world.acting(gas) as connection:
        made = DESK.create(connection, gas, VALUES, line((50, -50), (50, 50)))
        assert len(made.conflicts.entered) == 1
        (conflict,) = list_conflicts(connection, gas, thing_id=made.work.work.id)
        assert {conflict.work_id, conflict.other_work_id} == {first.work.id, made.work.work.id}
        assert (conflict.kind, conflict.state, conflict.certain) == ("same-place", JudgementState.OPEN, False)
        assert conflict.place.area == pytest.approx(1.0)
    second = made.work.work.id
    for who in (water, gas):
        with world.acting(who) as connection:
            judged = judge_conflict(connection, who, conflict.id, is_conflict=who == water, note="seen")
            assert (judged.state, judged.is_conflict) == (JudgementState.JUDGED, who == water)
    with world.acting(heat) as connection:
        assert list_conflicts(connection, heat, own=True) == []
        assert [one.state for one in list_conflicts(connection, heat)] == [JudgementState.OPEN]
        assert connection.execute(COLLECTION).all() == [(conflict.id, "open", None)], "not what others say"
        assert connection.execute(select(tables.work_judgement)).all() == []
        with pytest.raises(NotFoundError):
            judge_conflict(connection, heat, conflict.id, is_conflict=False)
        connection.rollback()
    with world.acting(gas) as connection:
        same = DESK.change(connection, gas, second, {"title": "Renamed"}, expected_version=1)
        assert same.conflicts.changed == ()
        moved = DESK.change(connection, gas, second, {"duration_days": 6}, expected_version=2)
        assert moved.conflicts.changed == (conflict.id,)
    with world.acting(water) as connection:
        again = get_conflict(connection, water, conflict.id)
        assert (again.state, again.is_conflict, again.note) == (JudgementState.JUDGE_AGAIN, True, "seen")
        assert list_conflicts(connection, water, own=True, state=JudgementState.JUDGE_AGAIN) == [again]
        assert connection.execute(COLLECTION).all() == [(conflict.id, "re-judge", True)]
        gone = DESK.change(connection, water, first.work.id, {"status": "cancelled"}, expected_version=1)
        assert gone.conflicts.ended == (conflict.id,)
        assert list_conflicts(connection, water) == []
        assert connection.execute(COLLECTION).all() == []
    assert [kind for kind, _ in told(world, water)] == ["work.conflict"]
    assert [(kind, data["quiet"]) for kind, data in told(world, gas)] == [("work.conflict", True)]
    assert told(world, heat) == []


def test_everything_looked_at_again_finds_what_each_change_found(world: World) -> None:
    water = world.owner("Water", square(0, 0, 1, 1))
    for number in range(6):
        planned(world, water, line((number * 10, 0), (number * 10, 30)), reference=str(number))
    with world.acting(water) as connection:
        kept = {(one.work_id, one.other_work_id, one.kind) for one in list_conflicts(connection, water)}
    assert len(kept) == 9, "neighbours, and theirs"
    with world.acting(tables.PLATFORM_OPERATOR) as connection:

        def between(first: date, last: date) -> Any:  # noqa: ANN401 - a calendar
            return calendar_between(SETTINGS, first, last)

        again = refresh_work_conflicts(connection, None, calendar_between=between, adjacent_m=20.0)
        assert (again.entered, again.changed, again.ended) == ((), (), ())
        nearer = refresh_work_conflicts(connection, None, calendar_between=between, adjacent_m=9.0)
        assert len(nearer.ended) == 4


def test_two_who_plan_at_the_same_moment_do_not_miss_each_other(world: World) -> None:
    water, gas = world.owner("Water", square(0, 0, 1, 1)), world.owner("Gas", square(0, 0, 1, 1))
    with ThreadPoolExecutor(1) as pool:
        with world.acting(water) as connection:
            assert DESK.create(connection, water, VALUES, LINE).conflicts.entered == ()
            other = pool.submit(planned, world, gas)
            with pytest.raises(TimeoutError):
                other.result(0.5)
        second = other.result(30)
    with world.acting(gas) as connection:
        assert [one.kind for one in list_conflicts(connection, gas, thing_id=second.work.id)] == [
            "same-place"
        ]


def test_who_follows_an_area_is_told_of_works_there_once_a_change(world: World) -> None:
    water, town = world.owner("Water", square(0, 0, 1, 1)), world.organisation("Town")
    area = MultiPolygon([square(-10, -10, 10, 10)])
    with world.acting(town) as connection:
        followed = follow_area(connection, town, "Centre", area)
        follow_area(connection, town, "Overlapping", area)
    with world.acting(water) as connection:
        follow_area(connection, water, "Own", area)
        assert [one.name for one in list_areas_followed(connection)] == ["Own"]
        with pytest.raises(NotFoundError):
            unfollow_area(connection, water, followed)
    work = planned(world, water)
    planned(world, water, line((500, 0), (600, 0)), reference="far")
    draft = planned(world, water, reference="draft", status="draft")
    with world.acting(water) as connection:
        DESK.change(connection, water, work.work.id, {"depth_m": 2}, expected_version=1)
        DESK.change(connection, water, draft.work.id, {"depth_m": 2}, expected_version=1)
        DESK.end(connection, water, work.work.id, expected_version=2)
    assert [(kind, data["works"], data["work_ids"], data["quiet"]) for kind, data in told(world, town)] == [
        (f"work.{what}", 1, [str(work.work.id)], what != "planned")
        for what in ("planned", "changed", "ended")
    ]
    assert [kind for kind, _ in told(world, water)] == []


def test_works_are_listed_by_place_period_and_page(world: World) -> None:
    water = world.owner("Water", square(0, 0, 1, 1))
    ids = [
        planned(world, water, line((number * 100, 0), (number * 100 + 50, 0)), reference=str(number)).work.id
        for number in range(3)
    ]
    with world.acting(water) as connection:
        page = list_works(connection, limit=2)
        assert [one.work.id for one in page] == ids[:2]
        assert [one.work.id for one in list_works(connection, after=page[-1].seq)] == ids[2:]
        assert [one.work.id for one in list_works(connection, area=square(90, -1, 160, 1))] == ids[1:2]
        late = date(2026, 4, 1)
        assert list_works(connection, period=(late, late + timedelta(days=9))) == []
