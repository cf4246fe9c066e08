"""The operator's map below the lines, drawn pale: pictures (GeoTIFF) and drawings (GeoPackage) in EPSG:25832.

It helps to find one's way and proves nothing. So no fault of it keeps a package from being made: what is missing, cannot
be read, lies elsewhere or is in another reference system is not drawn, and the maps and the manifest say so. Nothing
is reprojected. Only the part within a sheet is read.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

import cairocffi
import numpy as np
import pyogrio
import rasterio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rasterio.transform import from_bounds as transform_of
from rasterio.windows import Window, from_bounds
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from ler.packages.colours import mix
from ler.packages.map_canvas import Frame, kept, set_colour
from ler.packages.map_paths import line_paths, polygon_path
from ler.packages.map_shapes import cut_to_frame, lines, polygons
from ler.packages.map_texts import Said, map_text
from ler.packages.styles import FillStyle

_CRS: Final = (25832, 7416)
_FAULTS: Final = (RasterioError, DataLayerError, DataSourceError, CRSError, OSError, ValueError)
_PALE: Final = 0.45
"""Of a picture's contrast with white that is left."""
_PIXEL_MM: Final = 0.2
_JPEG_QUALITY: Final = "80"
_MOST_SHAPES: Final = 50_000
"""Of one layer on one sheet; it is a background, and more could not be told apart."""
_EDGE_MM: Final = 0.18

type Bounds = tuple[float, float, float, float]


class BaseMap:
    """A file of the operator's, as far as it can be drawn around an area."""

    def __init__(self, path: Path | None, area: Polygon) -> None:
        """From the file, if one was chosen; `area` in EPSG:25832."""
        self.path = path
        self.fault: str | None = None
        """The name of the words that say why it is not drawn, or not everywhere."""
        self.is_drawn = False
        if path is not None:
            self._open(path, area)

    def _open(self, path: Path, area: Polygon) -> None:
        if not path.is_file():
            self.fault = "base_map_missing"
            return
        try:
            places, is_ours = _raster_place(path) if _is_raster(path) else _vector_places(path)
        except _FAULTS:
            self.fault = "base_map_unreadable"
            return
        within = shapely.box(*places)
        if not is_ours:
            self.fault = "base_map_foreign_crs"
        elif not within.intersects(area):
            self.fault = "base_map_elsewhere"
        else:
            self.fault = None if within.covers(area) else "base_map_partly"
            self.is_drawn = True

    def draw(self, context: cairocffi.Context, frame: Frame, style: FillStyle) -> None:
        """Draw what lies in the frame, to which the context is clipped."""
        if not self.is_drawn or self.path is None:
            return
        try:
            if _is_raster(self.path):
                _draw_picture(context, self.path, frame)
            else:
                _draw_shapes(context, _read_shapes(self.path, frame.bounds), frame, style)
        except _FAULTS:
            self.fault, self.is_drawn = "base_map_unreadable", False

    def words(self) -> Said | None:
        """What a map has to say of it."""
        return map_text(self.fault) if self.fault else None

    def entry(self) -> dict[str, Any] | None:
        """What the manifest tells of it; None when no map was chosen."""
        if self.path is None:
            return None
        words = self.words()
        problem = (
            {"code": str(self.fault).replace("_", "-"), "da": words.da, "en": words.en} if words else None
        )
        found = self.path.stat() if self.path.is_file() else None
        return {
            "name": self.path.name,
            "size_bytes": found.st_size if found else None,
            "sha256": _digest(self.path, found.st_size, found.st_mtime_ns) if found else None,
            "drawn": self.is_drawn,
            "problem": problem,
        }


