"""One drawing from file to results, as the child does it: look at the header, and only then at the pixels.

Every file is opened with the one driver that its first bytes name. The source's own overviews are never read: a tag
can say that they lie in any other file of the machine.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import rasterio
import shapely
from affine import Affine
from rasterio.errors import RasterioError

from ingest.drawings import raster
from ingest.drawings.faults import Faults, UnreadableError
from ingest.drawings.footprint import COARSE_SIDE, border_footprint, masked_footprint
from ingest.drawings.limits import DrawingLimits
from ingest.drawings.pixels import Reading, read_meaning
from ingest.drawings.placing import Coverage, Place, find_place, read_epsg, target_grid
from ingest.drawings.world_file import Placement
from ler.packages.cog import write_cog

_REFERENCES: Final = ("/vsi", "<vrtdataset", "<gdal_wms", "<gdal_wcs", "sourcefilename")
_OWN_GEOREFERENCE: Final = 0.5
"""Pixels by which a world file and the place in the file itself may differ."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the child is told."""

    source: Path
    driver: str
    cog: Path
    preview: Path
    work: Path
    """Folder for what is between the steps."""
    placement: Placement | None
    """Of the world file."""
    crs: str | None
    """As the owner gave it."""
    coverage: Coverage
    limits: DrawingLimits


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the child made."""

    columns: int
    rows: int
    source_columns: int
    source_rows: int
    source_epsg: int
    resolution_m: float
    accuracy_m: float | None
    compression: str
    resampled: bool
    bounds: tuple[float, float, float, float]
    """West, south, east, north of the grid, EPSG:25832."""
    footprint_wkt: str
    preview_columns: int
    preview_rows: int


def draw(job: Job, faults: Faults) -> Drawn | None:
    """Check a drawing and write its COG and preview; None when a fault keeps it out. Raises UnreadableError."""
    try:
        with rasterio.open(job.source, driver=job.driver) as source:
            return _draw(source, job, faults)
    except (RasterioError, MemoryError) as error:
        raise UnreadableError(f"{type(error).__name__}: {error}") from error


def _draw(source: Any, job: Job, faults: Faults) -> Drawn | None:  # noqa: ANN401 - rasterio has no types
    if not _header_is_right(source, job.limits, faults):
        return None
    place = _place(source, job, faults)
    reading = read_meaning(source, faults)
    grid = _grid(source, place, reading, job, faults) if place and reading else None
    if place is None or reading is None or grid is None:
        return None
    picture = job.work / "picture.tif"
    raster.write_picture(source, reading, place, picture, masked=reading.masked or not place.exact)
    # Decided before it is computed anew, which takes noise away.
    lossless = reading.few_colours or not raster.is_continuous(picture, reading.count)
    if not place.exact:
        picture = _moved(picture, grid, job, mixing=not lossless)
    footprint = _footprint(picture, reading, place, grid)
    if footprint.is_empty:
        faults.error("drawing-empty")
        return None
    if not place.exact:
        accuracy = "?" if place.accuracy_m is None else f"{place.accuracy_m:g} m"
        faults.warn("drawing-resampled", f"EPSG:{place.epsg}, {source.width} x {source.height} px", accuracy)
    write_cog(picture, job.cog, lossless=lossless)
    preview = raster.write_preview(job.cog, job.preview, job.limits.preview_px)
    west, north = grid.transform.c, grid.transform.f
    south, east = north + grid.rows * grid.transform.e, west + grid.columns * grid.transform.a
    return Drawn(
        columns=grid.columns,
        rows=grid.rows,
        source_columns=source.width,
        source_rows=source.height,
        source_epsg=place.epsg,
        resolution_m=grid.transform.a,
        accuracy_m=place.accuracy_m,
        compression="deflate" if lossless else "jpeg",
        resampled=not place.exact,
        bounds=(west, south, east, north),
        footprint_wkt=shapely.to_wkt(footprint, rounding_precision=3),
        preview_columns=preview[0],
        preview_rows=preview[1],
    )


def _header_is_right(source: Any, limits: DrawingLimits, faults: Faults) -> bool:  # noqa: ANN401 - as above
    width, height = source.width, source.height
    if width * height > limits.max_pixels or max(width, height) > limits.max_side_px:
        faults.error("drawing-size", f"{width} x {height} px", _size_wanted(limits))
    if source.count > limits.max_bands:
        faults.error("drawing-size", f"{source.count} bands", f"{limits.max_bands}")
    namespaces = source.tag_namespaces()
    texts = [
        f"{name}={value}" for space in (None, *namespaces) for name, value in source.tags(ns=space).items()
    ]
    if "OVERVIEWS" in namespaces or any(word in text.lower() for text in texts for word in _REFERENCES):
        faults.error("drawing-external-reference")
    if source.subdatasets:
        faults.warn("drawing-pages-dropped", len(source.subdatasets))
    return not faults.refused


def _place(source: Any, job: Job, faults: Faults) -> Place | None:  # noqa: ANN401 - as above
    own = source.transform
    placed = not (own.is_identity or source.gcps[0])
    if job.placement is None and not placed:
        faults.error("drawing-georeference-missing")
    elif job.placement is not None and placed and not _agree(own, Affine(*job.placement), source):
        faults.error("drawing-georeference-mixed")
    transform = own if placed else Affine(*job.placement) if job.placement else None
    epsg = read_epsg(source.crs.to_wkt() if source.crs else None, job.crs, faults)
    if transform is None or epsg is None or faults.refused:
        return None
    size = (source.width, source.height)
    return find_place(transform, epsg, size, limits=job.limits, coverage=job.coverage, faults=faults)


def _agree(own: Affine, other: Affine, source: Any) -> bool:  # noqa: ANN401 - as above
    if not own.determinant:
        return False
    corners = ((0, 0), (source.width, 0), (0, source.height), (source.width, source.height))
    for corner in corners:
        column, row = ~own @ (other @ corner)
        if not max(abs(column - corner[0]), abs(row - corner[1])) <= _OWN_GEOREFERENCE:
            return False
    return True


def _grid(source: Any, place: Place, reading: Reading, job: Job, faults: Faults) -> raster.Grid | None:  # noqa: ANN401 - as above
    """The grid of the COG: the source's own where that is a grid of EPSG:25832."""
    if place.exact:
        return raster.Grid(place.transform, source.width, source.height)
    grid = raster.Grid(*target_grid(place, finer=True))
    if not _fits(grid, job.limits) and not reading.few_colours:
        grid = raster.Grid(*target_grid(place, finer=False))
    if _fits(grid, job.limits, times=2):
        return grid
    faults.error("drawing-size", f"{grid.columns} x {grid.rows} px (EPSG:25832)", _size_wanted(job.limits))
    return None


