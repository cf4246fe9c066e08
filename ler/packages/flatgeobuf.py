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

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry, BaseMultipartGeometry

from ler.model import load_model
from ler.packages.contents import Contents
from ler.packages.exports.flatgeobuf import feature_cells, save_flatgeobuf
from ler.packages.vector_values import told_cells

_MULTIPLE: Final = {"Point": "MultiPoint", "LineString": "MultiLineString", "Polygon": "MultiPolygon"}
_TYPE_IDS: Final = {
    "Point": shapely.GeometryType.POINT,
    "LineString": shapely.GeometryType.LINESTRING,
    "Polygon": shapely.GeometryType.POLYGON,
}
_COLLECT: Final[Mapping[str, Any]] = {
    "Point": shapely.multipoints,
    "LineString": shapely.multilinestrings,
    "Polygon": shapely.multipolygons,
}


def write_flatgeobuf(path: Path, contents: Contents, *, kind: str) -> int:
    """Write the features whose geometry is of a kind, or of several of it; returns how many."""
    kinds = {kind, _MULTIPLE[kind], *([""] if kind == "LineString" else [])}
    assessed = [one for one in contents.assessed if _kind(one.feature.geometry) in kinds]
    features = [one.feature for one in assessed]
    shapes = np.array([*(feature.geometry for feature in features), None], dtype=object)[:-1]
    if any(isinstance(shape, BaseMultipartGeometry) for shape in shapes):
        single = np.flatnonzero(shapely.get_type_id(shapes) == _TYPE_IDS[kind])
        shapes[single] = _COLLECT[kind](shapes[single], indices=np.arange(len(single)))
        kind = _MULTIPLE[kind]
    save_flatgeobuf(path, shapes, feature_cells(features, load_model(), told_cells(assessed)), kind)
    return len(assessed)


write_lines: Final = partial(write_flatgeobuf, kind="LineString")
write_points: Final = partial(write_flatgeobuf, kind="Point")
write_areas: Final = partial(write_flatgeobuf, kind="Polygon")


def _kind(shape: BaseGeometry | None) -> str:
    return "" if shape is None else str(shape.geom_type)
