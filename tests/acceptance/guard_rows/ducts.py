"""Routes of empty ducts."""

from datetime import UTC, date, datetime
from uuid import UUID

from shapely import Point

from geoapi.routes.ducts import NEAR, OFFERS
from geoapi.works_desk import WorksDesk
from ler.db.engine import transaction
from ler.services.ducts import offer_ducts
from ler.settings import Settings
from tests.acceptance.guard_rows.row import Row
from tests.service import Service


def an_offer(service: Service, owner: UUID, _: str) -> dict[str, str]:
    with transaction(service.world.databases.app, owner) as connection:
        return {"offer_id": str(offer_ducts(connection, owner).id)}


def a_work(service: Service, owner: UUID, _: str) -> dict[str, str]:
    year = datetime.now(UTC).year + 1
    values = {
        "title": "New main",
        "activity": "vand",
        "method": "open-trench",
        "duration_days": 5,
        "earliest_start": date(year, 3, 1).isoformat(),
        "latest_end": date(year, 4, 1).isoformat(),
        "ducts_wanted": 1,
    }
    desk = WorksDesk(Settings(), datetime.now(UTC).date())
    with transaction(service.world.databases.app, owner) as connection:
        made = desk.create(connection, owner, values, Point(574000, 6223000))
    return {"work_id": str(made.work.work.id)}


ROWS = {
    ("GET", OFFERS): Row(200),
    ("POST", OFFERS): Row(201, {"Idempotency-Key": "k"}, {"most_used": 0.5}),
    ("GET", OFFERS + "/{offer_id}"): Row(200, make=an_offer),
    ("DELETE", OFFERS + "/{offer_id}"): Row(204, make=an_offer),
    ("GET", NEAR): Row(200, make=a_work),
}
