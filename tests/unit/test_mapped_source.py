"""Records through a mapping: features where they should lie, and a finding for everything that does not fit."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from ingest.check import check_source
from ingest.findings import Finding, Severity
from ingest.mapped_source import MappedSource
from ingest.mapping import parse_mapping
from ler.errors import RefusedError
from ler.model import Feature
from ler.settings import Settings
from tests.unit.test_crs import PLACES, PROJECTIONS, UTM32, transverse_mercator
from tests.vectors import Table, Tables

COVERAGE = Settings().coverage
LINE = shapely.LineString([(575000, 6224000, 1.0), (575010, 6224000, 2.0)])
PIPES = """
mapping: 1
heights: {unknown: [-99]}
layers:
  - layer: rør
    type: Vandledning
    id: {column: NR, prefix: v-}
    attributes:
      driftsstatus: {column: STATUS, codes: {D: i drift, N: "-"}, void: true}
      fareklasse: {constant: ikke farlig}
      etableringstidspunkt: {column: AAR}
      tvaersnitsform: {void: true}
"""


def table(geometries: Sequence[Any], crs: str | None = "EPSG:7416", **columns: Any) -> Table:
    count = len(geometries)
    whole = {
        "NR": [str(number) for number in range(1, count + 1)],
        "STATUS": ["D"] * count,
        "AAR": ["2001"] * count,
    }
    return Table("rør", whole | columns, geometries, crs)


def source_of(given: Table, mapping: str = PIPES, crs: str | None = None, rows: int = 4096) -> MappedSource:
    return MappedSource(Tables([given], rows), parse_mapping(mapping), coverage=COVERAGE, crs=crs)


def read(given: Table, mapping: str = PIPES, crs: str | None = None) -> tuple[list[Feature], list[Finding]]:
    source = source_of(given, mapping, crs)
    return list(source), source.findings.kept


def codes(found: Sequence[Finding]) -> list[tuple[int, str]]:
    return [(finding.line, finding.code) for finding in found]


def test_records_become_features() -> None:
    features, found = read(table([LINE, None]))
    assert found == []
    first, second = features
    assert (first.type, first.gml_id, first.line) == ("Vandledning", "v-1", 1)
    assert first.attributes == {
        "driftsstatus": "i drift",
        "fareklasse": "ikke farlig",
        "etableringstidspunkt": "2001",
    }
    assert first.voids == {"tvaersnitsform": "unknown"}
    assert first.geometry is not None
    assert first.geometry.equals_exact(LINE, 0)
    assert second.geometry is None
    assert second.unread == frozenset()


def test_a_finding_names_its_layer_and_record() -> None:
    _, found = read(table([LINE, LINE], STATUS=["D", "X"]))
    assert str(found[0]) == (
        "layer rør, record 2 (v-2): driftsstatus is 'X', which the mapping's table of codes does not have "
        "[mapping-code-unknown]"
    )
    assert found[0].wanted == "D | N"


@pytest.mark.parametrize("rows", [1, 2, 3, 4096])
def test_the_size_of_batches_changes_nothing(rows: int) -> None:
    given = table(
        [LINE] * 7, NR=["1", "2", "3", "2", "5", "6", "1"], STATUS=["D", "X", None, "D", "N", "D", "Q"]
    )
    whole, pieces = source_of(given), source_of(given, rows=rows)
    assert list(pieces) == list(whole)
    assert pieces.findings.kept == whole.findings.kept


def test_values_that_do_not_fit_are_findings_and_the_feature_comes_all_the_same() -> None:
    features, found = read(table([LINE] * 3, AAR=["2026-02-30", None, "x"]))
    assert len(features) == 3
    assert codes(found) == [(1, "date-impossible"), (2, "value-missing"), (3, "attribute-value")]
    assert features[0].unread == {"etableringstidspunkt"}


def test_findings_are_counted_all_and_kept_to_a_number() -> None:
    source = source_of(table([LINE] * 50, STATUS=["X"] * 50))
    assert len(list(source)) == 50
    assert source.findings.counts == {(Severity.ERROR, "mapping-code-unknown"): 50}
    assert len(source.findings.kept) == source.findings.cap


def test_identifiers_that_stand_twice_are_told_with_both_records() -> None:
    _, found = read(table([LINE] * 4, NR=["7", "8", "7", None]))
    assert codes(found) == [(3, "id-duplicate"), (4, "gml-id-missing")]
    assert found[0].found == "v-7 (record 1 too)"


def test_an_identifier_that_is_no_name_is_told() -> None:
    _, found = read(table([LINE]), PIPES.replace(", prefix: v-", ""))
    assert codes(found) == [(1, "gml-id-invalid")]


def test_an_identifier_of_several_columns() -> None:
    mapping = PIPES.replace("{column: NR, prefix: v-}", "{column: [NR, AAR], prefix: v, separator: .}")
    assert [feature.gml_id for feature in read(table([LINE]), mapping)[0]] == ["v1.2001"]


def test_references_that_lead_nowhere_are_told() -> None:
    mapping = PIPES + '      indeholdtLedning: {column: BOERN, split: ",", prefix: v-}\n'
    features, found = read(table([LINE] * 2, BOERN=["2, 3", None]), mapping)
    assert features[0].attributes["indeholdtLedning"] == ["v-2", "v-3"]
    assert codes(found) == [(1, "ManglendeGmlIdHenvisningRule")]
    assert found[0].found == "v-3"


def test_a_file_without_such_faults_is_read_once() -> None:
    tables = Tables([table([LINE] * 3)])
    list(MappedSource(tables, parse_mapping(PIPES), coverage=COVERAGE))
    assert tables.reads == ["rør"]


def test_what_nobody_mapped_is_told_once() -> None:
    given = table([LINE] * 2, FARVE=["blå", "rød"], TOM=[None, None])
    other = Table("andet", {"X": ["a"]}, [LINE])
    source = MappedSource(Tables([given, other]), parse_mapping(PIPES), coverage=COVERAGE)
    assert len(list(source)) == 2
    told = {
        (finding.layer, finding.code, finding.attribute, finding.found) for finding in source.findings.kept
    }
    assert told == {("rør", "mapping-column-unused", "FARVE", ""), ("andet", "mapping-layer-unused", "", "1")}
    assert source.findings.errors == 0


def test_columns_and_layers_that_are_known_are_not_told() -> None:
    mapping = PIPES.replace("    attributes:", "    ignore: [FARVE]\n    attributes:")
    assert read(table([LINE], FARVE=["blå"]), mapping)[1] == []


def test_records_are_chosen_and_those_that_nobody_chose_are_told() -> None:
    layers = PIPES.partition("layers:\n")[2]
    mapping = PIPES.replace("    type:", "    where: {column: KIND, is: [A]}\n    type:") + layers.replace(
        "    type: Vandledning", "    where: {column: KIND, is: [B]}\n    type: Afloebsledning"
    )
    features, found = read(table([LINE] * 4, KIND=["A", "B", "C", None]), mapping)
    assert [(feature.type, feature.line) for feature in features] == [
        ("Vandledning", 1),
        ("Afloebsledning", 2),
    ]
    assert codes(found) == [(3, "mapping-record-unused"), (4, "mapping-record-unused")]


def test_the_type_may_be_a_code() -> None:
    mapping = PIPES.replace(
        "type: Vandledning", "type: {column: T, codes: {V: Vandledning, S: Afloebsledning, X: -}}"
    )
    features, found = read(table([LINE] * 4, T=["V", "S", "X", "Q"]), mapping)
    assert [feature.type for feature in features] == ["Vandledning", "Afloebsledning"]
    assert codes(found) == [(4, "mapping-type-unknown")]


def test_a_value_that_the_type_has_no_place_for_is_told() -> None:
    mapping = PIPES.replace("type: Vandledning", "type: {column: T, codes: {V: Vandledning, G: Gasledning}}")
    mapping += "      tryk: TRYK\n      type: {void: true}\n"
    features, found = read(table([LINE] * 2, T=["V", "G"], TRYK=[4.0, 4.0]), mapping)
    assert "tryk" not in features[0].attributes
    assert features[1].attributes["tryk"] == 4.0
    assert codes(found) == [(1, "mapping-value-unused")]


def test_voids_stand_in_a_column() -> None:
    mapping = PIPES.replace("    attributes:", "    voids: VOID\n    attributes:")
    void = ["indeholderLedninger=unknown, udvendigDiameter", "fareklasse", "id"]
    features, found = read(table([LINE] * 3, VOID=void), mapping)
    assert features[0].voids == {
        "tvaersnitsform": "unknown",
        "indeholderLedninger": "unknown",
        "udvendigDiameter": None,
    }
    assert codes(found) == [(2, "void-not-empty"), (3, "mapping-void-unknown")]


def test_the_owner_stands_in_a_column_and_is_one() -> None:
    mapping = PIPES.replace("    attributes:", "    owner: CVR\n    attributes:")
    source = source_of(table([LINE] * 3, CVR=["12345678", "12345678", "87654321"]), mapping)
    list(source)
    assert source.stated_owner == "12345678"
    assert codes(source.findings.kept) == [(3, "owner-mixed")]


def test_a_contact_is_made_of_columns() -> None:
    mapping = (
        PIPES
        + "      kontaktprofilTilTekniskeSpoergsmaal: {fields: {navn: WHO, telefonnummer: {constant: '112'}}}\n"
    )
    features, found = read(table([LINE], WHO=["Vagten"]), mapping)
    assert found == []
    assert features[0].attributes["kontaktprofilTilTekniskeSpoergsmaal"] == {
        "gml_id": "v-1.Kontaktprofil",
        "navn": "Vagten",
        "telefonnummer": "112",
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("layer: rør", "layer: roer"), "no layer 'roer' .*rør"),
        (("column: NR", "column: NUMMER"), "no column 'NUMMER' .*NR"),
        (("column: AAR", "column: AR"), "no column 'AR' .*AAR"),
    ],
)
def test_a_file_without_what_the_mapping_speaks_of_is_refused(change: tuple[str, str], words: str) -> None:
    with pytest.raises(RefusedError, match=words) as refused:
        source_of(table([LINE]), PIPES.replace(*change))
    assert refused.value.code == "field-mapping"


# geometry


def placed(positions: Sequence[tuple[float, ...]], **kinds: Any) -> tuple[Feature, list[Finding]]:
    features, found = read(table([shapely.LineString(positions)], **kinds))
    return features[0], found


INSIDE = (575000.0, 6224000.0)
FAULTY = {
    "NaN": ([(math.nan, 6224000, 1), (575010, 6224000, 1)], "coordinate-not-finite"),
    "infinite": ([(math.inf, 6224000, 1), (575010, 6224000, 1)], "coordinate-not-finite"),
    "infinite height": ([(575000, 6224000, math.inf), (575010, 6224000, 1)], "coordinate-not-finite"),
    "no length": ([(575000, 6224000, 1), (575000, 6224000, 1)], "geometry-degenerate"),
    "no length and no height": (
        [(575000, 6224000), (575000, 6224000), (575000, 6224000)],
        "geometry-degenerate",
    ),
    "degrees": ([(12.5, 55.7, 1), (12.6, 55.7, 1)], "crs-out-of-area"),
    "swapped": ([(6224000, 575000, 1), (6224010, 575000, 1)], "crs-axis-order"),
    "far away": ([(5_000_000, 5_000_000, 1), (5_000_010, 5_000_000, 1)], "crs-out-of-area"),
    "in space": ([(575000, 6224000, 5000), (575010, 6224000, 5000)], "height-impossible"),
    "below the sea": ([(575000, 6224000, -500), (575010, 6224000, -500)], "height-impossible"),
    "endless": ([(575000 + x / 100, 6224000, 1) for x in range(100_001)], "geometry-limit"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_a_line_that_cannot_lie_there_has_a_fault_and_no_place(case: str) -> None:
    positions, code = FAULTY[case]
    with np.errstate(invalid="ignore"):  # shapely warns of what this is about
        line = shapely.LineString(positions)
    features, found = read(table([LINE, line, LINE]))
    assert [finding for finding in codes(found) if finding[1] != "geometry-repeated-points"] == [(2, code)]
    assert [feature.geometry is None for feature in features] == [False, True, False]
    assert features[1].unread == {"geometri"}


def test_degrees_that_pose_as_metres_and_metres_as_degrees_are_called_so() -> None:
    _, found = read(table([shapely.LineString(FAULTY["degrees"][0])]))
    assert found[0].found == "12.5 55.7; looks like degrees"
    _, found = read(table([LINE], crs="EPSG:4326"))
    assert [(f.code, f.found.partition("; ")[2]) for f in found if f.severity is Severity.ERROR] == [
        ("crs-out-of-area", "looks like metres")
    ]


def test_latitude_before_longitude_is_seen() -> None:
    swapped = shapely.LineString([(55.7, 12.5), (55.7, 12.6)])
    _, found = read(table([swapped], crs="EPSG:4326"))
    assert [f.code for f in found if f.severity is Severity.ERROR] == ["crs-axis-order"]


def test_repeated_points_are_told_and_kept() -> None:
    feature, found = placed([(575000, 6224000, 1), (575000, 6224000, 1), (575010, 6224000, 1)])
    assert [(f.code, f.severity, f.found) for f in found] == [
        ("geometry-repeated-points", Severity.WARNING, "1")
    ]
    assert shapely.get_num_points(feature.geometry) == 3


def test_a_line_that_crosses_itself_is_a_line() -> None:
    loop = [(575000, 6224000, 1), (575010, 6224010, 1), (575010, 6224000, 1), (575000, 6224010, 1)]
    assert placed(loop)[1] == []


KINDS: dict[str, tuple[Any, str, Any]] = {
    "a multiple of one line": (shapely.MultiLineString([LINE]), "Vandledning", LINE),
    "a collection of one line": (shapely.GeometryCollection([LINE]), "Vandledning", LINE),
    "a line for a trace": (LINE, "Ledningstrace", shapely.MultiLineString([LINE])),
    "two lines": (
        shapely.MultiLineString([LINE, shapely.transform(LINE, lambda xy: xy + 20)]),
        "Vandledning",
        None,
    ),
    "a point for a line": (shapely.Point(575000, 6224000, 1), "Vandledning", None),
    "an area for a line": (shapely.box(575000, 6224000, 575010, 6224010), "Vandledning", None),
}


@pytest.mark.parametrize("case", KINDS)
def test_the_kind_of_geometry_must_be_the_models(case: str) -> None:
    given, type_name, wanted = KINDS[case]
    mapping = PIPES.replace("type: Vandledning", f"type: {type_name}")
    if type_name == "Ledningstrace":
        mapping = mapping.replace("tvaersnitsform", "forsyningsart")
    features, found = read(table([given]), mapping)
    if wanted is None:
        assert codes(found) == [(1, "geometriDatatyperestriktion")]
        assert features[0].geometry is None
    else:
        assert found == []
        assert features[0].geometry is not None
        assert features[0].geometry.equals_exact(wanted, 0)


@pytest.mark.parametrize(
    "fault", ["geometry-malformed", "geometry-limit", "coordinate-not-finite", "geometry-type"]
)
def test_what_the_reader_of_files_found_is_told(fault: str) -> None:
    given = table([LINE, None])
    given.faults = [None, fault]
    features, found = read(given)
    assert len(features) == 2
    assert [finding.line for finding in found] == [2]
    assert features[1].unread == {"geometri"}


def test_a_component_without_a_place_is_told() -> None:
    mapping = """
