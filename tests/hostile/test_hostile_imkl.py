"""IMKL made to harm: what other XML is refused for, it is refused for too; nothing is fetched and no line is misplaced."""

from pathlib import Path

import pytest

from ingest.open_source import open_source
from ler.errors import RefusedError
from ler.settings import Settings
from tests.hostile.xml_cases import LAUGHS, XXE
from tests.imkl import DUTCH_COVERAGE, ID, curve, document, line, link, network, read_imkl

PLAIN = document(network("water"), line("Waterleiding"), link())
SETTINGS = Settings(coverage=DUTCH_COVERAGE)


def with_doctype(doctype: str) -> str:
    return PLAIN.replace("?>", f"?>{doctype}", 1).replace("underground", "&e;")


REFUSED = {
    "doctype": (with_doctype("<!DOCTYPE x>"), "xml-doctype-forbidden"),
    "file entity": (with_doctype(XXE.format("file:///etc/hostname")), "xml-doctype-forbidden"),
    "billion laughs": (with_doctype(f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'), "xml-doctype-forbidden"),
    "nested": (document("<x>" * 300 + "</x>" * 300), "xml-limit"),
    "attribute of 20 MB": (PLAIN.replace("underground", f'<x a="{"a" * 20_000_000}"/>'), "xml-limit"),
    "member of 20 MB": (PLAIN.replace("underground", "<!--" + "x" * 20_000_000 + "-->"), "xml-limit"),
    "a million elements": (PLAIN.replace("underground", "<a/>" * 1_000_000), "xml-limit"),
    "cut short": (PLAIN[:-60], "xml-not-well-formed"),
    "no IMKL": (PLAIN.replace("http://www.geostandaarden.nl/imkl/wibon", "urn:x"), "format-not-supported"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_hostile_file_is_refused_by_name(tmp_path: Path, case: str) -> None:
    text, code = REFUSED[case]
    path = tmp_path / "x.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError) as refused, open_source(path, settings=SETTINGS) as source:
        list(source)
    assert refused.value.code == code


FAULTS = {
    "another system": (curve(crs="EPSG:4326"), "imkl-crs"),
    "no system": (curve().replace('srsName="epsg:28992" ', ""), "imkl-crs"),
    "three numbers a vertex": (
        curve("155000 463000 1 155010 463000 1 155020 463000 2"),
        "geometry-malformed",
    ),
    "not finite": (curve("155000 NaN 155010 463000"), "coordinate-not-a-number"),
    "beyond the world": (curve("1e300 463000 155010 463000"), "crs-out-of-area"),
    "in Denmark's metres": (curve("575000 6224000 575010 6224000"), "crs-out-of-area"),
    "length 0": (curve("155000 463000 155000 463000"), "geometry-degenerate"),
    "empty": (curve(""), "geometry-malformed"),
    "arc": (curve().replace("LineStringSegment", "Arc"), "geometriDatatyperestriktion"),
    "too long": (curve("155000 463000 155010 463000 " * 60_000), "geometry-limit"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_place_that_cannot_be_trusted_is_an_error_and_no_place(tmp_path: Path, case: str) -> None:
    geometry, code = FAULTS[case]
    (found,), reader = read_imkl(
        tmp_path / "x.xml", document(network("water"), line("Waterleiding"), link(geometry=geometry))
    )
    assert found.geometry is None
    assert code in {finding.code for finding in reader.findings.kept}
    assert reader.findings.errors


def test_an_address_outside_is_a_name_that_leads_nowhere(tmp_path: Path) -> None:
    outside = line("Waterleiding").replace(f"{ID}.link", "http://127.0.0.1:9/x")
    _, reader = read_imkl(tmp_path / "x.xml", document(network("water"), outside, link()))
    assert [f.found for f in reader.findings.kept if f.code == "imkl-reference-missing"] == [
        "http://127.0.0.1:9/x"
    ]


def test_links_that_point_at_each_other_end(tmp_path: Path) -> None:
    ducts = [
        line("Mantelbuis", f'<us-net-common:pipes xlink:href="{ID}.{other}"/>', name)
        for name, other in (("a", "b"), ("b", "a"))
    ]
    found, _ = read_imkl(tmp_path / "x.xml", document(network("water"), *ducts, link()))
    assert [feature.attributes["indeholdtLedning"] for feature in found] == [[f"{ID}.b"], [f"{ID}.a"]]
