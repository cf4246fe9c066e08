"""Who sees and writes damages, deviations, photographs and claims; and that the database moves reports as the machine."""

import json
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import shapely
from geoalchemy2.shape import from_shape
from shapely import Point
from sqlalchemy import Connection, Executable, select, text
from sqlalchemy.exc import DBAPIError

from geoapi.damage_views import deviation_view
from ler.blobs import Blob
from ler.db import tables
from ler.domain.damages import Damage
from ler.domain.deviations import (
    DEVIATION_MACHINE,
    OWNERS_EVENTS,
    DeviationEvent,
    DeviationKind,
    DeviationState,
)
from ler.domain.faults import FaultsError
from ler.domain.machine import Actor
from ler.domain.roles import Role
from ler.errors import NotFoundError, RefusedError
from ler.services.damages import add_damages, get_damage, state_no_damages, withdraw_damage
from ler.services.deviations import (
    Deviation,
    NewDeviation,
    add_photo,
    answer_claim,
    get_deviation,
    list_deviations,
    move_deviation,
    report_deviation,
)
from ler.settings import Settings
from tests.integration.test_db_world import World, at, cable, line, square, world

__all__ = ["world"]

TODAY = date(2026, 11, 24)
AREA = square(0, 0, 100, 100)
MEASURED = line((10, 3, 1), (20, 4, 1))
OTHER = square(500, 500, 600, 600)


def on(*point: float) -> Point:
    return Point(at(point)[0])


def a_damage(world: World, owner: UUID, place: Point | None = None, **more: Any) -> UUID:  # noqa: ANN401 - fields
    given = Damage(uuid4().hex, "el", date(2025, 5, 4), place or on(1, 1), "other", "unknown")
    with world.acting(owner) as connection:
        return add_damages(
            connection, owner, [replace(given, **more)], today=TODAY, coverage=Settings().coverage, base=""
        )[0]


def report(world: World, who: UUID, wanted: NewDeviation) -> UUID:
    with world.acting(who) as connection:
        return report_deviation(connection, who, wanted, today=TODAY)


def shown(world: World, who: UUID, deviation: UUID) -> Deviation:
    with world.acting(who) as connection:
        return get_deviation(connection, deviation)


def moved(world: World, who: UUID, deviation: UUID, event: DeviationEvent, **more: Any) -> DeviationState:  # noqa: ANN401 - note, version
    with world.acting(who) as connection:
        return move_deviation(connection, deviation, event, **more).state


def claimed(world: World, who: UUID, deviation: UUID, *, claims: bool) -> DeviationState:
    with world.acting(who) as connection:
        return answer_claim(connection, deviation, claims=claims)


