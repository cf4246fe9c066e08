"""The tables of the exchange: complete, true to the LER model, and what the page says."""

from pathlib import Path

import pytest

from ler.exchange.identifiers import full_id, local_id, read_id
from ler.exchange.reference import exchange_reference, lost_attributes
from ler.exchange.tables import load_imkl, load_muddi
from ler.model import Feature, Kind, load_model

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "exchange.md"
TABLE = load_imkl()
MODEL = load_model()


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == exchange_reference(), (
        "python -m ler.exchange.reference > docs/reference/exchange.md"
    )


def test_every_attribute_of_every_type_has_a_row() -> None:
    for feature_type in MODEL.concrete():
        for attribute in feature_type.attributes:
            if attribute.kind is not Kind.GEOMETRY:
                assert TABLE.field_of(feature_type, attribute.name), (feature_type.name, attribute.name)
        assert TABLE.class_of(feature_type), feature_type.name


def test_danger_and_precautions_are_never_lost() -> None:
    assert not {name for _, name in lost_attributes()} & {"fareklasse", "sikkerhedshensyn", "vejledendeDybde"}


def test_every_row_without_an_element_is_lost_and_every_other_says_how_it_is_kept() -> None:
    for row in TABLE.fields:
        assert bool(row.element) == bool(row.form) == (row.kept != "lost"), row.ler
        assert not row.codes or row.codes in TABLE.codes, row.ler
        assert not row.element or row.source, row.ler


def test_every_word_of_a_code_list_is_one_of_ler() -> None:
    for row in TABLE.fields:
        if row.codes and row.codes != "material":
            codes = TABLE.codes[row.codes]
            lists = [
                attribute.code_list
                for feature_type in MODEL.concrete()
                for attribute in feature_type.attributes
                if attribute.name == row.ler and row.belongs_to(feature_type) and attribute.code_list
            ]
            for code_list in lists:
                assert {*codes.values, *codes.back.values()} - {""} <= code_list.values.keys(), row.ler
    for name, codes in TABLE.kinds.items():
        own = MODEL.types[name].attribute("type").code_list
        assert own is None or {*codes.values, *codes.back.values()} <= own.values.keys(), name


def test_accuracy_never_gets_better_on_the_way() -> None:
    metres = {"<= 0.25 m": 0.25, "<= 0.50 m": 0.5, "<= 1.00 m": 1.0, "<= 2.00 m": 2.0, "> 2.00 m": 99.0}
    theirs = {"tot30cm": 0.3, "tot50cm": 0.5, "tot100cm": 1.0, "onbekend": 99.0}
    for name in ("accuracy", "depth_accuracy"):
        codes = TABLE.codes[name]
        for word, metre in metres.items():
            assert theirs[codes.find(word) or ""] >= metre
        for code, metre in theirs.items():
            back = codes.read(code)
            assert back == "" or metres[back or ""] >= metre


@pytest.mark.parametrize(
    ("attributes", "utility", "theme"),
    [
        ({"spaendingsniveau": 0.4}, "el", ("laagspanning", False)),
        ({"spaendingsniveau": 10.0}, "el", ("middenspanning", False)),
        ({"spaendingsniveau": 150.0}, "el", ("hoogspanning", False)),
        ({"spaendingsniveau": 400.0}, "el", ("landelijkHoogspanningsnet", False)),
        ({}, "el", ("laagspanning", True)),
        ({"tryk": 0.1}, "gas", ("gasLageDruk", False)),
        ({"tryk": 4.0}, "gas", ("gasHogeDruk", False)),
        ({"tryk": 40.0}, "gas", ("buisleidingGevaarlijkeInhoud", False)),
        ({"ledningstransporttype": "gravitation"}, "afløb", ("rioolVrijverval", False)),
        ({}, "afløb", ("rioolOnderOverOfOnderdruk", True)),
        ({}, "vand", ("water", False)),
        ({}, "", ("overig", False)),
        ({}, "other: sug", ("overig", True)),
    ],
)
def test_the_theme_is_what_ler_says_of_the_line(
    attributes: dict[str, float], utility: str, theme: tuple[str, bool]
) -> None:
    assert TABLE.theme_of(Feature("x", "x", dict(attributes)), utility) == theme


@pytest.mark.parametrize("gml_id", ["l-1", "_x41_", "a_xdepth", "a_x", "æ.1", "a__x", "x_x5F_x"])
def test_identifiers_come_back_and_are_never_those_of_parts(gml_id: str) -> None:
    full = full_id("12345678", gml_id)
    assert read_id(full) == ("12345678", gml_id)
    local = local_id("12345678", gml_id).partition(".")[2]
    assert local.isascii()
    assert local.replace("_", "a").isalnum()
    assert not {full_id("12345678", "a", "depth"), full_id("12345678", "a", "link1")} & {full}
    assert read_id("nl.imkl-KL1234.x_x41_") == ("", "nl.imkl-KL1234.x_x41_")


def test_muddi_has_a_class_with_properties_for_every_type_but_attachments() -> None:
    muddi = load_muddi()
    for feature_type in MODEL.concrete():
        names = (feature_type.name, *feature_type.ancestors)
        assert feature_type.name == "Informationsressource" or any(name in muddi["classes"] for name in names)
    assert {*muddi["classes"].values(), *muddi["kinds"]} <= muddi["properties"].keys()
    words = {word for feature_type in MODEL.concrete() if feature_type.is_a("Ledningskomponent")
             for code_list in [feature_type.attribute("type").code_list] if code_list for word in code_list.values}  # fmt: skip
    assert {word for kinds in muddi["kinds"].values() for word in kinds} <= words
