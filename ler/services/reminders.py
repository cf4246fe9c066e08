"""Reminders and the escalation of silence: what the clock makes due, by the database's time.

When that is follows from working days (`ler.domain.deadlines`); what was told stands in the database, so that it matters
neither who looks nor how often, nor whether nobody has looked for hours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Engine, text

from ler.db.engine import transaction
from ler.domain.calendar import WorkingClock
from ler.domain.deadlines import Notice, NoticeKind, NoticePlan, Recipient, notices

type ClockOf = Callable[[datetime], WorkingClock]
"""From when an owner received a request to the clock that runs for it."""

_WATCHED: Final = text("SELECT * FROM ler.watched_owners(:most)")
_REMIND: Final = text("SELECT ler.remind_owner(:owner_request, :percent, :silence, :next_at)")
_SILENCE: Final = {Recipient.OWNER_MANAGEMENT: 1, Recipient.OPERATOR: 2}
"""The requester is told when the owner is marked late."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What is to be told of an owner's silence now."""

    percent: int
    silence: int
    next_at: datetime | None


def owed_now(plan: Sequence[Notice], now: datetime) -> Owed:
    """Return what of a plan must have been told by now, the latest of each, and when there is more to tell."""
    reached = [one for one in plan if one.at <= now]
    percents = [one.percent for one in reached if one.kind is NoticeKind.REMINDER]
    silences = [_SILENCE.get(one.to, 0) for one in reached if one.kind is NoticeKind.SILENCE]
    to_come = [one.at for one in plan if one.at > now]
    return Owed(max(percents, default=0), max(silences, default=0), min(to_come, default=None))


def remind_owners(engine: Engine, clock_of: ClockOf, plan: NoticePlan, *, most: int) -> int:
    """Tell what is owed of owners that have not answered; returns how many were looked at.

    Each in a transaction of its own: a request that somebody holds is left for the next time, and holds up no other.
    """
    with transaction(engine, None) as connection:
        watched = connection.execute(_WATCHED, {"most": most}).all()
    for row in watched:
        # Of a due time that was moved before the receipt nothing is left to share out.
        owed = owed_now(notices(row.received_at, row.due_at, clock_of(row.received_at), plan), row.now_at)
        _remind(engine, row.owner_request_id, owed)
    return len(watched)


def _remind(engine: Engine, owner_request_id: UUID, owed: Owed) -> None:
    values = {
        "owner_request": owner_request_id,
        "percent": owed.percent,
        "silence": owed.silence,
        "next_at": owed.next_at,
    }
    with transaction(engine, None) as connection:
        connection.execute(_REMIND, values)
