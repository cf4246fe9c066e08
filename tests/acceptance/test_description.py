"""The service against its own description: what OpenAPI lets a caller send is never answered by a fault of ours.

Cases are made from the description - such as it allows and such as it does not - for every operation, with ids of things
that are there and ids of nothing; each answer must be one that the description knows.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from geoapi.app import PUBLIC, create_app
from geoapi.database import Databases
from geoapi.description import OTHER_FORMS
from ler.db.engine import create_engine
from ler.db.reading import ReadPool
from ler.settings import Settings
from tests.acceptance.guard_rows import ROWS
from tests.service import Service


def document() -> dict[str, Any]:
    engine = create_engine("postgresql+psycopg://nobody@/nothing")
    described = create_app(Settings(), Databases(engine, engine, ReadPool("", size=1))).openapi()
    engine.dispose()
    return described


SERVICE_SETTINGS = {"LER_LONGEST_STREAM_S": "0.5"}
"""An answer that is a stream must come to its end to be looked at."""

DESCRIPTION = document()
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
OPERATIONS = [
    pytest.param(method, path, mode, id=f"{method.upper()} {path} {mode.name.lower()}")
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in sorted(methods.items())
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    # Any text may stand in the address of a public route, and what takes nothing cannot be sent anything wrong.
    if mode is GenerationMode.POSITIVE
    or operation.get("requestBody")
    or (path not in PUBLIC and operation.get("parameters"))
]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def references(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_every_reference_of_the_description_leads_somewhere() -> None:
    for reference in references(DESCRIPTION):
        found: Any = DESCRIPTION
        assert reference.startswith("#/")
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def test_other_forms_are_told_of_paths_that_are_there() -> None:
    assert not OTHER_FORMS.keys() - DESCRIPTION["paths"].keys()


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [one["operationId"] for methods in DESCRIPTION["paths"].values() for one in methods.values()]
    assert len(names) == len({*names})


def test_every_operation_tells_its_problems_and_who_may_call() -> None:
    for path, methods in DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            assert "application/problem+json" in operation["responses"]["default"]["content"], (method, path)
            guarded = (method.upper(), path) in ROWS
            assert bool(operation.get("security")) == guarded, (method, path)


@pytest.mark.parametrize(("method", "path", "mode"), OPERATIONS)
def test_whatever_is_sent_is_answered_as_described(
    service: Service, method: str, path: str, mode: GenerationMode
) -> None:
    owner = service.owner()
    token = service.token(owner)
    row = ROWS.get((method.upper(), path))
    names = row.make(service, owner, token) if row and row.make else {}
    operation = SCHEMA[path][method]

    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    def answered(case: schemathesis.Case[Any], real: bool) -> None:  # noqa: FBT001 - given by the strategy
        if real and names:
            case.path_parameters = {**(case.path_parameters or {}), **names}
        case.call_and_validate(
            base_url=service.url, headers={"Authorization": f"Bearer {token}"}, checks=CHECKS, timeout=30
        )

    answered()


@pytest.mark.parametrize("cost", ["dear", "NaN", "1e400", 1e300, 0.001, [], True])
def test_a_cost_that_is_none_is_the_callers_fault(service: Service, cost: object) -> None:
    place = {"type": "Point", "coordinates": [575000, 6224000]}
    body: dict[str, object] = {"reference": "1", "utility_type": "el", "happened_on": "2026-11-01"}
    body |= {"place": place, "cause": "x", "caused_by": "x", "administration_cost": None, "repair_cost": cost}
    answer = service.program().http.post("/api/v1/damages", json=body, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 400, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/repair_cost"]


def test_the_name_of_the_service_leads_to_its_pages(service: Service) -> None:
    answer = service.client(None).http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ogc/")
