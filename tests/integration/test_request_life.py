"""The life of a request in the database: what is kept of it, who is asked, until when, and who is late."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from conflicts.match import match_request
from ler.db import tables
from ler.domain.faults import FaultsError
from ler.domain.machine import Actor
from ler.domain.request_rules import Contact, DigKind
from ler.domain.states import (
    OWES_ANSWER,
    OWNER_MACHINE,
    REQUEST_MACHINE,
    OwnerEvent,
    OwnerState,
    RequestEvent,
    RequestState,
    progress_event,
)
from ler.errors import InputError, NotFoundError, RefusedError
from ler.rules_in_force import due_by_default_rules, ordinary_due
from ler.services.requests import (
    NewRequest,
    OwnerProgress,
    cancel_request,
    create_request,
    get_progress,
    list_owner_progress,
)
from ler.settings import Settings
from tests.integration.test_db_world import World, cable, line, square, world

__all__ = ["world"]

AREA = square(0, 0, 100, 100)
INSIDE = cable("a", line((1, 1, 0), (9, 9, 0)))


def create(world: World, digger: UUID, **more: Any) -> UUID:  # noqa: ANN401 - fields of NewRequest
    wanted = replace(NewRequest(AREA, date(2026, 12, 1), date(2026, 12, 3), "fibre"), **more)
    with world.acting(digger) as connection:
        return create_request(connection, digger, wanted).id


def owners(world: World, digger: UUID, request: UUID) -> dict[UUID, OwnerProgress]:
    with world.acting(digger) as connection:
        return {one.owner_id: one for one in list_owner_progress(connection, request)}


def state(world: World, digger: UUID, request: UUID) -> RequestState:
    with world.acting(digger) as connection:
        return get_progress(connection, request).state


def silent_and_central(world: World) -> tuple[UUID, UUID]:
    silent, central = world.owner("silent"), world.owner("central")
    world.publish(central, [INSIDE])
    return silent, central


def mark_late(world: World) -> int:
    with world.acting(None, role="ler_worker") as connection:
        return int(connection.execute(text("SELECT ler.mark_late()")).scalar_one())


def pass_due_time(world: World, request: UUID) -> None:
    """As if the request had been made long ago."""
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.owner_request SET received_at = received_at - interval '30 days',"
            " due_at = now() - interval '1 second' WHERE request_id = %s",
            [request],
        )


def test_what_was_asked_for_is_kept(world: World) -> None:
    digger = world.organisation("digger")
    request = create(
        world,
        digger,
        kind=DigKind.EMERGENCY,
        already_started=True,
        order_reference="17-4",
        utility_types=["el", "vand"],
        contact=Contact("a@example.dk", person="Å. Ægidius", phone="12345678"),
    )
    with world.acting(digger) as connection:
        row = connection.execute(select(tables.excavation_request)).mappings().one()
    assert row["id"] == request
    assert {name: row[name] for name in ("kind", "already_started", "order_reference", "utility_types")} == {
        "kind": "emergency",
        "already_started": True,
        "order_reference": "17-4",
        "utility_types": ["el", "vand"],
    }
    assert (row["contact_person"], row["contact_email"]) == ("Å. Ægidius", "a@example.dk")
    assert (row["contact_phone"], row["contact_address"]) == ("12345678", None)
    assert (row["state"], row["price"], row["currency"]) == ("open", Decimal("70.00"), "DKK")


def test_the_price_counts_what_was_asked_before(world: World) -> None:
    digger, other = world.organisation("digger"), world.organisation("other")
    large = square(0, 0, 4800, 4800)  # 23.04 km², 161,280 DKK of the 166,000 a year
    with world.acting(tables.PLATFORM_OPERATOR) as connection:
        connection.execute(tables.request_limit.insert().values(owner_id=digger, area_m2_per_day=None))
    requests = [create(world, digger, area=large), create(world, digger, area=large), create(world, digger)]
    with world.acting(digger) as connection:
        prices = [get_progress(connection, request).price for request in requests]
    assert prices == [Decimal("161280.00"), Decimal("4720.00"), Decimal("0.00")]
    theirs = create(world, other)
    with world.acting(other) as connection:
        assert get_progress(connection, theirs).price == Decimal("70.00")


def test_all_faults_are_told_and_nothing_is_entered(world: World) -> None:
    digger = world.organisation("digger")
    with pytest.raises(FaultsError) as caught:
        create(world, digger, purpose=" ", utility_types=["el", "mælk", "other: brint"], contact=Contact("x"))
    told = [(fault.code, fault.pointer) for fault in caught.value.faults]
    assert told == [
        ("purpose-missing", "/purpose"),
        ("utility-type-unknown", "/utility_types/1"),
        ("contact-missing", "/contact"),
        ("email-invalid", "/contact/email"),
    ]
    with world.acting(digger) as connection:
        assert connection.execute(select(tables.excavation_request.c.id)).all() == []


def test_a_match_leaves_the_states_to_which_the_machines_lead(world: World) -> None:
    silent, central = silent_and_central(world)
    digger = world.organisation("digger")
    open_, complete, nobody = (
        create(world, digger, **more)
        for more in ({}, {"area": square(0, 0, 10, 10)}, {"area": square(5000, 0, 5010, 10)})
    )
    world.match(digger, open_)
    found = owners(world, digger, open_)
    answered = OWNER_MACHINE.after(OWNER_MACHINE.start, OwnerEvent.ANSWER, Actor.PLATFORM)
    assert {owner: one.state for owner, one in found.items()} == {
        silent: OWNER_MACHINE.start,
        central: answered,
    }
    assert found[central].answered_at == found[central].received_at
    assert (found[silent].answered_at, found[silent].acknowledged_at) == (None, None)

    with world.database.connect() as connection:
        connection.execute("UPDATE ler.interest_area SET geom = ST_Translate(geom, 9000, 0) WHERE owner_id = %s", [silent])  # fmt: skip
    for request in (complete, nobody):
        world.match(digger, request)
    sent = REQUEST_MACHINE.after(REQUEST_MACHINE.start, RequestEvent.SEND, Actor.REQUESTER)
    for request, asked in ((open_, 2), (complete, 1), (nobody, 0)):
        states = [one.state for one in owners(world, digger, request).values()]
        assert len(states) == asked
        expected = REQUEST_MACHINE.after(sent, progress_event(states), Actor.PLATFORM)
        assert state(world, digger, request) is expected


def test_due_times_are_the_laws_and_kept(world: World) -> None:
    silent, _ = silent_and_central(world)
    digger = world.organisation("digger")
    request = create(world, digger)
    world.match(digger, request)
    one = owners(world, digger, request)[silent]
    assert abs(one.received_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert one.due_at == due_by_default_rules(one.received_at)
    assert not one.late


def test_due_times_follow_the_settings() -> None:
    constitution_day = datetime(2026, 6, 4, 13, 30, tzinfo=UTC)  # Thursday 15:30, before Grundlovsdag
    assert ordinary_due(Settings())(constitution_day) == datetime(2026, 6, 8, 6, 30, tzinfo=UTC)
    assert due_by_default_rules(constitution_day) == datetime(2026, 6, 8, 6, 30, tzinfo=UTC)
    assert ordinary_due(Settings(extra_days_off=()))(constitution_day) == datetime(
        2026, 6, 5, 6, 30, tzinfo=UTC
    )


def test_areas_of_other_utility_types_are_not_asked(world: World) -> None:
    power, digger = world.owner("power"), world.organisation("digger")
    both = world.owner("both")
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.interest_area SET utility_types = '{vand,gas}' WHERE owner_id = %s", [both]
        )
    for wanted, asked in ((["el"], {power}), (["gas"], {both}), (["el", "vand"], {power, both})):
        request = create(world, digger, utility_types=wanted)
        assert world.match(digger, request).keys() == asked
    everything = create(world, digger)
    assert world.match(digger, everything).keys() == {power, both}
    nothing = create(world, digger, utility_types=["olie"])
    assert world.match(digger, nothing) == {}


def test_an_owner_is_marked_late_once_and_when_its_time_is_up_only(world: World) -> None:
    silent, central = silent_and_central(world)
    digger = world.organisation("digger")
    early, request = create(world, digger), create(world, digger)
    for one in (early, request):
        world.match(digger, one)
    assert mark_late(world) == 0
    pass_due_time(world, request)
    assert mark_late(world) == 1
    assert mark_late(world) == 0
    found = owners(world, digger, request)
    assert (found[silent].late, found[central].late) == (True, False)
    assert not owners(world, digger, early)[silent].late
    with world.database.connect() as connection:
        events = connection.execute(
            "SELECT actor, details ->> 'request_id', details ->> 'owner_id' FROM ler.audit_event"
            " WHERE action = 'ler:owner_request:late'"
        ).fetchall()
    assert events == [(None, str(request), str(silent))]


@pytest.mark.parametrize("waiting", [*OwnerState])
def test_who_owes_an_answer_and_nobody_else_can_be_late(world: World, waiting: OwnerState) -> None:
    world.owner("owner")
    digger = world.organisation("digger")
    request = create(world, digger)
    world.match(digger, request)
    pass_due_time(world, request)
    with world.database.connect() as connection:
        connection.execute("UPDATE ler.owner_request SET state = %s", [waiting])
    assert mark_late(world) == (waiting in OWES_ANSWER)


def test_a_cancelled_request_is_over_for_its_owners(world: World) -> None:
    silent, central = silent_and_central(world)
    digger, other = world.organisation("digger"), world.organisation("other")
    request = create(world, digger)
    world.match(digger, request)
    for principal, wanted in ((other, request), (silent, request), (digger, uuid4())):
        with world.acting(principal) as connection, pytest.raises(NotFoundError):
            cancel_request(connection, wanted)
    with pytest.raises(DBAPIError), world.acting(None) as connection:
        cancel_request(connection, request)
    with world.acting(digger) as connection:
        cancel_request(connection, request)
    assert state(world, digger, request) is RequestState.CANCELLED
    found = owners(world, digger, request)
    assert {one.state for one in found.values()} == {OwnerState.CANCELLED}
    assert found.keys() == {silent, central}
    with world.acting(digger) as connection, pytest.raises(RefusedError) as caught:
        cancel_request(connection, request)
    assert caught.value.code == "event-not-possible"
    pass_due_time(world, request)
    assert mark_late(world) == 0
    with world.acting(digger) as connection:
        assert get_progress(connection, request).price == Decimal("70.00")


def test_a_request_that_was_cancelled_before_is_not_matched(world: World) -> None:
    owner, digger = world.owner("owner"), world.organisation("digger")
    request = create(world, digger)
    with world.acting(digger) as connection:
        cancel_request(connection, request)
    with world.acting(digger) as connection, pytest.raises(InputError):
        match_request(connection, request)
    assert owner not in owners(world, digger, request)


@pytest.mark.parametrize("before", [*RequestState])
def test_what_can_be_cancelled_is_what_the_machine_says(world: World, before: RequestState) -> None:
    digger = world.organisation("digger")
    request = create(world, digger)
    with world.database.connect() as connection:
        connection.execute("UPDATE ler.excavation_request SET state = %s", [before])
    possible = (before, RequestEvent.CANCEL) in REQUEST_MACHINE.steps
    with world.acting(digger) as connection:
        if possible:
            cancel_request(connection, request)
        else:
            with pytest.raises(RefusedError):
                cancel_request(connection, request)
    assert state(world, digger, request) is (RequestState.CANCELLED if possible else before)


def test_others_see_nothing_of_how_far_a_request_is(world: World) -> None:
    silent, central = silent_and_central(world)
    digger, other = world.organisation("digger"), world.organisation("other")
    request = create(world, digger)
    world.match(digger, request)
    for principal in (other, silent):
        with world.acting(principal) as connection, pytest.raises(NotFoundError):
            get_progress(connection, request)
    # An owner sees what it was asked itself, and not who else was.
    assert owners(world, other, request) == {}
    assert owners(world, silent, request).keys() == {silent}
    assert owners(world, central, request).keys() == {central}
