"""Geometry as bytes, judged before any native library reads it: WKB in, plain WKB out, or the code of what is wrong.

ISO WKB and the flags of EWKB are read. Counts are held against the bytes that are there, nesting and vertices against
limits. What comes out is little-endian ISO WKB of Point, LineString, Polygon or their multiples, x y or x y z; curves
are segmented, collections and multiples of one are unwrapped, measures are dropped and that is noted. A height that is
not a number stays: it is unknown.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from ingest.child.arcs import Coordinates, segment_arcs

MAX_VERTICES: Final = 100_000
MAX_DEPTH: Final = 8
"""Geometries inside each other; a collection of multiples of curves with arcs has five."""

POINT, LINE, POLYGON, MULTI_POINT, MULTI_LINE, MULTI_POLYGON, COLLECTION = range(1, 8)
CIRCULAR, COMPOUND, CURVE_POLYGON, MULTI_CURVE, MULTI_SURFACE = range(8, 13)
_MULTIPLE: Final = {POINT: MULTI_POINT, LINE: MULTI_LINE, POLYGON: MULTI_POLYGON}
_MULTIPLES: Final = {MULTI_POINT: POINT, MULTI_LINE: LINE, MULTI_POLYGON: POLYGON, MULTI_CURVE: LINE, MULTI_SURFACE: POLYGON}  # fmt: skip

MEASURES_DROPPED: Final = "geometry-dimension"

_Z, _M, _SRID = 0x80000000, 0x40000000, 0x20000000
_HEAD: Final = struct.Struct("<BII")
_HEAD_BYTES: Final = 9
_POINT_BYTES: Final = {1: 21, 1001: 29}
_LINE_STRIDES: Final = {2: 16, 1002: 24}
_RING: Final = 4


class GeometryFaultError(Exception):
    """The geometry cannot be used; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one geometry: `wkb`, or `fault`; perhaps with a `note`."""

    wkb: bytes | None
    fault: str | None = None
    note: str | None = None


@dataclass(slots=True)
class _Shape:
    """A plain geometry: of a point or a line one array of coordinates, of a polygon one a ring, else its parts."""

    kind: int
    rings: list[Coordinates]
    parts: list["_Shape"]


def judge(wkb: bytes | None) -> Judged:
    """Judge one geometry. Never raises, whatever the bytes."""
    if wkb is None or len(wkb) == 0:
        return Judged(None, "geometry-empty")
    try:
        return Judged(wkb) if _is_plain(wkb) else _rewritten(wkb)
    except GeometryFaultError as fault:
        return Judged(None, fault.code)
    except (struct.error, ValueError):
        return Judged(None, "geometry-malformed")


def _rewritten(wkb: bytes) -> Judged:
    reader = _Reader(wkb)
    shape = reader.geometry(0)
    if reader.at != len(wkb):
        raise GeometryFaultError("geometry-malformed")
    return Judged(_to_wkb(_unwrapped(shape)), None, MEASURES_DROPPED if reader.measures else None)


def bounds(wkb: bytes) -> tuple[float, float, float, float]:
    """West, south, east, north of a geometry that `judge` gave."""
    points = _positions(wkb)
    west, south = points.min(axis=0)
    east, north = points.max(axis=0)
    return float(west), float(south), float(east), float(north)


def _is_plain(wkb: bytes) -> bool:
    """Whether it is a sound line or point as most are, which needs no rewriting. GeometryFaultError if it is unsound."""
    if len(wkb) < _HEAD_BYTES or wkb[0] != 1:
        return False
    _, kind, count = _HEAD.unpack_from(wkb)
    if (stride := _LINE_STRIDES.get(kind)) is not None and len(wkb) == _HEAD_BYTES + count * stride:
        points: Coordinates = np.frombuffer(wkb, "<f8", offset=_HEAD_BYTES).reshape(count, stride // 8)
        _check_line(points)
        return True
    if _POINT_BYTES.get(kind) == len(wkb):
        _check_point(np.frombuffer(wkb, "<f8", offset=5).reshape(1, -1))
        return True
    return False


def _check_point(point: Coordinates) -> None:
    if np.isnan(point).all():
        raise GeometryFaultError("geometry-empty")
    _check_finite(point)


def _check_line(points: Coordinates) -> None:
    if len(points) == 0:
        raise GeometryFaultError("geometry-empty")
    if len(points) > MAX_VERTICES:
        raise GeometryFaultError("geometry-limit")
    if len(points) == 1:
        raise GeometryFaultError("geometry-degenerate")
    _check_finite(points)


def _check_finite(points: Coordinates) -> None:
    """Heights may be unknown, so not a number; nothing may be infinite."""
    if not np.isfinite(points).all() and (not np.isfinite(points[:, :2]).all() or np.isinf(points).any()):
        raise GeometryFaultError("coordinate-not-finite")


class _Reader:
    """Reads one geometry, keeping count of what it costs."""

    def __init__(self, wkb: bytes) -> None:
        self.wkb = wkb
        self.at = 0
        self.vertices = 0
        self.measures = False

    def geometry(self, depth: int) -> _Shape:
        if depth > MAX_DEPTH:
            raise GeometryFaultError("geometry-limit")
        order, kind, has_z, has_m = self._head()
        width = 2 + has_z + has_m
        self.measures |= has_m
        keep = slice(0, 2 + has_z)
        match kind:
            case 1:
                return _Shape(POINT, [self._points(1, width, order)[:, keep]], [])
            case 2 | 8:
                points = self._points(self._count(order, width * 8), width, order)[:, keep]
                return _Shape(LINE, [_arc_or_line(points) if kind == CIRCULAR else points], [])
            case 3:
                count = self._count(order, 4)
                rings = [
                    self._points(self._count(order, width * 8), width, order)[:, keep] for _ in range(count)
                ]
                return _Shape(POLYGON, rings, [])
            case 4 | 5 | 6 | 7 | 9 | 10 | 11 | 12:
                parts = [self.geometry(depth + 1) for _ in range(self._count(order, 5))]
                return _joined(kind, parts)
            case _:
                raise GeometryFaultError("geometry-type" if kind <= 17 else "geometry-malformed")  # noqa: PLR2004

    def _head(self) -> tuple[str, int, bool, bool]:
        """Byte order, kind, and whether there are heights and measures."""
        if self.at >= len(self.wkb) or self.wkb[self.at] > 1:
            raise GeometryFaultError("geometry-malformed")
        order = "<" if self.wkb[self.at] else ">"
        (word,) = struct.unpack_from(f"{order}I", self.wkb, self.at + 1)
        self.at += 5
        if word & _SRID:
            self.at += 4
        dimension, kind = divmod(word & 0x1FFFFFFF, 1000)
        if dimension > 3:  # noqa: PLR2004 - 1 is z, 2 is m, 3 is both
            raise GeometryFaultError("geometry-malformed")
        return order, kind, bool(word & _Z) or bool(dimension & 1), bool(word & _M) or bool(dimension & 2)

    def _count(self, order: str, least_bytes: int) -> int:
        """A number of things, each of at least so many bytes: never more than there can be."""
        (count,) = struct.unpack_from(f"{order}I", self.wkb, self.at)
        self.at += 4
        if count * least_bytes > len(self.wkb) - self.at:
            raise GeometryFaultError("geometry-malformed")
        if count > MAX_VERTICES:
            raise GeometryFaultError("geometry-limit")
        return int(count)

    def _points(self, count: int, width: int, order: str) -> Coordinates:
        self.vertices += count
        if self.vertices > MAX_VERTICES:
            raise GeometryFaultError("geometry-limit")
        size = count * width * 8
        if size > len(self.wkb) - self.at:
            raise GeometryFaultError("geometry-malformed")
        points = np.frombuffer(self.wkb, f"{order}f8", count * width, self.at).reshape(count, width)
        self.at += size
        return points.astype("<f8")


def _arc_or_line(points: Coordinates) -> Coordinates:
    if len(points) == 0:
        return points
    _check_finite(points)
    line = segment_arcs(points)
    if len(line) > MAX_VERTICES:
        raise GeometryFaultError("geometry-limit")
    return line


def _joined(kind: int, parts: list[_Shape]) -> _Shape:
    """The parts as one: curves end to end, rings in a polygon, the rest as a multiple."""
    if kind == COMPOUND:
        return _Shape(LINE, [_end_to_end(parts)], [])
    if kind == CURVE_POLYGON:
        return _Shape(POLYGON, [_end_to_end([part]) for part in parts], [])
    wanted = _MULTIPLES.get(kind)
    if wanted is not None and any(part.kind != wanted for part in parts):
        raise GeometryFaultError("geometry-malformed")
    return _Shape(kind if wanted is None else _MULTIPLE[wanted], [], parts)


def _end_to_end(parts: list[_Shape]) -> Coordinates:
    if not parts:
        raise GeometryFaultError("geometry-empty")
    if any(part.kind != LINE for part in parts):
        raise GeometryFaultError("geometry-malformed")
    lines = [part.rings[0] for part in parts]
    if any(len(line) == 0 for line in lines):
        raise GeometryFaultError("geometry-empty")
    for before, after in pairwise(lines):
        if not np.array_equal(before[-1][:2], after[0][:2]):
            raise GeometryFaultError("geometry-invalid")
    return np.vstack([lines[0], *(line[1:] for line in lines[1:])])


def _unwrapped(shape: _Shape) -> _Shape:
    """The shape without collections: those of one kind become a multiple of it, those of one thing the thing."""
    if not shape.parts:
        if shape.kind not in _MULTIPLE:
            raise GeometryFaultError("geometry-empty")
        _check_shape(shape)
        return shape
    parts = [_unwrapped(part) for part in shape.parts]
    if len(parts) == 1:
        return parts[0]
    flat = [single for part in parts for single in (part.parts or [part])]
    kinds = {part.kind for part in flat}
    if len(kinds) > 1 or len({part.rings[0].shape[1] for part in flat}) > 1:
        raise GeometryFaultError("geometry-type")
    return _Shape(_MULTIPLE[kinds.pop()], [], flat)


def _check_shape(shape: _Shape) -> None:
    if shape.kind == POINT:
        _check_point(shape.rings[0])
    elif shape.kind == LINE:
        _check_line(shape.rings[0])
    elif not shape.rings or len(shape.rings[0]) == 0:
        raise GeometryFaultError("geometry-empty")
    else:
        for ring in shape.rings:
            _check_finite(ring)
            if len(ring) < _RING or not np.array_equal(ring[0][:2], ring[-1][:2]):
                raise GeometryFaultError("geometry-invalid")


def _to_wkb(shape: _Shape) -> bytes:
    if shape.parts:
        has_z = shape.parts[0].rings[0].shape[1] > 2  # noqa: PLR2004 - x, y and z
        head = _HEAD.pack(1, shape.kind + 1000 * has_z, len(shape.parts))
        return head + b"".join(map(_to_wkb, shape.parts))
    kind = shape.kind + 1000 * (shape.rings[0].shape[1] > 2)  # noqa: PLR2004 - x, y and z
    if shape.kind == POINT:
        return struct.pack("<BI", 1, kind) + shape.rings[0].tobytes()
    if shape.kind == LINE:
        return _HEAD.pack(1, kind, len(shape.rings[0])) + shape.rings[0].tobytes()
    rings = b"".join(struct.pack("<I", len(ring)) + ring.tobytes() for ring in shape.rings)
    return _HEAD.pack(1, kind, len(shape.rings)) + rings


def _positions(wkb: bytes) -> Coordinates:
    """All x and y of a plain geometry."""
    _, kind, count = _HEAD.unpack_from(wkb)
    if (stride := _LINE_STRIDES.get(kind)) is not None:
        return np.frombuffer(wkb, "<f8", offset=_HEAD_BYTES).reshape(count, stride // 8)[:, :2]
    shape = _Reader(wkb).geometry(0)
    shapes = shape.parts or [shape]
    return np.vstack([ring[:, :2] for part in shapes for ring in part.rings])
