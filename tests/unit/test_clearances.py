"""The rules of distances: every one at its boundary, what is not known, who overrides whom, and what is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import shapely

from conflicts.clearances import UNKNOWN_PAIR, Arrangement, Case, Clearances, Rule, load_clearances, read_rule
from conflicts.detect import Conflict, detect
from conflicts.dig import Dig
from conflicts.existing import Delivered
from conflicts.reference import reference
from conflicts.words import reason
from ler.errors import RefusedError
from ler.model import Feature

OURS = load_clearances()
OWNER, OTHER = UUID(int=1), UUID(int=2)
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "clearances.md"
EXACT: dict[str, Any] = {"noejagtighedsklasse": "<= 0.25 m", "udvendigDiameter": 500.0}
BAND_M = 0.25 + 0.25
OF_KIND: dict[str, tuple[str, dict[str, Any]]] = {
    "power.low": ("Elledning", {"spaendingsniveau": 0.4}),
    "power.medium": ("Elledning", {"spaendingsniveau": 10.0}),
    "power.high": ("Elledning", {"spaendingsniveau": 60.0}),
    "power.transmission": ("Elledning", {"spaendingsniveau": 150.0}),
    "gas.distribution": ("Gasledning", {"type": "distributionsledning"}),
    "gas.main": ("Gasledning", {"type": "fordelingsledning"}),
    "gas.transmission": ("Gasledning", {"type": "transmissionsledning"}),
    "telecom": ("Telekommunikationsledning", {}),
    "water": ("Vandledning", {}),
    "drain": ("Afloebsledning", {}),
    "heat": ("TermiskLedning", {}),
    "oil": ("Olieledning", {}),
    "unknown": ("LedningUkendtForsyningsart", {}),
}
RULE: dict[str, Any] = {
    "id": "own",
    "utilities": ["water"],
    "clear": 2.0,
    "source": "us",
    "clause": "ours",
    "verified": True,
    "da": "vores",
    "en": "ours",
}


def line(kind: str, at_m: float, **attributes: Any) -> Delivered:  # noqa: ANN401 - of a feature
    """A line along the trench, its outside this far from the trench's edge at the least."""
    name, told = OF_KIND[kind]
    path = shapely.LineString([(0, at_m + BAND_M), (50, at_m + BAND_M)])
    return Delivered(
        OWNER, Feature(name, "l", {**EXACT, **told, **attributes}, geometry=shapely.force_3d(path))
    )


def found(clearances: Clearances, lines: Delivered, **work: Any) -> Conflict | None:  # noqa: ANN401 - of a dig
    conflicts = detect(Dig(shapely.box(0, -1, 50, 0), **work), [lines], clearances, 5.0)
    return conflicts[0] if conflicts else None


def rows() -> Iterator[tuple[Rule, str, Arrangement]]:
    for rule in OURS.rules:
        kind = next(one for one in OURS.kinds if rule.utilities is None or one in rule.utilities)
        yield rule, kind, min(rule.arrangements or {Arrangement.PARALLEL})


@pytest.mark.parametrize(
    ("rule", "kind", "arrangement"), [pytest.param(*one, id=one[0].id) for one in rows()]
)
def test_every_rule_at_its_boundary(rule: Rule, kind: str, arrangement: Arrangement) -> None:
    alone = replace(
        OURS,
        rules=[
            rule.model_copy(update={"arrangements": None} if arrangement is not Arrangement.OVERHEAD else {})
        ],
    )
    codes = {
        "method": min(rule.methods or {"machine"}),
        "activity": min(rule.activities or {"laying"}),
    }
    work = {
        "method": OURS.methods[codes["method"]].codes[0],
        "activity": OURS.activities[codes["activity"]].codes[0],
    }
    attributes = {"niveau": "over terræn"} if arrangement is Arrangement.OVERHEAD else {}
    for place, distance in enumerate(rule.distances):
        if isinstance(distance, float):
            zone = ("no-machine", "hand-dig", "stand-by", "notify")[
                next(number for number, one in enumerate(rule.distances) if one == distance)
            ]
            inside = found(alone, line(kind, distance - 0.001, **attributes), **work)
            outside = found(alone, line(kind, distance, **attributes), **work)
            assert inside is not None
            assert (inside.zone, inside.rule, inside.unverified) == (zone, rule.id, not rule.verified)
            assert inside.limit_m == distance
            assert inside.least_m == pytest.approx(distance - 0.001)
            assert outside is None or (outside.zone != zone and outside.limit_m > distance), place
    if not any(isinstance(one, float) for one in rule.distances):
        assert rule.id == "evida-gas-main"


def test_a_crossing_rule_counts_where_a_line_crosses_and_the_other_beside_it() -> None:
    case = Case(frozenset({"water"}), Arrangement.CROSSING, "laying", "machine")
    assert OURS.needed(case).distances_m == (0.3, 0.61, 0.61, 1.5)
    assert OURS.needed(replace(case, arrangement=Arrangement.PARALLEL)).distances_m == (0.5, 0.61, 0.61, 1.5)


def test_a_figure_that_nobody_read_is_the_strictest_and_says_so() -> None:
    conflict = found(OURS, line("gas.main", 39.9), method="open-trench", activity="road")
    assert conflict is not None
    assert (conflict.zone, conflict.rule, conflict.unverified) == ("notify", "evida-gas-main", True)
    assert "distance-unknown" in conflict.reasons
    assert "[ikke efterprøvet]" in reason(conflict, OURS, "da")
    assert found(OURS, line("gas.main", 40.0), method="open-trench", activity="road") is None


