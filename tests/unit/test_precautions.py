"""Tables of precautions: what of them holds, that nothing unknown silences a row, and every fault by its place."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from conflicts.clearances import load_clearances
from conflicts.dig import Dig
from conflicts.existing import Delivered, existing_of
from conflicts.owner_tables import read_table
from conflicts.precaution_words import hit_reason
from conflicts.precautions import OwnersHit, OwnersTable, hits_of_owners, vocabulary
from conflicts.risk import risk
from conflicts.vertical import Ground
from ler.domain.faults import FaultsError
from ler.domain.precaution_tables import read_row, row_document
from ler.domain.precautions import AskedWork, NearLine, PrecautionRow, find_hits, highest
from ler.model import Feature

CLEARANCES = load_clearances()
WORDS = vocabulary(CLEARANCES)
OWNER = UUID(int=1)
ROW = PrecautionRow(1, "da", "en")
WORK = AskedWork("dig", "road", "open-trench", 1.0, date(2027, 3, 1))
LINE = NearLine(0, "a", "el", frozenset({"power.high"}), True, "farlig", 0.5, 1.0)
SQUARE = shapely.box(0, 0, 10, 10)

some = st.sampled_from
sets = {
    "themes": st.frozensets(some(["el", "gas"])),
    "classes": st.frozensets(some(["power.low", "power.high", "gas.main"])),
    "danger_classes": st.frozensets(some(["farlig", "meget farlig"])),
    "request_kinds": st.frozensets(some(["dig", "planning"])),
    "activities": st.frozensets(some(["road", "repair"])),
    "methods": st.frozensets(some(["hand", "open-trench"])),
    "areas": st.frozensets(some(["north", "south"]), max_size=1),
}
maybe = st.none() | some([0.0, 0.5, 1.0, 2.0])
rows = st.lists(
    st.builds(
        PrecautionRow, st.integers(1, 50), st.just("da"), st.just("en"),
        **sets, depth_from_m=maybe, depth_to_m=maybe, within_m=maybe,
        valid_from=st.none() | some([date(2027, 1, 1), date(2028, 1, 1)]),
    ),
    max_size=6, unique_by=lambda row: row.priority,
)  # fmt: skip
works = st.builds(
    AskedWork, some(["dig", "planning"]), some(["road", "repair", "other", None]),
    some(["hand", "open-trench", "other", None]), maybe, st.just(date(2027, 6, 1)),
)  # fmt: skip
lines = st.lists(
    st.builds(
        NearLine, st.integers(0, 99), st.text("abc", min_size=1), some(["el", "gas"]), sets["classes"],
        st.just(True), some(["farlig", "meget farlig", "ikke farlig", None]), some([0.0, 0.4, 0.9, 3.0]),
        maybe, st.frozensets(some(["north", "south"])),
    ),
    max_size=5, unique_by=lambda line: line.number,
)  # fmt: skip


def priorities(found: list[Any]) -> set[int]:
    return {hit.row.priority for hit in found}


@settings(max_examples=200, deadline=None)
@given(rows, works, lines, st.data())
def test_what_is_not_known_silences_nothing(
    table: list[PrecautionRow], work: AskedWork, near: list[NearLine], data: st.DataObject
) -> None:
    before = priorities(find_hits(table, work, near))
    told_less: dict[str, Any] = data.draw(some([{"activity": None}, {"method": None}, {"depth_m": None}]))
    assert before <= priorities(find_hits(table, replace(work, **told_less), near))
    unknown: dict[str, Any] = data.draw(
        some(
            [
                {"theme": None},
                {"danger_class": None},
                {"classes": frozenset(CLEARANCES.kinds), "class_known": False},
                {"least_m": 0.0, "most_m": None, "unknown": frozenset({"place-unknown"})},
                {"areas": None},
            ]
        )
    )
    assert before <= priorities(find_hits(table, work, [replace(line, **unknown) for line in near]))


@settings(max_examples=100, deadline=None)
@given(rows, works, lines, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_the_highest_is_shown(
    table: list[PrecautionRow], work: AskedWork, near: list[NearLine], chance: Any  # noqa: ANN401 - a Random of Hypothesis
) -> None:  # fmt: skip
    near = [replace(line, gml_id=f"{line.gml_id}{line.number}") for line in near]
    found = find_hits(table, work, near)
    mixed_rows, mixed_lines = list(table), list(near)
    chance.shuffle(mixed_rows)
    chance.shuffle(mixed_lines)
    assert find_hits(mixed_rows, work, mixed_lines) == found
    shown = highest(found)
    assert shown.keys() == {hit.theme for hit in found}
    for hit in found:
        assert shown[hit.theme].row.priority <= hit.row.priority
    assert {*shown.values()} <= {*found}


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        ({"depth_from_m": 1.0}, True),
        ({"depth_from_m": 1.01}, False),
        ({"depth_to_m": 1.0}, True),
        ({"depth_to_m": 0.99}, False),
        ({"within_m": 0.5}, False),
        ({"within_m": 0.501}, True),
        ({"methods": frozenset({"hand"})}, False),
        ({"activities": frozenset({"road"})}, True),
        ({"request_kinds": frozenset({"planning"})}, False),
        ({"classes": frozenset({"power.low"})}, False),
        ({"danger_classes": frozenset({"meget farlig"})}, False),
        ({"areas": frozenset({"north"})}, False),
        ({"valid_from": date(2027, 3, 1)}, True),
        ({"valid_from": date(2027, 3, 2)}, False),
    ],
)
def test_a_row_at_its_boundary(row: dict[str, Any], *, holds: bool) -> None:
    assert bool(find_hits([replace(ROW, **row)], WORK, [LINE])) == holds


def test_another_method_may_be_any_and_a_table_without_lines_is_silent() -> None:
    row = replace(ROW, methods=frozenset({"hand"}))
    (hit,) = find_hits([row], replace(WORK, method="other"), [LINE])
    assert hit.reasons == ("method-unknown",)
    assert find_hits([ROW], WORK, []) == []


def hits(table: OwnersTable, *features: Feature) -> list[OwnersHit]:
    dig = Dig(SQUARE, "road", "open-trench", 1.0)
    existing = existing_of([Delivered(OWNER, one) for one in features], CLEARANCES, 5.0)
    return hits_of_owners(
        dig, existing, {OWNER: table}, request_kind="dig", clearances=CLEARANCES, ground=Ground()
    )


def cable(gml_id: str, east: float | None, **told: Any) -> Feature:  # noqa: ANN401 - attributes
    told = {"noejagtighedsklasse": "<= 0.25 m", "udvendigDiameter": 100.0, **told}
    place = None if east is None else shapely.LineString([(east, 0, 0), (east, 10, 0)])
    return Feature("Elledning", gml_id, told, geometry=place)


def test_distances_and_areas_are_those_of_the_bands() -> None:
    row = replace(ROW, themes=frozenset({"el"}), within_m=1.0)
    near, far = cable("near", 11.2), cable("far", 11.4)
    (found,) = hits(OwnersTable([row], {}), near, far)
    assert (found.hit.nearest.gml_id, found.hit.nearest.least_m, found.hit.lines) == ("near", 0.9, 1)
    assert found.geometry is not None
    assert shapely.length(found.geometry) == pytest.approx(1.2)
    # Farther than any rule of clearances, and only in an area that its band reaches.
    areas = {"hill": shapely.box(1000.25, 0, 1100, 10)}
    row = replace(ROW, areas=frozenset({"hill"}))
    (found,) = hits(OwnersTable([row], areas), cable("out", 999.9), cable("in", 1000.0))
    assert (found.hit.nearest.gml_id, found.hit.lines) == ("in", 1)
    (found,) = hits(OwnersTable([row], areas), cable("lost", None))
    assert found.hit.reasons == ("place-unknown",)
    assert found.geometry is None
    # Of a class that its owner does not tell it may be any.
    row = replace(ROW, classes=frozenset({"power.high"}))
    assert hits(OwnersTable([row], {}), cable("a", 5, spaendingsniveau=0.4)) == []
    (found,) = hits(OwnersTable([row], {}), cable("a", 5))
    assert found.hit.reasons == ("class-unknown",)
    trace = Feature("Ledningstrace", "t", {}, geometry=shapely.LineString([(5, 0), (5, 10)]))
    (found,) = hits(OwnersTable([replace(row, themes=frozenset({"el"}))], {}), trace)
    assert (found.hit.theme, found.hit.reasons) == (None, ("class-unknown", "theme-unknown"))


def test_why_a_row_holds_is_said_in_words() -> None:
    row = replace(
        ROW, themes=frozenset({"el"}), classes=frozenset({"power.high"}), methods=frozenset({"open-trench"}),
        depth_from_m=0.5, within_m=2.0, areas=frozenset({"hill"}),
    )  # fmt: skip
    line = replace(LINE, areas=frozenset({"hill"}), unknown=frozenset({"size-unknown"}))
    (hit,) = find_hits([row], replace(WORK, depth_m=None), [line])
    assert hit_reason(hit, "Elledning", CLEARANCES, "da") == (
        "Gælder for el; højspænding; åben grav med maskine; gravedybde fra 0,50 m; inden for 2,00 m; i området hill. "
        "Nærmest af 1: Elledning a kan ligge 0,50 m fra gravningen. Regnet som det værste: gravedybden er ikke oplyst, "
        "størrelsen er ukendt."
    )
    assert hit_reason(hit, "Elledning", CLEARANCES, "en").startswith(
        "Holds for electricity; high voltage; open"
    )


GOOD: dict[str, Any] = {"priority": 1, "themes": ["el"], "da": "x", "en": "y"}


@pytest.mark.parametrize(
    ("row", "code", "pointer"),
    [
        ({}, "precaution-row-empty", "/row/1"),
        ({"priority": 2, "da": "x", "en": "y"}, "precaution-row-empty", "/row/1"),
        (GOOD, "precaution-priority-double", "/row/1/priority"),
        ({**GOOD, "priority": 2, "themes": ["te"]}, "precaution-word-unknown", "/row/1/themes"),
        ({**GOOD, "priority": 2, "methods": ["laser"]}, "precaution-word-unknown", "/row/1/methods"),
        ({**GOOD, "priority": 2, "request_kinds": ["x"]}, "precaution-word-unknown", "/row/1/request_kinds"),
        ({**GOOD, "priority": 2, "classes": ["gas.main"]}, "precaution-class", "/row/1/classes"),
        ({**GOOD, "priority": 2, "areas": ["x"]}, "precaution-area-unknown", "/row/1/areas"),
        (
            {**GOOD, "priority": 2, "depth_from_m": 2, "depth_to_m": 1},
            "precaution-depth",
            "/row/1/depth_from_m",
        ),
        ({**GOOD, "priority": 2, "within_m": float("nan")}, "precaution-shape", "/row/1/within_m"),
        ({**GOOD, "priority": 2, "within_m": 0}, "precaution-shape", "/row/1/within_m"),
        ({**GOOD, "priority": 2, "valid_from": "soon"}, "precaution-shape", "/row/1/valid_from"),
        ({**GOOD, "priority": True}, "precaution-shape", "/row/1/priority"),
        ({**GOOD, "priority": 2, "en": " "}, "precaution-shape", "/row/1/en"),
        ({**GOOD, "priority": 2, "method": []}, "precaution-shape", "/row/1/method"),
        ("row", "precaution-row-empty", "/row/1"),
    ],
)
def test_a_bad_table_is_told_by_its_place(row: object, code: str, pointer: str) -> None:
    with pytest.raises(FaultsError) as caught:
        read_table({"row": [GOOD, row]}, {})
    assert (code, pointer) in {(fault.code, fault.pointer) for fault in caught.value.faults}


def test_bad_areas_and_shapes_of_the_whole_are_told() -> None:
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    for areas in ({"a": bow}, {"a": shapely.Point(0, 0)}, {"a": shapely.Polygon()}):
        with pytest.raises(FaultsError, match="/areas/a"):
            read_table({"row": [GOOD]}, areas)
    documents: list[object] = [[], {}, {"row": []}, {"row": [GOOD], "rows": 1}, {"row": [GOOD] * 501}]
    for document in documents:
        with pytest.raises(FaultsError):
            read_table(document, {})


def test_what_stands_beside_the_rows_holds_for_those_that_say_nothing_and_is_kept_with_them() -> None:
    own = {
        **GOOD,
        "priority": 2,
        "valid_from": date(2027, 1, 1),
        "areas": [],
        "within_m": 2,
        "notice_days": 3,
    }
    document = {"valid_from": "2026-06-01", "areas": ["a"], "row": [own, {**GOOD, "contact": "us"}]}
    first, second = read_table(document, {"a": SQUARE})
    assert (first.priority, first.valid_from, first.areas) == (1, date(2026, 6, 1), frozenset({"a"}))
    assert (second.valid_from, second.areas) == (date(2027, 1, 1), frozenset())
    assert [read_row(row_document(row)) for row in (first, second)] == [first, second]


def test_the_risk_score_is_the_sum_of_what_is_likely_by_danger() -> None:
    each = [
        {"probability": p, "danger_class": c}
        for p, c in ((0.5, "ikke farlig"), (1.0, "farlig"), (0.25, None))
    ]
    assert risk(each) == 6.0
    assert risk([]) == 0.0


def test_what_lies_nowhere_has_no_extent() -> None:
    for features in ([], [cable("lost", None)]):
        assert existing_of([Delivered(OWNER, one) for one in features], CLEARANCES, 5.0).extent is None
    placed = existing_of(
        [Delivered(OWNER, cable("a", 5)), Delivered(OWNER, cable("lost", None))], CLEARANCES, 5.0
    )
    assert placed.extent is not None
    assert placed.extent.contains(shapely.box(4.7, 0, 5.3, 10))
