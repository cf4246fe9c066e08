"""Small terrain models: heights by rows from the north, cells of a metre unless said otherwise."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.transform import from_origin

WEST, NORTH = 700_000.0, 6_200_010.0
"""Corner of a model of ten rows that ends at the northing 6,200,000."""


def plane(columns: int = 10, rows: int = 10) -> np.ndarray[Any, Any]:
    """2.0 m in the first column and 0.1 m more in each."""
    return np.tile(2 + 0.1 * np.arange(columns), (rows, 1))


def write_terrain(
    path: Path,
    heights: Sequence[Sequence[float]] | np.ndarray[Any, Any],
    *,
    west: float = WEST,
    north: float = NORTH,
    cell: float = 1.0,
    crs: str | None = "EPSG:7416",
    place: Affine | None = None,
    dtype: str = "float64",
    driver: str = "GTiff",
    **said: Any,  # noqa: ANN401 - options of rasterio
) -> Path:
    """Write a model of one band; `unit`, `scale` and `offset` are the band's."""
    cells = np.asarray(heights).astype(dtype)
    unit, scale, offset = said.pop("unit", None), said.pop("scale", None), said.pop("offset", None)
    with rasterio.open(
        path,
        "w",
        driver=driver,
        width=cells.shape[1],
        height=cells.shape[0],
        count=1,
        dtype=dtype,
        crs=crs,
        transform=place or from_origin(west, north, cell, cell),
        **said,
    ) as target:
        target.write(cells, 1)
        if unit is not None:
            target.units = (unit,)
        if scale is not None:
            target.scales, target.offsets = (scale,), (offset or 0.0,)
    return path
