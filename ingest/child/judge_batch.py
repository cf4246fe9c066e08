"""Geometries of a whole batch judged at once: sound lines and points together in numpy, the others one by one.

Nine of ten geometries of a network are plain lines and points; together they take a tenth of the time.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.child.geometry import MAX_VERTICES, bounds, judge

_HEAD: Final = np.dtype([("order", "u1"), ("kind", "<u4"), ("count", "<u4")])
_NO_HEAD: Final = b"\xff" * _HEAD.itemsize
_PLAIN: Final = ((2, 2, 9), (1002, 3, 9), (1, 2, 5), (1001, 3, 5))
"""Kind, numbers a position, bytes before the first: lines and points."""

_POINT_HEAD: Final = 5


@dataclass(slots=True)
class JudgedBatch:
    """What became of each geometry: its plain WKB, or a fault; perhaps a note."""

    wkb: list[bytes | None]
    faults: list[str | None]
    notes: list[str | None]
    bounds: NDArray[np.float64]
    """West, south, east, north of each, shape (n, 4); NaN where there is a fault."""


def judge_batch(wkbs: list[bytes | None]) -> JudgedBatch:
    """Judge every geometry as `judge` does."""
    rows = len(wkbs)
    result = JudgedBatch(list(wkbs), [None] * rows, [None] * rows, np.full((rows, 4), np.nan))
    done = np.zeros(rows, bool)
    if rows:
        lengths = np.fromiter((len(wkb) if wkb else 0 for wkb in wkbs), np.int64, rows)
        heads = np.frombuffer(b"".join(_head(wkb) for wkb in wkbs), _HEAD)
        for kind, width, start in _PLAIN:
            counts = np.ones(rows, np.int64) if start == _POINT_HEAD else heads["count"].astype(np.int64)
            fitting = (
                (heads["order"] == 1) & (heads["kind"] == kind) & (lengths == start + counts * width * 8)
            )
            if start != _POINT_HEAD:
                fitting &= (counts > 1) & (counts <= MAX_VERTICES)
            _take_plain(
                wkbs,
                np.flatnonzero(fitting),
                counts=counts,
                width=width,
                start=start,
                result=result,
                done=done,
            )
    for row in np.flatnonzero(~done).tolist():
        judged = judge(wkbs[row])
        result.wkb[row], result.faults[row], result.notes[row] = judged.wkb, judged.fault, judged.note
        if judged.wkb is not None:
            result.bounds[row] = bounds(judged.wkb)
    return result


def _head(wkb: bytes | None) -> bytes:
    return wkb[: _HEAD.itemsize] if wkb and len(wkb) >= _HEAD.itemsize else _NO_HEAD


def _take_plain(
    wkbs: list[bytes | None],
    rows: NDArray[np.int64],
    *,
    counts: NDArray[np.int64],
    width: int,
    start: int,
    result: JudgedBatch,
    done: NDArray[np.bool_],
) -> None:
    """Take those whose numbers are sound; the rest is left to `judge`, which says what is wrong with them."""
    if not len(rows):
        return
    joined = b"".join(wkb[start:] for row in rows.tolist() if (wkb := wkbs[row]) is not None)
    positions = np.frombuffer(joined, "<f8").reshape(-1, width)
    starts = np.concatenate([[0], np.cumsum(counts[rows])[:-1]])
    sound = np.isfinite(positions[:, :2]).all(axis=1) & ~np.isinf(positions).any(axis=1)
    taken = np.logical_and.reduceat(sound, starts)
    flat = positions[:, :2]
    result.bounds[rows, :2] = np.minimum.reduceat(flat, starts)
    result.bounds[rows, 2:] = np.maximum.reduceat(flat, starts)
    done[rows] = taken
