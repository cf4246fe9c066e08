"""Gravity sewers: which way the water runs, and how deep the pipes lie.

Every main falls towards an outfall. The way of least length and climb from each crossing is the sewer's tree; a main
outside the tree begins with a manhole of its own a little below the crossing at its upper end.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoapi.demo.mains import Mains, Stretch
from geoapi.demo.paths import Path, Points
from geoapi.demo.streets import Street
from geoapi.demo.terrain import ground

_APART: Final = 44.0
"""Metres between manholes."""
_HEAD: Final = 9.0
"""Metres from a crossing to the first manhole of a main that does not begin in it."""
_CLIMB: Final = 70.0
"""Metres of length that one metre of rising ground is worth when the way of the water is chosen."""


@dataclass(frozen=True, slots=True)
class Run:
    """One pipe between two manholes; `upper` and `lower` are their numbers."""

    street: Street
    path: Path
    upper: int
    lower: int
    levels: NDArray[np.float64]
    """Top of the pipe at each vertex of the path, DVR90 metres; falls."""
    rank: int
    """How many mains drain through this one."""

    def level(self, station: float) -> float:
        """Top of the pipe at a station."""
        return float(np.interp(station, self.path.stations, self.levels))


@dataclass(frozen=True, slots=True)
class Sewer:
    """A designed sewer: manhole places (n, 2), the top of the lowest pipe in each, and the runs between them."""

    manholes: Points
    levels: NDArray[np.float64]
    runs: tuple[Run, ...]
    outfall: int


def design(mains: Mains, outfall: Points, *, cover: float, fall: float) -> Sewer:
    """Let mains drain to the crossing nearest to `outfall`, with at least that cover (metres) and fall (a ratio)."""
    used = sorted(mains.degrees())
    end = min(used, key=lambda node: float(np.hypot(*(mains.nodes[node] - outfall))))
    return _Design(mains, end, cover, fall).build()


class _Design:
    def __init__(self, mains: Mains, end: int, cover: float, fall: float) -> None:
        self.end, self.cover, self.fall = end, cover, fall
        self.heights = ground(mains.nodes)
        self.cost, self.way_out = _least_ways(mains, end, self.heights)
        self.stretches = [stretch for stretch in mains.stretches if stretch.start in self.cost]
        self.manholes: list[Points] = list(mains.nodes)
        self.levels: list[float] = [float(height) - cover for height in self.heights]
        self.ranks = dict.fromkeys(self.cost, 0)
        self.runs: list[Run] = []

    def build(self) -> Sewer:
        ordered = sorted(self.stretches, key=self._upper_cost, reverse=True)
        for stretch in ordered:  # what drains into a main's upper end costs more, so it has been added before
            self._add(stretch, *self._ends(stretch))
        return Sewer(np.array(self.manholes), np.array(self.levels), tuple(self.runs), self.end)

    def _upper_cost(self, stretch: Stretch) -> tuple[float, bool]:
        upper, _ = self._ends(stretch)
        return self.cost[upper], self.way_out.get(upper) is not stretch

    def _ends(self, stretch: Stretch) -> tuple[int, int]:
        if self.cost[stretch.start] >= self.cost[stretch.end]:
            return stretch.start, stretch.end
        return stretch.end, stretch.start

    def _add(self, stretch: Stretch, upper: int, lower: int) -> None:
        path = stretch.path if upper == stretch.start else stretch.path.between(stretch.path.length, 0.0)
        in_tree = self.way_out.get(upper) is stretch
        begin = 0.0 if in_tree or path.length < 2 * _HEAD else _HEAD
        rank = self.ranks[upper] + 1 if in_tree else 1
        self.ranks[lower] += rank
        count = max(1, round((path.length - begin) / _APART))
        stops = np.linspace(begin, path.length, count + 1)
        manhole = upper if begin == 0.0 else self._manhole(path.at(begin))
        for index, (start, stop) in enumerate(pairwise(stops)):
            following = lower if index == count - 1 else self._manhole(path.at(stop))
            self._run(stretch.street, path.between(start, stop), manhole, following, rank)
            manhole = following

    def _manhole(self, place: Points) -> int:
        self.manholes.append(place)
        self.levels.append(float(ground(place)) - self.cover)
        return len(self.manholes) - 1

    def _run(self, street: Street, path: Path, upper: int, lower: int, rank: int) -> None:
        top = self.levels[upper]
        foot = min(top - self.fall * path.length, float(ground(self.manholes[lower])) - self.cover)
        self.levels[lower] = min(self.levels[lower], foot)
        levels = np.round(np.interp(path.stations, (0.0, path.length), (top, foot)), 3)
        self.runs.append(Run(street, path, upper, lower, levels, rank))


def _least_ways(
    mains: Mains, end: int, heights: NDArray[np.float64]
) -> tuple[dict[int, float], dict[int, Stretch]]:
    """For every node from which water can reach the end: the cost, and the first stretch of the way."""
    touching: dict[int, list[tuple[int, Stretch]]] = {}
    for stretch in mains.stretches:
        touching.setdefault(stretch.end, []).append((stretch.start, stretch))
        touching.setdefault(stretch.start, []).append((stretch.end, stretch))
    cost: dict[int, float] = {}
    way_out: dict[int, Stretch] = {}
    queue: list[tuple[float, int, int, Stretch | None]] = [(0.0, end, 0, None)]
    pushed = 0
    while queue:
        so_far, node, _, first = heapq.heappop(queue)
        if node in cost:
            continue
        cost[node] = so_far
        if first is not None:
            way_out[node] = first
        for other, way in touching.get(node, []):
            if other not in cost:
                pushed += 1
                climb = max(0.0, float(heights[node] - heights[other]))
                heapq.heappush(queue, (so_far + way.path.length + _CLIMB * climb, other, pushed, way))
    return cost, way_out


def tap_points(runs: Iterable[Run]) -> list[tuple[Street, Path, Run]]:
    """What `Taps` wants to know of the runs."""
    return [(run.street, run.path, run) for run in runs]
