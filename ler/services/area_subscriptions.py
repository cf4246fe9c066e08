"""Areas of which an organisation wants to know what is planned there; the transaction acts for it.

What is told, and when, is in `ler/db/sql/works.sql` and docs/reference/notices.md.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from geoalchemy2.shape import from_shape, to_shape
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from ler.db.functions import record_event
from ler.db.tables import SRID, area_subscription
from ler.domain.faults import refuse_faults
from ler.domain.registration import text_faults
from ler.errors import NotFoundError, RefusedError

LONGEST_NAME: Final = 100
MOST_AREAS: Final = 100
"""Of one organisation."""


@dataclass(frozen=True, slots=True)
class AreaSubscription:
    """An area that an organisation follows. Moments are aware UTC."""

    id: UUID
    name: str
    area: BaseGeometry
    """EPSG:25832."""
    created_at: datetime


def follow_area(connection: Connection, organisation_id: UUID, name: str, area: MultiPolygon) -> UUID:
    """Follow an area, as `ler.services.areas.merged_area` returns it; return the id by which it is ended.

    FaultsError for a name that is none, RefusedError `subscriptions-too-many`.
    """
    refuse_faults([*text_faults("/name", name, LONGEST_NAME)])
    if len(list_areas_followed(connection)) >= MOST_AREAS:
        raise RefusedError("subscriptions-too-many", f"an organisation follows at most {MOST_AREAS} areas")
    values = {"organisation_id": organisation_id, "name": name.strip(), "geom": from_shape(area, SRID)}
    made: UUID = connection.execute(
        area_subscription.insert().values(values).returning(area_subscription.c.id)
    ).scalar_one()
    record_event(connection, "owner:area_subscription:add", actor=organisation_id, object_id=made)
    return made


def unfollow_area(connection: Connection, organisation_id: UUID, subscription_id: UUID) -> None:
    """Follow an area no more. NotFoundError for none of the acting organisation's that holds."""
    columns = area_subscription.c
    ended = update(area_subscription).where(columns.id == subscription_id, columns.ended_at.is_(None))
    if not connection.execute(ended.values(ended_at=func.now())).rowcount:
        raise NotFoundError("There is no such subscription.")
    record_event(connection, "owner:area_subscription:end", actor=organisation_id, object_id=subscription_id)


def list_areas_followed(connection: Connection) -> list[AreaSubscription]:
    """Return the areas that the acting organisation follows, the oldest first."""
    columns = area_subscription.c
    query = (
        select(columns.id, columns.name, columns.geom, columns.created_at)
        .where(columns.ended_at.is_(None))
        .order_by(columns.created_at, columns.id)
    )
    return [
        AreaSubscription(row.id, row.name, to_shape(row.geom), row.created_at)
        for row in connection.execute(query)
    ]
