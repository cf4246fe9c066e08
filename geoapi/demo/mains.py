"""One network's mains along the streets: lines, the points where they meet, and the places where services tap them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from geoapi.demo.paths import Path, Points
from geoapi.demo.streets import BEYOND, Street

_STUB = 30.0
"""Metres beyond the last crossing below which the end of a line is not built."""
_ASKEW = 0.3
"""Largest cosine between a service line and the main it taps."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A main between two meeting points."""

    street: Street
    path: Path
    start: int
    end: int
    """Numbers of the meeting points."""


@dataclass(frozen=True, slots=True)
class Mains:
    """A network of stretches along streets."""

    nodes: Points
    """Where stretches end, shape (n, 2)."""
    stretches: tuple[Stretch, ...]

    def where(self, wanted: Callable[[Stretch], bool]) -> "Mains":
        """The part of the network whose stretches are wanted; the nodes keep their numbers."""
        return Mains(self.nodes, tuple(stretch for stretch in self.stretches if wanted(stretch)))

    def degrees(self) -> Counter[int]:
        """How many stretches end in each node that has any."""
        return Counter(node for stretch in self.stretches for node in (stretch.start, stretch.end))


def lay(streets: Iterable[Street], layer: str) -> Mains:
    """Lay a network along the streets: parallel to their centre lines, joined wherever two of its lines cross."""
    ways = [(street, street.way(layer)) for street in streets]
    nodes: list[Points] = []
    stops: list[list[tuple[float, int]]] = [[] for _ in ways]
    for one, other, point in _meetings([way for _, way in ways]):
        stops[one].append((ways[one][1].station(point), len(nodes)))
        stops[other].append((ways[other][1].station(point), len(nodes)))
        nodes.append(point)
    stretches: list[Stretch] = []
    for (street, way), stop in zip(ways, stops, strict=True):
        for end in (0.0, way.length):
            if stop and min(abs(station - end) for station, _ in stop) > _STUB:
                station = max(BEYOND, min(end, way.length - BEYOND))
                stop.append((station, len(nodes)))
                nodes.append(way.at(station))
        stretches += _cut(street, way, sorted(stop))
    return Mains(np.array(nodes), tuple(stretches))


def _meetings(ways: Sequence[Path]) -> Iterable[tuple[int, int, Points]]:
    """Every point in which two of the paths cross, with their numbers."""
    lines = np.array([way.line for way in ways], dtype=object)
    ones, others = np.triu_indices(len(lines), 1)
    shared = shapely.intersection(lines[ones], lines[others])
    points, pairs = shapely.get_coordinates(shared, return_index=True)
    for point, pair in zip(points, pairs, strict=True):
        yield int(ones[pair]), int(others[pair]), point


def _cut(street: Street, way: Path, stops: Sequence[tuple[float, int]]) -> Iterable[Stretch]:
    for (start, first), (end, last) in pairwise(stops):
        yield Stretch(street, way.between(start, end), first, last)


@dataclass(frozen=True, slots=True)
class Tap[T]:
    """A point on a main."""

    point: Points
    main: Path
    station: float
    item: T


class Taps[T]:
    """Finds where a service line from a house meets the nearest main of its street."""

    def __init__(self, mains: Iterable[tuple[Street, Path, T]]) -> None:
        self._mains: dict[int, list[tuple[Path, T]]] = {}
        for street, path, item in mains:
            self._mains.setdefault(street.index, []).append((path, item))
        self._steps = {street: _steps([path for path, _ in found]) for street, found in self._mains.items()}

    def find(self, street: Street, point: Points, *, within: float = 40.0) -> Tap[T] | None:
        """The nearest point of the street's mains, or None when that is too far (metres) or not across from it."""
        if street.index not in self._mains:
            return None
        starts, steps, squares, numbers, stations = self._steps[street.index]
        shares = (((point - starts) * steps).sum(axis=1) / squares).clip(0.0, 1.0)
        feet = starts + shares[:, None] * steps
        gaps = ((point - feet) ** 2).sum(axis=1)
        nearest = int(gaps.argmin())
        away = point - feet[nearest]
        distance, length = float(gaps[nearest]) ** 0.5, float(squares[nearest]) ** 0.5
        if distance > within or abs(float(away @ steps[nearest])) > _ASKEW * distance * length:
            return None  # without the second test, houses past the end of the mains would be joined askew
        path, item = self._mains[street.index][int(numbers[nearest])]
        return Tap(feet[nearest], path, float(stations[nearest] + shares[nearest] * length), item)


type _Steps = tuple[Points, Points, NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]


def _steps(paths: Sequence[Path]) -> _Steps:
    """All straight pieces of the paths: start, vector, square of the length, number of the path, station on it."""
    starts = np.vstack([path.xy[:-1] for path in paths])
    steps = np.vstack([path.xy[1:] - path.xy[:-1] for path in paths])
    numbers = np.repeat(np.arange(len(paths)), [len(path.xy) - 1 for path in paths])
    stations = np.concatenate([path.stations[:-1] for path in paths])
    return starts, steps, (steps**2).sum(axis=1), numbers, stations
