"""The reports of a check: the JSON's shape, a page that no file can turn against its reader, a GeoPackage that opens."""

import json
import re
import subprocess
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyogrio
import pytest

from ingest.check import CheckResult
from ingest.findings import Finding, Findings, Severity
from ingest.readers.prolog import UnreadableFileError
from ingest.report.content import FileReport, worst
from ingest.report.to_geopackage import LAYER, TABLE, write_geopackage_report
from ingest.report.to_html import html_report, write_html_report
from ingest.report.to_json import json_report
from ingest.rules.catalogue import load_rules
from ler.model import Feature
from tests.answers import COVERAGE, answer

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"' & ]]> {0} {found}"
ERROR_RULE = "Ledning.driftsstatusVoidrestriktion"
OTHER_RULE = "Ledning.geometriBetingelse"


def finding(**values: Any) -> Finding:  # noqa: ANN401 - fields of a finding
    given: dict[str, Any] = {
        "code": ERROR_RULE,
        "line": 5,
        "column": 3,
        "gml_id": "vand.1",
        "feature_type": "Vandledning",
        "attribute": "driftsstatus",
        "found": "xsi:nil",
        "wanted": "i drift",
        "place": (575010.0, 6224000.0),
    }
    return Finding(**(given | values))


def report(folder: Path, *found: Finding, name: str = "in.gml") -> FileReport:
    path = folder / name
    path.write_text(answer(), encoding="utf-8")
    findings = Findings()
    for one in found:
        findings.add(one)
    header = Feature("Graveforespoergselssvar", "svar.1", {"id": "3f7b", "type": "x"}, line=2)
    return FileReport(
        path, CheckResult(path, "2.2.0", header, {"Vandledning": 1, "Vandkomponent": 1}, findings)
    )


def unreadable(folder: Path) -> FileReport:
    return FileReport(
        folder / "broken.gml", None, UnreadableFileError("xml-not-well-formed", "the XML is broken", 7)
    )


def page(*reports: FileReport) -> str:
    return html_report(reports, "en", coverage=COVERAGE)


