"""Owners answer themselves: each step as the machines say, nothing of a former answer lost, and others' kept out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from ler.db.engine import create_engine, transaction
from ler.domain.answers import CONTENT_RULES, AnswerType, Appointment
from ler.domain.faults import FaultsError
from ler.domain.machine import Actor
from ler.domain.request_rules import Contact
from ler.domain.states import OWNER_MACHINE, OwnerEvent, OwnerState, RequestState, progress_event
from ler.errors import NotFoundError, RefusedError
from ler.model import Feature
from ler.packages.content import OwnerStatus
from ler.rules_in_force import due_by_default_rules, manual_due
from ler.services.answers import (
    Asked,
    Given,
    NewAnswer,
    acknowledge,
    appoint,
    ask_to_mark,
    get_asked,
    give_answer,
    list_asked,
    list_revisions,
    mark,
    withdraw_answer,
)
from ler.services.deliveries import list_owner_statuses
from ler.services.requests import get_progress
from ler.settings import Settings
from tests.integration.test_db_world import World, cable, line, square, world

__all__ = ["world"]

AREA = square(0, 0, 100, 100)
INSIDE = cable("a", line((1, 1, 0), (9, 9, 0)))
CROSSING = cable("b", line((50, 50, 1), (150, 50, 1)))
OUTSIDE = cable("c", line((200, 50, 1), (250, 50, 1)))
MANUAL_DUE = manual_due(Settings())
TOMORROW = datetime.now(UTC) + timedelta(days=1)
MEETING = Appointment(TOMORROW, TOMORROW + timedelta(hours=1), "Ved pumpen", "Bo, 12345678")

NO_LINES = NewAnswer(AnswerType.NO_LINES)
LINES = NewAnswer(AnswerType.DELIVERED, features=[INSIDE, CROSSING, OUTSIDE])
MANUAL = NewAnswer(AnswerType.MANUAL)
ON_SITE = NewAnswer(AnswerType.SITE_MARKING, appointment=MEETING)


def update(answer: NewAnswer, **more: Any) -> NewAnswer:  # noqa: ANN401 - fields of NewAnswer
    values = {name: getattr(answer, name) for name in NewAnswer.__slots__}
    return NewAnswer(**values | {"is_update": True} | more)


def ask(world: World) -> tuple[UUID, UUID, UUID]:
    """An owner without a network, a digger and its request, matched."""
    owner, digger = world.owner("owner"), world.organisation("digger")
    request = world.request(digger, AREA)
    world.match(digger, request)
    return owner, digger, request


def asked(world: World, owner: UUID, number: int = 0) -> Asked:
    with world.acting(owner) as connection:
        found = list_asked(connection, most=50)
    return sorted(found, key=lambda one: one.registration_number)[number]


def give(world: World, owner: UUID, answer: NewAnswer, number: int = 0) -> Given:
    key = asked(world, owner, number).id
    with world.acting(owner) as connection:
        return give_answer(connection, key, answer, MANUAL_DUE)


def refusal(world: World, owner: UUID, answer: NewAnswer) -> str:
    with pytest.raises(RefusedError) as caught:
        give(world, owner, answer)
    return caught.value.code


def request_state(world: World, digger: UUID, request: UUID) -> RequestState:
    with world.acting(digger) as connection:
        return get_progress(connection, request).state


def revision(world: World, request: UUID) -> int:
    with world.database.connect() as connection:
        row = connection.execute(
            "SELECT revision FROM ler.excavation_request WHERE id = %s", [request]
        ).fetchone()
    assert row is not None
    return int(row[0])


def statuses(world: World, request: UUID) -> list[OwnerStatus]:
    with world.acting(None, role="ler_worker", request=request) as connection:
        return list_owner_statuses(connection, request)


def events(world: World, *, like: str = "owner:%") -> list[str]:
    with world.database.connect() as connection:
        rows = connection.execute(
            "SELECT action FROM ler.audit_event WHERE action LIKE %s ORDER BY id", [like]
        ).fetchall()
    return [row[0] for row in rows]


def pass_due_time(world: World, request: UUID, seconds: int = 1) -> None:
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.owner_request SET received_at = received_at - interval '30 days',"
            " due_at = now() - make_interval(secs => %s) WHERE request_id = %s",
            [seconds, request],
        )


def test_the_database_keeps_the_owners_machine(world: World) -> None:
    with world.database.connect() as connection:
        for state in OwnerState:
            for event in (*OwnerEvent,):
                if event in {OwnerEvent.CANCEL, OwnerEvent.END}:  # of the request, by other functions
                    continue
                step = OWNER_MACHINE.steps.get((state, event))
                query = "SELECT ler.owner_state_after(%s, %s)"
                if step is not None:
                    row = connection.execute(query, [state, event]).fetchone()
                    assert row == (step.target,), (state, event)
                    continue
                with pytest.raises(Exception, match="is not possible") as caught:
                    connection.execute(query, [state, event])
                assert getattr(caught.value, "sqlstate", None) == "LE409"


def test_every_kind_of_answer_leads_where_its_rule_says() -> None:
    events_of = {kind: rule.event for kind, rule in CONTENT_RULES.items()}
    assert {kind for kind, event in events_of.items() if event is OwnerEvent.TAKE_OUT} == {AnswerType.MANUAL}
    assert {kind for kind, event in events_of.items() if event is OwnerEvent.CALL_TO_SITE} == {
        AnswerType.SITE_MARKING,
        AnswerType.SITE_MARKING_WITH_LINES,
    }


def test_an_owner_sees_what_it_is_asked_and_fetches_it_once(world: World) -> None:
    owner, digger, request = ask(world)
    one = asked(world, owner)
    assert (one.request_id, one.state, one.request_state) == (request, OwnerState.ASKED, RequestState.OPEN)
    assert one.area.equals(AREA)
    assert one.requester_name == "digger"
    assert one.due_at == due_by_default_rules(one.received_at)
    with world.acting(owner) as connection:
        first = acknowledge(connection, one.id)
    with world.acting(owner) as connection:
        again = acknowledge(connection, one.id)
    assert (first.state, again) == (OwnerState.ACKNOWLEDGED, first)
    assert events(world) == ["owner:owner_request:acknowledge"]
    assert revision(world, request) == 1
    for stranger in (digger, world.owner("other", square(5000, 0, 5010, 10))):
        with world.acting(stranger) as connection:
            assert list_asked(connection, most=50) == []
            for wanted in (one.id, uuid4()):
                with pytest.raises(NotFoundError):
                    get_asked(connection, wanted)
                with pytest.raises(NotFoundError), connection.begin_nested():
                    acknowledge(connection, wanted)


def test_pages_of_what_is_asked_hold_everything_once(world: World) -> None:
    owner, digger, _ = ask(world)
    for _ in range(6):
        world.match(digger, world.request(digger, AREA))
    seen: list[UUID] = []
    before = None
    while True:
        with world.acting(owner) as connection:
            page = list_asked(connection, most=3, before=before)
        seen += [one.id for one in page]
        if not page:
            break
        before = (page[-1].received_at, page[-1].id)
    assert len(seen) == len(set(seen)) == 7
    with world.acting(owner) as connection:
        acknowledge(connection, seen[0])
        left = list_asked(connection, most=50, states=[OwnerState.ASKED])
    assert {one.id for one in left} == {*seen[1:]}


@pytest.mark.parametrize("kind", [*AnswerType])
def test_an_answer_of_each_kind_moves_owner_and_request(world: World, kind: AnswerType) -> None:
    owner, digger, request = ask(world)
    with_lines = kind in {AnswerType.DELIVERED, AnswerType.SITE_MARKING_WITH_LINES}
    given = give(
        world,
        owner,
        NewAnswer(kind, features=[INSIDE] if with_lines else [], further_information="Fordi"),
    )
    expected = OWNER_MACHINE.after(OwnerState.ASKED, CONTENT_RULES[kind].event, Actor.OWNER)
    assert (given.state, given.late, given.revision) == (expected, False, 1)
    assert given.feature_count == (1 if with_lines else 0)
    assert revision(world, request) == 2
    owed = {RequestState.OPEN, RequestState.ANSWERED, RequestState.COMPLETE}
    state = request_state(world, digger, request)
    assert state in owed
    assert (
        progress_event([expected]).value
        == {
            RequestState.OPEN: "answer-missing",
            RequestState.ANSWERED: "marking-missing",
            RequestState.COMPLETE: "nothing-missing",
        }[state]
    )
    (status,) = statuses(world, request)
    (delivery,) = status.deliveries
    assert (delivery.answer_type, delivery.further_information) == (kind, "Fordi")
    assert status.answered == (kind is not AnswerType.MANUAL)


def test_lines_are_cut_at_the_area_and_what_lies_outside_is_left_out(world: World) -> None:
    owner, _, request = ask(world)
    refers = cable("r", line((2, 2, 0), (3, 3, 0)), slutkomponent="c", bilag=["doc", "gone"])
    trace = Feature(
        "Ledningstrace", "t", {"indeholdtLedning": ["inner"]}, geometry=line((1, 5, 0), (9, 5, 0))
    )
    far = Feature(
        "Ledningstrace", "f", {"indeholdtLedning": ["hidden"]}, geometry=line((300, 5, 0), (309, 5, 0))
    )
    features = [
        *(INSIDE, CROSSING, OUTSIDE, refers, trace, far),
        *(cable("inner", None), cable("hidden", None)),
        Feature("Informationsressource", "doc", {"sti": "a.pdf", "format": "PDF"}),
        Feature("Informationsressource", "common", {"sti": "b.pdf", "format": "PDF"}),
    ]
    given = give(world, owner, NewAnswer(AnswerType.DELIVERED, features=features))
    (status,) = statuses(world, request)
    (delivery,) = status.deliveries
    delivered = {feature.gml_id: feature for feature in delivery.features}
    assert [*delivered] == ["a", "b", "r", "t", "inner", "doc", "common"]
    assert given.clipped == 1
    assert delivery.clipped == {"b"}
    assert given.outside == 3
    assert delivered["b"].geometry is not None
    assert delivered["b"].geometry.length == 50
    assert delivered["r"].attributes["bilag"] == ["doc"]
    assert "slutkomponent" not in delivered["r"].attributes
    assert given.left_out_references == delivery.left_out_references == 2


def test_lines_that_all_lie_outside_are_no_answer(world: World) -> None:
    owner, _, request = ask(world)
    assert refusal(world, owner, NewAnswer(AnswerType.DELIVERED, features=[OUTSIDE])) == "answer-features"
    assert asked(world, owner).state is OwnerState.ASKED
    assert revision(world, request) == 1
    assert events(world) == []


def test_what_a_kind_does_not_allow_is_told_in_full(world: World) -> None:
    owner, _, _ = ask(world)
    past = datetime.now(UTC) - timedelta(hours=1)
    wrong = NewAnswer(
        AnswerType.NO_LINES, features=[INSIDE], expected_time=past, contact=Contact("", phone="1" * 16)
    )
    with pytest.raises(FaultsError) as caught:
        give(world, owner, wrong)
    assert [fault.pointer for fault in caught.value.faults] == [
        *("/features", "/expected_time", "/expected_time"),
        *("/contact/person", "/contact/phone"),
    ]
    assert refusal(world, owner, NewAnswer(AnswerType.WITHHELD)) == "answer-further-information"


def test_a_second_answer_is_an_update_or_refused(world: World) -> None:
    owner, _, request = ask(world)
    assert refusal(world, owner, update(LINES)) == "answer-wrongly-an-update"
    give(world, owner, LINES)
    assert refusal(world, owner, NO_LINES) == "answer-already-delivered"
    given = give(world, owner, update(NO_LINES))
    assert (given.revision, given.feature_count, revision(world, request)) == (2, 0, 3)
    (status,) = statuses(world, request)
    assert status.answer_types == [AnswerType.NO_LINES]
    with world.acting(owner) as connection:
        newest, oldest = list_revisions(connection, asked(world, owner))
    assert (newest.holds, oldest.holds, oldest.feature_count) == (True, False, 2)
    with world.database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM ler.package_feature").fetchone()
    assert row == (2,), "what was told once is kept"
    assert events(world) == ["owner:owner_answer:give", "owner:owner_answer:correct"]


def test_a_late_answer_is_kept_and_marked_and_one_at_the_last_moment_is_not(world: World) -> None:
    owner, _, request = ask(world)
    pass_due_time(world, request, seconds=-60)
    assert not give(world, owner, MANUAL).late
    pass_due_time(world, request)
    given = give(world, owner, update(LINES))
    assert given.late
    assert asked(world, owner).late
    (status,) = statuses(world, request)
    assert (status.answered, status.areas[0].late, status.feature_count) == (True, True, 2)


def test_manual_handling_gives_time_from_the_receipt_and_never_again(world: World) -> None:
    owner, digger, request = ask(world)
    before = asked(world, owner)
    give(world, owner, update(MANUAL, is_update=False, expected_time=TOMORROW))
    taken = asked(world, owner)
    assert (taken.state, taken.due_at) == (OwnerState.TAKEN_OUT, MANUAL_DUE(before.received_at))
    assert taken.answered_at is None
    assert request_state(world, digger, request) is RequestState.OPEN
    give(world, owner, update(MANUAL))
    assert asked(world, owner).due_at == taken.due_at
    give(world, owner, update(NO_LINES))
    assert refusal(world, owner, update(MANUAL)) == "event-not-possible"
    assert asked(world, owner).state is OwnerState.ANSWERED


def test_a_withdrawn_answer_is_owed_again_by_the_same_time(world: World) -> None:
    owner, digger, request = ask(world)
    give(world, owner, LINES)
    due = asked(world, owner).due_at
    with world.acting(owner) as connection:
        back = withdraw_answer(connection, asked(world, owner).id, "forkert kort")
    assert (back.state, back.due_at) == (OwnerState.WITHDRAWN, due)
    assert request_state(world, digger, request) is RequestState.OPEN
    (status,) = statuses(world, request)
    assert (status.deliveries, status.answered) == ([], False)
    with world.acting(owner) as connection, pytest.raises(RefusedError):
        withdraw_answer(connection, back.id)
    assert refusal(world, owner, NO_LINES) == "answer-already-delivered"
    assert give(world, owner, update(NO_LINES)).revision == 2
    assert request_state(world, digger, request) is RequestState.COMPLETE


def test_lines_are_pointed_out_on_site_and_again_when_they_are_not_found(world: World) -> None:
    owner, digger, request = ask(world)
    give(world, owner, ON_SITE)
    key = asked(world, owner).id
    assert asked(world, owner).appointment == MEETING
    assert request_state(world, digger, request) is RequestState.ANSWERED
    later = Appointment(MEETING.ends_at, MEETING.ends_at + timedelta(hours=1), "Ved broen", "Bo")
    with world.acting(owner) as connection:
        assert appoint(connection, key, later).appointment == later
    (status,) = statuses(world, request)
    assert (status.to_be_marked, status.areas[0].appointment) == (True, later)
    with world.acting(owner) as connection:
        assert mark(connection, key, "hvide pæle").state is OwnerState.MARKED
    assert request_state(world, digger, request) is RequestState.COMPLETE
    for stranger, wanted in ((owner, key), (world.organisation("x"), key), (digger, uuid4())):
        with world.acting(stranger) as connection, pytest.raises(NotFoundError):
            ask_to_mark(connection, wanted, "ingen ledning i hullet")
    with world.acting(digger) as connection, pytest.raises(FaultsError):
        ask_to_mark(connection, key, "  ")
    with world.acting(digger) as connection:
        assert ask_to_mark(connection, key, "ingen ledning i hullet") is OwnerState.TO_BE_MARKED
    again = asked(world, owner)
    assert (again.marking_reason, again.appointment, again.marked_at) == (
        "ingen ledning i hullet",
        None,
        None,
    )
    assert request_state(world, digger, request) is RequestState.ANSWERED
    assert revision(world, request) == 5
    with world.acting(owner) as connection:
        mark(connection, key)
        with pytest.raises(RefusedError), connection.begin_nested():
            appoint(connection, key, later)
    assert events(world, like="%:owner_request:%") == [
        *("owner:owner_request:appoint", "owner:owner_request:mark"),
        *("requester:owner_request:ask_to_mark", "owner:owner_request:mark"),
    ]


def test_a_correction_of_the_platforms_answer_takes_its_place(world: World) -> None:
    owner, digger = world.owner("central"), world.organisation("digger")
    world.interest_area(owner, square(50, 0, 200, 100))
    world.publish(owner, [INSIDE, CROSSING])
    request = world.request(digger, AREA)
    world.match(digger, request)
    (status,) = statuses(world, request)
    (platforms,) = status.deliveries
    assert (platforms.given_by_owner, len(platforms.interest_areas)) == (False, 2)
    assert refusal(world, owner, NO_LINES) == "answer-already-delivered"
    give(world, owner, update(LINES, features=[INSIDE]), number=1)
    (status,) = statuses(world, request)
    (own,) = status.deliveries
    assert (own.given_by_owner, own.interest_areas, own.revision) == (True, platforms.interest_areas, 2)
    assert [feature.gml_id for feature in own.features] == ["a"]
    with world.acting(owner) as connection:
        withdraw_answer(connection, asked(world, owner).id)
    assert [asked(world, owner, number).state for number in (0, 1)] == [OwnerState.WITHDRAWN] * 2
    assert give(world, owner, update(NO_LINES)).revision == 3


def test_each_area_is_answered_by_whom_its_owner_chose(world: World) -> None:
    owner, digger = world.owner("both"), world.organisation("digger")
    apart = world.interest_area(owner, square(0, 0, 300, 300))
    world.publish(owner, [INSIDE])
    with world.acting(owner) as connection:
        connection.execute(text("SELECT ler.choose_answering(:area, 'owner')"), {"area": apart})
    request = world.request(digger, AREA)
    world.match(digger, request)
    assert [asked(world, owner, number).state for number in (0, 1)] == ["answered", "asked"]
    assert request_state(world, digger, request) is RequestState.OPEN
    (status,) = statuses(world, request)
    assert not status.answered
    give(world, owner, update(LINES, is_update=False, features=[CROSSING]), number=1)
    (status,) = statuses(world, request)
    assert [(one.given_by_owner, len(one.interest_areas)) for one in status.deliveries] == [
        (False, 1),
        (True, 1),
    ]
    assert status.answered
    with world.acting(owner) as connection:
        withdraw_answer(connection, asked(world, owner, 1).id)
    (status,) = statuses(world, request)
    assert [len(one.interest_areas) for one in status.deliveries] == [1]
    assert [asked(world, owner, number).state for number in (0, 1)] == ["answered", "withdrawn"]


def test_a_cancelled_request_takes_no_answer(world: World) -> None:
    owner, digger, request = ask(world)
    with world.acting(digger) as connection:
        connection.execute(text("SELECT ler.cancel_request(:request)"), {"request": request})
    assert refusal(world, owner, NO_LINES) == "event-not-possible"
    with world.acting(owner) as connection, pytest.raises(RefusedError):
        acknowledge(connection, asked(world, owner).id)


def at_once(world: World, owner: UUID, answers: Sequence[NewAnswer]) -> list[str]:
    """Give answers from so many connections at the same moment; return what became of each."""
    key, barrier, told = asked(world, owner).id, Barrier(len(answers)), []
    engine = create_engine(world.database.url("ler_app"))

    def run(answer: NewAnswer) -> None:
        try:
            with transaction(engine, owner) as connection:
                connection.execute(text("SELECT 1"))
                barrier.wait()
                give_answer(connection, key, answer, MANUAL_DUE)
            told.append("given")
        except RefusedError as refused:
            told.append(refused.code)

    threads = [Thread(target=run, args=[answer]) for answer in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    return sorted(told)


def test_of_two_first_answers_at_once_one_counts(world: World) -> None:
    owner, _, request = ask(world)
    assert at_once(world, owner, [LINES, NO_LINES]) == ["answer-already-delivered", "given"]
    (status,) = statuses(world, request)
    assert len(status.deliveries) == 1
    assert revision(world, request) == 2
    assert len(events(world)) == 1


def test_updates_at_once_follow_each_other(world: World) -> None:
    owner, _, request = ask(world)
    give(world, owner, NO_LINES)
    assert at_once(world, owner, [update(LINES)] * 4) == ["given"] * 4
    with world.acting(owner) as connection:
        found = list_revisions(connection, asked(world, owner))
    assert sorted(one.revision for one in found) == [1, 2, 3, 4, 5]
    assert [one.revision for one in found if one.holds] == [5]
    assert revision(world, request) == 6
