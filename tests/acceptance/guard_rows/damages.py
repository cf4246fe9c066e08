"""Routes of damages."""

from uuid import UUID, uuid4

from tests.acceptance.guard_rows.row import Row
from tests.service import Service

DAMAGES = "/api/v1/damages"
DAMAGE: dict[str, object] = {
    "reference": "S-1",
    "utility_type": "vand",
    "happened_on": "2026-05-04",
    "place": {"type": "Point", "coordinates": [575000, 6224000]},
    "cause": "no-request",
    "caused_by": "excavator",
}


def a_damage(service: Service, _: UUID, token: str) -> dict[str, str]:
    """A damage that was reported."""
    made = service.client(token).http.post(
        DAMAGES, json=DAMAGE | {"reference": uuid4().hex}, headers={"Idempotency-Key": uuid4().hex}
    )
    return {"damage_id": made.json()["id"]}


ROWS = {
    ("POST", DAMAGES): Row(201, {"Idempotency-Key": "k"}, DAMAGE),
    ("POST", DAMAGES + "/bulk"): Row(201, {"Idempotency-Key": "k"}, {"damages": [DAMAGE]}),
    ("GET", DAMAGES): Row(200),
    ("GET", DAMAGES + "/years"): Row(200),
    ("PUT", DAMAGES + "/years"): Row(200, json={"year": 2024, "no_damages": True}),
    ("GET", DAMAGES + "/{damage_id}"): Row(200, make=a_damage),
    ("POST", DAMAGES + "/{damage_id}/withdraw"): Row(200, make=a_damage),
}
