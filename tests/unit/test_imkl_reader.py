"""Files as KLIC delivers them, read into LER: types, values, and a finding with its line for all that has no place."""

import zipfile
from pathlib import Path

import pytest
import shapely

from ingest.gate.formats import Format
from ingest.gate.gate import gate_file
from ingest.open_source import draft_mapping, open_source
from ingest.readers.imkl.reader import ImklReader
from ler.errors import RefusedError
from ler.exchange.account import Fate
from ler.model import Value
from ler.settings import Settings
from tests.imkl import (
    DUTCH_COVERAGE,
    ID,
    INSPIRE,
    VALUES,
    document,
    line,
    link,
    network,
    node,
    own_id,
    place,
    read_imkl,
)
from tests.official import HOME

KLIC = HOME.parent / "klic"
needs_klic = pytest.mark.skipif(
    not KLIC.is_dir(), reason=f"the examples of KLIC are not at {KLIC} (set LER_OFFICIAL)"
)

PIPE = '<us-net-common:pipeDiameter uom="urn:ogc:def:uom:OGC::cm">11</us-net-common:pipeDiameter>'
SETTINGS = Settings(coverage=DUTCH_COVERAGE)


def product(code: str) -> str:
    return f'<us-net-ogc:oilGasChemicalsProductType xlink:href="{INSPIRE}/OilGasChemicalsProductTypeValue/{code}"/>'


@pytest.mark.parametrize(
    ("theme", "body", "ler", "attributes"),
    [
        ("water", line("Waterleiding", PIPE), "Vandledning", {"udvendigDiameter": 110.0}),
        ("rioolVrijverval", line("Rioolleiding"), "Afloebsledning", {"ledningstransporttype": "gravitation"}),
        ("warmte", line("ThermischePijpleiding"), "TermiskLedning", {}),
        ("gasLageDruk", line("OlieGasChemicalienPijpleiding", product("naturalGas")), "Gasledning", {"medietype": "naturgas"}),
        ("gasHogeDruk", line("OlieGasChemicalienPijpleiding"), "Gasledning", {}),
        ("petrochemie", line("OlieGasChemicalienPijpleiding"), "Olieledning", {}),
        ("petrochemie", line("OlieGasChemicalienPijpleiding", product("chlorine")), "AndenLedning", {"forsyningsart": "other: chlorine"}),
        ("overig", line("Overig", "<imkl:producttype>other: melk</imkl:producttype>"), "AndenLedning", {"forsyningsart": "other: melk"}),
        ("wees", line("Overig"), "LedningUkendtForsyningsart", {}),
        ("laagspanning", line("Mantelbuis"), "Foeringsroer", {"forsyningsart": ["el"]}),
        ("datatransport", line("Duct"), "Ledningstrace", {"forsyningsart": ["telekommunikation"]}),
        ("middenspanning", line("Elektriciteitskabel", '<us-net-el:operatingVoltage uom="x::V">10000</us-net-el:operatingVoltage><us-net-el:nominalVoltage uom="x::V">0</us-net-el:nominalVoltage>'), "Elledning", {"spaendingsniveau": 10.0}),
    ],
)  # fmt: skip
def test_a_line_is_the_type_that_its_class_theme_and_product_say(
    tmp_path: Path, theme: str, body: str, ler: str, attributes: dict[str, Value]
) -> None:
    (found,), reader = read_imkl(tmp_path / "x.xml", document(body, link(), network(theme)))
    assert found.type == ler
    assert attributes.items() <= found.attributes.items()
    assert found.attributes["driftsstatus"] == "i drift"
    assert found.attributes["etableringstidspunkt"] == "2004-05-13"
    assert found.attributes["registreringFra"] == "2001-12-17T09:30:47.00+01:00"
    assert (found.gml_id, found.line) == (f"{ID}.a", 3)
    assert reader.findings.errors == 0


@pytest.mark.parametrize(
    ("theme", "kind", "ler", "word"),
    [
        ("laagspanning", "mof", "Elkomponent", "muffe"),
        ("laagspanning", "aarding", "Elkomponent", "other: aarding"),
        ("water", "afsluiter", "Vandkomponent", "ventil"),
        ("gasHogeDruk", "gasStation", "Gaskomponent", "MR-station"),
        ("petrochemie", "pump", "Oliekomponent", "pump"),
        ("overig", "pump", "AndenKomponent", "pump"),
    ],
)
def test_a_component_is_the_type_of_its_theme_and_its_kind_a_word_of_ler(
    tmp_path: Path, theme: str, kind: str, ler: str, word: str
) -> None:
    (found,), _ = read_imkl(tmp_path / "x.xml", document(network(theme), node(kind)))
    assert (found.type, found.attributes["type"]) == (ler, word)
    assert isinstance(found.geometry, shapely.Point)


