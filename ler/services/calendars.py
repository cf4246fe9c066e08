"""What an organisation's calendar shows: answers that are owed by it or to it, and its own digs."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ler.db.tables import excavation_request, notice, owner_request
from ler.domain.states import OWES_ANSWER, RequestState


@dataclass(frozen=True, slots=True)
class DueDate:
    """An answer that is owed."""

    owner_request_id: UUID
    order_number: str | None
    at: datetime
    own: bool
    """Whether the organisation itself owes it, or waits for it."""
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class DigPeriod:
    """A dig of the organisation's own; both days belong to it."""

    request_id: UUID
    order_number: int
    first_day: date
    last_day: date
    asked_at: datetime


def list_due_dates(connection: Connection, organisation_id: UUID, *, limit: int) -> list[DueDate]:
    """Return the answers that the acting organisation owes or waits for, soonest first."""
    columns = owner_request.c
    # An owner does not see the request itself, but was told its number.
    order_number = (
        select(func.min(notice.c.data["order_number"].astext))
        .where(notice.c.request_id == columns.request_id)
        .scalar_subquery()
    )
    query = (
        select(
            columns.id.label("owner_request_id"),
            order_number.label("order_number"),
            columns.due_at.label("at"),
            (columns.owner_id == organisation_id).label("own"),
            columns.received_at.label("asked_at"),
        )
        .where(columns.state.in_([*OWES_ANSWER]), columns.due_at.is_not(None))
        .order_by(columns.due_at, columns.id)
        .limit(limit)
    )
    return [DueDate(**row) for row in connection.execute(query).mappings()]


def list_dig_periods(connection: Connection, organisation_id: UUID, *, limit: int) -> list[DigPeriod]:
    """Return the acting organisation's requests that are under way, by their last day."""
    columns = excavation_request.c
    live = [RequestState.OPEN, RequestState.ANSWERED, RequestState.COMPLETE]
    query = (
        select(
            columns.id.label("request_id"),
            columns.order_number,
            columns.period_from.label("first_day"),
            columns.period_to.label("last_day"),
            columns.created_at.label("asked_at"),
        )
        .where(columns.requester_id == organisation_id, columns.state.in_(live))
        .order_by(columns.period_to, columns.id)
        .limit(limit)
    )
    return [DigPeriod(**row) for row in connection.execute(query).mappings()]
