"""What happened to a request, as its requester is told: the request's notices, counted from 1."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Connection

from ler.db.tables import excavation_request, notice, organisation
from ler.domain.states import RequestState
from ler.errors import NotFoundError

OVER = frozenset({RequestState.CANCELLED, RequestState.ENDED, RequestState.ERASED})
"""States after which little happens; who wants to know of later corrections looks into its feed."""


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """One thing that happened."""

    number: int
    at: datetime
    kind: str
    owner_cvr: str | None
    """The owner that it is about, if it is about one."""
    owner_name: str | None
    data: dict[str, Any]


def list_request_events(
    connection: Connection, request_id: UUID, *, after: int, limit: int
) -> tuple[list[RequestEvent], bool]:
    """Return what happened to a request of the acting principal after a number, and whether the request is over.

    NotFoundError for any other's request.
    """
    state = connection.execute(
        select(excavation_request.c.state).where(excavation_request.c.id == request_id)
    ).scalar_one_or_none()
    if state is None:
        raise NotFoundError(f"no request {request_id}")
    columns = notice.c
    query = (
        select(
            columns.number, columns.at, columns.kind, columns.data, organisation.c.cvr, organisation.c.name
        )
        .outerjoin(organisation, organisation.c.id == columns.owner_id)
        .where(columns.request_id == request_id, columns.number > after)
        .order_by(columns.number)
        .limit(limit)
    )
    found = [
        RequestEvent(row.number, row.at, row.kind, row.cvr, row.name, row.data)
        for row in connection.execute(query)
    ]
    return found, RequestState(state) in OVER
