"""The model as data against the official schemas, in both directions, for every published version."""

from typing import Any

import pytest
from lxml import etree

from ler.model import VERSIONS, Attribute, FeatureType, Kind, load_model
from tests.official import HOME, needs_schemas

XS = "{http://www.w3.org/2001/XMLSchema}"
PARTS = {"ler": "ler", "dimensions": "dim", "annotations": "ann"}
SHARE = r"0(\.\d{1,2})?|1(\.0{1,2})?"
OPEN = r"other: \w{2,}"
GEOMETRY = {
    "curve": "gml:CurvePropertyType",
    "curves": "gml:MultiCurvePropertyType",
    "point": "gml:PointPropertyType",
    "any": "gml:GeometryPropertyType",
}
SIMPLE = {
    Kind.INTEGER: "integer",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "dateTime",
    Kind.TIME: "gml:TimePositionType",
    Kind.MEASURE: "gml:MeasureType",
    Kind.LEVEL: "gml:DirectPositionType",
    Kind.URI: "anyURI",
    Kind.LITERAL: "dcterms",
    Kind.FORMAT: "gmx:MimeFileType_Type",
    Kind.TEXT: "string",
    Kind.SHARE: "decimal",
    Kind.REFERENCE: "gml:ReferenceType",
    Kind.INLINE: None,
}

pytestmark = [needs_schemas, pytest.mark.parametrize("version", VERSIONS)]


def official_parts(version: str) -> list[tuple[str, etree._Element]]:
    stem = version.rpartition(".")[0]
    folder = HOME / "xsd" / version
    return [(ns, etree.parse(folder / f"{stem}_{part}.xsd").getroot()) for part, ns in PARTS.items()]


def official_types(version: str) -> dict[str, dict[str, Any]]:
    types: dict[str, dict[str, Any]] = {}
    for namespace, root in official_parts(version):
        elements = {e.attrib["name"]: e for e in root.findall(f"{XS}element")}
        for name, element in elements.items():
            extension = root.find(f"{XS}complexType[@name='{name}Type']/{XS}complexContent/{XS}extension")
            assert extension is not None
            types[name] = {
                "namespace": namespace,
                "abstract": element.get("abstract") == "true",
                "parent": element.attrib["substitutionGroup"].rpartition(":")[2],
                "properties": [official_property(e) for e in extension.findall(f"{XS}sequence/{XS}element")],
            }
    return types


def official_property(element: etree._Element) -> dict[str, Any]:
    """One element declaration as a flat description."""
    name = element.get("name") or element.attrib["ref"]
    restriction = next(element.iter(f"{XS}restriction"), None)
    extension = next(element.iter(f"{XS}extension"), None)
    inline = [e.attrib["ref"].rpartition(":")[2] for e in element.iter(f"{XS}element") if e is not element]
    base = element.get("type") or (restriction if restriction is not None else extension)
    kind = base if base is None or isinstance(base, str) else base.attrib["base"]
    length = element.find(f".//{XS}maxLength")
    pattern = element.find(f".//{XS}pattern")
    target = element.find(".//{http://www.opengis.net/gml/3.2}targetElement")
    return {
        "name": name.rpartition(":")[2],
        "type": "dcterms" if name.startswith("dcterms:") else kind,
        "min": element.get("minOccurs", "1"),
        "max": element.get("maxOccurs", "1"),
        "void": element.get("nillable") == "true",
        "length": None if length is None else length.get("value"),
        "pattern": None if pattern is None else pattern.get("value"),
        "target": inline[0] if inline else None if target is None else str(target.text).rpartition(":")[2],
    }


def described(attribute: Attribute) -> dict[str, Any]:
    """One attribute of our model in the words of the official schema."""
    kind = attribute.kind
    length = {Kind.TEXT: str(attribute.max_length) if attribute.max_length else None, Kind.FORMAT: "7"}.get(
        kind
    )
    target = None if attribute.target in {"", "AbstractFeature"} else attribute.target
    return {
        "name": attribute.name,
        "type": official_type_name(attribute),
        "min": str(attribute.min_count),
        "max": "unbounded" if attribute.max_count == 0 else str(attribute.max_count),
        "void": attribute.void,
        "length": length,
        "pattern": SHARE if kind is Kind.SHARE else None,
        "target": target,
    }


def official_type_name(attribute: Attribute) -> str | None:
    if attribute.code_list:
        return f"{attribute.namespace}:{attribute.code_list.name}Type"
    return GEOMETRY[attribute.geometry] if attribute.geometry else SIMPLE[attribute.kind]


def own_attributes(feature_type: FeatureType, inherited: int) -> list[dict[str, Any]]:
    return [described(attribute) for attribute in feature_type.attributes[inherited:]]


def test_types_and_attributes_are_the_official_ones(version: str) -> None:
    model = load_model(version)
    official = official_types(version)
    assert set(model.types) - {"AbstractFeature"} == set(official)
    for name, wanted in official.items():
        feature_type = model.types[name]
        parent = feature_type.ancestors[0]
        assert (feature_type.namespace, feature_type.abstract, parent) == (
            wanted["namespace"],
            wanted["abstract"],
            wanted["parent"],
        ), name
        properties = [p for p in wanted["properties"] if not p["name"].endswith("Member")]
        assert own_attributes(feature_type, len(model.types[parent].attributes)) == properties, name


def test_members_are_the_official_ones(version: str) -> None:
    properties = official_types(version)["Graveforespoergselssvar"]["properties"]
    members = {p["name"]: p["target"] for p in properties if p["name"].endswith("Member")}
    assert dict(load_model(version).members) == members
    assert list(load_model(version).members) == list(members)


def test_code_lists_are_the_official_ones(version: str) -> None:
    official: dict[str, tuple[set[str], bool]] = {}
    for _, root in official_parts(version):
        simple = {e.attrib["name"]: e for e in root.findall(f"{XS}simpleType")}
        for name, element in simple.items():
            values = {e.attrib["value"] for e in element.iter(f"{XS}enumeration")}
            if not values:
                continue
            stem = name.removesuffix("EnumerationType")
            opened = stem != name
            if opened:
                pattern = simple[f"{stem}OtherType"].find(f".//{XS}pattern")
                assert pattern is not None
                assert pattern.get("value") == OPEN
            official[stem if opened else name.removesuffix("Type")] = values, opened
    model = load_model(version)
    used = {a.code_list.name for t in model.types.values() for a in t.attributes if a.code_list}
    assert {c.name: (set(c.values), c.open) for c in model.code_lists.values() if c.name in used} == official
