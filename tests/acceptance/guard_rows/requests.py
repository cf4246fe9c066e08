"""Routes of requests and orders."""

from uuid import UUID

from tests.acceptance.guard_rows.row import Row
from tests.requests import ORDERS, PERIOD, REQUESTS, body, send
from tests.service import Service

ONE = f"{REQUESTS}/{{request_id}}"
KEY = {"Idempotency-Key": "k"}
ORDER = {
    **{name: value for name, value in body().items() if name != "area"},
    "areas": [{"area": body()["area"]}],
}


def a_request(service: Service, _: UUID, token: str) -> dict[str, str]:
    """A request that was sent."""
    return {"request_id": send(service.client(token).http, body()).json()["id"]}


def an_order(service: Service, _: UUID, token: str) -> dict[str, str]:
    """An order of one request."""
    return {"order_id": send(service.client(token).http, ORDER, path=ORDERS).json()["id"]}


ROWS = {
    ("POST", f"{REQUESTS}/price"): Row(200, json=body()),
    ("POST", REQUESTS): Row(201, KEY, body()),
    ("GET", REQUESTS): Row(200),
    ("GET", ONE): Row(200, make=a_request),
    ("PATCH", ONE): Row(412, {"If-Match": '"r9-0"'}, {"period_to": PERIOD["period_to"]}, make=a_request),
    ("GET", f"{ONE}/owners"): Row(200, make=a_request),
    ("POST", f"{ONE}/cancel"): Row(200, make=a_request),
    ("POST", f"{ONE}/renew"): Row(201, KEY, dict(PERIOD), make=a_request),
    ("POST", f"{ONE}/copy"): Row(201, KEY, dict(PERIOD), make=a_request),
    ("POST", ORDERS): Row(201, KEY, ORDER),
    ("GET", f"{ORDERS}/{{order_id}}"): Row(200, make=an_order),
}
