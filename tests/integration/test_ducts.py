"""Empty ducts near planned works: told to those to whom they are offered, by squares, and to nobody else (`duct_offer`)."""

import json
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from shapely import LineString, MultiPolygon, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select, update
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from geoapi.cli import app
from geoapi.works_desk import WorksDesk
from ler.db import tables
from ler.domain.faults import FaultsError
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.errors import NotFoundError, RefusedError
from ler.model import Feature, Value
from ler.services.ducts import (
    DuctKind,
    NearbyDucts,
    end_duct_offer,
    list_duct_offers,
    list_ducts_near,
    offer_ducts,
)
from ler.services.sensitivity import end_rule, make_rule
from ler.settings import Settings
from tests.integration.test_db_world import EAST, NORTH, World, cable, line, world
from tests.integration.test_digging_windows import invited, plan

__all__ = ["world"]

TODAY = date(2026, 2, 2)
DESK = WorksDesk(Settings(), TODAY)
VALUES = {
    "title": "Fibre",
    "activity": "telekommunikation",
    "method": "open-trench",
    "duration_days": 5,
    "earliest_start": "2026-03-02",
    "latest_end": "2026-03-31",
    "ducts_wanted": 1,
}
PLACE = line((5, 5), (95, 5))
CVR = "12345678"


def duct(gml_id: str, geometry: BaseGeometry | None, **attributes: Value) -> Feature:
    given: dict[str, Value] = {
        "forsyningsart": ["telekommunikation"],
        "udnyttelsesgrad": 0.0,
        "driftsstatus": "i drift",
    }
    return Feature("Foeringsroer", gml_id, given | attributes, {}, geometry)


NETWORK = [
    duct("empty", line((0, 8, 1), (100, 8, 1))),
    duct("half", line((0, 9, 1), (50, 9, 1)), udnyttelsesgrad=0.5),
    duct("full", line((0, 9, 1), (50, 9, 1)), udnyttelsesgrad=1.0),
    duct("nobody knows", line((0, 9, 1), (50, 9, 1)), udnyttelsesgrad=None),
    duct("abandoned", line((0, 9, 1), (50, 9, 1)), driftsstatus="permanent ude af drift"),
    duct("says empty, holds a cable", line((0, 9, 1), (50, 9, 1)), indeholdtLedning=["cable"]),
    cable("cable", line((0, 9, 1), (50, 9, 1))),
    duct("far", line((0, 70, 1), (100, 70, 1))),
    Feature("Ledningstrace", "trace", {"forsyningsart": ["telekommunikation"], "indeholdtLedning": ["in trace"]}, {},
            line((0, 18, 1), (10, 18, 1))),
    duct("in trace", None),
]  # fmt: skip


def planned(world: World, who: UUID, geometry: BaseGeometry = PLACE, **change: Any) -> UUID:  # noqa: ANN401 - values
    with world.acting(who) as connection:
        return DESK.create(connection, who, VALUES | change, geometry).work.work.id


def near(world: World, who: UUID, work: UUID) -> list[NearbyDucts]:
    with world.acting(who) as connection:
        return list_ducts_near(connection, who, work)


def told(world: World, who: UUID, work: UUID) -> list[tuple[str | None, int, float | None]]:
    return [(one.utilisation, one.ducts, one.length_m) for one in near(world, who, work)]


@pytest.fixture
def cast(world: World) -> tuple[UUID, UUID, UUID]:
    """An owner with ducts, and two that dig beside them."""
    owner = world.owner("Ducts")
    world.publish(owner, NETWORK)
    return owner, world.organisation("Named", cvr=CVR), world.organisation("Other", cvr="87654321")


