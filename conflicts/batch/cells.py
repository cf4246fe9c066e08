"""Partitions by space: works that lie together, with so few lines around them that both fit into memory.

Each work is in exactly one partition, by its middle; lines are read for each partition that they come near, so a line over
a border is seen on both sides and a pair of work and line once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

CELL_M: Final = 250.0
"""Side of the smallest square; lines are counted by these."""


@dataclass(frozen=True)
class Counts:
    """How many lines have their middle in each square of `CELL_M`."""

    columns: NDArray[np.int64]
    rows: NDArray[np.int64]
    lines: NDArray[np.int64]
    extents: NDArray[np.float64]
    """West, south, east and north end of them, one row a square, EPSG:25832."""

    def meet(self, boxes: NDArray[np.object_]) -> NDArray[np.int64]:
        """Return the numbers of the boxes in which there may be a line, sorted."""
        extents = np.array([shapely.box(*ends) for ends in self.extents.tolist()], dtype=object)
        tree = shapely.STRtree(extents)
        return np.unique(tree.query(boxes)[0])


@dataclass(frozen=True, slots=True)
class _Square:
    """A square of `size` cells each way."""

    column: int
    row: int
    size: int

    def holds(self, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (
            (columns >= self.column)
            & (columns < self.column + self.size)
            & (rows >= self.row)
            & (rows < self.row + self.size)
        )
        return found

    def quarters(self) -> Iterator["_Square"]:
        half = self.size // 2
        for east in (0, half):
            for north in (0, half):
                yield _Square(self.column + east, self.row + north, half)


def partitions(
    middles: NDArray[np.float64], counts: Counts, *, most_lines: int, most_works: int
) -> list[NDArray[np.int64]]:
    """Return the numbers of the works of each partition. `middles`: one row a work, EPSG:25832.

    A square is quartered as long as it has more than `most_lines` lines or `most_works` works, down to `CELL_M`; works of a
    smallest square that are still too many are told off in their order. What has no works is no partition.
    """
    if not len(middles):
        return []
    columns, rows = np.floor(middles / CELL_M).astype(np.int64).T
    west, south = int(columns.min()), int(rows.min())
    extent = max(int(columns.max()) - west, int(rows.max()) - south) + 1
    whole = _Square(west, south, 1 << (extent - 1).bit_length())
    found: list[NDArray[np.int64]] = []
    waiting = [(whole, np.arange(len(middles)), np.arange(len(counts.lines)))]
    while waiting:
        square, works, cells = waiting.pop()
        works = works[square.holds(columns[works], rows[works])]
        cells = cells[square.holds(counts.columns[cells], counts.rows[cells])]
        if not len(works):
            continue
        fits = len(works) <= most_works and counts.lines[cells].sum() <= most_lines
        if fits or square.size == 1:
            found += [works[first : first + most_works] for first in range(0, len(works), most_works)]
        else:
            waiting += [(quarter, works, cells) for quarter in square.quarters()]
    return found