def test_a_position_is_where_rd_has_it(tmp_path: Path) -> None:
    (found,), reader = read_imkl(tmp_path / "x.xml", document(network("water"), node("afsluiter")))
    x, y = 252878.452, 5784453.211  # 155000 463000, the origin of RD, by EPSG's operation of 0.25 m
    assert found.geometry is not None
    assert found.geometry.distance(shapely.Point(x + 10, y)) < 0.5
    accuracy = next(finding for finding in reader.findings.kept if finding.code == "crs-accuracy")
    assert (accuracy.found, accuracy.wanted) == ("EPSG:28992", "0.25")


def test_a_cabinet_with_a_footprint_is_an_area_and_depth_stands_apart(tmp_path: Path) -> None:
    ring = "155000 463000 155010 463000 155010 463010 155000 463000"
    area = (
        f'<imkl:ExtraGeometrie gml:id="{ID}.e">{own_id("e")}<imkl:vlakgeometrie2D><gml:Polygon srsName="EPSG:28992" gml:id="q"><gml:exterior>'
        f"<gml:LinearRing><gml:posList>{ring}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></imkl:vlakgeometrie2D></imkl:ExtraGeometrie>"
    )
    depths = [
        f'<imkl:DiepteTovMaaiveld gml:id="{ID}.{name}">{own_id(name)}<imkl:diepteNauwkeurigheid xlink:href="{VALUES}/N/{word}"/>'
        f'<imkl:dieptePeil uom="urn:ogc:def:uom:OGC::m">{metres}</imkl:dieptePeil></imkl:DiepteTovMaaiveld>'
        for name, word, metres in (("d1", "tot30cm", "1.20"), ("d2", "tot100cm", "0.85"))
    ]
    box = (
        f'<imkl:Kast gml:id="{ID}.k">{place("us-net-common:geometry")}<imkl:dieptelegging xlink:href="{ID}.d1"/>'
        f'<imkl:inNetwork xlink:href="{ID}.net"/><imkl:extraGeometrie xlink:href="{ID}.e"/></imkl:Kast>'
    )
    deep = line(
        "Elektriciteitskabel",
        f'<imkl:dieptelegging xlink:href="{ID}.d1"/><imkl:dieptelegging xlink:href="{ID}.d2"/>',
    )
    objects = (network("laagspanning"), box, deep, area, *depths, link())
    (cabinet, cable), reader = read_imkl(tmp_path / "x.xml", document(*objects))
    assert isinstance(cabinet.geometry, shapely.Polygon)
    assert cabinet.attributes["type"] == "kabelskab"
    assert cable.attributes["vejledendeDybde"] == 850.0
    assert cable.attributes["noejagtighedsklasseVertikal"] == "<= 1.00 m"
    told = [finding for finding in reader.findings.kept if finding.attribute == "dieptelegging"]
    assert [(finding.found, finding.line) for finding in told] == [("1200 mm", 5)]


ANNOTATION = (
    '<imkl:{0} gml:id="{1}.x">{2}{3}<imkl:inNetwork xlink:href="{1}.net"/><imkl:{4} xlink:href="{5}/V/{6}"/>'
    "<imkl:ligging>{7}</imkl:ligging></imkl:{0}>"
)
LINE = '<gml:LineString srsName="EPSG:28992" gml:id="l"><gml:posList>155000 463000 155010 463000</gml:posList></gml:LineString>'
POINT = '<gml:Point srsName="EPSG:28992" gml:id="l"><gml:pos>155000 463000</gml:pos></gml:Point>'


@pytest.mark.parametrize(
    ("code", "label", "shape", "wanted"),
    [
        ("maatvoeringslijn", "1.5 m", LINE, ("LinearDimension", {"dimensionalValue": {"value": 1.5, "uom": "m"}})),
        ("maatvoeringslabel", "4,5", POINT, ("TextAnnotation", {"text": "4,5"})),
        ("annotatielabel", "Pas op", POINT, ("TextAnnotation", {"text": "Pas op"})),
        ("annotatielijn", "", LINE, ("LinearAnnotation", {"type": "line"})),
        ("annotatiepijlDubbelgericht", "", LINE, ("LinearAnnotation", {"type": "two directional arrow"})),
        ("annotatiepijlpunt", "", POINT, None),
        ("annotatielabel", "x" * 51, POINT, None),
        ("maatvoeringslijn", "4,5", LINE, None),
    ],
)  # fmt: skip
def test_annotations_and_dimensions_are_features_or_are_told(
    tmp_path: Path, code: str, label: str, shape: str, wanted: tuple[str, dict[str, Value]] | None
) -> None:
    told = f"<imkl:label>{label}</imkl:label>" if label else ""
    imkl, element = (
        ("Maatvoering", "maatvoeringsType") if code.startswith("maat") else ("Annotatie", "annotatieType")
    )
    body = ANNOTATION.format(imkl, ID, own_id("x"), told, element, VALUES, code, shape)
    found, reader = read_imkl(tmp_path / "x.xml", document(network("water"), body))
    assert [(feature.type, feature.attributes) for feature in found] == ([wanted] if wanted else [])
    lost = [row for row in reader.account.rows() if row[0] is Fate.OBJECT_LOST]
    assert bool(lost) == (wanted is None)


