"""The operator's terrain model: one GeoTIFF, a folder of tiles, or a VRT that lays tiles side by side.

Heights are metres DVR90 in EPSG:25832, and the files say so (EPSG:7416), or the operator does for files in EPSG:25832
that say nothing of their heights. Only small windows are ever read. A VRT is not given to GDAL: it is read as a list of
tiles, and one that does more than that is refused, since a VRT may name anything and run code. Files are local and
opened as GeoTIFF only, without what lies beside them. What is refused is told by a reason, and no height comes of it.
"""

import hashlib
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from affine import Affine
from lxml import etree
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from ler.packages.terrain_cells import Floats, Integers

_LOG: Final = logging.getLogger("ler.worker")

BLOCK: Final = 256
"""Cells. The windows that are read are this wide and high."""
MOST_TILES: Final = 2_000
"""Of a folder: all are opened once to know where they lie. A VRT says it itself, and may name any number."""
_BLOCKS_KEPT: Final = 64
"""Those used last: 32 MB."""
_MOST_VRT_BYTES: Final = 64 << 20
_MOST_BLOCK_BYTES: Final = 64 << 20
"""What GDAL must unpack at a time to read a window: a strip or tile of the file."""
_SMALLEST_CELL_M: Final = 0.05
_LOWEST_M, _HIGHEST_M = -100.0, 1000.0
"""No terrain is outside; what fills holes and is not declared (-9999, -32768, 3.4e38) is."""
_OPTIONS: Final[dict[str, str | int]] = {
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_NUM_THREADS": "1",
    "GDAL_CACHEMAX": 64 << 20,
}
_METRES: Final = frozenset({"", "m", "metre", "meter"})
_SOURCE_PARTS: Final = frozenset(
    {"SourceFilename", "SourceBand", "SourceProperties", "SrcRect", "DstRect", "NODATA"}
)
_SOURCES: Final = frozenset({"SimpleSource", "ComplexSource"})


class TerrainFault(StrEnum):
    """Why a terrain model, or a tile of it, is not used."""

    UNREADABLE = "terrain-unreadable"
    """Not there, no GeoTIFF with one band of numbers, damaged, or packed so that it cannot be read in parts."""
    CRS = "terrain-crs"
    """Neither EPSG:25832 nor EPSG:7416."""
    HEIGHTS = "terrain-heights"
    """Not metres, or nobody says that they are DVR90."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A file of the model, and where it lies."""

    path: Path
    bounds: tuple[float, float, float, float]
    """West, south, east, north, EPSG:25832."""
    hole: float | None = None
    """What a VRT says stands for no height in it, besides what the file itself says."""


