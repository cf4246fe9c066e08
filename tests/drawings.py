"""Drawings made by code: pictures with marks of known colour at known places."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from pyproj import Transformer
from rasterio.errors import NotGeoreferencedWarning

from ingest.drawings.limits import DEFAULT_LIMITS, DrawingLimits
from ingest.drawings.make import DrawingRefusedError, MadeDrawing, make_drawing
from ler.settings import Settings

COVERAGE = Settings().coverage
EAST, NORTH = 575_000.0, 6_224_000.0
WIDTH, HEIGHT = 640, 480
MARKS = {
    (40, 30): (200, 0, 0),
    (600, 30): (0, 150, 0),
    (40, 450): (0, 0, 200),
    (600, 450): (150, 0, 150),
    (321, 241): (0, 120, 120),
}
"""Column and row of the middle pixel of a mark, and its colour."""
MARK_PX = 9
NORTH_UP = Affine(0.1, 0, EAST, 0, -0.1, NORTH)

type Array = np.ndarray[Any, np.dtype[Any]]


def marked(width: int = WIDTH, height: int = HEIGHT) -> Array:
    """A white picture in red, green and blue with the marks."""
    picture = np.full((3, height, width), 255, np.uint8)
    reach = MARK_PX // 2
    for (column, row), colour in MARKS.items():
        picture[:, row - reach : row + reach + 1, column - reach : column + reach + 1] = np.array(colour)[
            :, None, None
        ]
    return picture


def noise(bands: int = 3, side: int = 700) -> Array:
    return np.random.default_rng(7).integers(0, 255, (bands, side, side), np.uint8)


def write_raster(path: Path, picture: Array, **more: Any) -> Path:  # noqa: ANN401 - options of GDAL
    """Write a picture by GDAL; a place is in it when it is given."""
    colormap, tags, mask = (more.pop(name, None) for name in ("colormap", "tags", "mask"))
    options = {"driver": "GTiff", "dtype": str(picture.dtype), "count": len(picture)} | more
    height, width = picture.shape[1:]
    with warnings.catch_warnings(), rasterio.Env(GDAL_PAM_ENABLED="NO", GDAL_TIFF_INTERNAL_MASK="YES"):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a world file will say it
        with rasterio.open(path, "w", width=width, height=height, **options) as target:
            if tags:
                for space, items in tags.items():
                    target.update_tags(ns=space or None, **items)
            target.write(picture)
            if colormap:
                target.write_colormap(1, colormap)
            if mask is not None:
                target.write_mask(mask)
    return path


def write_geotiff(path: Path, picture: Array | None = None, **more: Any) -> Path:  # noqa: ANN401 - as above
    picture = marked() if picture is None else picture
    place = {"crs": "EPSG:25832", "transform": NORTH_UP}
    return write_raster(path, picture, **place | more)


def write_world_file(path: Path, transform: Affine) -> Path:
    """The six numbers of a world file, from the transform that counts from the corner of the first pixel."""
    east, north = transform @ (0.5, 0.5)
    numbers = (transform.a, transform.d, transform.b, transform.e, east, north)
    path.write_text("".join(f"{number!r}\n" for number in numbers), encoding="ascii")
    return path


def make(
    path: Path,
    *,
    crs: str | None = None,
    world_file: Path | None = None,
    limits: DrawingLimits = DEFAULT_LIMITS,
) -> MadeDrawing:
    """Make a drawing in a folder beside its file."""
    folder = path.parent / f"work-{path.name}"
    folder.mkdir()
    return make_drawing(path, folder, coverage=COVERAGE, crs=crs, world_file=world_file, limits=limits)


def refusal(path: Path, **more: Any) -> set[str]:  # noqa: ANN401 - as make
    """The codes for which a drawing is refused; nothing was made."""
    try:
        made = make(path, **more)
    except DrawingRefusedError as refused:
        assert {entry.name for entry in (path.parent / f"work-{path.name}").iterdir()} <= {"original"}
        return {finding.code for finding in refused.findings.kept if finding.severity == "error"}
    raise AssertionError(f"taken: {made}")


def warned(drawing: MadeDrawing) -> dict[str, str]:
    assert drawing.findings.errors == 0
    return {finding.code: finding.found for finding in drawing.findings.kept}


def ground(transform: Affine, epsg: int, column: float, row: float) -> tuple[float, float]:
    """Where a point of the source lies in EPSG:25832, counted from the corner of the first pixel."""
    x, y = Transformer.from_crs(epsg, 25832, always_xy=True).transform(*(transform @ (column, row)))
    return float(x), float(y)


def colour_at(cog: Path, east: float, north: float) -> tuple[int, ...]:
    with rasterio.open(cog) as drawing:
        row, column = drawing.index(east, north)
        return tuple(
            int(value) for value in drawing.read(window=((row, row + 1), (column, column + 1))).ravel()
        )


def mark_offset(cog: Path, colour: tuple[int, ...], expected: tuple[float, float]) -> float:
    """How far the middle of a mark lies from where it is expected, m."""
    with rasterio.open(cog) as drawing:
        pixels = drawing.read((1, 2, 3)).astype(int)
        close = np.abs(pixels - np.array(colour)[:, None, None]).max(axis=0) < 40
        rows, columns = np.nonzero(close)
        east, north = drawing.transform @ (columns.mean() + 0.5, rows.mean() + 0.5)
    return math.dist((east, north), expected)
