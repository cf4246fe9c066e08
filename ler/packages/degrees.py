"""Geometries as RFC 7946 has them, for whatever is GeoJSON."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

DECIMALS: Final = 9
"""Of degrees."""


def to_degrees(geometries: Sequence[BaseGeometry | None]) -> NDArray[np.object_]:
    """Return geometries in EPSG:25832 as RFC 7946 has them: longitude and latitude, no heights, outer rings leftwards."""
    shapes = np.array([*geometries, None], dtype=object)[:-1]
    flat = shapely.orient_polygons(shapely.force_2d(shapes))
    found: NDArray[np.object_] = shapely.transform(flat, _moved)
    return found


def _moved(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    east, north = _transformer().transform(positions[:, 0], positions[:, 1])
    return np.round(np.column_stack((east, north)), DECIMALS)


@cache
def _transformer() -> Transformer:
    return Transformer.from_crs("EPSG:25832", "OGC:CRS84", always_xy=True)
