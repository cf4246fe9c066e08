"""Polylines in the plane with their stations: the arithmetic that streets and networks are drawn with.

All coordinates are metres in EPSG:25832, as arrays of shape (n, 2). Left is positive, seen in the direction of the
path. Heights are no business of this module.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

type Points = NDArray[np.float64]

_SHARP = 0.35
"""Least cosine between a vertex's normal and its neighbours': keeps the mitre of a sharp bend from running away."""
_NOTHING = 1e-6
"""Metres below which two vertices are one; far below the millimetre that is delivered."""
_TINY = 0.4
"""Metres between a cut and a vertex below which the vertex is left out."""


class Path:
    """A polyline of at least two different points; stations are metres from its start."""

    __slots__ = ("stations", "xy")

    def __init__(self, xy: Points) -> None:
        steps = np.hypot(*(xy[1:] - xy[:-1]).T)
        if steps.min() <= _NOTHING:
            keep = steps > _NOTHING
            xy, steps = np.vstack((xy[:1], xy[1:][keep])), steps[keep]
        self.xy = xy
        self.stations = np.zeros(len(xy))
        steps.cumsum(out=self.stations[1:])

    @property
    def length(self) -> float:
        """Metres from end to end."""
        return float(self.stations[-1])

    @property
    def line(self) -> shapely.LineString:
        """The path as a two-dimensional line."""
        return shapely.LineString(self.xy)

    def at(self, station: float) -> Points:
        """The point at a station, shape (2,); stations beyond the ends give the ends."""
        index = self._step(station)
        span = self.stations[index + 1] - self.stations[index]
        share = min(max((station - self.stations[index]) / span, 0.0), 1.0)
        point: Points = self.xy[index] + share * (self.xy[index + 1] - self.xy[index])
        return point

    def heading(self, station: float) -> Points:
        """The unit vector in which the path runs at a station."""
        index = self._step(station)
        unit: Points = (self.xy[index + 1] - self.xy[index]) / (
            self.stations[index + 1] - self.stations[index]
        )
        return unit

    def beside(self, station: float, distance: float) -> Points:
        """The point that many metres to the left of a station (negative: to the right)."""
        along = self.heading(station)
        return self.at(station) + distance * np.array([-along[1], along[0]])

    def between(self, start: float, end: float) -> "Path":
        """The piece from one station to the other, turned round when `start` lies behind `end`."""
        low, high = min(start, end), max(start, end)
        inner = self.xy[(self.stations > low + _TINY) & (self.stations < high - _TINY)]
        xy = np.vstack((self.at(low), inner, self.at(high)))
        return Path(xy if start <= end else xy[::-1])

    def offset(self, distance: float) -> "Path":
        """The parallel path that many metres to the left, its vertices on the bisectors."""
        steps = self.xy[1:] - self.xy[:-1]
        normals = np.column_stack((-steps[:, 1], steps[:, 0])) / np.hypot(*steps.T)[:, None]
        inner = normals[:-1] + normals[1:]
        lengths = np.maximum(np.hypot(*inner.T), _SHARP)
        bisectors = np.vstack((normals[:1], 2 * inner / (lengths**2)[:, None], normals[-1:]))
        return Path(self.xy + distance * bisectors)

    def extended(self, by: float) -> "Path":
        """The path made longer by that many metres at both ends, straight on."""
        first = self.xy[0] - by * self.heading(0.0)
        last = self.xy[-1] + by * self.heading(self.length)
        return Path(np.vstack((first, self.xy, last)))

    def station(self, point: Points) -> float:
        """The station of the path's point nearest to the given one."""
        start, steps = self.xy[:-1], self.xy[1:] - self.xy[:-1]
        share = np.clip(((point - start) * steps).sum(axis=1) / (steps**2).sum(axis=1), 0.0, 1.0)
        foot = start + share[:, None] * steps
        nearest = int(np.argmin(((point - foot) ** 2).sum(axis=1)))
        span = self.stations[nearest + 1] - self.stations[nearest]
        return float(self.stations[nearest] + share[nearest] * span)

    def _step(self, station: float) -> int:
        return min(max(int(self.stations.searchsorted(station, "right")) - 1, 0), len(self.stations) - 2)

    def crossing(self, other: "Path") -> Points:
        """The first point that both paths share, seen along this one. ValueError when they do not meet."""
        points = crossings(self, other)
        if not points:
            raise ValueError("the two paths do not meet")
        return min(points, key=self.station)


def crossings(one: Path, other: Path) -> list[Points]:
    """Every point in which two paths cross, in no order."""
    return [np.array(xy) for xy in shapely.get_coordinates(shapely.intersection(one.line, other.line))]


def moved(point: Points, east: float, north: float) -> Points:
    """The point (2,) that many metres to the east and north."""
    there: Points = point + np.array([east, north])
    return there


def smooth(controls: Sequence[Points], samples: int = 5) -> Path:
    """A curve through all control points (Catmull and Rom), with that many steps between two of them."""
    points = np.array(controls)
    padded = np.vstack((2 * points[0] - points[1], points, 2 * points[-1] - points[-2]))
    share = np.linspace(0.0, 1.0, samples, endpoint=False)[:, None]
    pieces = [_span(padded[index : index + 4], share) for index in range(len(points) - 1)]
    return Path(np.vstack((*pieces, points[-1:])))


def trail(start: Points, ways: Sequence[Path], end: Points) -> Path:
    """A route along several paths in turn, changing where each crosses the next, between the points nearest to two."""
    pieces, here = [], ways[0].station(start)
    for way, following in pairwise(ways):
        corner = way.crossing(following)
        pieces.append(way.between(here, way.station(corner)).xy)
        here = following.station(corner)
    pieces.append(ways[-1].between(here, ways[-1].station(end)).xy)
    return Path(np.vstack(pieces))


def _span(four: Points, share: Points) -> Points:
    before, start, end, after = four
    spread: Points = 0.5 * (
        2 * start
        + (end - before) * share
        + (2 * before - 5 * start + 4 * end - after) * share**2
        + (3 * start - before - 3 * end + after) * share**3
    )
    return spread
