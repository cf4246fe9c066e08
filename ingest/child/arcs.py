"""Circular arcs as straight segments that nowhere leave the arc by more than a tolerance."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

TOLERANCE_M: Final = 0.01
TOLERANCE_DEG: Final = 1e-7
"""About 1 cm on the ground."""

MOST_DEGREES: Final = 360.0
"""Coordinates that are nowhere larger are taken for degrees."""

MAX_SEGMENTS: Final = 50_000
"""Of one arc; a half circle of 1 cm tolerance and 5,000 km radius."""

_STRAIGHT: Final = 1e-12
"""Twice the triangle's area over the square of its longest side: below it three points lie on a line."""

type Coordinates = NDArray[np.float64]
"""Shape (n, 2) or (n, 3), x y and perhaps z."""


def segment_arcs(points: Coordinates) -> Coordinates:
    """Return the line along consecutive arcs, each through three points, the last of one the first of the next.

    Every given point stays; heights go evenly from one given point to the next. ValueError for an even number of
    points, or fewer than three.
    """
    if len(points) < 3 or len(points) % 2 == 0:  # noqa: PLR2004 - an arc has three points
        raise ValueError("an arc needs three points")
    tolerance = TOLERANCE_DEG if np.abs(points[:, :2]).max() <= MOST_DEGREES else TOLERANCE_M
    pieces = [points[:1]]
    pieces += [_arc(points[first : first + 3], tolerance) for first in range(0, len(points) - 2, 2)]
    return np.vstack(pieces)


def _arc(points: Coordinates, tolerance: float) -> Coordinates:
    """The points after the first of the three, the second and third among them."""
    start, middle, end = points
    centre = _centre(start, middle, end)
    if centre is None:
        return np.vstack([middle, end])
    radius = math.dist(start[:2], centre)
    angles = [math.atan2(point[1] - centre[1], point[0] - centre[0]) for point in (start, middle, end)]
    turns_left = (angles[1] - angles[0]) % math.tau <= (angles[2] - angles[0]) % math.tau or angles[
        0
    ] == angles[2]
    step = 2 * math.acos(max(1 - tolerance / radius, 0.0)) if radius > tolerance else math.pi / 2
    pieces = []
    for (here, before), (there, after) in zip(
        zip((start, middle), angles[:2], strict=True),
        zip((middle, end), angles[1:], strict=True),
        strict=True,
    ):
        sweep = (after - before) % math.tau if turns_left else -((before - after) % math.tau)
        count = max(1, math.ceil(abs(sweep) / step))
        if count > MAX_SEGMENTS:
            raise ValueError("an arc needs too many segments")
        share = np.arange(1, count) / count
        turned = before + sweep * share
        between = here + np.outer(share, there - here)
        between[:, 0] = centre[0] + radius * np.cos(turned)
        between[:, 1] = centre[1] + radius * np.sin(turned)
        pieces += [between, there[np.newaxis]]
    return np.vstack(pieces)


def _centre(start: Coordinates, middle: Coordinates, end: Coordinates) -> tuple[float, float] | None:
    """The centre of the circle through three points, or None where they lie on a line; equal ends are a full circle."""
    (bx, by), (cx, cy) = (middle - start)[:2], (end - start)[:2]
    if cx == 0 and cy == 0:
        return (start[0] + bx / 2, start[1] + by / 2) if bx or by else None
    double_area = bx * cy - by * cx
    longest = max(bx * bx + by * by, cx * cx + cy * cy)
    if abs(double_area) <= _STRAIGHT * longest:
        return None
    b, c = bx * bx + by * by, cx * cx + cy * cy
    return (
        start[0] + (cy * b - by * c) / (2 * double_area),
        start[1] + (bx * c - cx * b) / (2 * double_area),
    )