class Site:
    """An owner with a line, whom a digger has asked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.owner = world.owner("owner")
        world.publish(
            self.owner,
            [cable("shown", line((0, 2, 0), (90, 2, 0))), cable("far", line((900, 0, 0), (990, 0, 0)))],
        )
        self.digger = world.organisation("digger")
        self.request = world.request(self.digger, AREA)
        world.match(self.digger, self.request)

    def found(self, **more: Any) -> NewDeviation:  # noqa: ANN401 - fields
        wanted = NewDeviation(DeviationKind.MISPLACED, MEASURED, TODAY, self.owner, self.request, "shown")
        return replace(wanted, **more)

    def report(self, **more: Any) -> UUID:  # noqa: ANN401 - fields
        return report(self.world, self.digger, self.found(**more))

    def unknown(self, **more: Any) -> UUID:  # noqa: ANN401 - fields
        return self.report(kind=DeviationKind.UNKNOWN, owner_id=None, gml_id=None, **more)


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


def test_damages_are_their_owners_and_an_authoritys_in_its_area(world: World) -> None:
    mine, yours = world.owner("mine"), world.owner("yours")
    here, there = a_damage(world, mine), a_damage(world, yours, on(550, 550))
    with world.acting(mine) as connection:
        state_no_damages(connection, mine, 2024, today=TODAY)
    authority = world.organisation("authority", role=Role.AUTHORITY)
    bounded = world.organisation("bounded", role=Role.AUTHORITY)
    auditor = world.organisation("auditor", role=Role.AUDITOR)
    with world.database.connect() as superuser:
        superuser.execute(
            "UPDATE ler.grant SET area = ST_Multi(ST_GeomFromEWKT(%s)) WHERE organisation_id = %s",
            [f"SRID=25832;{AREA.wkt}", bounded],
        )
    for role in ("ler_app", "ler_readonly"):
        seen = {}
        for who in (mine, yours, authority, bounded, auditor, tables.PLATFORM_OPERATOR, uuid4()):
            with world.acting(who, role=role) as connection:
                years = connection.execute(select(tables.damage_free_year.c.owner_id)).scalars().all()
                seen[who] = ({*connection.execute(select(tables.damage.c.id)).scalars()}, years)
        assert [*seen.values()] == [
            ({here}, [mine]), ({there}, []), ({here, there}, []), ({here}, []),
            ({here, there}, [mine]), ({here, there}, [mine]), (set(), []),
        ]  # fmt: skip
    with pytest.raises(NotFoundError), world.acting(auditor) as connection:
        withdraw_damage(connection, auditor, here)
    with world.acting(mine) as connection:
        assert withdraw_damage(connection, mine, here).withdrawn_at
    with pytest.raises(RefusedError), world.acting(mine) as connection:
        withdraw_damage(connection, mine, here)
    with world.acting(auditor) as connection:
        assert get_damage(connection, here).withdrawn_at


def test_an_authority_sees_deviations_in_its_area_and_not_who_reported_them(site: Site) -> None:
    world = site.world
    known, unknown = site.report(), site.unknown()
    inside, outside, everywhere = (
        world.organisation(name, role=Role.AUTHORITY) for name in ("inside", "outside", "everywhere")
    )
    auditor = world.organisation("auditor", role=Role.AUDITOR)
    with world.database.connect() as superuser:
        for who, area in ((inside, AREA), (outside, OTHER)):
            superuser.execute(
                "UPDATE ler.grant SET area = ST_Multi(ST_GeomFromEWKT(%s)) WHERE organisation_id = %s",
                [f"SRID=25832;{area.wkt}", who],
            )

    def told(who: UUID) -> dict[UUID, tuple[UUID | None, bool]]:
        with world.acting(who) as connection:
            found = list_deviations(connection, limit=10)
            assert found == [get_deviation(connection, one.id) for one in found]
        return {one.id: (one.reporter_id, one.reported.request_id is not None) for one in found}

    for who in (inside, everywhere):
        assert told(who) == {known: (None, False), unknown: (None, False)}
        with world.acting(who) as connection:
            view = deviation_view(get_deviation(connection, known))
        assert str(site.digger) not in json.dumps(view)
        assert (view["reporter_id"], view["claims"]) == (None, [])
    assert told(outside) == {}
    for who in (auditor, tables.PLATFORM_OPERATOR, site.digger):
        assert told(who)[known] == (site.digger, True)
    assert told(site.owner)[known] == (site.digger, True)
    assert told(site.owner)[unknown][0] == site.digger, "who is asked whether a line is its own may call"


def test_a_report_is_about_what_was_shown(site: Site) -> None:
    found = shown(site.world, site.owner, site.report())
    assert (found.state, found.reporter_id, found.claims) == (DeviationState.REPORTED, site.digger, ())
    assert found.offset_m == pytest.approx(2.0), "the farthest of what was measured"
    assert found.reported.geometry.equals_exact(MEASURED, 0)
    assert shown(site.world, site.digger, site.report(kind=DeviationKind.MISSING)).offset_m is None
    assert shown(site.world, site.digger, site.report(gml_id=None)).offset_m is None
    flat = shown(site.world, site.digger, site.report(geometry=shapely.force_2d(MEASURED)))
    assert flat.reported.geometry.has_z
    heights = shapely.get_coordinates(flat.reported.geometry, include_z=True)[:, 2]
    assert np.isnan(heights).all()

    other = site.world.owner("other", OTHER)
    theirs = site.world.request(site.world.organisation("somebody"), AREA)
    for wrong in (
        {"gml_id": "nothing"},
        {"gml_id": "far"},
        {"owner_id": other},
        {"owner_id": other, "gml_id": None},
        {"owner_id": uuid4()},
        {"request_id": theirs},
        {"request_id": uuid4()},
        {"request_id": None},
    ):
        with pytest.raises(NotFoundError) as caught:
            site.report(**wrong)
        assert str(caught.value) == "There is no such request, owner or line.", wrong
    with pytest.raises(RefusedError) as refused:
        site.report(geometry=line((300, 3, 1), (310, 4, 1)))
    assert refused.value.code == "deviation-elsewhere"


def test_an_owner_reports_what_its_own_people_have_measured(site: Site) -> None:
    own = NewDeviation(DeviationKind.UNCOVERED, MEASURED, TODAY, site.owner, gml_id="far")
    assert shown(site.world, site.owner, report(site.world, site.owner, own)).offset_m is not None
    with pytest.raises(NotFoundError):
        report(site.world, site.owner, replace(own, gml_id="nothing"))


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": DeviationKind.UNKNOWN}, "/owner_id"),
        ({"owner_id": None}, "/owner_id"),
        ({"measured_on": date(2026, 11, 25)}, "/measured_on"),
        ({"accuracy_m": 0.0}, "/accuracy_m"),
        ({"depth_m": float("nan")}, "/depth_m"),
        ({"utility_type": "mælk"}, "/utility_type"),
        ({"description": "\x07"}, "/description"),
        ({"gml_id": " "}, "/gml_id"),
    ],
)
def test_what_says_nothing_is_refused_with_its_place(
    site: Site, change: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(FaultsError) as caught:
        site.report(**change)
    assert [fault.pointer for fault in caught.value.faults] == [pointer]


def test_reports_move_as_the_machine_leads(site: Site) -> None:
    with site.world.database.connect() as superuser:
        for state in DeviationState:
            for event in DeviationEvent:
                if event in {DeviationEvent.CLAIM, DeviationEvent.DENIED_BY_ALL}:
                    continue
                deviation = site.report()
                superuser.execute(
                    "UPDATE ler.deviation SET state = %s, corrected_in = CASE %s WHEN 'corrected' THEN 1 END,"
                    " gml_id = NULL, created_at = created_at - interval '1 day' WHERE id = %s",
                    [state, state, deviation],
                )
                owners = event in OWNERS_EVENTS
                step = DEVIATION_MACHINE.steps.get((state, event))
                who = site.owner if owners else site.digger
                version = 1 if event is DeviationEvent.CORRECT else None
                if step is None:
                    with pytest.raises(RefusedError) as caught:
                        moved(site.world, who, deviation, event, version=version)
                    assert caught.value.code == "deviation-settled", (state, event)
                    continue
                assert step.by == {Actor.OWNER if owners else Actor.REQUESTER}
                with pytest.raises(NotFoundError):
                    moved(
                        site.world, site.digger if owners else site.owner, deviation, event, version=version
                    )
                assert moved(site.world, who, deviation, event, version=version) is step.target, (
                    state,
                    event,
                )


def test_a_correction_names_the_version_that_has_it(site: Site) -> None:
    deviation = site.report()
    moved(site.world, site.owner, deviation, DeviationEvent.ACCEPT, note="Vi retter\ndet")
    for version in (1, 2, None):
        with pytest.raises(RefusedError) as caught:
            moved(site.world, site.owner, deviation, DeviationEvent.CORRECT, version=version)
        assert caught.value.code == "deviation-not-corrected"
    site.world.publish(site.owner, [cable("shown", MEASURED), cable("far", line((900, 0, 0), (990, 0, 0)))])
    other = site.report(gml_id=None)
    assert (
        moved(site.world, site.owner, deviation, DeviationEvent.CORRECT, version=2)
        is DeviationState.CORRECTED
    )
    found = shown(site.world, site.digger, deviation)
    assert (found.corrected_in, found.note) == (2, "Vi retter\ndet")
    moved(site.world, site.owner, other, DeviationEvent.ACCEPT)
    with pytest.raises(RefusedError):
        moved(site.world, site.owner, other, DeviationEvent.CORRECT, version=2)


def test_a_line_that_nobody_has_shown_is_offered_to_who_may_own_it(site: Site) -> None:
    second = site.world.owner("second")
    far = site.world.owner("far away", OTHER)
    deviation = site.unknown()
    assert {claim.owner_id: claim.state for claim in shown(site.world, site.digger, deviation).claims} == {
        site.owner: "asked", second: "asked"
    }  # fmt: skip
    for asked in (site.owner, second):
        assert [claim.owner_id for claim in shown(site.world, asked, deviation).claims] == [asked]
    with pytest.raises(NotFoundError):
        shown(site.world, far, deviation)
    with pytest.raises(NotFoundError):
        claimed(site.world, far, deviation, claims=True)
    assert claimed(site.world, site.owner, deviation, claims=False) is DeviationState.OFFERED
    assert claimed(site.world, second, deviation, claims=False) is DeviationState.ORPHAN
    assert claimed(site.world, second, deviation, claims=True) is DeviationState.ACCEPTED
    assert shown(site.world, second, deviation).reported.owner_id == second
    with pytest.raises(NotFoundError):
        shown(site.world, site.owner, deviation)
    for late in (site.owner, second):
        with pytest.raises(RefusedError):
            claimed(site.world, late, deviation, claims=True)
    nobodys = site.unknown(request_id=None, geometry=line((5000, 5000, 0), (5001, 5001, 0)))
    assert shown(site.world, site.digger, nobodys).state is DeviationState.ORPHAN


def test_of_two_that_claim_at_once_one_gets_the_line(site: Site) -> None:
    second = site.world.owner("second")
    deviation = site.unknown()
    with site.world.acting(site.owner) as first:
        assert answer_claim(first, deviation, claims=True) is DeviationState.ACCEPTED
        first.commit()
        with pytest.raises(RefusedError):
            claimed(site.world, second, deviation, claims=True)


def test_reports_photographs_and_claims_are_for_who_has_to_do_with_them(site: Site) -> None:
    reported, offered = site.report(), site.unknown()
    photo = Blob("0" * 64, 9)
    for deviation in (reported, offered):
        with site.world.acting(site.digger) as connection:
            add_photo(connection, site.digger, deviation, 1, photo, media_type="image/png")
            add_photo(connection, site.digger, deviation, 1, photo, media_type="image/png")
    stranger, auditor = site.world.owner("stranger", OTHER), site.world.organisation("a", role=Role.AUDITOR)

    def count(connection: Connection) -> list[int]:
        found = (tables.deviation, tables.deviation_photo, tables.line_claim)
        return [len(connection.execute(select(table.c[0])).all()) for table in found]

    for role in ("ler_app", "ler_readonly"):
        for who, expected in (
            (site.digger, [2, 2, 1]),
            (site.owner, [2, 2, 1]),
            (auditor, [2, 2, 1]),
            (stranger, [0, 0, 0]),
        ):
            with site.world.acting(who, role=role) as connection:
                assert count(connection) == expected
    with site.world.acting(site.digger) as connection:
        assert {one.id for one in list_deviations(connection, limit=9)} == {reported, offered}
    for who, deviation, number, blob, error in (
        (site.owner, reported, 2, Blob("1" * 64, 9), NotFoundError),
        (stranger, reported, 2, Blob("1" * 64, 9), NotFoundError),
        (site.digger, reported, 1, Blob("1" * 64, 9), RefusedError),
        (site.digger, reported, 2, photo, RefusedError),
    ):
        with pytest.raises(error), site.world.acting(who) as connection:
            add_photo(connection, who, deviation, number, blob, media_type="image/png")
    moved(site.world, site.owner, reported, DeviationEvent.ACCEPT)
    with pytest.raises(RefusedError), site.world.acting(site.digger) as connection:
        add_photo(connection, site.digger, reported, 2, Blob("1" * 64, 9), media_type="image/png")
    with site.world.acting(None, role="ler_worker") as connection:
        assert photo.sha256 in connection.execute(text("SELECT ler.known_blobs()")).scalars().all()


def test_nobody_writes_past_the_rules(site: Site) -> None:
    reported = site.report()
    damaged = a_damage(site.world, site.owner)
    geom = from_shape(MEASURED, tables.SRID)
    digger = site.digger
    row = {"kind": "unknown", "geom": geom, "measured_on": TODAY}
    statements: list[Executable] = [
        tables.damage.insert().values(owner_id=site.owner, reference="x"),
        tables.damage.update().values(cause="other"),
        tables.damage.delete(),
        tables.damage_free_year.insert().values(owner_id=site.owner, year=2024),
        tables.deviation.insert().values(row | {"reporter_id": site.owner}),
        tables.deviation.insert().values(row | {"reporter_id": digger, "state": "orphan"}),
        tables.deviation.update().values(state="accepted"),
        tables.deviation.delete(),
        tables.line_claim.insert().values(deviation_id=reported, owner_id=digger, reporter_id=digger),
        tables.line_claim.update().values(state="claimed"),
        tables.deviation_photo.update().values(number=2),
        tables.deviation_photo.delete(),
        text("SELECT ler.take_deviation()"),
        text("SELECT ler.offer_line()"),
    ]
    for statement in statements:
        with pytest.raises(DBAPIError), site.world.acting(digger) as connection:
            connection.execute(statement)
    with site.world.acting(digger) as connection:
        assert connection.execute(tables.damage.update().values(withdrawn_at=text("now()"))).rowcount == 0
    with pytest.raises(DBAPIError), site.world.acting(site.owner) as connection:
        connection.execute(tables.damage.update().values(withdrawn_at="2020-01-01"))
    with site.world.acting(site.owner) as connection:
        assert get_damage(connection, damaged).withdrawn_at is None


def test_who_is_concerned_is_told_and_nobody_else(site: Site) -> None:
    second, far = site.world.owner("second"), site.world.owner("far away", OTHER)
    with site.world.database.connect() as superuser:
        superuser.execute("DELETE FROM ler.outbox")
        superuser.execute("DELETE FROM ler.notice")
    reported, unknown = site.report(), site.unknown()
    moved(site.world, site.owner, reported, DeviationEvent.ACCEPT)
    claimed(site.world, second, unknown, claims=True)

    def told(who: UUID) -> list[tuple[str, str]]:
        columns = tables.notice.c
        with site.world.acting(who) as connection:
            rows = connection.execute(select(columns.kind, columns.data).order_by(columns.at))
            return [(row.kind, row.data["deviation_id"]) for row in rows]

    assert told(site.owner) == [("deviation.reported", str(reported)), ("deviation.offered", str(unknown))]
    assert told(second) == [("deviation.offered", str(unknown))]
    assert told(site.digger) == [("deviation.accepted", str(reported)), ("deviation.accepted", str(unknown))]
    assert told(far) == []
