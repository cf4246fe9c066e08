"""Notices and the places to which they are sent."""

from uuid import UUID, uuid4

from tests.acceptance.guard_rows.row import Row
from tests.service import Service

PATH = "/api/v1/notice-endpoints"
ONE = f"{PATH}/{{endpoint_id}}"
MAIL = {"email": "somebody@example.dk"}


def endpoint(service: Service, owner: UUID, token: str) -> dict[str, str]:
    """An address of e-mail that awaits its confirmation."""
    del owner
    made = service.client(token).http.post(PATH, json=MAIL, headers={"Idempotency-Key": uuid4().hex})
    assert made.status_code == 201, made.text
    return {"endpoint_id": made.json()["id"]}


ROWS = {
    ("GET", "/api/v1/notices"): Row(200),
    # A stream lasts as long as its reader; what it begins with is told before it opens.
    ("GET", "/api/v1/events"): Row(400, query={"after": "-1"}),
    ("GET", "/api/v1/feeds/notices.atom"): Row(200),
    ("GET", "/api/v1/feeds/deadlines.ics"): Row(200),
    ("GET", PATH): Row(200),
    ("POST", PATH): Row(201, {"Idempotency-Key": "k"}, dict(MAIL)),
    ("GET", ONE): Row(200, make=endpoint),
    ("PATCH", ONE): Row(409, json={"in_use": True}, make=endpoint),
    ("DELETE", ONE): Row(204, make=endpoint),
    ("GET", f"{ONE}/deliveries"): Row(200, make=endpoint),
    ("POST", f"{ONE}/confirm"): Row(400, json={"code": "WRONG"}, make=endpoint),
    ("POST", f"{ONE}/secret"): Row(409, make=endpoint),
    ("POST", f"{ONE}/test"): Row(409, make=endpoint),
}
