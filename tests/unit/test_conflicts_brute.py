"""Conflicts equal what is found without index and arrays, line by line, all over the demonstration town."""

import pytest

from conflicts.clearances import load_clearances
from conflicts.detect import Conflict, detect_among
from conflicts.existing import existing_of
from tests.brute_conflicts import UNKNOWN_M, Told, brute, random_digs, town_lines


def told(one: Conflict) -> Told:
    return one.number, one.zone.value, one.drawn_m, one.least_m, one.most_m


@pytest.mark.parametrize(
    ("count", "seed"), [(60, 1), pytest.param(500, 2, marks=pytest.mark.nightly)], ids=["few", "many"]
)
def test_the_same_lines_distances_and_zones(count: int, seed: int) -> None:
    clearances = load_clearances()
    existing = existing_of(town_lines(), clearances, UNKNOWN_M)
    conflicts = 0
    for dig in random_digs(count, seed):
        quick, slow = [told(one) for one in detect_among(dig, existing, clearances)], brute(dig)
        conflicts += len(slow)
        assert [one[:2] for one in quick] == [one[:2] for one in slow]
        metres = [[value for one in found for value in one[2:]] for found in (quick, slow)]
        assert metres[0] == [None if one is None else pytest.approx(one, abs=0.001) for one in metres[1]]
    assert conflicts > 20 * count