def test_what_has_no_place_is_told_with_its_line_and_counted_by_field(tmp_path: Path) -> None:
    strange = (
        '<us-net-common:warningTypes>x</us-net-common:warningTypes><imkl:geoNauwkeurigheidXY xlink:href="x/tot5cm"/>'
        "<imkl:toelichting>Let op</imkl:toelichting>"
    )
    objects = (
        network("water"),
        line("Waterleiding", strange, "a"),
        line("Waterleiding", strange, "b", ("link2",)),
        f'<imkl:Graafpolygoon gml:id="{ID}.g">{own_id("g")}</imkl:Graafpolygoon>',
        link(),
        link("link2"),
        link("link3"),
    )
    (one, _), reader = read_imkl(tmp_path / "x.xml", document(*objects))
    assert one.attributes["sikkerhedshensyn"] == "Let op"
    rows = {(str(fate), kind, name): (met.count, met.line) for fate, kind, name, met in reader.account.rows()}
    assert rows == {
        ("object-lost", "Graafpolygoon", ""): (1, 6),
        ("object-lost", "UtilityLink", ""): (1, 9),
        ("value-lost", "Waterleiding", "warningTypes"): (2, 4),
        ("value-lost", "Waterleiding", "geoNauwkeurigheidXY"): (2, 4),
    }
    codes = {code: count for (_, code), count in reader.findings.counts.items()}
    assert codes == {
        "crs-accuracy": 1,
        "imkl-object-unmapped": 2,
        "imkl-element-unmapped": 2,
        "imkl-value-unmapped": 2,
    }
    assert all(str(finding) for finding in reader.findings.kept)


@pytest.mark.parametrize(
    ("objects", "code", "row"),
    [
        ((network("water"), line("Waterleiding")), "imkl-reference-missing", 4),
        ((line("Waterleiding"), link()), "imkl-reference-missing", 3),
        ((network("water"), link(), link()), "id-duplicate", 5),
        ((network("water"), node("mof", f'<imkl:heeftExtraInformatie xlink:href="{ID}.z"/>')), "imkl-reference-missing", 4),
        ((network("water"), node("mof"), node("mof", name="m").replace("KL9999.m", "KL8888.m")), "imkl-owners-mixed", 5),
        ((network("water"), line("Waterleiding").replace("2004-05-13T00:00:00", "before"), link()), "value-missing", 4),
    ],
)  # fmt: skip
def test_a_file_that_does_not_hold_together_is_told(
    tmp_path: Path, objects: tuple[str, ...], code: str, row: int
) -> None:
    _, reader = read_imkl(tmp_path / "x.xml", document(*objects))
    assert [finding.line for finding in reader.findings.kept if finding.code == code] == [row]


def test_files_of_the_version_before_are_read_too(tmp_path: Path) -> None:
    text = document(network("water"), node("afsluiter"))
    older = text.replace(
        "http://www.geostandaarden.nl/imkl/wibon", "http://www.geostandaarden.nl/imkl/2015/wion/1.2"
    )
    assert [feature.type for feature in read_imkl(tmp_path / "x.xml", older)[0]] == ["Vandkomponent"]


def delivery(path: Path, *more: str, name: str = "GI_gebiedsinformatielevering_24G000123_1_V2.xml") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"levering/{name}", document(network("water"), node("afsluiter")))
        for other in more:
            archive.writestr(f"levering/{other}", "x")
    return path


def test_a_delivery_of_klic_is_read_from_its_archive_and_what_lies_beside_is_not(tmp_path: Path) -> None:
    path = delivery(tmp_path / "x.zip", "bronnen/GB.png", "LI_24G000123.xml", "bronnen/brief.pdf")
    gated = gate_file(path)
    assert gated.format is Format.IMKL
    with open_source(path, settings=SETTINGS) as source:
        assert [feature.type for feature in source] == ["Vandkomponent"]
    with pytest.raises(RefusedError, match="IMKL, which is read without"):
        draft_mapping(path, settings=SETTINGS)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("run.exe", "archive-member-type"),
        ("GI_gebiedsinformatielevering_24G000124_1_V2.xml", "archive-ambiguous"),
        ("net.gpkg", "archive-member-type"),
    ],
)
def test_an_archive_that_is_more_than_a_delivery_is_refused(tmp_path: Path, more: str, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        gate_file(delivery(tmp_path / "x.zip", more))
    assert refused.value.code == code


@needs_klic
def test_the_cadastres_own_example_is_read_without_a_fault() -> None:
    reader = ImklReader(KLIC / "network_KL3131_fictitious.xml", coverage=DUTCH_COVERAGE)
    assert sorted(feature.type for feature in reader) == ["Gaskomponent", "Gasledning", "Gasledning"]
    assert reader.findings.errors == 0
    assert reader.account.count(Fate.OBJECT_LOST) == 3
