"""The rules of the whole file tell the same however far apart the features lie, and name them by their own words."""

from array import array

import pytest
from shapely import Point

from ingest.hashes import FewOfMany, met, sort_hashes, twice
from ingest.rules import register
from ingest.rules.settings import RuleSettings
from ingest.rules.whole_file import WholeFile
from ler.model import Feature, Value, load_model

HERE = Point(575_000, 6_224_000, 1)


def line(number: int, *, placed: bool = True, **attributes: Value) -> Feature:
    return Feature(
        "Vandledning", f"vand.{number}", attributes, geometry=HERE if placed else None, line=number + 1
    )


def told(features: list[Feature]) -> list[tuple[str, str, int, str]]:
    whole = WholeFile(load_model(), RuleSettings())
    for feature in features:
        whole.take(feature)
    return [(name, f.gml_id, f.line, broken.found) for name, f, broken in whole.broken()]


@pytest.mark.parametrize("rows_in_memory", [1, 7, 4096])
def test_faults_are_told_in_the_order_of_the_file_wherever_the_texts_lie(
    monkeypatch: pytest.MonkeyPatch, rows_in_memory: int
) -> None:
    monkeypatch.setattr(register, "_ROWS_AT_ONCE", rows_in_memory)
    features = [line(number) for number in range(50)]
    features[3] = line(3, slutkomponent="vand.49", startkomponent="vand.0")
    features[20] = line(20, placed=False)
    features[21] = line(21, placed=False)
    features[40] = line(40, slutkomponent="ventil.1", startkomponent="nowhere")
    features[49] = line(49, slutkomponent="vand.2")
    features.append(Feature("Ledningstrace", "trace.1", {"indeholdtLedning": ["vand.21"]}))
    features.append(Feature("Vandkomponent", "ventil.1"))
    assert told(features) == [
        ("Ledning.geometriBetingelse", "vand.20", 21, ""),
        ("reference-wrong-type", "vand.3", 4, "#vand.0: Vandledning"),
        ("reference-wrong-type", "vand.3", 4, "#vand.49: Vandledning"),
        ("reference-wrong-type", "vand.49", 50, "#vand.2: Vandledning"),
    ]


def test_any_text_can_be_an_identifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "_ROWS_AT_ONCE", 1)
    features = [
        Feature("Vandledning", gml_id, geometry=None, line=1)
        for gml_id in ("a b", "", "a\nb", "\ud800", "ø\r")
    ]
    assert [gml_id for _, gml_id, _, _ in told(features)] == ["a b", "", "a b", "\ud800", "ø\r"]


def test_a_reference_without_a_target_is_no_reference_to_a_feature_without_a_name() -> None:
    nameless = Feature("Vandledning", "", geometry=HERE)
    assert told([line(1, slutkomponent=""), nameless]) == []


def test_of_features_of_one_name_one_of_the_wanted_type_is_enough() -> None:
    twins = [Feature("Vandkomponent", "x"), Feature("Vandledning", "x", geometry=HERE)]
    assert told([*twins, line(1, slutkomponent="x")]) == []


def test_hashes_are_found_among_others_and_only_those() -> None:
    known = sort_hashes(array("q", [5, -3, 9, 5, 2**63 - 1, -(2**63)]))
    assert known.tolist() == [-(2**63), -3, 5, 5, 9, 2**63 - 1]
    assert twice(known).tolist() == [5]
    assert met(known[:0], known).tolist() == []
    assert met(known + 0, known).all()
    asked = sort_hashes(array("q", [-4, 5, 6, 10]))
    assert met(asked, known).tolist() == [False, True, False, False]
    assert not met(asked, known[:0]).any()
    few = FewOfMany(twice(known))
    assert 5 in few
    assert 6 not in few
    assert -5 not in few
    assert len(few) == 1
