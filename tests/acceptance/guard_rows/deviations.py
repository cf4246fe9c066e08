"""Routes of deviations: each is called by who reported a line that nobody has shown, and that nobody else may own."""

from uuid import UUID, uuid4

from tests.acceptance.guard_rows.row import Row
from tests.photographs import photograph
from tests.service import Service

DEVIATIONS = "/api/v1/deviations"
ONE = DEVIATIONS + "/{deviation_id}"
PHOTO = ONE + "/photos/{number}/content"
PNG = photograph("PNG")
UNKNOWN: dict[str, object] = {
    "kind": "unknown",
    # Where no other row registers an interest area: its owner would be offered the line, and may then see it.
    "geometry": {"type": "Point", "coordinates": [450000, 6300000, 1.5]},
    "measured_on": "2026-05-04",
}


def a_deviation(service: Service, _: UUID, token: str) -> dict[str, str]:
    """A line that nobody has shown."""
    made = service.client(token).http.post(DEVIATIONS, json=UNKNOWN, headers={"Idempotency-Key": uuid4().hex})
    return {"deviation_id": made.json()["id"]}


def a_photo(service: Service, owner: UUID, token: str) -> dict[str, str]:
    """One with a photograph."""
    # As long as an id: the test compares the lengths of answers that quote it.
    names = a_deviation(service, owner, token) | {"number": f"{7:036}"}
    service.client(token).http.put(PHOTO.format(**names), content=PNG, headers={"Content-Type": "image/png"})
    return names


ROWS = {
    ("POST", DEVIATIONS): Row(201, {"Idempotency-Key": "k"}, UNKNOWN),
    ("GET", DEVIATIONS): Row(200),
    ("GET", ONE): Row(200, make=a_deviation),
    **{
        ("POST", f"{ONE}/{event}"): Row(404, json={}, make=a_deviation)
        for event in ("acknowledge", "accept", "reject")
    },
    ("POST", f"{ONE}/correct"): Row(404, json={"version": 1}, make=a_deviation),
    ("POST", f"{ONE}/withdraw"): Row(200, make=a_deviation),
    ("POST", f"{ONE}/claim"): Row(404, json={"mine": True}, make=a_deviation),
    ("PUT", PHOTO): Row(201, {"Content-Type": "image/png"}, content=PNG, make=a_photo),
    ("GET", PHOTO): Row(200, make=a_photo),
}
