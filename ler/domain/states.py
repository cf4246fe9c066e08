"""The life of a request and of what it asks of each owner, as two state machines.

An owner request is one owner's duty for one interest area; the request's own progress follows from all of them
(`progress_event`). Late is no state: a late answer is an answer (`ler.domain.deadlines.lateness`). Renewing or copying
a request makes a new one, with a price and a life of its own.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from ler.domain.deadlines import DeadlineKind
from ler.domain.machine import Actor, Machine, Transition


class RequestState(StrEnum):
    """Where an excavation request is."""

    PRICED = "priced"
    """Checked, with a price; nothing is entered and nobody is asked."""
    OPEN = "open"
    """Owners are asked, and at least one still owes its answer: do not dig."""
    ANSWERED = "answered"
    """Everybody has answered, and somebody must still mark lines on site: do not dig."""
    COMPLETE = "complete"
    """No answer and no marking is missing. What the answers say still binds: who withholds its lines must be asked."""
    CANCELLED = "cancelled"
    """Given up by the requester; owners need not answer any more."""
    ENDED = "ended"
    """The last day of the dig is over."""
    ERASED = "erased"
    """Ten years after (OLD § 9 f)."""


class RequestEvent(StrEnum):
    """What happens to a request."""

    SEND = "send"
    ANSWER_MISSING = "answer-missing"
    MARKING_MISSING = "marking-missing"
    NOTHING_MISSING = "nothing-missing"
    EXTEND = "extend"
    """A later last day for the same area: no new price, owners are not asked anew [INF]."""
    CANCEL = "cancel"
    """The price stays: there is no right of withdrawal (ler.dk P.3.1)."""
    END = "end"
    ERASE = "erase"


class OwnerState(StrEnum):
    """Where one owner is with one request."""

    ASKED = "asked"
    """Available to the owner: its clock runs (LAW § 10(1), last sentence)."""
    ACKNOWLEDGED = "acknowledged"
    """Fetched; the clock does not mind."""
    TAKEN_OUT = "taken-out"
    """For manual handling: an update follows."""
    TO_BE_MARKED = "to-be-marked"
    """Answered; the lines must be pointed out on site before anybody digs."""
    ANSWERED = "answered"
    """With lines, without any there, or that they are not told."""
    MARKED = "marked"
    """Answered, and pointed out on site."""
    WITHDRAWN = "withdrawn"
    """The owner took its answer back and owes another; whoever holds it is warned."""
    CANCELLED = "cancelled"
    """The requester gave up."""
    ENDED = "ended"
    """The last day of the dig is over, answered or not."""


class OwnerEvent(StrEnum):
    """What happens between one owner and one request."""

    ACKNOWLEDGE = "acknowledge"
    ANSWER = "answer"
    """First or as an update: lines, no lines, or not told."""
    TAKE_OUT = "take-out"
    CALL_TO_SITE = "call-to-site"
    """An answer that the lines will be pointed out, with or without data."""
    ASK_TO_MARK = "ask-to-mark"
    """The excavator did not find a line where the data say (OLD § 11(2))."""
    MARK = "mark"
    """The lines were pointed out."""
    WITHDRAW = "withdraw"
    CANCEL = "cancel"
    END = "end"


_R, _RE = RequestState, RequestEvent
_LIVE: Final = (_R.OPEN, _R.ANSWERED, _R.COMPLETE)
_PLATFORM: Final = (Actor.PLATFORM,)

REQUEST_MACHINE: Final = Machine[RequestState, RequestEvent](
    "the request",
    _R.PRICED,
    (
        Transition(_RE.SEND, (_R.PRICED,), _R.OPEN, (Actor.REQUESTER,)),
        Transition(_RE.ANSWER_MISSING, _LIVE, _R.OPEN, _PLATFORM),
        Transition(_RE.MARKING_MISSING, _LIVE, _R.ANSWERED, _PLATFORM),
        Transition(_RE.NOTHING_MISSING, _LIVE, _R.COMPLETE, _PLATFORM),
        *(Transition(_RE.EXTEND, (state,), state, (Actor.REQUESTER,)) for state in _LIVE),
        Transition(_RE.CANCEL, _LIVE, _R.CANCELLED, (Actor.REQUESTER, Actor.OPERATOR)),
        Transition(_RE.END, _LIVE, _R.ENDED, _PLATFORM),
        Transition(_RE.ERASE, (_R.CANCELLED, _R.ENDED), _R.ERASED, _PLATFORM),
    ),
)

_O, _OE = OwnerState, OwnerEvent
_UNANSWERED: Final = (_O.ASKED, _O.ACKNOWLEDGED)
_TOLD: Final = (_O.TAKEN_OUT, _O.TO_BE_MARKED, _O.ANSWERED, _O.MARKED)
_MAY_ANSWER: Final = (*_UNANSWERED, *_TOLD, _O.WITHDRAWN)
_ANSWERS: Final = (Actor.OWNER, Actor.PLATFORM)

OWNER_MACHINE: Final = Machine[OwnerState, OwnerEvent](
    "the owner request",
    _O.ASKED,
    (
        Transition(_OE.ACKNOWLEDGE, (_O.ASKED,), _O.ACKNOWLEDGED, (Actor.OWNER,)),
        # An answer may always be updated or corrected; one that has been given is taken out again by withdrawal only,
        # since manual handling gives the owner more time.
        Transition(_OE.ANSWER, _MAY_ANSWER, _O.ANSWERED, _ANSWERS),
        Transition(_OE.CALL_TO_SITE, _MAY_ANSWER, _O.TO_BE_MARKED, _ANSWERS),
        Transition(_OE.TAKE_OUT, (*_UNANSWERED, _O.TAKEN_OUT, _O.WITHDRAWN), _O.TAKEN_OUT, _ANSWERS),
        Transition(_OE.ASK_TO_MARK, (_O.ANSWERED, _O.MARKED), _O.TO_BE_MARKED, (Actor.REQUESTER,)),
        Transition(_OE.MARK, (_O.TO_BE_MARKED,), _O.MARKED, (Actor.OWNER,)),
        Transition(_OE.WITHDRAW, _TOLD, _O.WITHDRAWN, (Actor.OWNER,)),
        Transition(_OE.CANCEL, _MAY_ANSWER, _O.CANCELLED, _PLATFORM),
        Transition(_OE.END, _MAY_ANSWER, _O.ENDED, _PLATFORM),
    ),
)

OWES_ANSWER: Final = frozenset({_O.ASKED, _O.ACKNOWLEDGED, _O.TAKEN_OUT, _O.WITHDRAWN})
"""States in which the owner's deadline runs, and nobody may dig."""


def progress_event(owners: Collection[OwnerState]) -> RequestEvent:
    """Return what the states of the owners asked mean for the request; nobody asked means that nothing is missing."""
    if OWES_ANSWER.intersection(owners):
        return RequestEvent.ANSWER_MISSING
    if OwnerState.TO_BE_MARKED in owners:
        return RequestEvent.MARKING_MISSING
    return RequestEvent.NOTHING_MISSING


def deadline_of(state: OwnerState, *, dispensed: bool = False) -> DeadlineKind | None:
    """Return the deadline that runs for an owner, counted from the receipt of the request; None when none does.

    A withdrawn answer leaves the deadline of the first: taking it back gives no time.
    """
    if state not in OWES_ANSWER:
        return None
    if dispensed:
        return DeadlineKind.DISPENSATION
    return DeadlineKind.MANUAL if state is OwnerState.TAKEN_OUT else DeadlineKind.ORDINARY
