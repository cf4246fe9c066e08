"""The life of an upload as a table of moves, and its picture in the reference."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ler.domain.uploads import (
    ENDED,
    TRANSITIONS,
    WAITING,
    WORKED_ON,
    Actor,
    Event,
    Patience,
    State,
    diagram,
    expires_at,
    target,
)
from ler.errors import RefusedError

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "uploads.md"
PATIENCE = Patience(parts=timedelta(hours=24), decision=timedelta(days=30))
NOW = datetime(2026, 12, 1, tzinfo=UTC)
MOVES = {(source, move.event, move.actor): move.target for move in TRANSITIONS for source in move.sources}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("actor", Actor)
def test_what_is_not_in_the_table_is_refused(state: State, event: Event, actor: Actor) -> None:
    wanted = MOVES.get((state, event, actor))
    if wanted is None:
        with pytest.raises(RefusedError) as caught:
            target(state, event, actor)
        assert caught.value.code == "upload-state"
    else:
        assert target(state, event, actor) is wanted


def test_every_event_is_in_the_table_once() -> None:
    assert sorted(move.event for move in TRANSITIONS) == sorted(Event)


def test_nothing_leaves_an_end_and_everything_else_can_end() -> None:
    assert not any(source in ENDED for move in TRANSITIONS for source in move.sources)
    for state in set(State) - ENDED:
        reached, new = {state}, {state}
        while new:
            new = {MOVES[key] for key in MOVES if key[0] in new} - reached
            reached |= new
        assert reached & ENDED, state


def test_every_state_is_reached() -> None:
    assert {move.target for move in TRANSITIONS} | {State.RECEIVING} == set(State)


def test_what_a_worker_holds_can_always_be_taken_back() -> None:
    for state in WORKED_ON:
        back = {MOVES[key] for key in MOVES if key[0] is state and key[2] is Actor.WORKER}
        assert back & set(WAITING), state
        assert State.FAILED in back


def test_an_owner_publishes_nothing_by_itself() -> None:
    assert all(
        MOVES[key] not in {State.PUBLISHING, State.PUBLISHED} for key in MOVES if key[2] is Actor.OWNER
    )


def test_only_what_waits_for_its_owner_ends_by_itself() -> None:
    ends = {state: expires_at(state, NOW, PATIENCE) for state in State}
    expiring = {source for move in TRANSITIONS if move.event is Event.EXPIRE for source in move.sources}
    assert {state for state, end in ends.items() if end} == expiring
    assert ends[State.RECEIVING] == NOW + timedelta(hours=24)
    assert ends[State.NEEDS_APPROVAL] == NOW + timedelta(days=30)


def test_the_reference_shows_the_states_as_they_are() -> None:
    assert f"```mermaid\n{diagram()}```" in REFERENCE.read_text(encoding="utf-8")