def test_nobody_is_told_of_ducts_until_their_owner_offers_them_to_him(
    world: World, cast: tuple[UUID, UUID, UUID]
) -> None:
    owner, named, other = cast
    works = {who: planned(world, who) for who in cast}
    assert [near(world, who, works[who]) for who in cast] == [[], [], []]
    with world.acting(owner) as connection:
        offer_ducts(connection, owner, cvr=CVR, contact="Ducts desk")
        with pytest.raises(RefusedError) as twice:
            offer_ducts(connection, owner, cvr=CVR)
        assert twice.value.code == "duct-offer-made"
        connection.rollback()
    with world.acting(owner) as connection:
        offer = offer_ducts(connection, owner, cvr=CVR, contact="Ducts desk")
        assert [*connection.execute(select(tables.duct_offer.c.id)).scalars()] == [offer.id]
    assert near(world, other, works[other]) == near(world, owner, works[owner]) == []
    (found,) = near(world, named, works[named])
    assert (found.kind, found.organisation_id, found.organisation_name) == (
        DuctKind.OWNER_DUCTS,
        owner,
        "Ducts",
    )
    # The empty one, and the one that lies in the trace; the place is not told.
    assert (found.utilisation, found.ducts, found.length_m, found.place) == ("empty", 2, 120.0, None)
    assert found.contact == "Ducts desk"
    for who in (named, other):
        with world.acting(who) as connection:
            assert connection.execute(select(tables.duct_offer)).all() == []
            assert connection.execute(update(tables.duct_offer).values(ended_at=None)).rowcount == 0
            with pytest.raises(NotFoundError):
                end_duct_offer(connection, who, offer.id)
            for works_of in {*cast} - {who}:
                with pytest.raises(NotFoundError):
                    list_ducts_near(connection, who, works[works_of])
                rows = connection.execute(select("*").select_from(_near(works[works_of])))
                assert rows.all() == [], "the function itself tells nothing either"
            with pytest.raises(ProgrammingError):
                offer_ducts(connection, who)
    with world.acting(None) as connection:
        assert connection.execute(select("*").select_from(_near(works[named]))).all() == []
    for role in ("ler_worker", "ler_readonly"):
        with world.acting(named, role=role) as connection, pytest.raises(ProgrammingError):
            connection.execute(select("*").select_from(_near(works[named])))
    with world.database.connect() as superuser:
        asked = superuser.execute(
            "SELECT actor, object_id, details FROM ler.audit_event WHERE action = 'owner:work:ducts'"
        ).fetchall()
    assert asked == [(named, works[named], {"owners": [str(owner)]})]
    with world.acting(owner) as connection:
        end_duct_offer(connection, owner, offer.id)
        assert list_duct_offers(connection) == []
    assert near(world, named, works[named]) == []


def _near(work: UUID) -> Any:  # noqa: ANN401 - a table
    return func.ler.ducts_near_work(work)


def test_what_is_offered_to_one_holds_in_the_place_of_what_is_offered_to_all(
    world: World, cast: tuple[UUID, UUID, UUID]
) -> None:
    owner, named, other = cast
    works = {who: planned(world, who) for who in cast}
    with world.acting(owner) as connection:
        offer_ducts(connection, owner)
        offer_ducts(connection, owner, cvr=CVR, most_used=0.5, shows_place=True)
        for wrong in ({"cvr": "DK12345678"}, {"most_used": 1.0}, {"contact": " "}):
            with pytest.raises(FaultsError):
                offer_ducts(connection, owner, **wrong)
    assert told(world, other, works[other]) == [("empty", 2, 120.0)]
    empty, room = near(world, named, works[named])
    assert [(one.utilisation, one.ducts) for one in (empty, room)] == [("empty", 2), ("room", 2)]
    assert room.place is not None
    assert room.place.equals(LineString([(EAST, NORTH + 9), (EAST + 50, NORTH + 9)]))
    # A draft, one that wants none, and one that is over are offered none.
    for change in ({"status": "draft"}, {"ducts_wanted": 0}):
        assert near(world, named, planned(world, named, **change)) == []
    over = planned(world, named)
    with world.acting(named) as connection:
        DESK.change(connection, named, over, {"status": "cancelled"}, expected_version=1)
    assert near(world, named, over) == []


