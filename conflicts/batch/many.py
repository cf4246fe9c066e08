"""Many works against the lines of a partition: those that no rule reaches are left out at once, the rest goes to `detect`.

How far any rule reaches to a line follows from what it is, whatever the work; so lines of one reach and about one band are
looked up together for all works. What is left out has no zone by any rule, so that each work gets what it gets alone.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from conflicts.clearances import Arrangement, Case, Clearances
from conflicts.detect import Conflict, detect_among
from conflicts.dig import Footprint, dig_of_work, footprints
from conflicts.existing import Existing
from conflicts.vertical import Ground
from ler.domain.works import PlannedWork

_IN_GROUND: Final = (Arrangement.PARALLEL, Arrangement.CROSSING, Arrangement.ABOVE)
_ROUNDED_M: Final = 0.001
"""Distances are told to 1 mm; more than half of that is lost in no sum of them."""


class RulesByDay:
    """The rules in force on each day: few sets, since few rules say since when they hold."""

    def __init__(self, clearances: Clearances) -> None:
        every = [*clearances.rules, *(rule for rules in clearances.of_owners.values() for rule in rules)]
        self._clearances = clearances
        self._turns = sorted({rule.valid_from for rule in every if rule.valid_from is not None})
        self._found: dict[int, Clearances] = {}

    def on(self, day: date) -> Clearances:
        """Return those in force on a day."""
        turn = bisect_right(self._turns, day)
        if turn not in self._found:
            self._found[turn] = self._clearances.on(day)
        return self._found[turn]


def conflicts_of_works(
    works: Sequence[PlannedWork], existing: Existing, clearances: Clearances, ground: Ground
) -> Iterator[tuple[PlannedWork, Conflict, Clearances]]:
    """Give the conflicts of each work, in the order of works and lines, with the rules in force for it.

    `clearances` are those of every day.
    """
    by_day = RulesByDay(clearances)
    digs = [dig_of_work(work) for work in works]
    rules = [by_day.on(dig.on) if dig.on else clearances for dig in digs]
    near = _near(existing, [footprints(dig, its) for dig, its in zip(digs, rules, strict=True)], rules)
    for work, dig, its, places in zip(works, digs, rules, near, strict=True):
        for one in detect_among(dig, existing.only(places), its, ground):
            yield work, one, its


def _near(
    existing: Existing, parts: Sequence[Sequence[Footprint]], rules: Sequence[Clearances]
) -> list[NDArray[np.int64]]:
    """Places of the lines that any rule may reach from each work, sorted."""
    pairs = [np.empty((2, 0), dtype=np.int64)]
    for its in {id(one): one for one in rules}.values():
        numbers = [number for number, one in enumerate(rules) if one is its]
        whose = np.repeat(numbers, [len(parts[number]) for number in numbers])
        flat = [part for number in numbers for part in parts[number]]
        grounds = np.array([part.geometry for part in flat], dtype=object)
        wide_m = np.array([part.half_m + part.tolerance_m for part in flat])
        for reach_m, places in _alike(existing, its).items():
            tree = shapely.STRtree(existing.geometries[places])
            hits = tree.query(grounds, predicate="dwithin", distance=wide_m + reach_m)
            pairs.append(np.stack([whose[hits[0]], places[hits[1]]]))
    whose, places = np.unique(np.concatenate(pairs, axis=1), axis=1)
    bounds = np.searchsorted(whose, np.arange(len(parts) + 1))
    return [
        np.sort(np.concatenate([existing.placeless, places[first:last]]))
        for first, last in pairwise(bounds.tolist())
    ]


def _alike(existing: Existing, clearances: Clearances) -> dict[float, NDArray[np.int64]]:
    """Lines by how near a work must come to be of any concern, band and all, in steps of a doubling."""
    reaches: dict[tuple[frozenset[str], bool, object, bool], float] = {}
    groups: defaultdict[float, list[int]] = defaultdict(list)
    for place, kinds in enumerate(existing.kinds):
        if existing.geometries[place] is None:
            continue
        owner, overhead = existing.delivered[place].owner_id, bool(existing.is_overhead[place])
        case = Case(kinds.kinds, Arrangement.OVERHEAD, None, None, owner, kinds.known)
        key = (kinds.kinds, kinds.known, owner, overhead)
        if key not in reaches:
            ways = (Arrangement.OVERHEAD,) if overhead else _IN_GROUND
            reaches[key] = max(
                clearances.needed(replace(case, arrangement=way)).distances_m[-1] for way in ways
            )
        groups[reaches[key] + _step_up(float(existing.half_m[place]))].append(place)
    return {reach + _ROUNDED_M: np.array(places) for reach, places in sorted(groups.items())}


def _step_up(half_m: float) -> float:
    return 2.0 ** np.ceil(np.log2(half_m)) if half_m > 0 else 0.0
