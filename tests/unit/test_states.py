"""Every state with every event and every actor, against tables written by hand."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from ler.domain.deadlines import DeadlineKind
from ler.domain.machine import Actor, Machine, Transition, mermaid
from ler.domain.states import (
    OWES_ANSWER,
    OWNER_MACHINE,
    REQUEST_MACHINE,
    OwnerEvent,
    OwnerState,
    RequestEvent,
    RequestState,
    deadline_of,
    progress_event,
)
from ler.errors import RefusedError

# For each state: event > next state, and who may cause it (r requester, o owner, p platform, x operator).
REQUEST = {
    "priced": "send>open:r",
    "open": "answer-missing>open:p marking-missing>answered:p nothing-missing>complete:p extend>open:r cancel>cancelled:rx end>ended:p",
    "answered": "answer-missing>open:p marking-missing>answered:p nothing-missing>complete:p extend>answered:r cancel>cancelled:rx end>ended:p",
    "complete": "answer-missing>open:p marking-missing>answered:p nothing-missing>complete:p extend>complete:r cancel>cancelled:rx end>ended:p",
    "cancelled": "erase>erased:p",
    "ended": "erase>erased:p",
    "erased": "",
}
OWNER = {
    "asked": "acknowledge>acknowledged:o answer>answered:op take-out>taken-out:op call-to-site>to-be-marked:op cancel>cancelled:p end>ended:p",
    "acknowledged": "answer>answered:op take-out>taken-out:op call-to-site>to-be-marked:op cancel>cancelled:p end>ended:p",
    "taken-out": "answer>answered:op take-out>taken-out:op call-to-site>to-be-marked:op withdraw>withdrawn:o cancel>cancelled:p end>ended:p",
    "to-be-marked": "answer>answered:op call-to-site>to-be-marked:op mark>marked:o withdraw>withdrawn:o cancel>cancelled:p end>ended:p",
    "answered": "answer>answered:op call-to-site>to-be-marked:op ask-to-mark>to-be-marked:r withdraw>withdrawn:o cancel>cancelled:p end>ended:p",
    "marked": "answer>answered:op call-to-site>to-be-marked:op ask-to-mark>to-be-marked:r withdraw>withdrawn:o cancel>cancelled:p end>ended:p",
    "withdrawn": "answer>answered:op take-out>taken-out:op call-to-site>to-be-marked:op cancel>cancelled:p end>ended:p",
    "cancelled": "",
    "ended": "",
}
ACTORS = {"r": Actor.REQUESTER, "o": Actor.OWNER, "p": Actor.PLATFORM, "x": Actor.OPERATOR}


def check_everything[S: StrEnum, E: StrEnum](
    machine: Machine[S, E], events: type[E], table: Mapping[str, str]
) -> int:
    """Try each actor with each event in each state; returns how many were tried."""
    tried = 0
    for state in type(machine.start):
        expected = {}
        for words in table[state.value].split():
            event, _, rest = words.partition(">")
            target, _, letters = rest.partition(":")
            expected[event] = (target, {ACTORS[letter] for letter in letters})
        for event in events:
            for actor in Actor:
                tried += 1
                target, allowed = expected.get(event.value, ("", set()))
                if actor in allowed:
                    assert machine.after(state, event, actor) == target, (state, event, actor)
                    continue
                with pytest.raises(RefusedError) as refused:
                    machine.after(state, event, actor)
                code = "event-not-yours" if event.value in expected else "event-not-possible"
                assert refused.value.code == code, (state, event, actor)
    return tried


def test_the_request_in_every_state_with_every_event_by_everybody() -> None:
    assert set(REQUEST) == {state.value for state in RequestState}
    assert check_everything(REQUEST_MACHINE, RequestEvent, REQUEST) == 7 * 8 * 4


def test_the_owner_request_in_every_state_with_every_event_by_everybody() -> None:
    assert set(OWNER) == {state.value for state in OwnerState}
    assert check_everything(OWNER_MACHINE, OwnerEvent, OWNER) == 9 * 9 * 4


def reachable[S: StrEnum, E: StrEnum](machine: Machine[S, E]) -> set[S]:
    found, grown = {machine.start}, True
    while grown:
        ahead = {step.target for (source, _), step in machine.steps.items() if source in found}
        grown = not ahead <= found
        found |= ahead
    return found


def test_every_state_is_reached() -> None:
    assert reachable(REQUEST_MACHINE) == set(RequestState)
    assert reachable(OWNER_MACHINE) == set(OwnerState)


def test_only_what_is_over_is_final() -> None:
    assert [state for state in RequestState if REQUEST_MACHINE.is_final(state)] == [RequestState.ERASED]
    over = [OwnerState.CANCELLED, OwnerState.ENDED]
    assert [state for state in OwnerState if OWNER_MACHINE.is_final(state)] == over


def test_a_refusal_says_what_is_possible_and_whose_it_is() -> None:
    with pytest.raises(RefusedError, match="only erase"):
        REQUEST_MACHINE.after(RequestState.ENDED, RequestEvent.EXTEND, Actor.REQUESTER)
    with pytest.raises(RefusedError, match="for the owner, not the requester"):
        OWNER_MACHINE.after(OwnerState.TO_BE_MARKED, OwnerEvent.MARK, Actor.REQUESTER)
    with pytest.raises(RefusedError, match="only nothing"):
        OWNER_MACHINE.after(OwnerState.ENDED, OwnerEvent.ANSWER, Actor.OWNER)


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        ((), RequestEvent.NOTHING_MISSING),
        (("answered", "marked"), RequestEvent.NOTHING_MISSING),
        (("answered", "to-be-marked"), RequestEvent.MARKING_MISSING),
        (("answered", "to-be-marked", "asked"), RequestEvent.ANSWER_MISSING),
        (("acknowledged",), RequestEvent.ANSWER_MISSING),
        (("taken-out", "answered"), RequestEvent.ANSWER_MISSING),
        (("withdrawn", "answered"), RequestEvent.ANSWER_MISSING),
    ],
)
def test_a_request_is_as_far_as_the_owner_that_is_last(
    owners: tuple[str, ...], expected: RequestEvent
) -> None:
    assert progress_event([OwnerState(owner) for owner in owners]) is expected


def test_a_deadline_runs_while_an_answer_is_owed() -> None:
    assert {state for state in OwnerState if deadline_of(state)} == OWES_ANSWER
    assert deadline_of(OwnerState.ASKED) is DeadlineKind.ORDINARY
    assert deadline_of(OwnerState.WITHDRAWN) is DeadlineKind.ORDINARY
    assert deadline_of(OwnerState.TAKEN_OUT) is DeadlineKind.MANUAL
    assert deadline_of(OwnerState.TAKEN_OUT, dispensed=True) is DeadlineKind.DISPENSATION
    assert deadline_of(OwnerState.ANSWERED, dispensed=True) is None


class Light(StrEnum):
    RED = "red"
    GREEN = "green"
    YELLOW = "yellow"
    OUT_OF_ORDER = "out-of-order"


class Switch(StrEnum):
    NEXT = "next"
    BREAK = "break"


def test_a_table_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Machine(
            "x",
            Light.RED,
            (
                Transition(Switch.NEXT, (Light.RED, Light.GREEN), Light.YELLOW, (Actor.PLATFORM,)),
                Transition(Switch.NEXT, (Light.RED,), Light.GREEN, (Actor.PLATFORM,)),
            ),
        )


def test_a_diagram_draws_what_states_have_in_common_once() -> None:
    lit = (Light.RED, Light.GREEN, Light.YELLOW)
    machine = Machine(
        "the light",
        Light.RED,
        (
            Transition(Switch.NEXT, (Light.RED, Light.YELLOW), Light.GREEN, (Actor.PLATFORM,)),
            Transition(Switch.BREAK, lit, Light.OUT_OF_ORDER, (Actor.PLATFORM, Actor.OPERATOR)),
        ),
    )
    assert mermaid(machine).splitlines() == [
        "stateDiagram-v2",
        "    [*] --> red",
        "    out_of_order: out-of-order",
        "    any_r_g_y: any of red, green, yellow",
        "    red --> green: next (platform)",
        "    yellow --> green: next (platform)",
        "    any_r_g_y --> out_of_order: break (operator, platform)",
        "    out_of_order --> [*]",
    ]