def test_of_ducts_whose_place_is_not_shown_an_answer_tells_squares_and_never_sensitive_ones(
    world: World, cast: tuple[UUID, UUID, UUID]
) -> None:
    owner, named, _ = cast
    with world.acting(owner) as connection:
        offer_ducts(connection, owner)
    # Wherever in the squares a work lies, from one to 19 m from the duct, it is told the same.
    answers = [
        told(world, named, planned(world, named, line((11, north), (69, north))))
        for north in (8.5, 10, 11, 28)
    ]
    assert answers == [[("empty", 2, 100.0)]] * 4
    assert told(world, named, planned(world, named, line((11, 31), (69, 31)))) == []
    rules = [
        SensitivityRule(SensitivityClass.RESTRICTED, gml_ids=frozenset({"trace"})),
        SensitivityRule(SensitivityClass.SITE_MARKING, area=_around("empty")),
    ]
    work = planned(world, named)
    for rule, left in zip(rules, ([("empty", 1, 100.0)], [("empty", 1, 20.0)]), strict=True):
        with world.acting(owner) as connection:
            made = make_rule(connection, owner, rule)
        assert told(world, named, work) == left
        with world.acting(owner) as connection:
            end_rule(connection, owner, made)
    with world.acting(owner) as connection:
        make_rule(
            connection,
            owner,
            SensitivityRule(SensitivityClass.NEVER, utility_types=frozenset({"telekommunikation"})),
        )
    assert told(world, named, work) == []


def _around(gml_id: str) -> MultiPolygon:
    (feature,) = [one for one in NETWORK if one.gml_id == gml_id]
    assert feature.geometry is not None
    west, south, east, north = feature.geometry.bounds
    return MultiPolygon([box(west, south - 0.5, east, north + 0.5)])


def test_works_that_offer_and_works_that_want_ducts_find_each_other(world: World) -> None:
    wants, offers = world.organisation("Wants", cvr=CVR), world.organisation("A person")
    wanting = planned(world, wants, contact="Wanting desk")
    offering = planned(
        world, offers, line((5, 10), (95, 10)), ducts_wanted=0, ducts_offered=2, contact="Laying desk"
    )
    planned(
        world,
        offers,
        line((5, 12), (95, 12)),
        ducts_wanted=0,
        ducts_offered=2,
        earliest_start="2026-05-01",
        latest_end="2026-06-01",
    )
    (found,) = near(world, wants, wanting)
    assert (found.kind, found.work_id, found.ducts, found.organisation_name, found.contact) == (
        DuctKind.WORK_OFFERS, offering, 2, None, "Laying desk",
    )  # fmt: skip
    (back,) = near(world, offers, offering)
    assert (back.kind, back.work_id, back.ducts, back.organisation_name) == (
        DuctKind.WORK_WANTS, wanting, 1, "Wants",
    )  # fmt: skip


def test_an_invitation_tells_each_organisation_what_is_offered_near_its_own_works(
    world: World, cast: tuple[UUID, UUID, UUID]
) -> None:
    owner, named, other = cast
    with world.acting(owner) as connection:
        offer_ducts(connection, owner, cvr=CVR)
    for who in (named, other):
        planned(world, who, road="lane", surface="asphalt", willing_to_share=True, latest_end="2026-09-30")
    _, (window,) = plan(world)
    invited(world, window)
    with world.database.connect() as superuser:
        found = superuser.execute(
            "SELECT audience_id, data -> 'duct_offers' FROM ler.notice WHERE kind = 'window.invited'"
        ).fetchall()
    assert dict(found) == {named: 1, other: 0}


def test_by_command_an_owner_offers_and_who_digs_is_told(world: World, cast: tuple[UUID, UUID, UUID]) -> None:
    owner, named, _ = cast
    work = str(planned(world, named))

    def ler(*words: str) -> str:
        done = CliRunner().invoke(
            app, [*words], env={"LER_DATABASE_URL": world.database.url(), "COLUMNS": "200"}
        )
        assert done.exit_code == 0, done.output
        return done.stdout

    assert json.loads(ler("works", "ducts", work, "--as", CVR, "--json")) == []
    offer = ler("ducts", "offer", "--by", str(owner), "--show-place").strip()
    assert [one["id"] for one in json.loads(ler("ducts", "list", "--by", str(owner), "--json"))] == [offer]
    (found,) = json.loads(ler("works", "ducts", work, "--as", CVR, "--json"))
    assert (found["kind"], found["length_m"], found["geometry"]["type"]) == (
        "owner-ducts",
        120.0,
        "MultiLineString",
    )
    ler("ducts", "end", offer, "--by", str(owner))
    assert json.loads(ler("works", "ducts", work, "--as", CVR, "--json")) == []
