"""Digging windows as they are agreed: their states, the answers to an invitation, and what follows from them.

A window is proposed, its works are invited until a moment, and each organisation says yes or no for each of its works. The
pilot decides whether there is a window; who else says no, or nothing in time, digs apart and the others go on.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final
from uuid import UUID


class WindowState(StrEnum):
    """Where a window stands."""

    PROPOSED = "proposed"
    INVITED = "invited"
    """Until a moment, each organisation answers for its works."""
    AGREED = "agreed"
    DECLINED = "declined"
    EXPIRED = "expired"
    """Too few said yes, and somebody said nothing in time."""
    WITHDRAWN = "withdrawn"
    """Another plan took its place before anybody was invited."""


class WindowAnswer(StrEnum):
    """What was said for one work."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    SILENT = "silent"
    """Nothing, until it was too late."""


SETTLED: Final = frozenset(
    {WindowState.AGREED, WindowState.DECLINED, WindowState.EXPIRED, WindowState.WITHDRAWN}
)
"""States that nothing leaves."""

_FEWEST: Final = 2


def settled(pilot: UUID, answers: Mapping[UUID, WindowAnswer]) -> WindowState:
    """Return the state of an invited window, whose works these are, by their answers; `ler.settle_window` says the same."""
    said: Collection[WindowAnswer] = answers.values()
    if answers[pilot] is WindowAnswer.DECLINED:
        return WindowState.DECLINED
    if WindowAnswer.OPEN in said:
        return WindowState.INVITED
    accepted = [work for work, answer in answers.items() if answer is WindowAnswer.ACCEPTED]
    if pilot in accepted and len(accepted) >= _FEWEST:
        return WindowState.AGREED
    return WindowState.EXPIRED if WindowAnswer.SILENT in said else WindowState.DECLINED
