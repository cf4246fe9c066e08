"""Routes of what an owner asks for near its own lines: precautions and clearances."""

from uuid import UUID, uuid4

from conflicts.clearances import read_rule
from conflicts.owner_rules import add_owner_rule
from conflicts.owner_tables import read_table, set_table
from geoapi.routes.clearances import PATH as CLEARANCES
from geoapi.routes.precautions import PATH as PRECAUTIONS
from ler.db.engine import transaction
from tests.acceptance.guard_rows.row import Row
from tests.service import Service

ROW = {"priority": 1, "themes": ["el"], "da": "Ring", "en": "Call"}
RULE: dict[str, object] = {
    "id": "kept-clear",
    "clear": 2.0,
    "source": "our terms",
    "clause": "2",
    "verified": True,
    "da": "to meter",
    "en": "two metres",
}


def a_table(service: Service, owner: UUID, _: str) -> dict[str, str]:
    with transaction(service.world.databases.app, owner) as connection:
        set_table(connection, owner, read_table({"row": [ROW]}, {}), {})
    return {}


def a_rule(service: Service, owner: UUID, _: str) -> dict[str, str]:
    name = str(uuid4())
    with transaction(service.world.databases.app, owner) as connection:
        add_owner_rule(connection, owner, read_rule(RULE | {"id": name}))
    return {"rule": name}


ROWS = {
    # The address names nobody's: each has its own table there.
    ("GET", PRECAUTIONS): Row(200, make=a_table, shared=True),
    ("PUT", PRECAUTIONS): Row(200, {"If-Match": "*"}, {"table": {"row": [ROW]}}, make=a_table, shared=True),
    ("DELETE", PRECAUTIONS): Row(204, {"If-Match": "*"}, make=a_table, shared=True),
    ("GET", CLEARANCES): Row(200),
    ("POST", CLEARANCES): Row(201, {"Idempotency-Key": "k"}, RULE),
    ("GET", CLEARANCES + "/{rule}"): Row(200, make=a_rule),
    ("DELETE", CLEARANCES + "/{rule}"): Row(204, make=a_rule),
}