def _fits(grid: raster.Grid, limits: DrawingLimits, times: int = 1) -> bool:
    pixels = grid.columns * grid.rows
    return pixels <= times * limits.max_pixels and max(grid.columns, grid.rows) <= limits.max_side_px


def _moved(picture: Path, grid: raster.Grid, job: Job, *, mixing: bool) -> Path:
    moved = job.work / "moved.tif"
    raster.bring_to_storage(picture, moved, grid, mixing=mixing)
    picture.unlink()
    return moved


def _footprint(picture: Path, reading: Reading, place: Place, grid: raster.Grid) -> shapely.MultiPolygon:
    if not reading.masked:
        return border_footprint(place.outline)
    factor = max(1, -(-max(grid.columns, grid.rows) // COARSE_SIDE))
    return masked_footprint(raster.coarse_mask(picture, factor), grid.transform @ Affine.scale(factor))


def _size_wanted(limits: DrawingLimits) -> str:
    return f"{limits.max_pixels:,} px, {limits.max_side_px:,} px".replace(",", " ")


def result_of(drawn: Drawn | None, faults: Faults) -> dict[str, Any]:
    """Return what the child tells its parent, as JSON can hold it."""
    return {
        "faults": [asdict(fault) for fault in faults.all],
        "drawn": asdict(drawn) if drawn else None,
    }
