"""Lines cut where they leave one cell of a grid for the next, so that in each piece the terrain has one height.

Pure arrays. Coordinates are columns and rows of the grid, in cells from its corner; along a segment `t` runs from 0 at
its start to 1 at its end. What lies on the border of two cells is in the one with the higher number.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

_SPECK: Final = 1e-6
"""Cells. A shorter piece is a rounding of a corner or a border, not a cell that the line crosses."""
_GAP: Final = 1e-3
"""Cells. What is missing between two pieces and is shorter is a speck that was left out."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of segments, each within one cell; arrays of one length, ordered by segment and `t`."""

    segment: Integers
    start: Floats
    end: Floats
    column: Integers
    row: Integers

    def take(self, which: NDArray[np.bool_]) -> "Pieces":
        """Return the chosen ones."""
        return Pieces(
            self.segment[which], self.start[which], self.end[which], self.column[which], self.row[which]
        )


def count_pieces(starts: Floats, ends: Floats) -> Integers:
    """Return how many pieces each segment has at most; both arrays (n, 2)."""
    return (1 + np.ceil(np.abs(ends - starts)).sum(axis=1)).astype(np.int64)


def cut(starts: Floats, ends: Floats) -> Pieces:
    """Cut segments, both arrays (n, 2), at the borders of the cells. A point is one piece, from 0 to 1."""
    segments = np.arange(len(starts))
    cuts = [(segments, np.zeros(len(starts))), (segments, np.ones(len(starts)))]
    cuts += [_crossings(starts[:, axis], ends[:, axis]) for axis in (0, 1)]
    segment, t = (np.concatenate(column) for column in zip(*cuts, strict=True))
    order = np.lexsort((t, segment))
    segment, t = segment[order], t[order]
    length = np.hypot(*(ends - starts).T)
    pieces = segment[1:] == segment[:-1]
    pieces &= ((t[1:] - t[:-1]) * length[segment[1:]] > _SPECK) | (length[segment[1:]] <= _SPECK)
    which, begin, finish = segment[1:][pieces], t[:-1][pieces], t[1:][pieces]
    middle = starts[which] + ((begin + finish) / 2)[:, None] * (ends - starts)[which]
    cell = np.floor(middle).astype(np.int64)
    return Pieces(which, begin, finish, cell[:, 0], cell[:, 1])


def whole(segment: Integers, start: Floats, end: Floats, lengths: Floats) -> NDArray[np.bool_]:
    """Return of each segment whether pieces of it, in any order and perhaps overlapping, leave no gap.

    `lengths` (n,) are the segments' in cells. The pieces have found a height; where there is none there is a gap.
    """
    # Two apart: the end of one segment lies before the start of the next, so that one running maximum serves all.
    order = np.lexsort((start, segment))
    at = segment[order]
    begins, finishes = 2.0 * at + start[order], 2.0 * at + end[order]
    reached = np.maximum(np.concatenate([[-2.0], np.maximum.accumulate(finishes)[:-1]]), 2.0 * at)
    found = np.zeros(len(lengths), dtype=bool)
    last = np.full(len(lengths), -1.0)
    np.maximum.at(last, at, end[order])
    slack = _GAP / np.maximum(lengths, _GAP)
    found[:] = last >= 1 - slack
    found[at[begins - reached > slack[at]]] = False
    return found


def _crossings(start: Floats, end: Floats) -> tuple[Integers, Floats]:
    """Segment and `t` of every border that lies strictly between the ends, along one axis."""
    first = np.floor(np.minimum(start, end)) + 1
    count = np.maximum(np.ceil(np.maximum(start, end)) - first, 0).astype(np.int64)
    segment = np.repeat(np.arange(len(start)), count)
    nth = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    return segment, (first[segment] + nth - start[segment]) / (end[segment] - start[segment])
