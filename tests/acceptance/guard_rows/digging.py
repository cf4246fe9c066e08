"""Routes of digging windows, restrictions and the word on conflicts of works."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from shapely import LineString
from sqlalchemy.engine import Connection

from geoapi.routes.restrictions import CONFLICTS
from geoapi.routes.restrictions import PATH as RESTRICTIONS
from geoapi.routes.windows import CALENDAR
from geoapi.routes.windows import PATH as WINDOWS
from geoapi.routes.works import PATH as WORKS
from geoapi.works_desk import WorksDesk
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.windows import NewMember, NewWindow, invite_window, store_windows
from ler.settings import Settings
from tests.acceptance.guard_rows.row import Row
from tests.service import Service

PLACES: Iterator[int] = count()
FIRST = date(datetime.now(UTC).year + 1, 3, 1)
LAST = FIRST + timedelta(days=30)


def a_place() -> LineString:
    """Where no other work is."""
    east = 500_000 + 50 * next(PLACES)
    return LineString([(east, 6_200_000), (east, 6_200_010)])


def a_work(connection: Connection, owner: UUID, place: LineString) -> UUID:
    values = {
        "title": "New main",
        "activity": "vand",
        "method": "open-trench",
        "duration_days": 5,
        "earliest_start": FIRST.isoformat(),
        "latest_end": LAST.isoformat(),
        "road": "closed",
    }
    desk = WorksDesk(Settings(), datetime.now(UTC).date())
    return desk.create(connection, owner, values, place).work.work.id


def a_window(service: Service, owner: UUID, _: str) -> dict[str, str]:
    place = a_place()
    with transaction(service.world.databases.app, owner) as connection:
        works = [a_work(connection, owner, place) for _ in range(2)]
    last = FIRST + timedelta(days=7)
    window = NewWindow(
        pilot_work_id=works[0],
        geometry=place,
        start_on=FIRST,
        end_on=last,
        days_saved=5.0,
        surface_saved_m2=1.0,
        openings_saved=1,
        gain_dkk=1,
        move_dkk=0,
        gap=0.0,
        reason_da="x",
        reason_en="x",
        members=[NewMember(work, owner, FIRST, last, FIRST, 0) for work in works],
    )
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        (made,) = store_windows(connection, PLATFORM_OPERATOR, [window])
    return {"window_id": str(made)}


def an_invitation(service: Service, owner: UUID, token: str) -> dict[str, str]:
    names = a_window(service, owner, token)
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        until = datetime.now(UTC) + timedelta(days=7)
        invite_window(connection, PLATFORM_OPERATOR, UUID(names["window_id"]), until)
    return names


def a_restriction(service: Service, owner: UUID, _: str) -> dict[str, str]:
    """Past a work of its own; other places are restricted by their road authority."""
    place = a_place()
    with transaction(service.world.databases.app, owner) as connection:
        values = {
            "kind": "diversion",
            "title": "Past it",
            "first_day": FIRST.isoformat(),
            "source": "its plan",
            "work_id": str(a_work(connection, owner, place)),
        }
        desk = WorksDesk(Settings(), datetime.now(UTC).date())
        return {"restriction_id": str(desk.restrict(connection, owner, values, place)[0])}


def a_conflict(service: Service, owner: UUID, _: str) -> dict[str, str]:
    place, other = a_place(), service.owner()
    with transaction(service.world.databases.app, other) as connection:
        a_work(connection, other, place)
    desk = WorksDesk(Settings(), datetime.now(UTC).date())
    values = {
        "title": "New cable",
        "activity": "el",
        "method": "open-trench",
        "duration_days": 5,
        "earliest_start": FIRST.isoformat(),
        "latest_end": LAST.isoformat(),
    }
    with transaction(service.world.databases.app, owner) as connection:
        (found,) = desk.create(connection, owner, values, place).conflicts.entered
    return {"conflict_id": str(found)}


MORATORIUM: dict[str, object] = {
    "values": {"kind": "moratorium", "title": "New asphalt", "first_day": "2027-03-01", "source": "the road"},
    "geometry": {"type": "LineString", "coordinates": [[574_000, 6_223_000], [574_010, 6_223_000]]},
}
WORK: dict[str, Any] = {
    "values": {
        "title": "New main",
        "activity": "vand",
        "method": "open-trench",
        "duration_days": 5,
        "earliest_start": FIRST.isoformat(),
        "latest_end": LAST.isoformat(),
    },
    "geometry": {"type": "Point", "coordinates": [499_000, 6_200_000]},
}
UNTIL = (datetime.now(UTC) + timedelta(days=14)).isoformat()

ROWS = {
    ("GET", WINDOWS): Row(200),
    ("GET", CALENDAR): Row(200),
    ("GET", WINDOWS + "/{window_id}"): Row(200, make=a_window, shared=True),
    # Invited by who coordinates the place, entered by its road authority: not by everybody who may write works.
    ("POST", WINDOWS + "/{window_id}/invitation"): Row(
        403, json={"answer_by": UNTIL}, make=a_window, shared=True
    ),
    ("POST", WINDOWS + "/{window_id}/answer"): Row(200, json={"accepts": True}, make=an_invitation),
    ("POST", WORKS): Row(201, {"Idempotency-Key": "k"}, {"works": [WORK]}),
    ("POST", RESTRICTIONS): Row(403, {"Idempotency-Key": "k"}, MORATORIUM),
    ("GET", RESTRICTIONS + "/{restriction_id}"): Row(200, make=a_restriction, shared=True),
    ("DELETE", RESTRICTIONS + "/{restriction_id}"): Row(
        204, {"If-Match": "*"}, make=a_restriction, shared=True
    ),
    ("POST", CONFLICTS + "/{conflict_id}/judgement"): Row(
        200, json={"is_conflict": True}, make=a_conflict, shared=True
    ),
}