@pytest.mark.parametrize("kind", ["oil", "unknown", "power.transmission"])
def test_a_line_without_a_rule_gets_the_strictest_of_all(kind: str) -> None:
    strictest = OURS.needed(
        Case(frozenset({"gas.transmission"}), Arrangement.PARALLEL, "earthwork", "machine")
    )
    conflict = found(OURS, line(kind, 4.999), method="open-trench", activity="road")
    assert conflict is not None
    assert (conflict.zone, conflict.rule, conflict.unverified) == ("no-machine", UNKNOWN_PAIR, True)
    assert "no-rule" in conflict.reasons
    assert "no rule was found" in reason(conflict, OURS, "en")
    assert conflict.needed.distances_m == strictest.distances_m


def test_what_is_not_told_is_the_worst_that_it_may_be() -> None:
    for name in ("Elledning", "Gasledning"):
        feature = replace(line("water", 4.9).feature, type=name, attributes=EXACT)
        conflict = found(OURS, Delivered(OWNER, feature), method="open-trench", activity="road")
        assert conflict is not None
        assert conflict.zone == "no-machine"
        assert "class-unknown" in conflict.reasons
    vague = found(OURS, line("water", 0.6))
    assert vague is not None
    assert (vague.zone, vague.rule) == ("hand-dig", "cga-tolerance")
    assert {"method-unknown", "activity-unknown"} <= {*vague.reasons}
    by_hand = found(OURS, line("water", 0.6), method="hand", activity="new-line")
    assert by_hand is not None
    assert by_hand.zone == "notify"


def test_every_case_resolves_and_nothing_unknown_makes_it_milder() -> None:
    for kind, arrangement, activity, method in product(
        OURS.kinds, Arrangement, [*OURS.activities, None], [*OURS.methods, None]
    ):
        needed = OURS.needed(Case(frozenset({kind}), arrangement, activity, method))
        assert list(needed.distances_m) == sorted(needed.distances_m)
        assert needed.distances_m[-1] > 0
        worst = OURS.needed(Case(frozenset(OURS.kinds), arrangement, None, None))
        assert all(one <= other for one, other in zip(needed.distances_m, worst.distances_m, strict=True))


def test_an_owner_is_heard_for_its_own_lines_only() -> None:
    clearances = OURS.with_owners({OWNER: [read_rule(RULE)]})
    mine = line("water", 1.9)
    conflict = found(clearances, mine, method="open-trench", activity="road")
    assert conflict is not None
    assert (conflict.zone, conflict.rule, reason(conflict, clearances, "en").count("ours")) == (
        "no-machine",
        "own",
        1,
    )
    assert found(clearances, mine._replace(owner_id=OTHER), method="open-trench", activity="road") is None
    # It may ask for less than others ask for; what it says nothing of stays.
    mild = OURS.with_owners({OWNER: [read_rule({**RULE, "clear": 0.0})]})
    assert mild.needed(
        Case(frozenset({"water"}), Arrangement.PARALLEL, "laying", "machine", OWNER)
    ).distances_m == (0.0, 0.61, 0.61, 1.5)


def test_an_operator_replaces_rules_and_adds_others(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[rule]]\nid = "crow-locate"\nutilities = ["water"]\nnotify = 3.0\nsource = "x"\nclause = "y"\n'
        'verified = false\nda = "x"\nen = "x"\nvalid_from = 2026-01-01\n',
        encoding="utf-8",
    )
    mine = load_clearances(path)
    water = Case(frozenset({"water"}), Arrangement.PARALLEL, "laying", "machine")
    assert mine.needed(water).distances_m == (0.5, 0.61, 0.61, 3.0)
    assert mine.needed(replace(water, kinds=frozenset({"drain"}))).distances_m == (0.5, 0.61, 0.61, 0.61)
    by_hand = replace(water, kinds=frozenset({"drain"}), method="hand", arrangement=Arrangement.CROSSING)
    assert mine.needed(by_hand).distances_m == (0.3, 0.3, 0.3, 0.5)
    before = mine.on(date(2025, 12, 31))
    assert before.needed(water).distances_m == (0.5, 0.61, 0.61, 0.61)
    assert mine.on(date(2026, 1, 1)).needed(water).distances_m[-1] == 3.0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"clear": 2.0, "notify": 1.0}, "does not hold"),
        ({"clear": None}, "states no distance"),
        ({"source": ""}, "source"),
        ({"utilities": ["steam"]}, "steam"),
        ({"clear": -1.0}, "clear"),
        ({"clear": float("nan")}, "clear"),
        ({"arrangements": ["beside"]}, "arrangements"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_rule_that_is_not_sound_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        read_rule({**RULE, **change})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[rule]", "mine.toml"),
        ('[method]\nlaser = { codes = ["x"] }', "rules only"),
    ],
)  # fmt: skip
def test_an_operators_file_that_is_not_sound_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError, match=told):
        load_clearances(path)
    with pytest.raises(RefusedError, match="cannot be read"):
        load_clearances(tmp_path / "none.toml")


def test_the_page_is_what_the_rules_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "python -m conflicts.reference > docs/reference/clearances.md"
    )
    assert reference().count("- **Verified**: **no**") == sum(not rule.verified for rule in OURS.rules)
    assert all(rule.source in reference() for rule in OURS.rules)
