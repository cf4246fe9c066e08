"""The outbox as the worker sees it: rows are taken for a while, sent, and what came of it is written down.

A transaction of the role `ler_worker` acts for nobody; all goes through functions of `ler/db/sql/outbox.sql`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from ler.domain.delivery import Channel, Result

_CLAIM: Final = text("SELECT * FROM ler.claim_deliveries(:channel, :most, :a_lane, :lease)")
_KEEP: Final = text("SELECT ler.keep_payload(:delivery, :payload)")
_RECORD: Final = text(
    "SELECT ler.record_delivery(:delivery, :verdict, :status, :fault, :pause, :hold, :pause_after, :give_up_after)"
)
_FORGET: Final = text("SELECT ler.forget_deliveries(:give_up_after, :keep)")
_TELL_CHANGES: Final = text("SELECT ler.tell_changes(:most)")

GIVE_UP_AFTER: Final = timedelta(hours=24)
"""How long a notice is tried. Whoever did not get it finds it in the feed."""

PAUSE_AFTER: Final = timedelta(hours=6)
"""How long a place fails before it is paused: three quarters of a working day."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A notice that is to be sent to one place now."""

    id: UUID
    attempt: int
    channel: Channel
    address: str
    language: str
    payload: str | None
    """What is sent; None for a mail that has not been tried."""
    secret: str | None
    old_secret: str | None
    code: str | None
    notice_id: UUID
    kind: str
    at: datetime
    organisation_id: UUID
    request_id: UUID | None
    owner_id: UUID | None
    data: dict[str, Any]


def claim_deliveries(
    connection: Connection, channel: Channel, *, most: int, a_lane: int, lease: timedelta
) -> list[Outgoing]:
    """Take what is due by a channel, at most `a_lane` under way to one place; after the lease another may take it."""
    values = {"channel": channel.value, "most": most, "a_lane": a_lane, "lease": lease}
    rows = connection.execute(_CLAIM, values).mappings()
    return [Outgoing(**{**row, "channel": Channel(row["channel"])}) for row in rows]


def keep_payload(connection: Connection, delivery_id: UUID, payload: str) -> str:
    """Keep what is sent before it is sent for the first time; returns what is kept."""
    kept: str = connection.execute(_KEEP, {"delivery": delivery_id, "payload": payload}).scalar_one()
    return kept


def record_delivery(connection: Connection, delivery_id: UUID, result: Result, pause: timedelta) -> None:
    """Write down what came of a try; `pause` is how long to wait before the next, if there is one."""
    values = {
        "delivery": delivery_id,
        "verdict": result.verdict.value,
        "status": result.status,
        "fault": result.fault,
        "pause": pause,
        "hold": result.hold,
        "pause_after": PAUSE_AFTER,
        "give_up_after": GIVE_UP_AFTER,
    }
    connection.execute(_RECORD, values)


def forget_deliveries(connection: Connection, keep: timedelta) -> int:
    """Take away what was done with longer ago; returns how many."""
    return int(connection.execute(_FORGET, {"give_up_after": GIVE_UP_AFTER, "keep": keep}).scalar_one())


def tell_changes(connection: Connection, *, most: int) -> int:
    """Look through at most so many valid requests for what was published or registered; 0 when there is nothing."""
    return int(connection.execute(_TELL_CHANGES, {"most": most}).scalar_one())
