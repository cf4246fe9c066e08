"""What requesters send over HTTP in tests, and the organisations that they are."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import shapely.affinity
from shapely import Polygon, box
from shapely.geometry import mapping

from ler.domain.roles import Role
from tests.service import Service

REQUESTS = "/api/v1/requests"
ORDERS = "/api/v1/orders"
FIRST = date.today() + timedelta(days=7)  # noqa: DTZ011 - a week ahead in any zone
PERIOD = {"period_from": FIRST.isoformat(), "period_to": (FIRST + timedelta(days=13)).isoformat()}
AREA = box(575000, 6224000, 575100, 6224050)


def body(area: Polygon | dict[str, Any] | None = AREA, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a request
    """A request as it is sent."""
    sent = {**PERIOD, "purpose": "Fjernvarme til nr. 12"}
    shown = mapping(area) if isinstance(area, Polygon) else area
    return sent | ({"area": shown} if shown is not None else {}) | more


def requester(service: Service, role: Role = Role.EXCAVATOR) -> UUID:
    """Register one more organisation that asks."""
    return service.world.requester("Grav A/S", role=role)


def program(service: Service, role: Role = Role.EXCAVATOR) -> httpx.Client:
    """Return the program of a new organisation that asks."""
    return service.client(service.token(requester(service, role))).http


def send(http: httpx.Client, sent: dict[str, Any], *, key: str = "", path: str = REQUESTS) -> httpx.Response:
    return http.post(path, json=sent, headers={"Idempotency-Key": key or uuid4().hex})


def sent(http: httpx.Client, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a request
    """Send a request and return its receipt."""
    answer = send(http, body(**more))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def shifted(metres: float) -> Polygon:
    moved = shapely.affinity.translate(AREA, metres)
    assert isinstance(moved, Polygon)
    return moved