mapping: 1
layers:
  - layer: rør
    type: Vandkomponent
    id: {column: NR, prefix: k-}
    ignore: [STATUS, AAR]
    attributes: {type: {constant: ventil}}
"""
    assert codes(read(table([None]), mapping)[1]) == [(1, "geometry-empty")]


# heights


@pytest.mark.parametrize("code", [-99.0, -9999.0, 0.0])
def test_heights_that_mean_unknown_are_unknown_and_told(code: float) -> None:
    given = table([shapely.LineString([(*INSIDE, code), (575010, 6224000, code)])])
    features, found = read(given, PIPES.replace("heights: {unknown: [-99]}\n", ""))
    assert [(f.code, f.severity, f.found) for f in found] == [
        ("height-unknown", Severity.WARNING, f"{code:g}")
    ]
    assert math.isnan(shapely.get_coordinates(features[0].geometry, include_z=True)[0, 2])


def test_a_line_that_touches_zero_keeps_it() -> None:
    given = table([shapely.LineString([(*INSIDE, 0.0), (575010, 6224000, 1.5)])])
    features, found = read(given, PIPES.replace("heights: {unknown: [-99]}\n", ""))
    assert found == []
    assert shapely.get_coordinates(features[0].geometry, include_z=True)[0, 2] == 0.0


def test_heights_that_the_mapping_states_are_not_told_of() -> None:
    feature, found = placed([(*INSIDE, -99), (575010, 6224000, 0)])
    assert found == []
    heights = shapely.get_coordinates(feature.geometry, include_z=True)[:, 2]
    assert math.isnan(heights[0])
    assert heights[1] == 0.0


def test_a_line_without_heights_has_unknown_ones() -> None:
    feature, found = placed([INSIDE, (575010, 6224000)])
    assert found == []
    assert feature.geometry is not None
    assert feature.geometry.has_z
    assert all(math.isnan(z) for _, _, z in feature.geometry.coords)


def test_a_height_may_stand_in_a_column() -> None:
    mapping = PIPES.replace("{unknown: [-99]}", "{unknown: [-99], column: KOTE}")
    flat = shapely.LineString([INSIDE, (575010, 6224000)])
    features, found = read(table([flat] * 3, KOTE=["1.5", "-99", "x"]), mapping)
    heights = [shapely.get_coordinates(feature.geometry, include_z=True)[0, 2] for feature in features]
    assert heights[0] == 1.5
    assert math.isnan(heights[1])
    assert codes(found) == [(3, "attribute-value")]


# coordinate systems


@pytest.mark.parametrize("epsg", PROJECTIONS)
def test_a_network_in_another_projection_lies_where_it_should(epsg: int) -> None:
    """Bornholm in EPSG:25833 among them."""
    place = PLACES["Rønne"] if epsg in {25833, 2198, 4096} else PLACES["Aarhus"]
    x, y = transverse_mercator(*place, PROJECTIONS[epsg])
    given = table([shapely.LineString([(x, y, 3.5), (x + 10, y, -99)])], crs=f"EPSG:{epsg}")
    features, found = read(given)
    wanted = transverse_mercator(*place, UTM32)
    assert shapely.get_coordinates(features[0].geometry)[0].tolist() == pytest.approx(wanted, abs=0.001)
    heights = shapely.get_coordinates(features[0].geometry, include_z=True)[:, 2]
    assert heights[0] == 3.5
    assert math.isnan(heights[1])
    assert codes(found) == [(0, "crs-height-assumed")]


def test_a_less_accurate_system_is_told_with_its_accuracy() -> None:
    lon, lat = PLACES["Aarhus"]
    source = source_of(table([shapely.LineString([(lon, lat), (lon, lat + 0.001)])], crs="EPSG:4326"))
    features = list(source)
    assert [(f.code, f.layer, f.wanted) for f in source.findings.kept] == [("crs-accuracy", "rør", "1")]
    assert source.transformations["rør"].accuracy_m == 1.0
    assert source.findings.errors == 0
    assert features[0].geometry is not None


def test_heights_above_another_zero_are_lost_and_told() -> None:
    features, found = read(table([LINE], crs="EPSG:25832+5733"))
    assert [f.code for f in found] == ["crs-height-lost"]
    assert math.isnan(shapely.get_coordinates(features[0].geometry, include_z=True)[0, 2])


@pytest.mark.parametrize(
    ("stated", "told", "code"),
    [
        (None, None, "crs-missing"),
        ("EPSG:25832", "EPSG:25833", "crs-mixed"),
        ("EPSG:999999", None, "crs-unsupported"),
    ],
)
def test_a_file_whose_system_is_not_known_is_refused(stated: str | None, told: str | None, code: str) -> None:
    with pytest.raises(RefusedError, match="rør") as refused:
        source_of(table([LINE], crs=stated), crs=told)
    assert refused.value.code == code


def test_the_system_may_be_said_outside_or_in_the_mapping() -> None:
    for mapping, crs in ((PIPES, "EPSG:7416"), (PIPES.replace("layers:", "crs: EPSG:7416\nlayers:"), None)):
        assert read(table([LINE], crs=None), mapping, crs)[1] == []


def test_the_official_rules_hold_for_mapped_features_too() -> None:
    source = source_of(table([LINE, None], AAR=["2024", "2024"]))
    result = check_source(source, Path("net.gpkg"))
    assert result.feature_counts == {"Vandledning": 2}
    told = Counter(finding.code for finding in result.findings.kept)
    assert told["Ledning.geometriBetingelse"] == 1
    assert "GmlContentNonEmptyRule" not in told
    assert all(finding.layer or finding.line for finding in result.findings.kept)
