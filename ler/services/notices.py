"""Notices as their audience reads them, and the places where it wants them sent.

Every function takes a connection whose transaction acts for the organisation; another's notices and endpoints do not
exist for it. Nobody writes notices: triggers do (`ler/db/sql/notices.sql`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.engine import Connection

from ler.db.functions import refusals
from ler.db.tables import notice, notice_endpoint, outbox
from ler.domain.delivery import Channel, DeliveryState, EndpointState
from ler.errors import NotFoundError

_PLACE: Final = text("SELECT ler.place_notices()")
_ADD: Final = text(
    "SELECT ler.add_endpoint(:channel, :address, :kinds, :language, :escalation, :secret, :code)"
)
_CHANGE: Final = text("SELECT ler.change_endpoint(:endpoint, :kinds, :language, :escalation, :in_use)")
_REMOVE: Final = text("SELECT ler.remove_endpoint(:endpoint)")
_RENEW: Final = text("SELECT ler.renew_endpoint_secret(:endpoint, :secret, :keep)")
_CONFIRM: Final = text("SELECT ler.confirm_endpoint(:endpoint, :code)")
_TEST: Final = text("SELECT ler.test_endpoint(:endpoint)")

_REFUSALS: Final[Mapping[str, str | tuple[str, str]]] = {
    "LE404": "There is no such endpoint, or it is not yours.",
    "LE409": ("endpoint-state", "The endpoint is not in a state in which this can be done."),
    "LE429": ("endpoints-too-many", "An organisation may have ten endpoints: remove one first."),
}

OLD_SECRET_KEPT: Final = timedelta(hours=24)
"""How long payloads are signed by the old key too after a new one was made."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that an organisation is told."""

    id: UUID
    position: int
    """Its place in the organisation's feed, from 1 and without gaps."""
    at: datetime
    kind: str
    request_id: UUID | None
    number: int | None
    owner_id: UUID | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """A place where an organisation wants to be told."""

    channel: Channel
    address: str
    kinds: Sequence[str] | None = None
    """Kinds of notices, or groups like `owner.*`; None: all that the channel is for."""
    language: str = "da"
    escalation: bool = False
    """Told of the organisation's own silence only."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place as its organisation sees it; keys and codes are never shown again."""

    id: UUID
    channel: Channel
    address: str
    kinds: tuple[str, ...] | None
    language: str
    escalation: bool
    state: EndpointState
    reason: str | None
    failures: int
    failing_since: datetime | None
    hold_until: datetime | None
    delivered_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice on its way to one place."""

    id: UUID
    notice_id: UUID
    kind: str
    state: DeliveryState
    attempts: int
    next_try_at: datetime
    status: int | None
    fault: str | None
    created_at: datetime
    done_at: datetime | None


def list_notices(connection: Connection, *, after: int, limit: int) -> list[Notice]:
    """Return the acting organisation's notices after a place, oldest first. Whoever goes on from the last misses none."""
    connection.execute(_PLACE)
    columns = notice.c
    query = _notices().where(columns.position > after).order_by(columns.position).limit(limit)
    return [Notice(**row) for row in connection.execute(query).mappings()]


def list_newest_notices(connection: Connection, *, limit: int) -> list[Notice]:
    """Return the acting organisation's last notices, newest first."""
    connection.execute(_PLACE)
    query = _notices().where(notice.c.position.is_not(None)).order_by(notice.c.position.desc()).limit(limit)
    return [Notice(**row) for row in connection.execute(query).mappings()]


def add_endpoint(
    connection: Connection, wanted: NewEndpoint, *, secret: str | None, code: str | None
) -> UUID:
    """Add a place; a webhook with its key, an address of e-mail with the code that is sent there.

    RefusedError `endpoints-too-many`.
    """
    values = {
        "channel": wanted.channel.value,
        "address": wanted.address,
        "kinds": list(wanted.kinds) if wanted.kinds is not None else None,
        "language": wanted.language,
        "escalation": wanted.escalation,
        "secret": secret,
        "code": code,
    }
    with refusals(_REFUSALS):
        made: UUID = connection.execute(_ADD, values).scalar_one()
    return made


