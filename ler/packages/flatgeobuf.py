"""FlatGeobuf of all features, EPSG:7416: a file each for lines, points and areas.

Many programs, QGIS among them, draw no table of mixed kinds with heights.

Positions are as they were delivered, an unknown height is -99; attributes have their LER names and are written as in an
export of a network (`ler.packages.exports`). What has no place stands with the lines. There is no spatial index: it
cannot hold what has no place, and a package's file is small.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import geopandas
import shapely
from shapely.geometry.base import BaseGeometry, BaseMultipartGeometry

from ler.model import load_model
from ler.packages.contents import Contents
from ler.packages.exports.tables import CRS
from ler.packages.exports.whole import save_flatgeobuf, table_of
from ler.packages.vector_values import told_columns

_MULTIPLE: Final = {"Point": "MultiPoint", "LineString": "MultiLineString", "Polygon": "MultiPolygon"}
_COLLECT: Final[Mapping[str, Any]] = {
    "Point": shapely.multipoints,
    "LineString": shapely.multilinestrings,
    "Polygon": shapely.multipolygons,
}


def write_flatgeobuf(path: Path, contents: Contents, *, kind: str) -> int:
    """Write the features whose geometry is of a kind, or of several of it; returns how many."""
    kinds = {kind, _MULTIPLE[kind], *([""] if kind == "LineString" else [])}
    assessed = [one for one in contents.assessed if _kind(one.feature.geometry) in kinds]
    frame, _ = table_of([one.feature for one in assessed], load_model(), told_columns(assessed))
    if any(isinstance(shape, BaseMultipartGeometry) for shape in frame.geometry):
        kind = _MULTIPLE[kind]
        several = [None if shape is None else _several(shape) for shape in frame.geometry]
        frame = frame.set_geometry(geopandas.GeoSeries(several, crs=CRS))
    save_flatgeobuf(path, frame, kind)
    return len(assessed)


write_lines: Final = partial(write_flatgeobuf, kind="LineString")
write_points: Final = partial(write_flatgeobuf, kind="Point")
write_areas: Final = partial(write_flatgeobuf, kind="Polygon")


def _kind(shape: BaseGeometry | None) -> str:
    return "" if shape is None else str(shape.geom_type)


def _several(shape: BaseGeometry) -> BaseGeometry:
    several: BaseGeometry = shape
    if not isinstance(shape, BaseMultipartGeometry):
        several = _COLLECT[shape.geom_type]([shape])
    return several
