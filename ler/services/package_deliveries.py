"""What was delivered of an owner's data: its own packages, request by request, and who asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, Row

_DELIVERIES: Final = text("SELECT * FROM ler.deliveries_of_me(:before, :before_id, :most)")


@dataclass(frozen=True, slots=True)
class DeliveredRevision:
    """A package of an owner's own answers."""

    package_id: UUID
    revision: int
    """Of the request, from which on it was what is delivered, until the next one."""
    made_at: datetime
    sha256: str
    size_bytes: int
    feature_count: int


@dataclass(frozen=True, slots=True)
class OwnersDelivery:
    """What one request was given of an owner's data."""

    request_id: UUID
    owner_request_ids: Sequence[UUID]
    order_number: int
    asked_at: datetime
    requester_name: str
    """`Privatperson` for one that is not to be named."""
    period_from: date
    period_to: date
    purpose: str
    revisions: Sequence[DeliveredRevision]
    """The newest first, never none."""


def list_deliveries(
    connection: Connection, *, most: int, before: tuple[datetime, UUID] | None = None
) -> list[OwnersDelivery]:
    """Return those of the acting owner, the request asked last first; `before` is the place of the last one of a page."""
    moment, key = before or (None, None)
    rows = connection.execute(_DELIVERIES, {"before": moment, "before_id": key, "most": most}).all()
    found = []
    for _, packages in groupby(rows, key=lambda row: row.request_id):
        revisions = list(packages)
        one = revisions[0]
        told = (one.request_id, one.owner_request_ids, one.order_number, one.asked_at, one.requester_name)
        asked = (one.period_from, one.period_to, one.purpose)
        found.append(OwnersDelivery(*told, *asked, [_revision(row) for row in revisions]))
    return found


def _revision(row: Row[Any]) -> DeliveredRevision:
    return DeliveredRevision(
        row.package_id, row.revision, row.made_at, row.sha256, row.size_bytes, row.feature_count
    )
