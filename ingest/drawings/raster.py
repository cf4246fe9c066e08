"""The pixels of a drawing on their way: source, picture, picture in EPSG:25832, Cloud Optimized GeoTIFF, preview.

Memory is bounded by a stripe of the source, not by the drawing; what is between the steps lies in the work folder.
The same source gives the same bytes: one thread, no clock, no tags.
"""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp, Resampling
from rasterio.warp import reproject
from rasterio.windows import Window

from ingest.drawings.pixels import Reading
from ingest.drawings.placing import STORAGE_EPSG, Place
from ler.packages.cog import TILE

_STRIPE_BYTES: Final = 32 << 20
_SAMPLE: Final = 256
_SAMPLES: Final = 64
_CONTINUOUS: Final = 3.0
"""What zlib does not make three times smaller is a photograph, or paper with the noise of a scanner."""
_WARP_MEMORY_MB: Final = 128
_BLOCK: Final = {"tiled": True, "blockxsize": TILE, "blockysize": TILE, "bigtiff": "IF_SAFER"}


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels of a picture lie in EPSG:25832."""

    transform: Affine
    columns: int
    rows: int


def write_picture(source: Any, reading: Reading, place: Place, path: Path, *, masked: bool) -> None:  # noqa: ANN401 - rasterio has no types
    """Write the picture of a source, still in the source's place; the last band is the mask when `masked`."""
    count = reading.count + masked
    with _create(path, Grid(place.transform, source.width, source.height), count, place.epsg) as target:
        for window in _stripes(source):
            valid = source.dataset_mask(window=window) if reading.masked else None
            pixels, mask = reading.picture(source.read(reading.bands, window=window), valid)
            bands = list(range(1, reading.count + 1))
            target.write(pixels, bands, window=window)
            if masked:
                whole = np.full(pixels.shape[1:], 255, np.uint8)
                target.write(whole if mask is None else mask, count, window=window)


def bring_to_storage(picture: Path, path: Path, grid: Grid, *, mixing: bool) -> None:
    """Compute a masked picture anew in a grid of EPSG:25832; `mixing` neighbours, or taking the nearest pixel."""
    with rasterio.open(picture, driver="GTiff") as source:
        count = source.count
        bands = list(range(1, count))
        with _create(path, grid, count, STORAGE_EPSG) as target:
            reproject(
                rasterio.band(source, bands),
                rasterio.band(target, bands),
                src_alpha=count,
                dst_alpha=count,
                resampling=Resampling.bilinear if mixing else Resampling.nearest,
                num_threads=1,
                warp_mem_limit=_WARP_MEMORY_MB,
            )


def is_continuous(path: Path, colours: int) -> bool:
    """Whether a picture is a photograph or as noisy as one, by how little a sample of its colours can be packed."""
    compressor = zlib.compressobj(1)
    raw = packed = 0
    with rasterio.open(path, driver="GTiff") as picture:
        for window in _sample(picture.width, picture.height):
            data = picture.read(list(range(1, colours + 1)), window=window).tobytes()
            raw += len(data)
            packed += len(compressor.compress(data))
    packed += len(compressor.flush())
    return raw < _CONTINUOUS * packed


def write_preview(cog: Path, path: Path, longest_px: int) -> tuple[int, int]:
    """Write a small picture of the whole drawing as PNG, transparent where it is not valid; returns its size."""
    with rasterio.open(cog, driver="GTiff") as drawing:
        scale = min(1.0, longest_px / max(drawing.width, drawing.height))
        columns, rows = (max(1, round(side * scale)) for side in (drawing.width, drawing.height))
        colours = [band for band, kind in enumerate(drawing.colorinterp, 1) if kind is not ColorInterp.alpha]
        pixels = drawing.read(colours, out_shape=(len(colours), rows, columns), resampling=Resampling.average)
        mask = drawing.dataset_mask(out_shape=(rows, columns), resampling=Resampling.nearest)
    profile = {"driver": "PNG", "width": columns, "height": rows, "count": len(colours) + 1, "dtype": "uint8"}
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.concatenate([pixels, mask[np.newaxis]]))
    return columns, rows


def coarse_mask(path: Path, factor: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return which squares of `factor` pixels of a masked picture hold a valid pixel; the mask is its last band."""
    with rasterio.open(path, driver="GTiff") as picture:
        rows, columns = (math.ceil(side / factor) for side in (picture.height, picture.width))
        coarse = np.zeros((rows, columns), np.bool_)
        for number in range(rows):
            top = number * factor
            window = Window(0, top, picture.width, min(factor, picture.height - top))
            column_has = (picture.read(picture.count, window=window) > 0).any(axis=0)
            padded = np.pad(column_has, (0, columns * factor - picture.width))
            coarse[number] = padded.reshape(columns, factor).any(axis=1)
    return coarse


def _create(path: Path, grid: Grid, count: int, epsg: int) -> Any:  # noqa: ANN401 - rasterio has no types
    colours = 3 if count >= 3 else 1  # noqa: PLR2004 - red, green, blue
    return rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=grid.columns,
        height=grid.rows,
        count=count,
        dtype="uint8",
        crs=f"EPSG:{epsg}",
        transform=grid.transform,
        photometric="RGB" if colours == 3 else "MINISBLACK",  # noqa: PLR2004 - as above
        **({"alpha": "YES"} if count > colours else {}),
        **_BLOCK,
    )


def _stripes(source: Any) -> Iterator[Window]:  # noqa: ANN401 - as above
    """Cover a source from top to bottom in whole blocks: an image that can only be read in order is read once."""
    block = source.block_shapes[0][0]
    row_bytes = max(1, source.width * source.count * np.dtype(source.dtypes[0]).itemsize)
    rows = max(block, _STRIPE_BYTES // row_bytes // block * block)
    for top in range(0, source.height, rows):
        yield Window(0, top, source.width, min(rows, source.height - top))


def _sample(columns: int, rows: int) -> Iterator[Window]:
    """Squares spread evenly over a picture."""
    side = math.isqrt(_SAMPLES)
    for i in range(side):
        for j in range(side):
            left = max(0, columns - _SAMPLE) * j // (side - 1)
            top = max(0, rows - _SAMPLE) * i // (side - 1)
            yield Window(left, top, min(_SAMPLE, columns), min(_SAMPLE, rows))
