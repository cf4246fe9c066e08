"""What a batch leaves out is out of reach of every rule: at the boundary of each, by owners' own, and among a town's lines."""

from datetime import date
from itertools import product
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import shapely

from conflicts.batch.reach import RulesByDay, grounds_of, near
from conflicts.clearances import Clearances, read_rule
from conflicts.detect import detect_among
from conflicts.dig import Dig
from conflicts.existing import Delivered, Existing, existing_of
from ler.model import Feature
from tests.brute_conflicts import UNKNOWN_M, random_digs, town_lines
from tests.unit.test_clearances import BAND_M, EXACT, OF_KIND, OURS, OWNER, RULE

DISTANCES_M = sorted({one for rule in OURS.rules for one in rule.distances if isinstance(one, float)})
ASIDE_M = [at for one in DISTANCES_M for at in (one - 0.001, one + 0.002)]
"""Just inside and just outside of the distance of every rule."""
ACTIVITIES = [None, *(sort.codes[0] for sort in OURS.activities.values())]
METHODS = [None, *(sort.codes[0] for sort in OURS.methods.values())]


def beside(kind: str, **more: Any) -> Existing:  # noqa: ANN401 - attributes
    """Lines of a kind along a trench, their outsides at all those distances from its edge."""
    name, told = OF_KIND[kind]
    attributes = {**EXACT, **told, **more}
    ways = [shapely.LineString([(0, at, 0), (50, at, 0)]) for at in np.array(ASIDE_M) + 0.5 + BAND_M]
    lines = [Feature(name, f"l{number}", attributes, geometry=way) for number, way in enumerate(ways)]
    return existing_of([Delivered(OWNER, one) for one in lines], OURS, UNKNOWN_M)


def trench(activity: str | None, method: str | None) -> Dig:
    return Dig(shapely.LineString([(0, 0), (50, 0)]), activity, method, width_m=1.0, on=date(2030, 1, 1))


def agrees(existing: Existing, clearances: Clearances, digs: list[Dig]) -> int:
    """Whether just those are near that have a zone by some rule; how many pairs are."""
    grounds = grounds_of(digs, RulesByDay(clearances))
    boxes = grounds.boxes(OWNER, BAND_M)
    whose, places = near(grounds, existing)
    for number, (dig, rules) in enumerate(zip(digs, grounds.rules, strict=True)):
        told = [one.number for one in detect_among(dig, existing, rules)]
        assert places[whose == number].tolist() == told, dig
        assert shapely.intersects(boxes[number], existing.geometries[told]).all()
    return len(whose)


@pytest.mark.parametrize("kind", OF_KIND)
def test_just_what_a_rule_reaches_is_near(kind: str) -> None:
    digs = [trench(*each) for each in product(ACTIVITIES, METHODS)]
    assert agrees(beside(kind), OURS, digs) > len(digs)
    if kind.startswith("power"):
        assert agrees(beside(kind, niveau="over terræn"), OURS, digs) > len(digs)


def test_an_owner_that_asks_for_more_is_given_it() -> None:
    own = read_rule(RULE | {"notify": 30.0, "valid_from": "2029-01-01"})
    digs = [trench("road", "hand")]
    with_own = OURS.with_owners({OWNER: [own]})
    assert agrees(beside("water"), with_own, digs) > agrees(beside("water"), OURS, digs)
    assert agrees(beside("water"), OURS.with_owners({UUID(int=9): [own]}), digs) == agrees(
        beside("water"), OURS, digs
    )


def test_no_line_of_a_town_is_missed() -> None:
    digs = [*random_digs(40, seed=5)]
    existing = existing_of(town_lines(), OURS, UNKNOWN_M)
    grounds = grounds_of(digs, RulesByDay(OURS))
    whose, places = near(grounds, existing)
    missed, told = 0, 0
    for number, dig in enumerate(digs):
        found = {existing.numbers.index(one.number) for one in detect_among(dig, existing, OURS)}
        close = {*places[whose == number].tolist(), *existing.placeless.tolist()}
        missed, told = missed + len(found - close), told + len(found)
    assert (missed, told > 100, len(whose) < 3 * told) == (0, True, True)
