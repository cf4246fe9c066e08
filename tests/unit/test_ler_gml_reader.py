"""LER GML in: what comes out of a valid file, and the finding or refusal that each fault gives."""

import math
from pathlib import Path

import pytest
import shapely

from ingest.readers.prolog import UnreadableFileError
from tests.answers import HEADER, VALVE, WATER, answer, line_geometry, read, reader
from tests.official import SAMPLES, needs_samples, needs_schemas, schema_errors


def save(folder: Path, text: str | bytes) -> Path:
    path = folder / "answer.gml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def codes(folder: Path, text: str) -> list[str]:
    _, made = read(save(folder, text))
    return [finding.code for finding in made.findings.kept]


@needs_schemas
def test_the_answer_that_the_tests_change_is_officially_valid(tmp_path: Path) -> None:
    assert schema_errors(save(tmp_path, answer())) == []


def test_values_voids_references_and_heights_are_read(tmp_path: Path) -> None:
    (water, valve), made = read(save(tmp_path, answer()))
    assert made.findings.kept == []
    assert water.attributes == {
        "driftsstatus": "i drift",
        "etableringstidspunkt": "1978-05",
        "fareklasse": "ikke farlig",
        "id": "b80c8fef-a677-5340-85fb-2c162d75df03",
        "noejagtighedsklasse": "<= 0.25 m",
        "udvendigDiameter": 110.0,
        "slutkomponent": "ventil.1",
        "tvaersnitsform": "cirkulær",
    }
    assert water.voids == {"noejagtighedsklasseVertikal": "unknown"}
    assert valve.attributes == {"type": "ventil", "topkote": None}
    heights = shapely.get_coordinates(water.geometry, include_z=True)[:, 2].tolist()
    assert heights[0] == 1.5
    assert math.isnan(heights[1])
    assert (water.line, valve.line) == (5, 17)
    assert made.header.attributes["type"] == "ledningsoplysninger udleveret"


@needs_samples
def test_the_sample_with_every_common_type_is_read_without_findings() -> None:
    features, made = read(SAMPLES / "answer_all_types_2.2.0.gml")
    assert [f.type for f in features].count("Ledningstrace") == 1
    assert len({f.type for f in features}) == 13
    assert made.findings.kept == []


@needs_samples
def test_an_answer_without_heights_and_uuid_is_refused_by_name_and_line() -> None:
    _, made = read(SAMPLES / "Gsvar_trace.xml")
    assert [(f.code, f.line, f.gml_id) for f in made.findings.kept] == [
        ("idRestriktion", 1, "gsvar-001"),
        ("indholdGM_ObjectSRIDrestriktion", 19, "trace-001"),
        ("indholdGM_ObjectSRIDrestriktion", 61, "elledning-B"),
    ]
    assert "EPSG:25832" in made.findings.kept[2].found
    assert not made.readable


GAP = (
    '<gml:Curve gml:id="g1" srsName="http://www.opengis.net/def/crs/EPSG/0/7416"><gml:segments>'
    "<gml:LineStringSegment><gml:posList>575000 6224000 1 575010 6224000 1</gml:posList></gml:LineStringSegment>"
    "<gml:LineStringSegment><gml:posList>575{} 6224000 1 575030 6224000 1</gml:posList></gml:LineStringSegment>"
    "</gml:segments></gml:Curve>"
)
ARC = '<gml:Curve gml:id="g1" srsName="http://www.opengis.net/def/crs/EPSG/0/7416"><gml:segments><gml:Arc><gml:posList>575000 6224000 1 575010 6224010 1 575020 6224000 1</gml:posList></gml:Arc></gml:segments></gml:Curve>'

