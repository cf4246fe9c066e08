"""Mappings: what they say is checked against the model, by line and key; whatever stands in a cell, nothing breaks."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.mapping import parse_mapping, read_mapping
from ingest.mapping.cells import CellReader, Meaning, Notation, Outcome, cell_text, split_text
from ingest.mapping.document import MAX_BYTES
from ingest.mapping.rules import AttributeRule
from ingest.rules.catalogue import load_rules
from ler.errors import RefusedError
from ler.model import Kind, load_model
from ler.packages.exports.tables import ESCAPE, SEPARATOR, list_text, sheet_safe

MODEL = load_model()
HEAD = "mapping: 1\nlayers:\n  - layer: rør\n    type: Vandledning\n    id: NR\n"
ATTRIBUTES = f"{HEAD}    attributes:\n"

BAD = {
    "nothing": ("", "the file is empty"),
    "no YAML": ("a: [", "line 1: not YAML"),
    "no table": ("- a", "line 1: wanted a table"),
    "no version": ("layers: []", "line 1: the key mapping is missing"),
    "another version": ("mapping: 2\nlayers: []", "line 1, mapping: wanted one of: 1"),
    "no layers": ("mapping: 1", "the key layers is missing"),
    "unknown key": ("mapping: 1\nlayer: x\nlayers: []", "line 2, layer: unknown key"),
    "key twice": (HEAD + "    id: X\n", "line 6: the key id stands twice"),
    "alias": ("mapping: &a 1\nlayers: [*a]", "line 1: anchors and aliases"),
    "tag": ("mapping: !!python/object/apply:os.system [ls]\nlayers: []", "line 1: the tag"),
    "deep": ("mapping: 1\nlayers: " + "[" * 50 + "]" * 50, "deeper"),
    "control character": ("mapping: 1\nlayers: \x00", "not YAML"),
    "unknown model": ("mapping: 1\nmodel: 3.0.0\nlayers: []", "line 2, model: wanted one of: 2.0.0"),
    "unknown type": (HEAD.replace("Vandledning", "Vandledningg"), "line 4.*did you mean Vandledning"),
    "abstract type": (HEAD.replace("Vandledning", "Roerledning"), "line 4.*no feature type Roerledning"),
    "no type": ("mapping: 1\nlayers:\n  - layer: x\n    id: a", "line 3.*the key type is missing"),
    "no id": ("mapping: 1\nlayers:\n  - layer: x\n    type: Vandledning", "line 3.*the key id is missing"),
    "unknown attribute": (ATTRIBUTES + "      driftstatus: X", "line 7.*did you mean driftsstatus"),
    "geometry": (ATTRIBUTES + "      geometri: X", "line 7.*needs no rule"),
    "unknown code": (
        ATTRIBUTES + "      driftsstatus: {column: S, codes: {1: i fart}}",
        "line 7, .*codes.1: driftsstatus cannot be 'i fart'; wanted: under etablering | i drift",
    ),
    "wrong constant": (ATTRIBUTES + "      driftsstatus: {constant: i fart}", "line 7.*cannot be 'i fart'"),
    "impossible constant": (ATTRIBUTES + "      etableringstidspunkt: {constant: 2026-02-30}", "line 7"),
    "long constant": (ATTRIBUTES + f"      id: {{constant: {'x' * 37}}}", "line 7.*36"),
    "unknown unit": (
        ATTRIBUTES + "      udvendigDiameter: {column: D, unit: mile}",
        "unit.*mm | cm | dm | m | in",
    ),
    "unit of a text": (ATTRIBUTES + "      id: {column: D, unit: m}", "unit.*no unit"),
    "split of one": (ATTRIBUTES + '      id: {column: D, split: ";"}', "split: id holds one value only"),
    "date of a text": (ATTRIBUTES + '      id: {column: D, date: "%Y"}', "date: id is no date"),
    "void where none may be": (ATTRIBUTES + "      id: {void: true}", "void: id may not be void"),
    "void in an old version": (
        ATTRIBUTES.replace("layers", "model: 2.0.1\nlayers") + "      vejledendeDybde: {void: true}",
        "may not be void in this version",
    ),
    "attribute of a later version": (
        ATTRIBUTES.replace("layers", "model: 2.0.1\nlayers") + "      noejagtighedsklasseVertikal: X",
        "LER 2.0.1: no attribute noejagtighedsklasseVertikal in Vandledning",
    ),
    "rule of nothing": (ATTRIBUTES + "      id: {join: x}", "wanted a column, a constant"),
    "unknown field": (
        ATTRIBUTES + "      kontaktprofilTilTekniskeSpoergsmaal: {fields: {name: X}}",
        "Kontaktprofil has no attribute name",
    ),
    "unknown crs": ("mapping: 1\ncrs: EPSG:999999\nlayers: []", "line 2, crs: .*not supported"),
    "crs without a grid": ("mapping: 1\ncrs: EPSG:10160\nlayers: []", "line 2, crs: .*grid"),
    "unknown encoding": ("mapping: 1\nencoding: ebcdic-x\nlayers: []", "line 2, encoding"),
    "separator of two": ("mapping: 1\ncsv: {separator: ab}\nlayers: []", "line 2, csv.separator"),
    "thousands and decimals alike": ('mapping: 1\ndecimal: ","\nthousands: ","\nlayers: []', "line 3"),
    "height of a word": ("mapping: 1\nheights: {unknown: [deep]}\nlayers: []", "line 2.*wanted a number"),
    "truth of a word": ("mapping: 1\nstrip: perhaps\nlayers: []", "line 2, strip: wanted true or false"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_mapping_is_refused_with_its_line_and_key(case: str) -> None:
    text, words = BAD[case]
    with pytest.raises(RefusedError, match=words.replace(" | ", r" \| ").replace("(", r"\(")) as refused:
        parse_mapping(text)
    assert refused.value.code == "mapping-invalid"
    assert str(refused.value).startswith("mapping.yaml")


def test_a_mapping_that_is_too_large_or_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    for content in (b"#" * (MAX_BYTES + 1), b"mapping: \xff"):
        path.write_bytes(content)
        with pytest.raises(RefusedError) as refused:
            read_mapping(path)
        assert refused.value.code == "mapping-invalid"
    with pytest.raises(RefusedError, match=r"gone\.yaml"):
        read_mapping(tmp_path / "gone.yaml")


def test_codes_are_what_stands_in_the_file_and_not_what_yaml_makes_of_it() -> None:
    codes = "{no: i drift, 01: under etablering, 1: -, 2.0: ~, null: i drift}"
    mapping = parse_mapping(f"{ATTRIBUTES}      driftsstatus: {{column: S, codes: {codes}}}")
    assert mapping.layers[0].attributes["driftsstatus"].codes == {
        "no": "i drift",
        "01": "under etablering",
        "1": None,
        "2.0": None,
        "null": "i drift",
    }


def read(name: str, cell: object, notation: Notation | None = None, **rule: Any) -> Outcome:  # noqa: ANN401 - fields of any kind
    """What a cell becomes as an attribute of a water pipe or its component."""
    feature_type = next(
        t
        for t in (MODEL.types[n] for n in ("Vandledning", "Vandkomponent", "Gasledning", "AndenLedning"))
        if any(a.name == name for a in t.attributes)
    )
    attribute = feature_type.attribute(name)
    target = MODEL.types[attribute.target] if attribute.kind is Kind.INLINE else None
    whole = AttributeRule(name, 1, ("X",), **rule)
    return CellReader(attribute, whole, notation or Notation(), target).read(cell)


DANISH = Notation(decimal=",", thousands=".")
GOOD: dict[str, tuple[Outcome, object]] = {
    "code": (read("driftsstatus", "i drift"), "i drift"),
    "owner's code": (read("driftsstatus", 1, codes={"1": "i drift"}), "i drift"),
    "owner's code as a real number": (read("driftsstatus", 1.0, codes={"1": "i drift"}), "i drift"),
    "open code": (read("forsyningsart", "other: brint"), "other: brint"),
    "number": (read("udvendigDiameter", 110), 110.0),
    "number as text": (read("udvendigDiameter", "110.5"), 110.5),
    "metres": (read("udvendigDiameter", 0.11, unit="m"), 110.0),
    "metres without noise": (read("udvendigDiameter", "0.29", unit="m"), 290.0),
    "decimal comma": (read("udvendigDiameter", "1.100,5", DANISH), 1100.5),
    "thousands": (read("udvendigDiameter", "-1.234.567,5", DANISH), -1234567.5),
    "no thousands": (read("udvendigDiameter", "110,5", DANISH), 110.5),
    "percent": (read("udnyttelsesgrad", 33, unit="%"), 0.33),
    "pressure": (read("tryk", 400, unit="kPa"), 4.0),
    "truth": (read("liggerILedning", "1"), True),
    "truth as a real number": (read("liggerILedning", 0.0), False),
    "owner's truth": (read("liggerILedning", "J", codes={"J": "true", "N": "false"}), True),
    "year": (read("etableringstidspunkt", 1987), "1987"),
    "year as a real number": (read("etableringstidspunkt", 1987.0), "1987"),
    "Danish date": (read("etableringstidspunkt", "13-05-2024", dates=("%d-%m-%Y",)), "2024-05-13"),
    "month": (read("etableringstidspunkt", "05.2024", dates=("%d.%m.%Y", "%m.%Y")), "2024-05"),
    "before": (read("etableringstidspunkt", "before 2001"), "before 2001"),
    "moment with a blank": (read("registreringFra", "2024-05-13 10:00:00"), "2024-05-13T10:00:00"),
    "list": (read("udvendigFarve", "rød, blå", split=","), ["rød", "blå"]),
    "reference": (read("startkomponent", 17, prefix="k-"), "k-17"),
    "level": (read("topkote", "12.5"), 12.5),
    "unknown level": (read("topkote", "-9999", unknown=frozenset({"-9999"})), None),
    "blanks": (read("udvendigMateriale", "  PVC "), "PVC"),
    "blanks that are kept": (read("udvendigMateriale", " PVC ", Notation(strip=False)), " PVC "),
    "apostrophe of a spreadsheet": (read("udvendigMateriale", "'=1", Notation(spreadsheet=True)), "=1"),
    "apostrophe of an owner": (
        read("udvendigMateriale", "'s-Hertog", Notation(spreadsheet=True)),
        "'s-Hertog",
    ),
    "emoji": (read("udvendigMateriale", "🚰"), "🚰"),
    "default": (read("driftsstatus", None, constant="i drift"), "i drift"),
    "JSON list": (read("udvendigFarve", '["a;b", "c"]', json=True), ["a;b", "c"]),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_cell_becomes_a_value(case: str) -> None:
    outcome, value = GOOD[case]
    assert (outcome.meaning, outcome.value) == (Meaning.VALUE, value)
    assert type(outcome.value) is type(value)


FAULTS: dict[str, tuple[Outcome, str]] = {
    "code": (read("driftsstatus", "I DRIFT"), "attribute-code"),
    "number for a code": (read("driftsstatus", 3), "attribute-code"),
    "owner's unknown code": (read("driftsstatus", "9", codes={"1": "i drift"}), "mapping-code-unknown"),
    "long": (read("id", "x" * 37), "text-too-long"),
    "endless": (read("sikkerhedshensyn", "x" * 20_000), "text-too-long"),
    "comma": (read("udvendigDiameter", "110,5"), "attribute-value"),
    "point for a comma": (read("udvendigDiameter", "110.5", Notation(decimal=",")), "attribute-value"),
    "point for a comma, and for thousands": (read("udvendigDiameter", "1.5", DANISH), "attribute-value"),
    "thousands after the comma": (read("udvendigDiameter", "1,500.000", DANISH), "attribute-value"),
    "words": (read("udvendigDiameter", "110 mm"), "attribute-value"),
    "infinite": (read("udvendigDiameter", float("inf")), "attribute-value"),
    "written infinite": (read("udvendigDiameter", "1e400"), "attribute-value"),
    "endless integer": (read("udvendigDiameter", 10**400), "attribute-value"),
    "other digits": (read("udvendigDiameter", "١١٠"), "attribute-value"),
    "half a truth": (read("liggerILedning", 0.5), "attribute-value"),
    "share over one": (read("udnyttelsesgrad", 1.5), "attribute-value"),
    "impossible date": (read("etableringstidspunkt", "2026-02-30"), "date-impossible"),
    "impossible Danish date": (
        read("etableringstidspunkt", "30-02-2026", dates=("%d-%m-%Y",)),
        "date-impossible",
    ),
    "infinity": (read("etableringstidspunkt", "infinity"), "attribute-value"),
    "24:00": (read("registreringFra", "2024-05-13T24:00:00+15:00"), "attribute-value"),
    "NUL": (read("udvendigMateriale", "a\x00b"), "text-invalid"),
    "lone surrogate": (read("udvendigMateriale", "a\ud800b"), "text-invalid"),
    "control character": (read("udvendigMateriale", "a\x1bb"), "text-invalid"),
    "reference with a blank": (read("startkomponent", "k 1"), "gml-id-invalid"),
    "no JSON": (read("udvendigFarve", "[1", json=True), "attribute-value"),
    "strange contact": (
        read("kontaktprofilTilTekniskeSpoergsmaal", '{"navn": 1}', json=True),
        "attribute-value",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_cell_that_cannot_be_read_is_a_finding(case: str) -> None:
    outcome, code = FAULTS[case]
    assert (outcome.meaning, outcome.code) == (Meaning.FAULT, code)
    assert len(outcome.found) <= 61
    outcome.found.encode()


@pytest.mark.parametrize("cell", [None, "", "   ", float("nan"), "n/a"])
def test_a_cell_of_nothing_is_absent(cell: object) -> None:
    assert read("udvendigMateriale", cell, absent=frozenset({"n/a"})).meaning is Meaning.ABSENT


def test_what_nobody_knows_is_void() -> None:
    assert read("fareklasse", "9", unknown=frozenset({"9"})).meaning is Meaning.VOID
    assert read("fareklasse", None, void=True).meaning is Meaning.VOID


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec=None)),
    st.dates(),
    st.datetimes(),
    st.lists(st.text(), max_size=3),
    st.from_regex(r"-?\d{1,4}[-./,]\d{1,4}[-./, ]?\d{0,4}"),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2).map(json.dumps),
)
ALL = [(t.name, a.name) for t in MODEL.concrete() for a in t.attributes if a.kind is not Kind.GEOMETRY]
RULES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "codes": st.dictionaries(st.text(max_size=3), st.one_of(st.none(), st.text(max_size=8)), max_size=3),
        "split": st.sampled_from([";", ", ", "|"]),
        "json": st.booleans(),
        "prefix": st.sampled_from(["", "k-", "1"]),
        "dates": st.sampled_from(
            [("%d-%m-%Y",), ("%Y%m%d", "%y"), ("%Q",), ("%",), ("%Y-%m-%dT%H:%M:%S%z",)]
        ),
        "void": st.booleans(),
    },
)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(ALL), CELLS, RULES, st.sampled_from([Notation(), DANISH, Notation(spreadsheet=True)]))
def test_whatever_the_cell_there_is_a_value_or_a_finding(
    where: tuple[str, str], cell: object, rule: dict[str, Any], notation: Notation
) -> None:
    attribute = MODEL.types[where[0]].attribute(where[1])
    target = MODEL.types[attribute.target] if attribute.kind is Kind.INLINE else None
    outcome = CellReader(attribute, AttributeRule(where[1], 1, ("X",), **rule), notation, target).read(cell)
    if outcome.meaning is Meaning.FAULT:
        assert outcome.code in load_rules()
        outcome.found.encode()
    if outcome.meaning is Meaning.VALUE:
        text = json.dumps(outcome.value, allow_nan=False, ensure_ascii=False)
        # An escape, not a backslash that the cell itself holds.
        assert not re.search(r"(?<!\\)(?:\\\\)*\\u0000", text)
        text.encode()
        assert isinstance(outcome.value, list) == attribute.many


@given(st.lists(st.text(min_size=1).filter(lambda text: text == text.strip()), min_size=1))
def test_a_list_that_was_written_is_read_as_it_was(values: list[str]) -> None:
    assert split_text(list_text(values), SEPARATOR, ESCAPE) == values


@given(st.text(min_size=1))
def test_a_text_that_was_made_safe_is_read_as_it_was(text: str) -> None:
    cell = sheet_safe(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell_text(cell, Notation(strip=False, spreadsheet=True)) == text
