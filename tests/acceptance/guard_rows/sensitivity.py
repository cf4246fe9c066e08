"""Routes of sensitive lines."""

from uuid import UUID

from geoapi.routes.sensitivity import RULES, WITHHELD
from ler.db.engine import transaction
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.services.sensitivity import list_withheld, make_rule
from tests.acceptance.guard_rows.row import Row
from tests.sensitive_scene import ask_beside, withhold_something
from tests.service import Service

RESTRICTED = SensitivityRule(SensitivityClass.RESTRICTED, gml_ids=frozenset({"x"}))


def a_rule(service: Service, owner: UUID, _: str) -> dict[str, str]:
    with transaction(service.world.databases.app, owner) as connection:
        return {"rule_id": str(make_rule(connection, owner, RESTRICTED))}


def a_withheld_answer(service: Service, owner: UUID, _: str) -> dict[str, str]:
    place = withhold_something(service.world, owner, service.folder)
    ask_beside(service.world, place)
    with transaction(service.world.databases.app, owner) as connection:
        return {"answer_id": str(list_withheld(connection)[0].answer_id)}


ROWS = {
    ("GET", RULES): Row(200),
    ("POST", RULES): Row(201, {"Idempotency-Key": "k"}, {"class": "restricted", "gml_ids": ["x"]}),
    ("DELETE", RULES + "/{rule_id}"): Row(204, make=a_rule),
    ("GET", RULES + "/{rule_id}/shown"): Row(200, make=a_rule),
    ("POST", RULES + "/{rule_id}/end-links"): Row(200, make=a_rule),
    ("GET", WITHHELD): Row(200),
    ("GET", WITHHELD + "/{answer_id}"): Row(200, make=a_withheld_answer),
    ("POST", WITHHELD + "/{answer_id}/decision"): Row(200, json={"deliver": True}, make=a_withheld_answer),
}