FAULTS: dict[str, tuple[str, str, str]] = {
    "unknown element": ("<ler:slutkomponent", "<ler:farve>rød</ler:farve><ler:slutkomponent", "element-unknown"),
    "missing element": ("<ler:tvaersnitsform>cirkulær</ler:tvaersnitsform>", "", "element-missing"),
    "element of another type": ("<ler:tvaersnitsform>", "<ler:antalKabler>1</ler:antalKabler><ler:tvaersnitsform>", "element-unknown"),
    "doubled element": ("<ler:driftsstatus>", "<ler:driftsstatus>i drift</ler:driftsstatus><ler:driftsstatus>", "element-too-many"),
    "misplaced element": ("<ler:etableringstidspunkt>1978-05</ler:etableringstidspunkt>\n<ler:fareklasse>ikke farlig</ler:fareklasse>", "<ler:fareklasse>ikke farlig</ler:fareklasse><ler:etableringstidspunkt>1978-05</ler:etableringstidspunkt>", "element-misplaced"),
    "code not in the list": (">i drift<", ">I drift<", "attribute-code"),
    "blank in a code": (">i drift<", "> i drift<", "attribute-code"),
    "number with comma": (">110<", ">110,5<", "attribute-value"),
    "number not finite": (">110<", ">INF<", "attribute-value"),
    "wrong unit": ('uom="mm"', 'uom="cm"', "unit-wrong"),
    "no unit": (' uom="mm"', "", "unit-missing"),
    "month that is none": (">1978-05<", ">1978-13<", "date-impossible"),
    "day that is none": (">1978-05<", ">2024-02-30<", "date-impossible"),
    "after instead of before": (">1978-05<", ' indeterminatePosition="after">1978-05<', "EtableringsTidsPunktRule"),
    "void where none may be": ("<ler:id>b80c8fef-a677-5340-85fb-2c162d75df03</ler:id>", '<ler:id xsi:nil="true"/>', "void-not-allowed"),
    "void with a value": ('nilReason="unknown"/>', 'nilReason="unknown">&lt;= 0.25 m</ler:noejagtighedsklasseVertikal>', "void-not-empty"),
    "another reason": ('nilReason="unknown"', 'nilReason="withheld"', "indholdNilReasonRestriktion"),
    "reference to nothing": ("#ventil.1", "#ventil.2", "ManglendeGmlIdHenvisningRule"),
    "reference to another file": ("#ventil.1", "other.gml#ventil.1", "HrefHashtagRule"),
    "text too long": ("b80c8fef-a677", "x" * 40, "text-too-long"),
    "identifier twice": ('gml:id="ventil.1"', 'gml:id="vand.1"', "id-duplicate"),
    "identifier with blank": ('gml:id="vand.1"', 'gml:id="vand 1"', "gml-id-invalid"),
    "no identifier": (' gml:id="vand.1"', "", "gml-id-missing"),
    "wrong member": ("Vandkomponent", "Elledning", "member-wrong"),
    "abstract member": ("Vandkomponent", "Ledningskomponent", "member-wrong"),
    "level in another system": ("EPSG/0/5799", "EPSG/0/5798", "indholdKoteSRIDrestriktion"),
    "two numbers a vertex": ("575000 6224000 1.5 575010 6224000 -99 575020 6224005 2", "575000 6224000 575010 6224000", "Check3DGeometryRule"),
    "srsDimension 2": ('srsDimension="3"', 'srsDimension="2"', "Check3DGeometryRule"),
    "no reference system": (' srsName="http://www.opengis.net/def/crs/EPSG/0/7416" srsDimension="3"', "", "indholdGM_ObjectSRIDrestriktion"),
    "horizontal system only": ('EPSG/0/7416" srsDimension', 'EPSG/0/25832" srsDimension', "indholdGM_ObjectSRIDrestriktion"),
    "not a number": ("575000 6224000 1.5", "575000 6224000 x", "coordinate-not-a-number"),
    "NaN": ("575000 6224000 1.5", "575000 6224000 NaN", "coordinate-not-finite"),
    "another unknown height": ("575000 6224000 1.5", "575000 6224000 -9999", "height-impossible"),
    "degrees": ("575000 6224000 1.5 575010 6224000 -99 575020 6224005 2", "10.2 56.1 1 10.3 56.1 2", "crs-out-of-area"),
    "swapped axes": ("575000 6224000 1.5 575010 6224000 -99 575020 6224005 2", "6224000 575000 1 6224010 575000 2", "crs-axis-order"),
    "one position": ("575000 6224000 1.5 575010 6224000 -99 575020 6224005 2", "575000 6224000 1.5", "geometry-degenerate"),
    "no length": ("575000 6224000 1.5 575010 6224000 -99 575020 6224005 2", "575000 6224000 1.5 575000 6224000 1.5", "geometry-degenerate"),
    "geometry behind a link": ("<ler:geometri><gml:L", '<ler:geometri xlink:href="http://127.0.0.1/x"><gml:L', "xml-external-reference"),
    "arc": (line_geometry(), ARC, "geometriDatatyperestriktion"),
    "gap in a curve": (line_geometry(), GAP.format("011"), "curve-gap"),
    "several lines": (line_geometry(), f'<gml:MultiCurve gml:id="gm" srsName="http://www.opengis.net/def/crs/EPSG/0/7416"><gml:curveMember>{line_geometry()}</gml:curveMember></gml:MultiCurve>', "geometriDatatyperestriktion"),
    "answer id": ("3f7b3a52-6d1b-4a5e-9a3c-0f6e4c1d2b90", "SVAR-1", "idRestriktion"),
    "kind of answer": ("ledningsoplysninger udleveret", "alt er fint", "attribute-code"),
    "XInclude": (HEADER, f'{HEADER}<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/hostname"/>', "element-unknown"),
}  # fmt: skip


EVERYWHERE = {"wrong member", "abstract member"}


@pytest.mark.parametrize("case", FAULTS)
def test_each_fault_gives_its_finding(tmp_path: Path, case: str) -> None:
    old, new, code = FAULTS[case]
    text = answer()
    assert old in text
    assert code in codes(tmp_path, text.replace(old, new, 1 if case not in EVERYWHERE else -1))


