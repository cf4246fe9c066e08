"""Paths of many lines, rings or marks, given to cairo at once: point by point costs ten times as long from Python.

Coordinates are sheet millimetres. A path that was made can be drawn any number of times.
"""

from collections.abc import Sequence
from itertools import batched
from typing import Final

import cairocffi
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from ler.packages.map_canvas import Coordinates

_MOVE, _LINE, _CLOSE = 0, 1, 3
_PATH_LINES: Final = 100  # of one path: cairo sorts all its edges, and lines that cross make that slow


class Path:
    """Polylines or rings in cairo's own form."""

    def __init__(self, coordinates: Coordinates, begins: NDArray[np.bool_], *, closed: bool = False) -> None:
        """From vertices (n, 2) and whether each begins a line; rings are closed by a stroke to their beginnings."""
        count, first = len(coordinates), np.flatnonzero(begins)
        # A vertex takes a header and a point, the end of a ring a header alone: 16 bytes each.
        closings = begins.cumsum() - 1 if closed else np.zeros(count, dtype=np.intp)
        places = 2 * np.arange(count) + closings
        self._data = np.zeros((2 * count + (len(first) if closed else 0), 2))
        headers = self._data.view(np.int32)
        headers[places, 0], headers[places, 1] = np.where(begins, _MOVE, _LINE), 2
        self._data[places + 1] = coordinates
        if closed and count:
            ends = places[np.append(first[1:], count) - 1] + 2
            headers[ends, 0], headers[ends, 1] = _CLOSE, 1
        self._path = cairocffi.ffi.new("cairo_path_t *")
        self._path.data = cairocffi.ffi.cast("cairo_path_data_t *", self._data.ctypes.data)
        self._path.num_data = len(self._data)

    def add_to(self, context: cairocffi.Context) -> None:
        """Add it to the context's path."""
        if len(self._data):
            cairocffi.cairo.cairo_append_path(context._pointer, self._path)  # noqa: SLF001 - its documented door


def line_paths(lines: Sequence[LineString]) -> list[Path]:
    """One path for each hundred of the lines."""
    return [_path(batch, closed=False) for batch in batched(lines, _PATH_LINES)]


def polygon_path(polygons: Sequence[Polygon]) -> Path:
    """Outer rings one way round and holes the other."""
    oriented = shapely.orient_polygons(np.array(polygons, dtype=object))
    return _path(shapely.get_rings(oriented).tolist(), closed=True)


def outline_path(outline: Coordinates, centres: Coordinates) -> Path:
    """The same closed outline (k, 2) around each of the centres (n, 2)."""
    vertices = (centres[:, None, :] + outline[None, :, :]).reshape(-1, 2)
    begins = np.zeros(len(vertices), dtype=bool)
    begins[:: len(outline)] = True
    return Path(vertices, begins, closed=True)


def dots_path(centres: Coordinates) -> Path:
    """A dot at each of the centres (n, 2): what a stroke with round caps makes a circle of its width of.

    Circles as such would be curves, which take ten times as long and as much room in a PDF.
    """
    begins = np.zeros(2 * len(centres), dtype=bool)
    begins[::2] = True
    return Path(np.repeat(centres, 2, axis=0), begins)


def _path(lines: Sequence[LineString], *, closed: bool) -> Path:
    coordinates, index = shapely.get_coordinates(np.array(lines, dtype=object), return_index=True)
    begins = np.ones(len(index), dtype=bool)
    begins[1:] = index[1:] != index[:-1]
    return Path(coordinates, begins, closed=closed)
