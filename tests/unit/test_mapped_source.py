"""Records through a mapping: features where they should lie, and a finding for everything that does not fit."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely

from ingest.check import check_source
from ingest.findings import Finding, Severity
from ingest.mapped_source import MappedSource
from ingest.mapping import parse_mapping
from ler.errors import RefusedError
from ler.model import Feature
from ler.settings import Settings
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


def table(geometries: Sequence[Any], crs: str | None = "EPSG:7416", **columns: Any) -> Table:  # noqa: ANN401 - fields of any kind
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


def test_the_official_rules_hold_for_mapped_features_too() -> None:
    source = source_of(table([LINE, None], AAR=["2024", "2024"]))
    result = check_source(source, Path("net.gpkg"))
    assert result.feature_counts == {"Vandledning": 2}
    told = Counter(finding.code for finding in result.findings.kept)
    assert told["Ledning.geometriBetingelse"] == 1
    assert "GmlContentNonEmptyRule" not in told
    assert all(finding.layer or finding.line for finding in result.findings.kept)