@dataclass(slots=True)
class Terrain:
    """A terrain model as far as it can be used, and what was read of it."""

    name: str
    tiles: Sequence[Tile]
    """By file name."""
    is_dvr90: bool
    fault: TerrainFault | None = None
    """Of a tile or of the whole: the first one met."""
    _faulty: set[Path] = field(default_factory=set)
    _read: dict[str, str] = field(default_factory=dict)
    _kept: dict[str, Floats] = field(default_factory=dict)

    def tiles_in(self, bounds: tuple[float, float, float, float]) -> Iterator[Tile]:
        """Return the tiles that touch a box."""
        west, south, east, north = bounds
        for tile in self.tiles:
            box = tile.bounds
            if box[0] <= east and box[2] >= west and box[1] <= north and box[3] >= south:
                yield tile

    def place(self, tile: Tile) -> "Grid | None":
        """Return a tile's grid; None, and the fault is noted, when it cannot be used."""
        found = _grid_of(tile.path, is_dvr90=self.is_dvr90)
        if isinstance(found, Grid) and _apart(found, tile):
            found = TerrainFault.UNREADABLE
        if isinstance(found, TerrainFault):
            self._note(found, tile.path)
            return None
        return found

    def heights(self, tile: Tile, grid: "Grid", columns: Integers, rows: Integers) -> Floats | None:
        """Return the heights of cells, m, NaN where there is none; None, and the fault is noted, of a damaged file.

        Read block by block, so that memory does not grow with the number of cells.
        """
        found = np.full(len(columns), np.nan)
        across = math.ceil(grid.columns / BLOCK)
        inside = np.flatnonzero((columns >= 0) & (columns < grid.columns) & (rows >= 0) & (rows < grid.rows))
        blocks = rows[inside] // BLOCK * across + columns[inside] // BLOCK
        order = np.argsort(blocks, kind="stable")
        inside, blocks = inside[order], blocks[order]
        try:
            with rasterio.Env(**_OPTIONS), rasterio.open(tile.path, driver="GTiff") as source:
                for part in np.split(inside, np.flatnonzero(np.diff(blocks)) + 1):
                    if len(part):
                        top, left = rows[part[0]] // BLOCK * BLOCK, columns[part[0]] // BLOCK * BLOCK
                        cells = self._block(source, tile, grid, int(top), int(left))
                        found[part] = cells[rows[part] - top, columns[part] - left]
        except RasterioError:
            self._note(TerrainFault.UNREADABLE, tile.path)
            return None
        return found

    def digest(self) -> str | None:
        """SHA-256 of the heights that were read, each block with its file and place; None when none were."""
        if not self._read:
            return None
        lines = "".join(f"{place} {digest}\n" for place, digest in sorted(self._read.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def _block(self, source: Any, tile: Tile, grid: "Grid", top: int, left: int) -> Floats:  # noqa: ANN401 - as below
        name = f"{tile.path.name} {grid.bounds} {top} {left}"
        if (kept := self._kept.pop(name, None)) is None:
            window = Window(left, top, min(BLOCK, grid.columns - left), min(BLOCK, grid.rows - top))
            kept = _heights(source, window, tile.hole)
            self._read[name] = hashlib.sha256(kept.astype("<f8").tobytes()).hexdigest()
        self._kept[name] = kept
        if len(self._kept) > _BLOCKS_KEPT:
            del self._kept[next(iter(self._kept))]
        return kept

    def _note(self, fault: TerrainFault, path: Path) -> None:
        if path not in self._faulty:
            _LOG.warning("terrain model %s: %s: %s", self.name, path.name, fault)
        self._faulty.add(path)
        self.fault = self.fault or fault


def _heights(source: Any, window: Window, hole: float | None) -> Floats:  # noqa: ANN401 - rasterio has no types
    """Return the heights of a window, NaN where there is none."""
    cells = source.read(1, window=window, masked=True)
    heights: Floats = np.where(np.ma.getmaskarray(cells), np.nan, cells.data.astype(np.float64))
    heights[heights == hole] = np.nan
    heights = heights * source.scales[0] + source.offsets[0]
    heights[~((heights > _LOWEST_M) & (heights < _HIGHEST_M))] = np.nan
    return heights


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of a tile."""

    columns: int
    rows: int
    to_cells: Affine
    """From EPSG:25832 to columns and rows."""
    bounds: tuple[float, float, float, float]
    cell_m: float
    """Longest side of a cell."""

    def cells(self, points: NDArray[np.float64]) -> Floats:
        """Return points (n, 2) in columns and rows."""
        to = self.to_cells
        x, y = points[:, 0], points[:, 1]
        return np.column_stack([to.a * x + to.b * y + to.c, to.d * x + to.e * y + to.f])


def open_terrain(path: Path, *, is_dvr90: bool = False) -> Terrain:
    """Look at a terrain model; nothing of its heights is read yet. Faults are in the result, never raised."""
    terrain = Terrain(path.name, (), is_dvr90)
    try:
        if path.suffix.lower() == ".vrt":
            terrain.tiles = _vrt_tiles(path, *_stamp(path))
        elif path.is_dir():
            terrain.tiles = list(_known(terrain, _tile_files(path)))
        else:
            terrain.tiles = list(_known(terrain, [path]))
    except (OSError, ValueError) as error:
        _LOG.warning("terrain model %s is not used: %s", path.name, error)
        terrain.fault = TerrainFault.UNREADABLE
    return terrain


def _known(terrain: Terrain, paths: Sequence[Path]) -> Iterator[Tile]:
    for path in paths:
        found = _grid_of(path, is_dvr90=terrain.is_dvr90)
        if isinstance(found, Grid):
            yield Tile(path, found.bounds)
        else:
            terrain._note(found, path)  # noqa: SLF001 - its own maker


def _tile_files(folder: Path) -> list[Path]:
    found = sorted(
        (path for path in folder.iterdir() if path.suffix.lower() in {".tif", ".tiff"}),
        key=lambda path: path.name,
    )
    if not 0 < len(found) <= MOST_TILES:
        raise ValueError(f"{len(found)} tiles in the folder, not 1 to {MOST_TILES}: name them in a VRT")
    return found


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _grid_of(path: Path, *, is_dvr90: bool) -> Grid | TerrainFault:
    try:
        return (
            _read_grid(path, *_stamp(path), is_dvr90=is_dvr90) if path.is_file() else TerrainFault.UNREADABLE
        )
    except (OSError, ValueError, RasterioError):
        return TerrainFault.UNREADABLE


@lru_cache(maxsize=1 << 16)
def _read_grid(path: Path, _size: int, _changed_ns: int, *, is_dvr90: bool) -> Grid | TerrainFault:
    """Read a file's header, once while it does not change."""
    with rasterio.Env(**_OPTIONS), rasterio.open(path, driver="GTiff") as source:
        place = source.transform
        cell_m = max(math.hypot(place.a, place.d), math.hypot(place.b, place.e))
        if fault := _fault(source, is_dvr90=is_dvr90):
            return fault
        corners = [
            place @ corner for corner in ((0, 0), (source.width, 0), (0, source.height), source.shape[::-1])
        ]
        east, north = zip(*corners, strict=True)
        bounds = (min(east), min(north), max(east), max(north))
        return Grid(source.width, source.height, ~place, bounds, cell_m)


def _fault(source: Any, *, is_dvr90: bool) -> TerrainFault | None:  # noqa: ANN401 - as above
    crs = source.crs.to_epsg() if source.crs else None
    if crs not in {25832, 7416}:
        return TerrainFault.CRS
    if (source.units[0] or "").lower() not in _METRES or not (crs == 7416 or is_dvr90):  # noqa: PLR2004 - a name
        return TerrainFault.HEIGHTS
    kind = np.dtype(source.dtypes[0])
    height, width = source.block_shapes[0]
    place = source.transform
    usable = (
        source.count == 1
        and kind.kind in "iuf"
        and height * width * kind.itemsize <= _MOST_BLOCK_BYTES
        and abs(place.determinant) >= _SMALLEST_CELL_M**2
    )
    return None if usable else TerrainFault.UNREADABLE


def _apart(grid: Grid, tile: Tile) -> bool:
    """Whether a tile lies elsewhere than was said, by more than half a cell."""
    return any(abs(a - b) > grid.cell_m / 2 for a, b in zip(grid.bounds, tile.bounds, strict=True))


@lru_cache(maxsize=4)
def _vrt_tiles(path: Path, size: int, _changed_ns: int) -> tuple[Tile, ...]:
    """Return the tiles that a VRT lays side by side. ValueError when it is none, or does anything else."""
    if size > _MOST_VRT_BYTES:
        raise ValueError("the VRT is too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        tree = etree.parse(path, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError("the VRT is not XML") from error
    root = tree.getroot()
    bands = root.findall("VRTRasterBand")
    if tree.docinfo.doctype or root.tag != "VRTDataset" or root.get("subClass") or len(bands) != 1:
        raise ValueError("not a VRT of one band that only lays tiles side by side")
    band = bands[0]
    place = Affine.from_gdal(*_numbers((root.findtext("GeoTransform") or "").split(","), 6))
    if band.get("subClass") or any(band.findtext(name) for name in ("Scale", "Offset")):
        raise ValueError("the VRT computes its heights")
    found = [
        _vrt_tile(path.parent, source, place)
        for source in band
        if isinstance(source.tag, str) and source.tag.endswith("Source")
    ]
    return tuple(sorted(found, key=lambda tile: (tile.path.name, str(tile.path))))


def _vrt_tile(folder: Path, source: etree._Element, place: Affine) -> Tile:
    name = source.find("SourceFilename")
    if source.tag not in _SOURCES or name is None or not {part.tag for part in source} <= _SOURCE_PARTS:
        raise ValueError("the VRT does more than lay tiles side by side")
    if (source.findtext("SourceBand") or "1") != "1":
        raise ValueError("a tile's other band")
    rectangle = source.find("DstRect")
    if rectangle is None:
        raise ValueError("a tile without a place")
    left, top, across, down = _numbers(
        [rectangle.get(key, "") for key in ("xOff", "yOff", "xSize", "ySize")], 4
    )
    (west, north), (east, south) = place @ (left, top), place @ (left + across, top + down)
    hole = source.findtext("NODATA")
    said = Path(name.text or "")
    return Tile(
        folder / said if name.get("relativeToVRT") == "1" else said,
        (min(west, east), min(south, north), max(west, east), max(south, north)),
        float(hole) if hole else None,
    )


def _numbers(texts: Sequence[str], count: int) -> list[float]:
    found = [float(text) for text in texts]
    if len(found) != count or not all(math.isfinite(number) for number in found):
        raise ValueError("a place that is none")
    return found