class Elements(HTMLParser):
    """Collects start tags and checks that every element is closed by its own end tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Mapping[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "input"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[Mapping[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_shape_of_the_json(tmp_path: Path) -> None:
    rule = load_rules()[ERROR_RULE]
    found = finding()
    told = json.loads(json.dumps(json_report([report(tmp_path, found), unreadable(tmp_path)], "en")))
    assert told == {
        "format": "ler-check/1",
        "language": "en",
        "files": [
            {
                "file": str(tmp_path / "in.gml"),
                "outcome": "findings",
                "version": "2.2.0",
                "answer": {"gml_id": "svar.1", "id": "3f7b", "type": "x"},
                "features": {"Vandkomponent": 1, "Vandledning": 1},
                "errors": 1,
                "warnings": 0,
                "rules": [
                    {
                        "rule": ERROR_RULE,
                        "severity": "error",
                        "origin": "restriction",
                        "count": 1,
                        "listed": 1,
                        "basis": rule.basis,
                    }
                ],
                "findings": [
                    {
                        "rule": ERROR_RULE,
                        "severity": "error",
                        "layer": "",
                        "line": 5,
                        "column": 3,
                        "gml_id": "vand.1",
                        "feature_type": "Vandledning",
                        "attribute": "driftsstatus",
                        "found": "xsi:nil",
                        "wanted": "i drift",
                        "place": [575010.0, 6224000.0],
                        "message": rule.message(found, "en"),
                        "mend": rule.mend["en"],
                        "basis": rule.basis,
                    }
                ],
            },
            {
                "file": str(tmp_path / "broken.gml"),
                "outcome": "unreadable",
                "refusal": {
                    "code": "xml-not-well-formed",
                    "line": 7,
                    "message": "line 7: the XML is broken",
                },
            },
        ],
    }


def test_errors_come_first_then_the_most_frequent(tmp_path: Path) -> None:
    warnings = [finding(severity=Severity.WARNING, line=line) for line in range(30)]
    made = report(tmp_path, *warnings, finding(code=OTHER_RULE))
    rules = made.rules()
    assert [(r.rule.name, r.severity, r.count, len(r.findings)) for r in rules] == [
        (OTHER_RULE, "error", 1, 1),
        (ERROR_RULE, "warning", 30, 20),
    ]


def test_the_worst_file_decides(tmp_path: Path) -> None:
    clean, faulty = report(tmp_path), report(tmp_path, finding())
    assert worst([clean]) == 0
    assert worst([faulty, clean]) == 1
    assert worst([clean, unreadable(tmp_path), faulty]) == 2


@pytest.mark.parametrize("language", ["da", "en"])
def test_nothing_a_file_says_becomes_markup(tmp_path: Path, language: Any) -> None:  # noqa: ANN401
    hostile = finding(gml_id=HOSTILE, found=HOSTILE, wanted=HOSTILE, attribute=HOSTILE, feature_type=HOSTILE)
    text = html_report([report(tmp_path, hostile, name="a&b<i>.gml")], language, coverage=COVERAGE)
    elements = Elements(text)
    assert len(elements.named("script")) == 1
    assert elements.named("img") == elements.named("i") == []
    assert not any(name.startswith("on") for _, attributes in elements.tags for name in attributes)
    assert text.count("&lt;script&gt;alert(1)") >= 4


def test_the_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    elements = Elements(page(report(tmp_path, finding())))
    for _, attributes in elements.tags:
        for name in ("src", "href", "action", "data"):
            assert (attributes.get(name) or "#").startswith("#")
    policy = next(meta["content"] for meta in elements.named("meta") if "http-equiv" in meta)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_the_page_is_one_that_can_be_read_by_ear(tmp_path: Path) -> None:
    elements = Elements(page(report(tmp_path, finding(), finding(line=6))))
    assert elements.named("html")[0]["lang"] == "en"
    assert all(heading.get("scope") in {"col", "row"} for heading in elements.named("th"))
    identifiers = [attributes["id"] for _, attributes in elements.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    targets = {(link["href"] or "")[1:] for link in elements.named("a")}
    assert targets <= set(identifiers)
    assert elements.named("svg")[0]["aria-label"]
    assert [label["for"] for label in elements.named("label")] == [
        field["id"] for field in elements.named("input")
    ]


def test_a_few_remedies_stand_once_above_the_places(tmp_path: Path) -> None:
    codes = [finding(code="attribute-code", found=str(n), wanted=f"w{n % 3}") for n in range(12)]
    text = page(report(tmp_path, *codes))
    for number in range(3):
        remedy = load_rules()["attribute-code"].remedy(codes[number], "en")
        assert text.count(f"<dd>{remedy}</dd>") == text.count(remedy) == 1


def test_many_remedies_stand_at_their_places_each_in_a_sentence(tmp_path: Path) -> None:
    codes = [finding(code="attribute-code", found=str(n), wanted=f"w{n}") for n in range(12)]
    text = page(report(tmp_path, *codes))
    rule = load_rules()["attribute-code"]
    for one in codes:
        assert escape(f"{rule.message(one, 'en')}. {rule.remedy(one, 'en')}") in text


def test_the_map_shows_lines_findings_scale_and_north(tmp_path: Path) -> None:
    found = [
        finding(),
        finding(line=6),
        finding(code=OTHER_RULE, severity=Severity.WARNING, place=(575020.0, 6224005.0), gml_id=""),
    ]
    text = page(report(tmp_path, *found))
    drawing = text[text.index("<svg") : text.index("</svg>")]
    assert re.search(r'class="marked" d="M[\d. L]+"', drawing)
    assert re.search(r'class="pale" d="M[\d. h]+"', drawing)
    assert 'href="#finding-1"' in drawing
    assert ">+1<" in drawing
    assert 'class="mark warning"' in drawing
    assert "5 m" in drawing
    assert 'class="north"' in drawing


def test_without_a_place_there_is_no_map_but_a_page(tmp_path: Path) -> None:
    made = report(tmp_path, finding(place=None))
    text = answer().split("<ler:ledningMember>", maxsplit=1)[0] + "</ler:Graveforespoergselssvar>"
    made.path.write_text(text, encoding="utf-8")
    assert "<svg" not in page(made)
    assert "there is no map" in page(made)


def test_a_clean_and_an_unreadable_file_are_told(tmp_path: Path) -> None:
    text = page(report(tmp_path), unreadable(tmp_path))
    assert "No findings." in text
    assert "line 7: the XML is broken" in text
    assert 'id="filter"' not in text


def test_an_older_page_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("old", encoding="utf-8")
    write_html_report(out, [report(tmp_path, finding())], "da", coverage=COVERAGE)
    assert 'lang="da"' in out.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"in.gml", "report.html"}


def test_the_geopackage_opens_without_a_word(tmp_path: Path) -> None:
    out = tmp_path / "report.gpkg"
    found = [finding(), finding(line=6, place=None, found=HOSTILE, column=0)]
    assert write_geopackage_report(out, [report(tmp_path, *found), unreadable(tmp_path)], "en") == 1
    opened = subprocess.run(["ogrinfo", "-al", out], capture_output=True, text=True, check=True)
    assert opened.stderr == ""
    points = pyogrio.read_dataframe(out, layer=LAYER)
    assert points.crs.to_epsg() == 25832
    assert [(p.x, p.y) for p in points.geometry] == [(575010.0, 6224000.0)]
    assert set(points.columns) >= {
        "rule",
        "severity",
        "line",
        "column",
        "gml_id",
        "feature_type",
        "attribute",
    }
    assert points.iloc[0][["found", "wanted", "line", "column"]].tolist() == ["xsi:nil", "i drift", 5, 3]
    others = pyogrio.read_dataframe(out, layer=TABLE)
    assert others.iloc[0]["found"] == HOSTILE
    assert "geometry" not in others.columns


def test_a_geopackage_without_findings_has_its_layers(tmp_path: Path) -> None:
    out = tmp_path / "report.gpkg"
    assert write_geopackage_report(out, [report(tmp_path)], "da") == 0
    assert {name for name, _ in pyogrio.list_layers(out)} == {LAYER, TABLE}
