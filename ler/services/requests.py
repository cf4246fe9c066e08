"""Excavation requests: making one, and reading back what was asked."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from geoalchemy2.shape import from_shape, to_shape
from shapely import Polygon
from sqlalchemy import select
from sqlalchemy.engine import Connection

from ler.db.functions import record_event
from ler.db.tables import SRID, excavation_request
from ler.domain.faults import refuse_faults
from ler.domain.request_rules import DigKind, RequestForm, RequestLimits, request_faults
from ler.errors import NotFoundError
from ler.packages.content import RequestInfo

DEFAULT_LIMITS: Final = RequestLimits()


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What a requester asks for. The area is in EPSG:25832 and has passed `ler.domain.dig_area`."""

    area: Polygon
    period_from: date
    period_to: date
    """Last day of the dig; not before the first."""
    purpose: str
    description: str | None = None
    clip_buffer_m: float = 0.0
    kind: DigKind = DigKind.DIG
    already_started: bool = False
    """An emergency that could not wait for the answers."""


def create_request(
    connection: Connection, requester_id: UUID, wanted: NewRequest, limits: RequestLimits = DEFAULT_LIMITS
) -> RequestInfo:
    """Enter a request for the acting requester. FaultsError as `check_request` says."""
    check_request(wanted, limits)
    values = {
        "requester_id": requester_id,
        "area": from_shape(wanted.area, SRID),
        "clip_buffer_m": wanted.clip_buffer_m,
        "period_from": wanted.period_from,
        "period_to": wanted.period_to,
        "purpose": wanted.purpose.strip(),
        "description": wanted.description,
    }
    columns = excavation_request.c
    request_id = connection.execute(
        excavation_request.insert().values(values).returning(columns.id)
    ).scalar_one()
    record_event(connection, "requester:excavation_request:add", actor=requester_id, object_id=request_id)
    return get_request(connection, request_id)


def get_request(connection: Connection, request_id: UUID) -> RequestInfo:
    """Return a request that the acting principal or job may see; NotFoundError for any other."""
    columns = excavation_request.c
    row = connection.execute(
        select(
            columns.order_number,
            columns.area,
            columns.clip_buffer_m,
            columns.period_from,
            columns.period_to,
            columns.purpose,
            columns.description,
            columns.created_at,
        ).where(columns.id == request_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"no request {request_id}")
    area = to_shape(row.area)
    if not isinstance(area, Polygon):
        raise TypeError("the database holds an area that is no polygon")
    return RequestInfo(
        id=request_id,
        order_number=row.order_number,
        area=area,
        clip_buffer_m=row.clip_buffer_m,
        period_from=row.period_from,
        period_to=row.period_to,
        purpose=row.purpose,
        description=row.description,
        created_at=row.created_at,
    )


def check_request(
    wanted: NewRequest, limits: RequestLimits = DEFAULT_LIMITS, *, today: date | None = None
) -> None:
    """FaultsError for a period, purpose or description that cannot be; nothing is stored.

    `today`, the legal local date, is held against the period; None leaves that out.
    """
    form = RequestForm(
        period_from=wanted.period_from,
        period_to=wanted.period_to,
        purpose=wanted.purpose,
        description=wanted.description,
        kind=wanted.kind,
        already_started=wanted.already_started,
    )
    refuse_faults(request_faults(form, today=today, limits=limits))
