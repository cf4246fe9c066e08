"""The ground that a drawing shows: never less than its valid pixels, and not much more."""

from typing import Any, Final

import numpy as np
import shapely
from affine import Affine
from rasterio.features import shapes
from shapely import MultiPolygon, Polygon
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

COARSE_SIDE: Final = 512
"""Squares along the longer side of the grid in which the footprint is drawn."""
_MAX_VERTICES: Final = 1000
_DECIMALS: Final = 3


def border_footprint(outline: np.ndarray[Any, np.dtype[np.float64]]) -> MultiPolygon:
    """Return the footprint of a drawing that is valid up to its border: `outline` is (n, 2), EPSG:25832, closed."""
    return _rounded(shapely.simplify(Polygon(outline), 10**-_DECIMALS))


def masked_footprint(coarse: np.ndarray[Any, np.dtype[np.bool_]], square: Affine) -> MultiPolygon:
    """Return the footprint of the squares that hold a valid pixel; `square` places them in EPSG:25832."""
    found = shapes(coarse.astype(np.uint8), mask=coarse, transform=square)
    exact = shapely.union_all([shape(geometry) for geometry, _ in found])
    tolerance = abs(square.a) / 2
    # Widened by twice what simplifying may take away, it still covers every square. Scattered specks make many
    # vertices: then more and more of what lies close together becomes one.
    while True:
        wide = shapely.buffer(exact, 2 * tolerance, join_style="mitre")
        simple = shapely.simplify(wide, tolerance)
        if shapely.get_num_coordinates(simple) <= _MAX_VERTICES:
            return _rounded(simple)
        tolerance *= 2


def _rounded(footprint: BaseGeometry) -> MultiPolygon:
    rounded = shapely.set_precision(footprint, 10**-_DECIMALS)
    return MultiPolygon([part for part in shapely.get_parts(rounded) if isinstance(part, Polygon)])
