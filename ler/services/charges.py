"""What a requester has asked for in a year, as the fees see it."""

from datetime import date, time
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ler.db.tables import excavation_request
from ler.domain.fees import Asked
from ler.domain.legal_time import instant, legal_day


def list_asked(connection: Connection, requester_id: UUID, year: int) -> list[Asked]:
    """Return a requester's requests of a calendar year in legal time, in the order in which they were made.

    Requests that the connection's principal may not see are not among them.
    """
    columns = excavation_request.c
    first, after = (instant(date(begins, 1, 1), time(0)) for begins in (year, year + 1))
    query = (
        select(columns.created_at, func.ST_Area(columns.area).label("area_m2"))
        .where(columns.requester_id == requester_id, columns.created_at >= first, columns.created_at < after)
        .order_by(columns.order_number)
    )
    return [Asked(legal_day(row.created_at), row.area_m2) for row in connection.execute(query)]
