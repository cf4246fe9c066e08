"""What was found in the ground and is not so in the data: reported by who digs, taken up by who owns the line.

A line that nobody has shown is offered to all who have an interest in the place. Who claims it owns the report; when all
have denied it, it is an orphan, which the authority of the place sees. Pure: the machine of `ler/db/sql/deviations.sql`.
"""

from enum import StrEnum
from typing import Final

from ler.domain.machine import Actor, Machine, Transition


class DeviationKind(StrEnum):
    """What is not as the data say."""

    MISPLACED = "misplaced"
    """The line is not where it was shown."""
    MISSING = "missing"
    """No line is where one was shown."""
    UNKNOWN = "unknown"
    """There is a line that nobody has shown."""
    UNCOVERED = "uncovered"
    """The line is where it was shown, and was measured while it lay open: better data for its owner."""


class DeviationState(StrEnum):
    """How far a report has come."""

    OFFERED = "offered"
    """A line of nobody known: those who may own it are asked."""
    ORPHAN = "orphan"
    """All who were asked have denied it."""
    REPORTED = "reported"
    """Its owner has not looked at it."""
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    """The owner will correct its data."""
    REJECTED = "rejected"
    """The owner's data are right."""
    CORRECTED = "corrected"
    """A published version of the network has the correction."""
    WITHDRAWN = "withdrawn"
    """The reporter took it back."""


class DeviationEvent(StrEnum):
    """What happens to a report."""

    CLAIM = "claim"
    DENIED_BY_ALL = "denied-by-all"
    ACKNOWLEDGE = "acknowledge"
    ACCEPT = "accept"
    REJECT = "reject"
    CORRECT = "correct"
    WITHDRAW = "withdraw"


_S, _E = DeviationState, DeviationEvent
_OPEN: Final = (_S.REPORTED, _S.ACKNOWLEDGED)

DEVIATION_MACHINE: Final = Machine[DeviationState, DeviationEvent](
    "the deviation",
    _S.REPORTED,
    (
        Transition(_E.CLAIM, (_S.OFFERED, _S.ORPHAN), _S.ACCEPTED, (Actor.OWNER,)),
        Transition(_E.DENIED_BY_ALL, (_S.OFFERED,), _S.ORPHAN, (Actor.PLATFORM,)),
        Transition(_E.ACKNOWLEDGE, (_S.REPORTED,), _S.ACKNOWLEDGED, (Actor.OWNER,)),
        # An owner may come to another view.
        Transition(_E.ACCEPT, (*_OPEN, _S.REJECTED), _S.ACCEPTED, (Actor.OWNER,)),
        Transition(_E.REJECT, (*_OPEN, _S.ACCEPTED), _S.REJECTED, (Actor.OWNER,)),
        Transition(_E.CORRECT, (_S.ACCEPTED,), _S.CORRECTED, (Actor.OWNER,)),
        Transition(_E.WITHDRAW, (_S.OFFERED, _S.ORPHAN, *_OPEN), _S.WITHDRAWN, (Actor.REQUESTER,)),
    ),
)

OWNERS_EVENTS: Final = frozenset({_E.ACKNOWLEDGE, _E.ACCEPT, _E.REJECT, _E.CORRECT})
"""What the owner of the line does with a report; a claim is made with `claim`."""

MOST_PHOTOS: Final = 10
LARGEST_PHOTO: Final = 8 << 20
"""Bytes."""
FARTHEST_M: Final = 100.0
"""How far outside of the dig area of its request something may be reported, m."""