def get_endpoint(connection: Connection, endpoint_id: UUID) -> Endpoint:
    """Return a place; NotFoundError for one that is not the organisation's, or removed."""
    row = connection.execute(_endpoints().where(notice_endpoint.c.id == endpoint_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("There is no such endpoint, or it is not yours.")
    return _endpoint(dict(row))


def list_endpoints(connection: Connection) -> list[Endpoint]:
    """Return the places of the acting organisation, at most ten."""
    query = _endpoints().order_by(notice_endpoint.c.created_at, notice_endpoint.c.id)
    return [_endpoint(dict(row)) for row in connection.execute(query).mappings()]


def change_endpoint(
    connection: Connection,
    endpoint_id: UUID,
    *,
    kinds: Sequence[str] | None,
    language: str,
    escalation: bool,
    in_use: bool,
) -> None:
    """Change what a place is told; one that is not in use is sent nothing. NotFoundError; `endpoint-state`."""
    values = {
        "endpoint": endpoint_id,
        "kinds": list(kinds) if kinds is not None else None,
        "language": language,
        "escalation": escalation,
        "in_use": in_use,
    }
    with refusals(_REFUSALS):
        connection.execute(_CHANGE, values)


def remove_endpoint(connection: Connection, endpoint_id: UUID) -> None:
    """Remove a place; what waits for it and must not be lost goes by mail. NotFoundError."""
    with refusals(_REFUSALS):
        connection.execute(_REMOVE, {"endpoint": endpoint_id})


def renew_endpoint_secret(connection: Connection, endpoint_id: UUID, secret: str) -> None:
    """Sign by another key; for a day by the old one too. NotFoundError; `endpoint-state` for an address of e-mail."""
    with refusals(_REFUSALS):
        connection.execute(_RENEW, {"endpoint": endpoint_id, "secret": secret, "keep": OLD_SECRET_KEPT})


def confirm_endpoint(connection: Connection, endpoint_id: UUID, code: str) -> bool:
    """Take an address of e-mail into use; False for a wrong code. NotFoundError; `endpoint-state` after ten wrong ones."""
    with refusals(_REFUSALS):
        return bool(connection.execute(_CONFIRM, {"endpoint": endpoint_id, "code": code}).scalar_one())


def try_endpoint(connection: Connection, endpoint_id: UUID) -> None:
    """Send a notice that says nothing. NotFoundError; `endpoint-state` for a place that is not in use."""
    with refusals(_REFUSALS):
        connection.execute(_TEST, {"endpoint": endpoint_id})


def list_deliveries(connection: Connection, endpoint_id: UUID, *, limit: int) -> list[Delivery]:
    """Return what was sent to a place lately, newest first; NotFoundError as `get_endpoint`."""
    get_endpoint(connection, endpoint_id)
    columns = outbox.c
    query = (
        select(
            columns.id,
            columns.notice_id,
            notice.c.kind,
            columns.state,
            columns.attempts,
            columns.next_try_at,
            columns.status,
            columns.fault,
            columns.created_at,
            columns.done_at,
        )
        .join(notice, notice.c.id == columns.notice_id)
        .where(columns.endpoint_id == endpoint_id)
        .order_by(columns.created_at.desc(), columns.id)
        .limit(limit)
    )
    rows = connection.execute(query).mappings()
    return [Delivery(**{**row, "state": DeliveryState(row["state"])}) for row in rows]


def _notices() -> Select[Any]:
    columns = notice.c
    return select(
        columns.id,
        columns.position,
        columns.at,
        columns.kind,
        columns.request_id,
        columns.number,
        columns.owner_id,
        columns.data,
    )


def _endpoints() -> Select[Any]:
    columns = notice_endpoint.c
    return select(
        columns.id,
        columns.channel,
        columns.address,
        columns.kinds,
        columns.language,
        columns.escalation,
        columns.state,
        columns.reason,
        columns.failures,
        columns.failing_since,
        columns.hold_until,
        columns.delivered_at,
        columns.created_at,
    ).where(columns.state != EndpointState.REMOVED)


def _endpoint(row: dict[str, Any]) -> Endpoint:
    kinds = tuple(row["kinds"]) if row["kinds"] is not None else None
    return Endpoint(
        **row | {"kinds": kinds, "channel": Channel(row["channel"]), "state": EndpointState(row["state"])}
    )
