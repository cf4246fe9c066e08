"""Which lines a work may come near enough to that a rule asks for anything: by what each is, what is done, and on which day.

How far the rules reach follows from the kinds that a line may be and from the work's activity and method; the band of the
line and what the work is wide come on top. It is a bound and no answer: whoever is left out has no zone by any rule, and of
the rest `conflicts.detect` says what holds.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray

from conflicts.clearances import Arrangement, Case, Clearances
from conflicts.dig import Dig, footprints
from conflicts.existing import Existing, Floats, Geometries, Kinds

type Numbers = NDArray[np.int64]

_IN_GROUND: Final = (Arrangement.PARALLEL, Arrangement.CROSSING, Arrangement.ABOVE)
_ROUNDED_M: Final = 0.001
"""Distances are told to 1 mm; more than half of that is lost in no sum of them."""
_STEP_M: Final = 0.5
"""Bands are taken for as wide as the next multiple, so that lines of about one width are looked up together."""


@dataclass(frozen=True)
class RulesByDay:
    """The rules in force on each day: few sets, since few rules say since when they hold; each remembers what it said."""

    clearances: Clearances
    """Of every day."""
    _found: dict[int, Clearances] = field(default_factory=dict, init=False, repr=False, compare=False)

    def on(self, day: date | None) -> Clearances:
        """Return those in force on a day; of every day for a work without one."""
        if day is None:
            return self.clearances
        owners = self.clearances.of_owners.values()
        every = [*self.clearances.rules, *(rule for rules in owners for rule in rules)]
        turns = sorted({rule.valid_from for rule in every if rule.valid_from is not None})
        turn = bisect_right(turns, day)
        if turn not in self._found:
            self._found[turn] = self.clearances.on(day)
        return self._found[turn]


class Way(NamedTuple):
    """What the rules know of a work, and which they are."""

    rules: int
    """Place in `Grounds.rules`."""
    activity: str | None
    method: str | None


@dataclass(frozen=True)
class Grounds:
    """What digs open, part by part; the arrays have one length."""

    digs: Sequence[Dig]
    rules: Sequence[Clearances]
    """In force for each dig."""
    geometries: Geometries
    """EPSG:25832, in the plane."""
    wide_m: Floats
    """How far each part reaches besides, and may come to lie elsewhere."""
    whose: Numbers
    """Places in `digs`, ascending."""
    asked: Numbers
    """Of each part the place in `ways`."""
    ways: Sequence[tuple[Clearances, str | None, str | None]]
    """Rules, activity and method, each once."""

    def boxes(self, owner_id: UUID, band_m: float) -> Geometries:
        """Return a box of each dig, in which whatever line of the owner is that any rule may reach, with its band."""
        # A line of any kind: no other has a rule that reaches farther.
        kinds = Kinds(frozenset(kind for rules, *_ in self.ways for kind in rules.kinds), known=True)
        farthest = np.array(
            [[_reach_m(kinds, owner_id, way, in_air=air) for way in self.ways] for air in (False, True)]
        )
        around_m = self.wide_m + farthest.max(axis=0)[self.asked] + band_m + _ROUNDED_M
        ends = shapely.bounds(self.geometries) + around_m[:, None] * (-1, -1, 1, 1)
        first = np.searchsorted(self.whose, np.arange(len(self.digs)))
        least, most = np.minimum.reduceat(ends[:, :2], first), np.maximum.reduceat(ends[:, 2:], first)
        return np.asarray(shapely.box(*least.T, *most.T), dtype=object)


def grounds_of(digs: Sequence[Dig], rules: RulesByDay) -> Grounds:
    """Return what at least one dig opens."""
    in_force = [rules.on(dig.on) for dig in digs]
    parts = [footprints(dig, its) for dig, its in zip(digs, in_force, strict=True)]
    flat = [part for its in parts for part in its]
    ways: dict[tuple[int, str | None, str | None], int] = {}
    told = [
        ways.setdefault((id(its), its.activity_of(dig.activity), its.method_of(dig.method)), len(ways))
        for dig, its in zip(digs, in_force, strict=True)
    ]
    by_id = {id(its): its for its in in_force}
    counts = [len(its) for its in parts]
    return Grounds(
        digs,
        in_force,
        np.array([*(part.geometry for part in flat), None], dtype=object)[:-1],
        np.array([part.half_m + part.tolerance_m for part in flat]),
        np.repeat(np.arange(len(digs)), counts),
        np.repeat(told, counts),
        [(by_id[its], activity, method) for its, activity, method in ways],
    )


def near(grounds: Grounds, existing: Existing) -> tuple[Numbers, Numbers]:
    """Return the pairs of a dig and a line that any rule may ask for something, by their places, in order of both.

    What has no place is near none.
    """
    pairs = [np.empty((2, 0), dtype=np.int64)]
    for reaches_m, places in _alike(existing, grounds):
        tree = shapely.STRtree(existing.geometries[places])
        around_m = grounds.wide_m + reaches_m[grounds.asked]
        hits = tree.query(grounds.geometries, predicate="dwithin", distance=around_m)
        pairs.append(np.stack([grounds.whose[hits[0]], places[hits[1]]]))
    whose, places = np.unique(np.concatenate(pairs, axis=1), axis=1)
    return whose, places


def _alike(existing: Existing, grounds: Grounds) -> list[tuple[Floats, Numbers]]:
    """Lines by how near a dig of each way must come to be of any concern, m, band and all."""
    seen: dict[tuple[Kinds, UUID | None, bool], int] = {}
    sorts = np.array(
        [
            seen.setdefault((kinds, one.owner_id, in_air), len(seen))
            for kinds, one, in_air in zip(
                existing.kinds, existing.delivered, existing.is_overhead.tolist(), strict=True
            )
        ],
        dtype=np.int64,
    )
    reaches_m = np.array(
        [
            [_reach_m(kinds, owner, way, in_air=in_air) for way in grounds.ways]
            for kinds, owner, in_air in seen
        ]
    ).reshape(len(seen), len(grounds.ways))
    apart, which = np.unique(reaches_m, axis=0, return_inverse=True)
    steps = np.ceil(existing.half_m / _STEP_M).astype(np.int64)
    groups = np.stack([which.reshape(-1)[sorts], steps])
    placed = np.flatnonzero(~shapely.is_missing(existing.geometries))
    found, number = np.unique(groups[:, placed], axis=1, return_inverse=True)
    return [
        (apart[group] + step * _STEP_M + _ROUNDED_M, placed[number.reshape(-1) == place])
        for place, (group, step) in enumerate(found.T.tolist())
    ]


def _reach_m(
    kinds: Kinds, owner_id: UUID | None, way: tuple[Clearances, str | None, str | None], *, in_air: bool
) -> float:
    """The farthest distance of any rule for a line of these kinds, or of some of them, however it lies."""
    rules, activity, method = way
    arrangements = (Arrangement.OVERHEAD,) if in_air else _IN_GROUND
    return max(
        rules.needed(Case(kinds.kinds, one, activity, method, owner_id, kinds.known)).distances_m[-1]
        for one in arrangements
    )
