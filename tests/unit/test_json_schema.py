"""The JSON schemas that are made of the model: what the reader gives is valid by them, what it refuses is not."""

import re
from pathlib import Path
from typing import Any

import pytest

from ler.model import VERSIONS, Feature, Kind, load_model
from ler.model.json_schema import DIALECT, VOID, feature_schema
from tests.answers import answer, read
from tests.official import SAMPLES, needs_samples

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "object": dict,
    "array": list,
}
KNOWN = {
    "type",
    "enum",
    "pattern",
    "maxLength",
    "minimum",
    "maximum",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "anyOf",
    "allOf",
    "title",
    "format",
    "$id",
    "$schema",
}


def is_type(value: Any, name: str) -> bool:  # noqa: ANN401 - a JSON value
    if name == "null":
        return value is None
    expected = TYPES[name]
    return isinstance(value, expected) and (name == "boolean" or not isinstance(value, bool))


def valid(schema: dict[str, Any], value: Any) -> bool:  # noqa: ANN401 - a JSON value
    """The keywords of draft 2020-12 that the schemas use, and no other."""
    assert {key for key in schema if not key.startswith("x-")} <= KNOWN
    names = schema.get("type", [])
    checks = [
        not names or any(is_type(value, name) for name in ([names] if isinstance(names, str) else names)),
        "enum" not in schema or value in schema["enum"],
        all(valid(one, value) for one in schema.get("allOf", [])),
        "anyOf" not in schema or any(valid(one, value) for one in schema["anyOf"]),
    ]
    if isinstance(value, str):
        checks.append(len(value) <= schema.get("maxLength", len(value)))
        checks.append(re.search(schema.get("pattern", ""), value) is not None)
    if isinstance(value, int | float):
        checks.append(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    if isinstance(value, list):
        checks.append(schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)))
        checks += [valid(schema.get("items", {}), one) for one in value]
    if isinstance(value, dict):
        known = schema.get("properties", {})
        checks.append(set(schema.get("required", [])) <= set(value))
        checks.append(schema.get("additionalProperties", True) or set(value) <= set(known))
        checks += [valid(known[name], one) for name, one in value.items() if name in known]
    return all(checks)


def properties(feature: Feature) -> dict[str, Any]:
    return feature.attributes | ({VOID: feature.voids} if feature.voids else {})


def water(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    path = folder / "in.gml"
    path.write_text(answer(), encoding="utf-8")
    model = load_model()
    return feature_schema(model.types["Vandledning"], model), properties(read(path)[0][0])


@needs_samples
def test_every_feature_of_the_sample_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "in.gml"
    path.write_bytes((SAMPLES / "answer_all_types_2.2.0.gml").read_bytes())
    model = load_model()
    for feature in read(path)[0]:
        schema = feature_schema(model.types[feature.type], model)
        assert valid(schema, properties(feature)), feature


@pytest.mark.parametrize("version", VERSIONS)
def test_schemas_hold_what_the_version_has(version: str) -> None:
    model = load_model(version)
    for feature_type in model.types.values():
        schema = feature_schema(feature_type, model)
        assert schema["$schema"] == DIALECT
        assert schema["$id"] == f"urn:ler:model:{version}:{feature_type.name}"
        assert schema["title"] == feature_type.label
        given = {a.name for a in feature_type.attributes if a.kind is not Kind.GEOMETRY}
        voids = {VOID} if any(a.void for a in feature_type.attributes) else set()
        assert set(schema["properties"]) == given | voids


def test_units_codes_and_labels_are_told() -> None:
    model = load_model()
    known = feature_schema(model.types["Vandkomponent"], model)["properties"]
    assert known["vejledendeDybde"] == {"title": "indicative depth", "type": "number", "x-unit": "mm"}
    assert known["topkote"]["x-unit"] == "m"
    assert known["driftsstatus"]["x-labels"]["i drift"] == "in operation"
    assert known["driftsstatus"]["enum"] == list(known["driftsstatus"]["x-labels"])
    assert known["tilknyttetLedning"]["items"] == {"type": "string", "x-refers-to": "Ledning"}


WRONG: dict[str, dict[str, Any]] = {
    "unknown attribute": {"farve": "blå"},
    "code that is not in the list": {"driftsstatus": "i fart"},
    "text for a number": {"udvendigDiameter": "110"},
    "too long": {"id": "x" * 37},
    "share above one": {"udnyttelsesgrad": 1.5},
    "one for a list": {"udvendigFarve": "blå"},
    "time that is none": {"etableringstidspunkt": "i går"},
    "void that may not be": {VOID: {"id": None}},
    "another reason": {VOID: {"fareklasse": "glemt"}},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_what_the_reader_refuses_is_not_valid(tmp_path: Path, wrong: dict[str, Any]) -> None:
    schema, given = water(tmp_path)
    assert valid(schema, given)
    assert not valid(schema, given | wrong)


def test_what_must_be_given_may_be_void_where_the_model_lets_it(tmp_path: Path) -> None:
    schema, given = water(tmp_path)
    without = {name: value for name, value in given.items() if name != "driftsstatus"}
    assert not valid(schema, without)
    assert valid(schema, without | {VOID: {"driftsstatus": "unknown"}})
    assert not valid(schema, {n: v for n, v in given.items() if n != "etableringstidspunkt"})


def test_open_lists_admit_other_words() -> None:
    model = load_model()
    kind = feature_schema(model.types["Afloebskomponent"], model)["properties"]["type"]
    assert [valid(kind, value) for value in ("brønd", "other: sø", "other: to ord", "other: a-b", "sø")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_contact_stands_inside() -> None:
    model = load_model()
    contact = feature_schema(model.types["Vandledning"], model)["properties"][
        "kontaktprofilTilTekniskeSpoergsmaal"
    ]
    assert valid(contact, {"gml_id": "k.1", "navn": "Drift"})
    assert not valid(contact, {"gml_id": "k.1"})