@cache
def _digest(path: Path, _size: int, _changed: int) -> str:
    """Once for a file as it is: it may be large."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_raster(path: Path) -> bool:
    return path.suffix.lower() in {".tif", ".tiff"}


def _raster_place(path: Path) -> tuple[Bounds, bool]:
    with rasterio.open(path) as picture:
        if not picture.transform.is_rectilinear or picture.dtypes[0] != "uint8":
            raise ValueError("only upright pictures of bytes are drawn")
        return tuple(picture.bounds), picture.crs is not None and picture.crs.to_epsg() in _CRS


def _vector_places(path: Path) -> tuple[Bounds, bool]:
    """The bounds of all layers, and whether all are in our reference system."""
    told = [pyogrio.read_info(path, layer=layer, force_total_bounds=True) for layer in _layers(path)]
    bounds = np.array([one["total_bounds"] for one in told if one["total_bounds"] is not None])
    if not len(bounds):
        raise ValueError("no layer with shapes")
    (west, south), (east, north) = bounds[:, :2].min(axis=0).tolist(), bounds[:, 2:].max(axis=0).tolist()
    return (west, south, east, north), all(one["crs"] and CRS(one["crs"]).to_epsg() in _CRS for one in told)


def _layers(path: Path) -> list[str]:
    return [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]


def _read_shapes(path: Path, bounds: Bounds) -> list[BaseGeometry]:
    shapes: list[BaseGeometry] = []
    for layer in _layers(path):
        _, _, found, _ = pyogrio.raw.read(
            path, layer=layer, columns=[], bbox=bounds, force_2d=True, max_features=_MOST_SHAPES
        )
        shapes += [shape for shape in shapely.from_wkb(found) if shape is not None]
    return shapes


def _draw_shapes(
    context: cairocffi.Context, shapes: list[BaseGeometry], frame: Frame, style: FillStyle
) -> None:
    cut = cut_to_frame(shapes, frame)
    context.new_path()
    polygon_path(polygons(cut)).add_to(context)
    set_colour(context, style.fill)
    context.fill()
    set_colour(context, mix(style.fill, "#000000", 0.15))
    context.set_line_width(_EDGE_MM)
    context.set_dash([])
    for path in line_paths(lines(cut)):
        context.new_path()
        path.add_to(context)
        context.stroke()


def _draw_picture(context: cairocffi.Context, path: Path, frame: Frame) -> None:
    with rasterio.open(path) as source:
        window = from_bounds(*frame.bounds, source.transform)
        try:
            window = window.intersection(Window(0, 0, source.width, source.height))
        except rasterio.errors.WindowError:
            return
        if window.width <= 0 or window.height <= 0:
            return
        west, south, east, north = source.window_bounds(window)
        most = (
            (north - south) / frame.metres_per_mm / _PIXEL_MM,
            (east - west) / frame.metres_per_mm / _PIXEL_MM,
        )
        shape = (
            max(1, round(min(window.height, most[0]))),
            max(1, round(min(window.width, most[1]))),
        )
        pixels = _pale(source, window, shape)
    transform = transform_of(west, south, east, north, shape[1], shape[0])
    surface = _surface(pixels)
    if isinstance(context.get_target(), cairocffi.PDFSurface):
        surface.set_mime_data("image/jpeg", _jpeg(pixels, transform))
    with kept(context):
        context.translate(frame.x_mm(west), frame.y_mm(north))
        context.scale(
            (east - west) / frame.metres_per_mm / shape[1], (north - south) / frame.metres_per_mm / shape[0]
        )
        context.set_source_surface(surface)
        context.get_source().set_extend(cairocffi.EXTEND_PAD)
        context.rectangle(0, 0, shape[1], shape[0])
        context.fill()


def _pale(source: Any, window: Window, shape: tuple[int, int]) -> NDArray[np.uint8]:  # noqa: ANN401 - untyped library
    """Red, green and blue (3, rows, columns) with most of the contrast taken away; white where there is nothing."""
    has_palette = source.colorinterp[0] is ColorInterp.palette
    resampling = Resampling.nearest if has_palette else Resampling.bilinear
    count = 3 if source.count >= 3 else 1  # noqa: PLR2004 - red, green, blue
    bands = source.read(
        list(range(1, count + 1)), window=window, out_shape=(count, *shape), resampling=resampling
    )
    if has_palette:
        palette = np.zeros((256, 3), dtype=np.uint8)
        for value, colour in source.colormap(1).items():
            palette[value] = colour[:3]
        bands = palette[bands[0]].transpose(2, 0, 1)
    there = source.dataset_mask(window=window, out_shape=shape) > 0
    pale = np.rint(255 - (255 - np.broadcast_to(bands, (3, *shape)).astype(np.float32)) * _PALE)
    return np.where(there, pale, 255).astype(np.uint8)


def _surface(pixels: NDArray[np.uint8]) -> cairocffi.ImageSurface:
    _, height, width = pixels.shape
    red, green, blue = pixels.astype(np.uint32)
    packed = np.ascontiguousarray(red << 16 | green << 8 | blue)
    return cairocffi.ImageSurface(
        cairocffi.FORMAT_RGB24, width, height, memoryview(packed).cast("B"), width * 4
    )


def _jpeg(pixels: NDArray[np.uint8], transform: Affine) -> bytes:
    """As it stands in a PDF, at a tenth of the size."""
    _, height, width = pixels.shape
    profile = {"driver": "JPEG", "width": width, "height": height, "count": 3, "dtype": "uint8"}
    profile["transform"] = transform
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory:
        with memory.open(**profile, QUALITY=_JPEG_QUALITY) as picture:
            picture.write(pixels)
        return bytes(memory.read())
