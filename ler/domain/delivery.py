"""How notices travel: by which channels, how often they are tried, and when a place is given up.

The schedule fits a clock of two hours: ten tries in the first two hours, where the schedule that Standard Webhooks
recommends has four and then nothing until the answer is late.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final


class Channel(StrEnum):
    """By what a notice is sent."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class EndpointState(StrEnum):
    """Where a place is to which notices are sent."""

    UNCONFIRMED = "unconfirmed"
    """An address of e-mail whose holder has not yet said that it wants them."""
    ACTIVE = "active"
    PAUSED = "paused"
    """It has failed for long: tried once an hour, and active again with the first success."""
    DISABLED = "disabled"
    """It answered that it is gone (410), or its organisation put it out of use."""
    REMOVED = "removed"


class DeliveryState(StrEnum):
    """Where one notice to one place is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up after a day of tries; feeds and lists still have the notice."""
    DROPPED = "dropped"
    """Its place was removed or disabled."""


class Verdict(StrEnum):
    """What a try came to."""

    DELIVERED = "delivered"
    AGAIN = "again"
    GONE = "gone"
    """The place says that it is no more."""
    NEVER = "never"
    """It cannot be sent there, however often it is tried."""
    OFF = "off"
    """The platform does not send by this channel."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one try."""

    verdict: Verdict
    status: int | None = None
    """Of HTTP or SMTP; None when nobody answered."""
    fault: str | None = None
    """Why it failed, kebab-case."""
    hold: timedelta | None = None
    """How long the place asked to be left alone."""


_SECONDS: Final = (5, 30, 120, 300, 600, 900, 1200, 1800)
PAUSES: Final[Sequence[timedelta]] = tuple(timedelta(seconds=seconds) for seconds in _SECONDS)
"""Between one try and the next; after the last of them the last again."""

LONGEST_HOLD: Final = timedelta(hours=1)
"""However much longer a place asks for: the clock of the owner runs."""


def pause_after(attempts: int, *, chance: float = 0.5, hold: timedelta | None = None) -> timedelta:
    """Return how long to wait after so many failed tries, at least 1.

    `chance`, from 0 to 1, spreads tries by a tenth to each side, so that what failed together does not come together.
    """
    pause = PAUSES[min(attempts, len(PAUSES)) - 1] * (0.9 + 0.2 * chance)
    return max(pause, min(hold, LONGEST_HOLD)) if hold else pause
