"""Cloud Optimized GeoTIFFs: how drawings are written, and how the part of one is written that lies in a dig area.

The same picture gives the same bytes: one thread, no clock, no tags.
"""

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
import rasterio.shutil
import shapely
from affine import Affine
from rasterio.enums import ColorInterp, Compression
from rasterio.features import geometry_mask
from rasterio.windows import Window
from shapely import MultiPolygon, Polygon

TILE: Final = 512
JPEG_QUALITY: Final = 90

_JPEG_BLOCK: Final = 16
"""Pixels. A part that begins where a block of the whole begins is packed again with little further loss."""
_WHITE: Final = 255
_OPTIONS: Final[dict[str, str | int]] = {
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_NUM_THREADS": "1",
    "GDAL_CACHEMAX": 64 << 20,
    "GDAL_TIFF_INTERNAL_MASK": "YES",
}
"""Nothing beside the file is read or written; 64 MB of tiles are kept."""


@dataclass(frozen=True, slots=True)
class Part:
    """What was written of a drawing."""

    columns: int
    rows: int
    valid: int
    """Pixels that show something."""


def write_cog(picture: Path, path: Path, *, lossless: bool) -> None:
    """Write a picture as a Cloud Optimized GeoTIFF: tiled, with overviews, and what is needed first comes first."""
    packing = {"COMPRESS": "DEFLATE", "LEVEL": 6, "PREDICTOR": "NO"}
    if not lossless:
        packing = {"COMPRESS": "JPEG", "QUALITY": JPEG_QUALITY}
    rasterio.shutil.copy(
        picture,
        path,
        driver="COG",
        BLOCKSIZE=TILE,
        OVERVIEWS="IGNORE_EXISTING",
        OVERVIEW_RESAMPLING="AVERAGE",
        NUM_THREADS=1,
        BIGTIFF="IF_SAFER",
        STATISTICS="NO",
        **packing,
    )


def write_clipped(cog: Path, area: Polygon | MultiPolygon, path: Path) -> Part | None:
    """Write of a drawing the pixels that the area touches, and white, transparent ones up to its bounding box.

    `cog` is a drawing as `write_cog` makes it and `area` is in its reference system. What was packed without loss is so
    again, pixel by pixel in the same place. None, and no file, when no valid pixel lies in the area. Memory is that of
    one row of tiles, across the area only. rasterio.errors.RasterioError when the drawing cannot be read.
    """
    with (
        rasterio.Env(**_OPTIONS),
        rasterio.open(cog, driver="GTiff") as drawing,
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".clip-") as folder,
    ):
        window = _window(drawing, area)
        if window is None:
            return None
        picture = Path(folder) / "picture.tif"
        valid = _write_part(drawing, area, window, picture)
        if not valid:
            return None
        write_cog(picture, path, lossless=drawing.compression is not Compression.jpeg)
        return Part(window.width, window.height, valid)


def _window(drawing: Any, area: Polygon | MultiPolygon) -> Window | None:  # noqa: ANN401 - rasterio has no types
    """The pixels around the area, None when there are none. The drawing is north up."""
    place = drawing.transform
    west, south, east, north = area.bounds
    left, right = (west - place.c) / place.a, (east - place.c) / place.a
    top, bottom = (north - place.f) / place.e, (south - place.f) / place.e
    # One more on each side: a border on the edge of two pixels touches both.
    first_column = max(0, math.floor(left) - 1) // _JPEG_BLOCK * _JPEG_BLOCK
    first_row = max(0, math.floor(top) - 1) // _JPEG_BLOCK * _JPEG_BLOCK
    columns = min(drawing.width, math.ceil(right) + 1) - first_column
    rows = min(drawing.height, math.ceil(bottom) + 1) - first_row
    return Window(first_column, first_row, columns, rows) if columns > 0 and rows > 0 else None


def _write_part(drawing: Any, area: Polygon | MultiPolygon, window: Window, picture: Path) -> int:  # noqa: ANN401 - as above
    """Write the picture of the part, its last band the mask; return the number of its valid pixels."""
    colours = [band for band, kind in enumerate(drawing.colorinterp, 1) if kind is not ColorInterp.alpha]
    place = drawing.transform @ Affine.translation(window.col_off, window.row_off)
    # Counted in pixels from the part's corner: with coordinates of millions of metres a border would be blurred.
    in_pixels = shapely.transform(area, lambda points: _pixels(place, points))
    valid = 0
    with rasterio.open(
        picture,
        "w",
        driver="GTiff",
        width=window.width,
        height=window.height,
        count=len(colours) + 1,
        dtype="uint8",
        crs=drawing.crs,
        transform=place,
        photometric="RGB" if len(colours) > 1 else "MINISBLACK",
        alpha="YES",
        tiled=True,
        blockxsize=TILE,
        blockysize=TILE,
        bigtiff="IF_SAFER",
    ) as target:
        for rows in _stripes(window):
            source = Window(window.col_off, window.row_off + rows.row_off, rows.width, rows.height)
            shown = ~geometry_mask(
                [in_pixels],
                (rows.height, rows.width),
                Affine.translation(0, rows.row_off),
                all_touched=True,
            )
            shown &= drawing.dataset_mask(window=source) > 0
            valid += int(shown.sum())
            pixels = np.where(shown, drawing.read(colours, window=source), np.uint8(_WHITE))
            target.write(pixels, list(range(1, len(colours) + 1)), window=rows)
            target.write(np.where(shown, np.uint8(_WHITE), np.uint8(0)), len(colours) + 1, window=rows)
    return valid


def _pixels(
    place: Affine, points: np.ndarray[Any, np.dtype[np.float64]]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.column_stack([(points[:, 0] - place.c) / place.a, (points[:, 1] - place.f) / place.e])


def _stripes(window: Window) -> Iterator[Window]:
    for top in range(0, window.height, TILE):
        yield Window(0, top, window.width, min(TILE, window.height - top))
