"""What a dig area must be: one valid polygon, inside the covered area, of a size that one request may have.

A bad area is refused with the place of the fault and never repaired: a repaired polygon may not be where they dig.
"""

from collections.abc import Sequence
from typing import Final

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from ler.errors import RefusedError

type Coverage = tuple[float, float, float, float]
"""West, south, east, north in EPSG:25832, metres."""

MAX_VERTICES: Final = 10_000
MIN_AREA_M2: Final = 0.1
_DEGREES: Final = 180.0


def dig_area(parts: Sequence[BaseGeometry], *, coverage: Coverage, max_area_m2: float) -> Polygon:
    """Return the one polygon that the parts make, in EPSG:25832, two numbers a vertex.

    Several polygons are merged and must overlap, or touch along an edge, into one. `coverage` is west, south, east,
    north in metres. Raises RefusedError.
    """
    polygons = [_polygon(part) for geometry in parts for part in _parts(geometry)]
    if not polygons:
        raise RefusedError("geometry-empty", "the area holds no polygon")
    merged = shapely.force_2d(polygons[0] if len(polygons) == 1 else shapely.union_all(polygons))
    check_place(merged, coverage)
    if not isinstance(merged, Polygon):
        raise RefusedError(
            "area-not-one-polygon",
            f"the {len(polygons)} polygons do not overlap into one; make one request for each of them",
        )
    if len(polygons) == 1 and shapely.get_num_coordinates(merged) > MAX_VERTICES:
        raise RefusedError("area-size", f"the area has more than {MAX_VERTICES} vertices: simplify it")
    if not MIN_AREA_M2 <= merged.area <= max_area_m2:
        raise RefusedError(
            "area-size",
            f"the area is {merged.area:,.1f} m², allowed are {MIN_AREA_M2} to {max_area_m2:,.0f} m²: "
            "split a larger dig into several requests",
        )
    return shapely.normalize(merged)


def _parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    if geometry.geom_type not in {"Polygon", "MultiPolygon"}:
        raise RefusedError("geometry-type", f"the area must be a polygon, not a {geometry.geom_type}")
    return list(shapely.get_parts(geometry))


def _polygon(geometry: BaseGeometry) -> BaseGeometry:
    if geometry.is_empty:
        raise RefusedError("geometry-empty", "the polygon is empty")
    if not geometry.is_valid:
        reason = explain_validity(geometry)
        raise RefusedError(
            "geometry-invalid", f"the polygon is not valid ({reason}): its edges may not cross; draw it anew"
        )
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