def test_a_finding_tells_its_place_its_values_and_its_sentence(tmp_path: Path) -> None:
    _, made = read(save(tmp_path, answer().replace(">110<", ">110,5<")))
    (finding,) = made.findings.kept
    assert (finding.line, finding.column) == (13, 1)
    assert (finding.feature_type, finding.attribute) == ("Vandledning", "udvendigDiameter")
    assert (finding.found, finding.wanted) == ("110,5", "0.0")
    assert str(finding) == (
        "line 13, column 1 (vand.1): udvendigDiameter is '110,5', which cannot be read; wanted: 0.0 [attribute-value]"
    )


def test_members_out_of_order_are_found(tmp_path: Path) -> None:
    assert codes(tmp_path, answer(VALVE, WATER)) == ["element-misplaced"]


def test_a_reference_may_come_before_its_target(tmp_path: Path) -> None:
    assert codes(tmp_path, answer(WATER, VALVE)) == []


def test_segments_that_meet_are_one_line(tmp_path: Path) -> None:
    (water, _), made = read(save(tmp_path, answer().replace(line_geometry(), GAP.format("010"), 1)))
    assert made.findings.kept == []
    assert water.geometry is not None
    assert water.geometry.length == 30


def test_a_ring_with_unknown_heights_is_closed_once(tmp_path: Path) -> None:
    polygon = (
        '<gml:Polygon gml:id="g2" srsName="http://www.opengis.net/def/crs/EPSG/0/7416"><gml:exterior><gml:LinearRing>'
        "<gml:posList>575020 6224005 -99 575022 6224005 1 575022 6224007 -99 575020 6224005 -99</gml:posList>"
        "</gml:LinearRing></gml:exterior></gml:Polygon>"
    )
    point = VALVE[VALVE.index("<gml:Point") : VALVE.index("</ler:geometri>")]
    (_, valve), made = read(save(tmp_path, answer(WATER, VALVE.replace(point, polygon))))
    assert made.findings.kept == []
    heights = shapely.get_coordinates(valve.geometry, include_z=True)[:, 2].tolist()
    assert [None if math.isnan(height) else height for height in heights] == [None, 1, None, None]


def test_findings_of_one_kind_are_capped_but_counted(tmp_path: Path) -> None:
    members = [
        WATER.replace("vand.1", f"vand.{n}").replace(">i drift<", ">?<").replace('"g1"', f'"g1.{n}"')
        for n in range(50)
    ]
    _, made = read(save(tmp_path, answer(*members, VALVE)))
    assert len(made.findings.kept) == 20
    assert made.findings.errors == 50


UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "not XML": ("solid cube\n", "xml-not-well-formed"),
    "empty": ("", "xml-not-well-formed"),
    "truncated": (answer()[:-200], "xml-not-well-formed"),
    "doctype": (answer().replace("?>", "?><!DOCTYPE x>", 1), "xml-doctype-forbidden"),
    "external entity": (answer().replace("?>", '?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>', 1), "xml-doctype-forbidden"),
    "HTML": ("<html><body/></html>", "format-not-supported"),
    "GDAL's own": ("<OGRVRTDataSource/>", "format-not-supported"),
    "LER 1": (answer().replace("/LER/2/gml", "/LER/1/gml"), "version-unsupported"),
    "future version": (answer(version=' schemaVersion="3.0.0"'), "version-unsupported"),
    "no version": (answer(version=""), "version-missing"),
    "another encoding": (answer().replace("UTF-8", "EBCDIC-CP-DK").encode(), "encoding-unsupported"),
    "Latin-1 said to be UTF-8": (answer().encode("iso-8859-1"), "encoding-invalid"),
    "deeply nested": (answer("<x>" * 300 + "</x>" * 300), "xml-limit"),
    "root far in": ("<!-- " + "x" * (2 << 20) + " --><a/>", "xml-limit"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_files_are_refused_by_name(tmp_path: Path, case: str) -> None:
    content, code = UNREADABLE[case]
    with pytest.raises(UnreadableFileError) as refused:
        list(reader(save(tmp_path, content)))
    assert refused.value.code == code


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_other_honest_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    (water, _), made = read(save(tmp_path, answer().replace("UTF-8", encoding).encode(encoding)))
    assert made.findings.kept == []
    assert water.attributes["tvaersnitsform"] == "cirkulær"


def test_a_member_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    endless = "<ler:driftsstatus>i drift</ler:driftsstatus>" * 900_000
    text = answer().replace("<ler:driftsstatus>i drift</ler:driftsstatus>", endless, 1)
    with pytest.raises(UnreadableFileError) as refused:
        list(reader(save(tmp_path, text)))
    assert refused.value.code == "xml-limit"
