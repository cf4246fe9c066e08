"""What a requester is charged: by area, after what it was charged before in the same year.

What counts towards the yearly cap is what was charged and is kept with each request: figures that change later, or a
request that was free, change nothing of it. Requests for orientation cost nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from geoalchemy2.shape import to_shape
from shapely import Polygon
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ler.db.tables import excavation_request
from ler.domain.fees import Asked, Price, price
from ler.domain.legal_time import instant, legal_day
from ler.domain.request_rules import DigKind

NOTHING: Final = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Order:
    """A request as far as its price goes."""

    area: Polygon
    kind: DigKind
    renews_id: UUID | None = None


def quote(connection: Connection, requester_id: UUID, order: Order, *, free_renewal_days: int = 0) -> Price:
    """Return what a request would cost now, by the database's time; nothing is entered.

    Asking again for the same area within `free_renewal_days` of a request costs nothing.
    """
    now: datetime = connection.execute(select(func.now())).scalar_one()
    today = legal_day(now)
    free = order.kind is DigKind.ORIENTATION or (
        free_renewal_days > 0
        and order.renews_id is not None
        and _asked_lately(connection, order, now - timedelta(days=free_renewal_days))
    )
    before = list_asked(connection, requester_id, today.year)
    return price(Asked(today, order.area.area, NOTHING if free else None), before)


def list_asked(connection: Connection, requester_id: UUID, year: int) -> list[Asked]:
    """Return a requester's requests of a calendar year in legal time, in the order in which they were made.

    Requests that the connection's principal may not see are not among them.
    """
    columns = excavation_request.c
    first, after = (instant(date(begins, 1, 1), time(0)) for begins in (year, year + 1))
    query = (
        select(columns.created_at, func.ST_Area(columns.area).label("area_m2"), columns.price)
        .where(columns.requester_id == requester_id, columns.created_at >= first, columns.created_at < after)
        .where(columns.kind != DigKind.ORIENTATION.value)
        .order_by(columns.order_number)
    )
    return [Asked(legal_day(row.created_at), row.area_m2, row.price) for row in connection.execute(query)]


def _asked_lately(connection: Connection, order: Order, since: datetime) -> bool:
    columns = excavation_request.c
    row = connection.execute(
        select(columns.area).where(columns.id == order.renews_id, columns.created_at >= since)
    ).one_or_none()
    return row is not None and to_shape(row.area).equals(order.area)
