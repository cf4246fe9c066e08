"""The service against its own OpenAPI document, and the abstract tests /conf/oas30 of Features 1.

What is in the document is what there is: each parameter that is read, each collection that is seen, each status and
schema that is answered.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from geoapi.ogc.collections import all_collections, visible_collections
from geoapi.ogc.openapi import document
from geoapi.ogc.processes.registry import PROCESSES
from geoapi.ogc.query import ITEM, ITEMS
from geoapi.ogc.record_query import RECORDS
from ler.domain.access import Scope
from tests.conformance.scene import Suite, resolved

type Node = dict[str, Any]

PAGES = (
    *("/", "/conformance", "/openapi", "/collections", "/collections/{collectionId}"),
    *(f"/collections/{{collectionId}}/{name}" for name in ("queryables", "schema", "sortables")),
)
FEATURES = tuple(
    f"/collections/{name}/items{rest}"
    for name in ("network", "requests", "traces", "quality")
    for rest in ("", "/{featureId}")
)
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def parsed(scopes: frozenset[Scope]) -> Node:
    root, processes = "https://ler.example/ogc", tuple(PROCESSES.values())
    found: Node = json.loads(document(root, visible_collections(scopes), processes, "da"))
    return found


def operations(found: Node) -> Iterator[tuple[str, Node]]:
    """The path of each operation, and what is said of it."""
    for path, methods in found["paths"].items():
        for name, one in methods.items():
            if name != "parameters":
                yield path, one


def references(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("scopes", [frozenset(), frozenset({Scope("network:read")}), frozenset(Scope)])
def test_conf_oas30_oas_definition(scopes: frozenset[Scope]) -> None:
    """Valid, whole in itself, and of what the caller sees."""
    found = parsed(scopes)
    validate(found)
    assert all(one.startswith("#/") for one in references(found))
    assert all(resolved(found, {"$ref": one}) for one in references(found))
    listed = {path.split("/")[2] for path in found["paths"] if path.endswith("/items")}
    assert listed == {one.name for one in visible_collections(scopes)}
    names = [one["operationId"] for _, one in operations(found)]
    assert len(names) == len({*names})


def test_conf_oas30_completeness() -> None:
    """Every parameter that is read is described, and no other; none of any name."""
    found = parsed(frozenset(Scope))
    for name, one in all_collections().items():
        if one.record:
            continue  # what records are asked by stands in `test_records.py`
        more = {"as-of"} if one.pinned else set()
        asked = ITEMS | (RECORDS if one.record else frozenset())
        for path, known in (
            (f"/collections/{name}/items", asked | more | ({*one.queryables} - {"geom"})),
            (f"/collections/{name}/items/{{featureId}}", ITEM | more | {"featureId"}),
        ):
            given = [resolved(found, each) for each in found["paths"][path]["get"]["parameters"]]
            sortable = set() if one.sortables else {"sortby"}
            assert {each["name"] for each in given} == known - sortable
            assert all(each["schema"].get("type") != "object" for each in given)


def test_conf_oas30_exceptions_codes_and_security() -> None:
    found = parsed(frozenset(Scope))
    for path, one in operations(found):
        answers = [resolved(found, each) for status, each in one["responses"].items() if status[0] in "45d"]
        assert answers, path
        assert all("application/problem+json" in each["content"] for each in answers), path
        needed = one["security"] if "security" in one else found["security"]
        name = path.split("/")[2] if path.count("/") > 2 else ""
        if name in all_collections() and one["operationId"].startswith(("item.", "items.")):
            assert ({} in needed) == (all_collections()[name].scope is None), path
    schemes = found["components"]["securitySchemes"].values()
    assert {one["scheme"] for one in schemes} == {"bearer", "basic"}


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.name
)
@pytest.mark.parametrize("path", [*PAGES, *FEATURES])
def test_conf_oas30_oas_impl(suite: Suite, path: str, mode: GenerationMode) -> None:
    """Whatever is sent is answered as it is described, and never by a fault of ours."""
    described = schemathesis.openapi.from_dict(suite.api)
    operation = described[path]["get"]
    token = suite.http.headers["Authorization"]

    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=6,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    def answered(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(
            base_url=suite.api["servers"][0]["url"],
            headers={"Authorization": token},
            checks=CHECKS,
            timeout=30,
        )

    answered()
