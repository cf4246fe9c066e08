"""The plain geometries of many features read at once: a point or a line with one list of numbers, as most are.

A geometry that is not plain is read by `gml_geometry` at once, and so is one of a batch that turns out to be faulty:
the batch only says "certainly good", and the one reader of geometry says what is wrong.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ingest.readers.gml_geometry import (
    CRS,
    GML,
    HEIGHTS_M,
    MAX_VERTICES,
    POINT_NUMBERS,
    Coordinates,
    Coverage,
    GeometryFault,
    read_geometry,
)
from ingest.readers.xml_stream import Element
from ler.model import UNKNOWN_HEIGHT, Feature

_POINT: Final = GML + "Point"
_LINE: Final = GML + "LineString"
_NUMBERS: Final = {_POINT: GML + "pos", _LINE: GML + "posList"}
_PLAIN_ATTRIBUTES: Final = frozenset({f"{GML}id", "srsName", "srsDimension"})
_MOST_LETTERS: Final = 1 << 16
"""A longer list of numbers is read alone."""

type OnFault = Callable[[Feature, str, GeometryFault], None]


class _Waiting(NamedTuple):
    feature: Feature
    attribute: str
    holder: Element
    allowed: str


class GeometryBatch:
    """Takes the geometry elements of features; after `flush` each feature has its geometry or its fault is told."""

    def __init__(self, coverage: Coverage, on_fault: OnFault) -> None:
        self._coverage = coverage
        self._on_fault = on_fault
        self._lines: list[_Waiting] = []
        self._points: list[_Waiting] = []

    def add(self, feature: Feature, attribute: str, holder: Element, allowed: str) -> None:
        """Read the geometry of a feature, at once or with the batch."""
        waiting = _Waiting(feature, attribute, holder, allowed)
        kind = _plain_kind(holder)
        if kind == _LINE and allowed in {"curve", "any"}:
            self._lines.append(waiting)
        elif kind == _POINT and allowed in {"point", "any"}:
            self._points.append(waiting)
        else:
            self._read_alone(waiting)

    def flush(self) -> None:
        """Read what waits."""
        for batch, is_line in ((self._lines, True), (self._points, False)):
            if batch:
                self._read_together(batch, is_line=is_line)
                batch.clear()

    def _read_together(self, batch: list[_Waiting], *, is_line: bool) -> None:
        texts = [waiting.holder.children[0].children[0].text.split() for waiting in batch]
        numbers = _numbers([word for words in texts for word in words])
        if numbers is None:
            texts = [words if _numbers(words) is not None else [] for words in texts]
            numbers = _numbers([word for words in texts for word in words])
        sizes = np.array([len(words) for words in texts])
        whole = (sizes % POINT_NUMBERS == 0) & (sizes > 0)
        if numbers is None or not whole.any():
            good = np.zeros(len(batch), dtype=bool)
            geometries: list[BaseGeometry] = []
        else:
            positions = numbers[np.repeat(whole, sizes)].reshape(-1, POINT_NUMBERS)
            good, geometries = self._make(positions, sizes[whole] // POINT_NUMBERS, is_line=is_line)
            whole[whole] = good
            good = whole
        made = iter(geometries)
        for waiting, is_good in zip(batch, good.tolist(), strict=True):
            if is_good:
                waiting.feature.geometry = next(made)
            else:
                self._read_alone(waiting)

    def _make(
        self, positions: Coordinates, vertices: NDArray[np.int64], *, is_line: bool
    ) -> tuple[NDArray[np.bool_], list[BaseGeometry]]:
        """Which of the geometries are certainly good, and those."""
        west, south, east, north = self._coverage
        lowest, highest = HEIGHTS_M
        x, y, z = positions.T
        inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
        inside &= ((z >= lowest) & (z <= highest)) | (z == UNKNOWN_HEIGHT)
        starts = np.cumsum(vertices) - vertices
        good: NDArray[np.bool_] = np.logical_and.reduceat(inside, starts)
        if is_line:
            moved = (positions != np.repeat(positions[starts], vertices, axis=0)).any(axis=1)
            good &= np.logical_or.reduceat(moved, starts) & (vertices <= MAX_VERTICES)
        else:
            good &= vertices == 1
        z[z == UNKNOWN_HEIGHT] = np.nan
        if not good.all():
            positions, vertices = positions[np.repeat(good, vertices)], vertices[good]
        if not len(vertices):
            return good, []
        if not is_line:
            return good, np.asarray(shapely.points(positions)).tolist()
        whose = np.repeat(np.arange(len(vertices)), vertices)
        return good, np.asarray(shapely.linestrings(positions, indices=whose)).tolist()

    def _read_alone(self, waiting: _Waiting) -> None:
        try:
            waiting.feature.geometry = read_geometry(waiting.holder, waiting.allowed, self._coverage)
        except GeometryFault as fault:
            self._on_fault(waiting.feature, waiting.attribute, fault)


def _plain_kind(holder: Element) -> str | None:
    """The name of a geometry that is written in the plainest way; None for any other."""
    if holder.attributes or holder.text or len(holder.children) != 1:
        return None
    element = holder.children[0]
    attributes = element.attributes
    if (
        len(element.children) != 1
        or element.text
        or attributes.get("srsName") != CRS
        or attributes.get("srsDimension", "3") != "3"
        or not attributes.keys() <= _PLAIN_ATTRIBUTES
    ):
        return None
    numbers = element.children[0]
    if (
        numbers.attributes
        or numbers.children
        or len(numbers.text) > _MOST_LETTERS
        or numbers.name != _NUMBERS.get(element.name)
    ):
        return None
    return element.name


def _numbers(words: list[str]) -> Coordinates | None:
    """The words as numbers; None when one of them is no number that XML Schema knows."""
    text = "".join(words)
    if "_" in text or not text.isascii():  # Python reads these in numbers, XML Schema does not
        return None
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        return None
