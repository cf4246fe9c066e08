"""What a dig area must be: one valid polygon, inside the covered area, of a size that one request may have.

A bad area is refused with the place of the fault and never repaired: a repaired polygon may not be where they dig.
A corridor is a line and a width: as long as the line, with rounded bends and square ends.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from ler.errors import RefusedError

type Coverage = tuple[float, float, float, float]
"""West, south, east, north in EPSG:25832, metres."""

MAX_VERTICES: Final = 10_000
_DEGREES: Final = 180.0
_POLYGONS: Final = frozenset({"Polygon", "MultiPolygon"})
_LINES: Final = frozenset({"LineString", "MultiLineString"})


@dataclass(frozen=True, slots=True)
class AreaLimits:
    """What one dig area may be; none of these figures is in the law."""

    max_area_m2: float = 250_000.0
    """As reported in a news page of ler.dk."""
    min_area_m2: float = 1.0
    """[INF] A smaller one is a slip of the hand."""
    max_parts: int = 100
    """Polygons and lines; LER has a limit (error code 19-393) and does not say which."""
    max_corridor_width_m: float = 60.0
    """LER 1 buffered lines by 30 m at most, as reported."""


def dig_area(
    parts: Sequence[BaseGeometry],
    *,
    coverage: Coverage,
    limits: AreaLimits = AreaLimits(),
    corridor_width_m: float | None = None,
) -> Polygon:
    """Return the one polygon that the parts make, in EPSG:25832, two numbers a vertex.

    Several polygons are merged and must overlap, or touch along an edge, into one. Lines are corridors of the given
    whole width. `coverage` is west, south, east, north in metres. Raises RefusedError.
    """
    if corridor_width_m is not None:
        _check_width(corridor_width_m, limits)
    single = [part for geometry in parts for part in _parts(geometry, corridor_width_m)]
    if not single:
        raise RefusedError("geometry-empty", "the area holds no polygon")
    if len(single) > limits.max_parts:
        raise RefusedError(
            "area-too-many-parts",
            f"the area has {len(single)} polygons and lines, at most {limits.max_parts}",
        )
    if sum(map(shapely.get_num_coordinates, single)) > MAX_VERTICES:
        raise RefusedError("area-size", f"the area has more than {MAX_VERTICES} vertices: simplify it")
    for part in single:
        check_place(part, coverage)
    merged = _merged([_polygon(part, corridor_width_m) for part in single])
    check_place(merged, coverage)
    if not limits.min_area_m2 <= merged.area <= limits.max_area_m2:
        raise RefusedError(
            "area-size",
            f"the area is {merged.area:,.1f} m², allowed are {limits.min_area_m2} to {limits.max_area_m2:,.0f} m²: "
            "split a larger dig into several requests",
        )
    return shapely.normalize(merged)


def _check_width(width_m: float, limits: AreaLimits) -> None:
    if not (math.isfinite(width_m) and 0 < width_m <= limits.max_corridor_width_m):
        raise RefusedError(
            "corridor-width",
            f"a corridor of {width_m} m: its whole width is more than 0 and at most {limits.max_corridor_width_m} m",
        )


def _merged(polygons: Sequence[Polygon]) -> Polygon:
    merged = polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)
    if not isinstance(merged, Polygon):
        apart = ", ".join(str(number) for number in _smallest_group(polygons, merged))
        raise RefusedError(
            "area-not-one-polygon",
            f"the {len(polygons)} polygons do not overlap into one (number {apart} stands apart); "
            "make one request for each of them",
        )
    return merged


def _smallest_group(polygons: Sequence[Polygon], merged: BaseGeometry) -> list[int]:
    """The numbers, from 1, of the fewest parts that hang together and do not reach the others."""
    points = [polygon.representative_point() for polygon in polygons]
    groups = [
        [number for number, point in enumerate(points, start=1) if island.intersects(point)]
        for island in shapely.get_parts(merged)
    ]
    return min(groups, key=len)


def _parts(geometry: BaseGeometry, corridor_width_m: float | None) -> list[BaseGeometry]:
    """The single polygons and lines of a geometry, without heights."""
    kind = geometry.geom_type
    if kind in _LINES and corridor_width_m is None:
        raise RefusedError(
            "geometry-type",
            f"the area must be a polygon, not a {kind}; a line needs the width of its corridor",
        )
    if kind not in _POLYGONS | _LINES:
        raise RefusedError("geometry-type", f"the area must be a polygon, not a {kind}")
    if geometry.is_empty:
        raise RefusedError(
            "geometry-empty", "the polygon is empty" if kind in _POLYGONS else "the line is empty"
        )
    return list(shapely.get_parts(shapely.force_2d(geometry)))


def _polygon(part: BaseGeometry, corridor_width_m: float | None) -> Polygon:
    if part.is_empty:
        raise RefusedError("geometry-empty", "the polygon is empty")
    if part.geom_type == "LineString":
        return _corridor(part, corridor_width_m or 0.0)
    if not part.is_valid:
        reason = explain_validity(part)
        raise RefusedError(
            "geometry-invalid", f"the polygon is not valid ({reason}): its edges may not cross; draw it anew"
        )
    return _as_polygon(part)


def _corridor(line: BaseGeometry, width_m: float) -> Polygon:
    if not line.length:
        raise RefusedError("geometry-invalid", "the line has no length: it needs two different points")
    return _as_polygon(line.buffer(width_m / 2, cap_style="flat", join_style="round"))


def _as_polygon(geometry: BaseGeometry) -> Polygon:
    if not isinstance(geometry, Polygon):
        raise RefusedError("geometry-invalid", "the corridor of the line is not one polygon; draw the area")
    return geometry


def check_place(geometry: BaseGeometry, coverage: Coverage) -> None:
    """RefusedError for an area outside the coverage, saying when it looks like degrees or swapped axes."""
    left, bottom, right, top = geometry.bounds
    west, south, east, north = coverage
    if left >= west and bottom >= south and right <= east and top <= north:
        return
    if max(abs(left), abs(bottom), abs(right), abs(top)) <= _DEGREES:
        raise RefusedError(
            "crs-out-of-area",
            f"the coordinates look like degrees ({left:.5f}, {bottom:.5f}); give metres in EPSG:25832, "
            "or name the system with --crs EPSG:4326",
        )
    if left >= south and right <= north and bottom >= west and top <= east:
        raise RefusedError("crs-axis-order", "the axes look swapped: easting first, then northing")
    raise RefusedError(
        "area-outside-coverage",
        f"the area ({left:.0f}, {bottom:.0f} to {right:.0f}, {top:.0f}) lies outside what this platform covers "
        f"({west:.0f}, {south:.0f} to {east:.0f}, {north:.0f} in EPSG:25832)",
    )
