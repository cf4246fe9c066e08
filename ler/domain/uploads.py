"""An upload's life: its states, who moves it from one to the next, and when it ends by itself.

Pure: no clock, no table. The services ask `target` before they change a row, and change it only where the row is still
in one of the states that the event starts from, so that of two movers at once one wins and the other is refused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from ler.errors import RefusedError


class State(StrEnum):
    """Where an upload is."""

    RECEIVING = "receiving"
    """Parts of the file are awaited."""
    RECEIVED = "received"
    """The file is whole and waits for a worker."""
    CHECKING = "checking"
    """A worker reads, checks, stages and compares it."""
    REJECTED = "rejected"
    """The file cannot be used; the report tells why. Nothing of it is stored."""
    UNCHANGED = "unchanged"
    """The file says what is published already; nothing of it is stored."""
    NEEDS_APPROVAL = "needs_approval"
    """Staged and compared: its owner decides."""
    APPROVED = "approved"
    """To be published by the next worker."""
    PUBLISHING = "publishing"
    """A worker moves the pointer."""
    PUBLISHED = "published"
    """It answers requests, or did until the next one."""
    DISCARDED = "discarded"
    """Its owner took it back."""
    EXPIRED = "expired"
    """Its parts, or its owner's decision, did not come in time."""
    FAILED = "failed"
    """We could not do it, after several tries; the fault is ours."""


class Event(StrEnum):
    """What moves an upload."""

    COMPLETE = "complete"
    CLAIM = "claim"
    HAND_BACK = "hand_back"
    REJECT_FILE = "reject_file"
    FIND_UNCHANGED = "find_unchanged"
    ASK_OWNER = "ask_owner"
    APPROVE_BY_POLICY = "approve_by_policy"
    APPROVE = "approve"
    REJECT = "reject"
    PUBLISH = "publish"
    LOSE_HOLD = "lose_hold"
    FINISH = "finish"
    RECHECK = "recheck"
    DISCARD = "discard"
    EXPIRE = "expire"
    GIVE_UP = "give_up"


class Actor(StrEnum):
    """Who may move it."""

    OWNER = "owner"
    WORKER = "worker"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Transition:
    """One event: from which states, to which, by whom."""

    event: Event
    sources: frozenset[State]
    target: State
    actor: Actor


def _move(event: Event, actor: Actor, target: State, *sources: State) -> Transition:
    return Transition(event, frozenset(sources), target, actor)


TRANSITIONS: Final = (
    _move(Event.COMPLETE, Actor.OWNER, State.RECEIVED, State.RECEIVING),
    _move(Event.CLAIM, Actor.WORKER, State.CHECKING, State.RECEIVED),
    _move(Event.HAND_BACK, Actor.WORKER, State.RECEIVED, State.CHECKING),
    _move(Event.REJECT_FILE, Actor.WORKER, State.REJECTED, State.CHECKING),
    _move(Event.FIND_UNCHANGED, Actor.WORKER, State.UNCHANGED, State.CHECKING),
    _move(Event.ASK_OWNER, Actor.WORKER, State.NEEDS_APPROVAL, State.CHECKING),
    _move(Event.APPROVE_BY_POLICY, Actor.WORKER, State.APPROVED, State.CHECKING),
    _move(Event.APPROVE, Actor.OWNER, State.APPROVED, State.NEEDS_APPROVAL),
    _move(Event.REJECT, Actor.OWNER, State.DISCARDED, State.NEEDS_APPROVAL),
    _move(Event.PUBLISH, Actor.WORKER, State.PUBLISHING, State.APPROVED),
    _move(Event.LOSE_HOLD, Actor.WORKER, State.APPROVED, State.PUBLISHING),
    _move(Event.FINISH, Actor.WORKER, State.PUBLISHED, State.PUBLISHING),
    # The published network has changed since the comparison, or the staged rows went with a crash of the database.
    _move(Event.RECHECK, Actor.WORKER, State.RECEIVED, State.PUBLISHING),
    _move(Event.DISCARD, Actor.OWNER, State.DISCARDED, State.RECEIVING, State.RECEIVED, State.NEEDS_APPROVAL),
    _move(Event.EXPIRE, Actor.CLOCK, State.EXPIRED, State.RECEIVING, State.NEEDS_APPROVAL),
    _move(Event.GIVE_UP, Actor.WORKER, State.FAILED, State.CHECKING, State.PUBLISHING),
)

_BY_EVENT: Final = {transition.event: transition for transition in TRANSITIONS}

ENDED: Final = frozenset(
    {
        *(State.REJECTED, State.UNCHANGED, State.PUBLISHED),
        *(State.DISCARDED, State.EXPIRED, State.FAILED),
    }
)
"""States that nothing leaves."""

WORKED_ON: Final = frozenset({State.CHECKING, State.PUBLISHING})
"""States in which a worker holds the upload; without a living worker the sweep takes it back."""

WAITING: Final = {State.RECEIVED: "check_upload", State.APPROVED: "publish_upload"}
"""States in which a worker is awaited, and the task that it is to run."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an upload waits for its owner."""

    parts: timedelta
    """From its making until the file must be whole."""
    decision: timedelta
    """From the end of the check until the owner must have decided."""


def transition(event: Event) -> Transition:
    """Return what an event does."""
    return _BY_EVENT[event]


def target(state: State, event: Event, actor: Actor) -> State:
    """Return the state that follows; RefusedError `upload-state` for what cannot be, and for who may not."""
    move = _BY_EVENT[event]
    if move.actor is not actor or state not in move.sources:
        raise RefusedError("upload-state", f"the upload is {state}; {event} does not go from there")
    return move.target


def expires_at(state: State, now: datetime, patience: Patience) -> datetime | None:
    """Return when an upload that enters a state ends by itself; None when it does not."""
    match state:
        case State.RECEIVING:
            return now + patience.parts
        case State.NEEDS_APPROVAL:
            return now + patience.decision
        case _:
            return None


def diagram() -> str:
    """Return the states and what moves an upload as a diagram in Mermaid, for the reference."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.RECEIVING}: create (owner)"]
    for move in TRANSITIONS:
        lines += [
            f"    {source} --> {move.target}: {move.event} ({move.actor})" for source in sorted(move.sources)
        ]
    lines += [f"    {state} --> [*]" for state in State if state in ENDED]
    return "\n".join(lines) + "\n"
