"""Rules on sensitive lines, the cells that stand for them, and the answers that follow; no database."""

from itertools import product
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, box

from ler.domain.answers import CONTENT_RULES, AnswerType, Holds
from ler.domain.machine import Actor
from ler.domain.sensitivity import (
    CELL_M,
    MOST_NAMES,
    STRICTNESS,
    SensitivityClass,
    SensitivityRule,
    Withheld,
    answer_type_of,
    cells_of,
    class_of,
    rule_faults,
)
from ler.domain.states import OWES_ANSWER, OWNER_MACHINE, OwnerState
from ler.model import Feature

AREA = MultiPolygon([box(0, 0, 100, 100)])
RESTRICTED, MARKING, NEVER = STRICTNESS[1:]
CABLE = Feature(
    "Elledning", "a", {"fareklasse": "meget farlig"}, geometry=LineString([(0, 0, 1), (10, 0, 1)])
)
TRACE = Feature("Ledningstrace", "t", {"forsyningsart": ["vand", "telekommunikation"]})


def rule(**named: Any) -> SensitivityRule:  # noqa: ANN401 - what the rule names
    values: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value
        for name, value in ({"sensitivity": RESTRICTED} | named).items()
    }
    return SensitivityRule(**values)


@pytest.mark.parametrize(
    ("named", "meets"),
    [
        ({"feature_types": ["Elledning"]}, "cable"),
        ({"feature_types": ["Ledningstrace", "Elledning"]}, "cable trace"),
        ({"utility_types": ["el"]}, "cable"),
        ({"utility_types": ["telekommunikation"]}, "trace"),
        ({"utility_types": ["gas"]}, ""),
        ({"danger_classes": ["meget farlig"]}, "cable"),
        ({"danger_classes": ["farlig"]}, ""),
        ({"gml_ids": ["t", "x"]}, "trace"),
        ({"area": AREA}, "cable"),
        ({"area": MultiPolygon([box(10, 0, 20, 20)])}, "cable"),
        ({"area": MultiPolygon([box(10.001, 0, 20, 20)])}, ""),
        ({"utility_types": ["el"], "danger_classes": ["farlig"]}, ""),
        ({"utility_types": ["el"], "gml_ids": ["a"], "area": AREA}, "cable"),
    ],
)
def test_a_rule_meets_what_has_all_that_it_names(named: dict[str, object], meets: str) -> None:
    assert rule(**named).meets(CABLE) == ("cable" in meets)
    assert rule(**named).meets(TRACE) == ("trace" in meets)


def test_the_strictest_rule_holds_in_whatever_order() -> None:
    rules = [rule(sensitivity=kind, utility_types=["el"]) for kind in (MARKING, NEVER, RESTRICTED)]
    assert class_of(rules, CABLE) is NEVER
    assert class_of(rules[::2], CABLE) is class_of(rules[::-2], CABLE) is MARKING
    assert class_of(rules, TRACE) is class_of([], CABLE) is SensitivityClass.NORMAL


@pytest.mark.parametrize(
    ("named", "code", "pointer"),
    [
        ({}, "rule-empty", ""),
        ({"sensitivity": SensitivityClass.NORMAL, "gml_ids": ["a"]}, "rule-class", "/class"),
        ({"feature_types": ["Ledning"]}, "feature-type-unknown", "/feature_types"),
        ({"feature_types": ["Kabel"]}, "feature-type-unknown", "/feature_types"),
        ({"utility_types": ["strøm"]}, "attribute-code", "/utility_types"),
        ({"danger_classes": ["very dangerous"]}, "attribute-code", "/danger_classes"),
        ({"gml_ids": [""]}, "field-invalid", "/gml_ids"),
        ({"gml_ids": [str(n) for n in range(MOST_NAMES + 1)]}, "rule-too-long", "/gml_ids"),
        (
            {"area": MultiPolygon([shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])])},
            "geometry-invalid",
            "/area",
        ),
        ({"area": MultiPolygon()}, "geometry-invalid", "/area"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(named: dict[str, object], code: str, pointer: str) -> None:
    assert [(fault.code, fault.pointer) for fault in rule_faults(rule(**named))] == [(code, pointer)]
    assert not rule_faults(rule(utility_types=["other: brint"], danger_classes=["farlig"], area=AREA))


def test_cells_lie_on_whole_multiples_and_touching_counts() -> None:
    assert [cell.bounds for cell in cells_of(Point(30, 50))] == [(20, 40, 40, 60)]
    assert len(cells_of(Point(40, 50))) == 2
    assert len(cells_of(Point(40, 60))) == 4
    assert len(cells_of(LineString([(-1, 1), (1, 1)]))) == 2
    assert [cell.bounds for cell in cells_of(LineString([(5, 5), (5, 5)]))] == [(0, 0, 20, 20)]


COORDINATES = st.floats(-200, 200, allow_nan=False, width=32)


@given(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=2, max_size=5))
def test_cells_cover_a_line_and_each_has_a_part_of_it(points: list[tuple[float, float]]) -> None:
    line = LineString(points)
    cells = cells_of(line)
    assert shapely.union_all(cells).buffer(1e-6).covers(line)
    assert all(cell.intersects(line) for cell in cells)
    assert all(number % CELL_M == 0 for cell in cells for number in cell.bounds)
    assert len({cell.bounds for cell in cells}) == len(cells)


CLASSES = [
    frozenset(kind for kind, wanted in zip(STRICTNESS[1:], chosen, strict=True) if wanted)
    for chosen in product((False, True), repeat=3)
]


@pytest.mark.parametrize("classes", CLASSES, ids=lambda classes: " ".join(sorted(classes)) or "none")
@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("features", [0, 3])
def test_an_answer_never_says_that_there_are_no_lines_where_some_are_withheld(
    classes: frozenset[SensitivityClass], features: int, *, refused: bool
) -> None:
    answer = answer_type_of(features, Withheld(classes, refused))
    holds = CONTENT_RULES[answer].features
    assert holds is not (Holds.MUST if features == 0 else Holds.MUST_NOT)
    if not classes:
        assert answer is (AnswerType.DELIVERED if features else AnswerType.NO_LINES)
        return
    assert answer not in {AnswerType.DELIVERED, AnswerType.NO_LINES}
    after = OWNER_MACHINE.after(OwnerState.ASKED, CONTENT_RULES[answer].event, Actor.PLATFORM)
    if RESTRICTED in classes and not refused:
        assert after in OWES_ANSWER
    else:
        assert after is (OwnerState.ANSWERED if answer is AnswerType.WITHHELD else OwnerState.TO_BE_MARKED)
