"""Geometry of IMKL: two numbers a vertex in RD (EPSG:28992), brought to EPSG:25832 with unknown heights.

Nothing is guessed, as in LER GML: another or no reference system, arcs, gaps and numbers that are not finite are a
`GeometryFault`.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ingest.crs import Transformation, find_system, transformation_from
from ingest.readers.gml_geometry import (
    GML,
    MAX_VERTICES,
    Coverage,
    GeometryFault,
    check_place,
    check_surfaces,
)
from ingest.readers.identifiers import HREF
from ingest.readers.xml_stream import Element
from ler.errors import RefusedError
from ler.model.values import parse_number

RD_EPSG: Final = 28992
_RING: Final = 4
_LINE: Final = 2

type Positions = NDArray[np.float64]


def read_place(holder: Element, coverage: Coverage) -> BaseGeometry:
    """Return the geometry inside a property element in EPSG:25832, NaN for every height. Raises GeometryFault."""
    if HREF in holder.attributes:
        raise GeometryFault("xml-external-reference", holder, holder.attributes[HREF])
    element = _only(holder)
    way = _way(element)
    flat = _read(element)
    if shapely.get_num_coordinates(flat) > MAX_VERTICES:
        raise GeometryFault("geometry-limit", element, "", str(MAX_VERTICES))
    check_surfaces(flat, element)
    raised = shapely.transform(shapely.force_3d(flat), lambda xyz: _moved(xyz, way), include_z=True)
    if not np.isfinite(shapely.get_coordinates(raised)).all():
        raise GeometryFault("crs-out-of-area", element, "", "")
    check_place(raised, coverage, element)
    return raised


def _moved(xyz: Positions, way: Transformation) -> Positions:
    return way.apply(np.column_stack([xyz[:, :2], np.full(len(xyz), np.nan)]))


def _way(element: Element) -> Transformation:
    stated = element.attributes.get("srsName", "")
    try:
        system = find_system(stated)
    except RefusedError:
        system = None
    if system is None or system.epsg != RD_EPSG:
        raise GeometryFault("imkl-crs", element, stated, f"EPSG:{RD_EPSG}")
    return transformation_from(system)


def _read(element: Element) -> BaseGeometry:
    reader = _READERS.get(element.local_name) if element.name.startswith(GML) else None
    if reader is None:
        raise GeometryFault("geometriDatatyperestriktion", element, element.local_name, " | ".join(_READERS))
    return reader(element)


def _point(element: Element) -> BaseGeometry:
    positions = _numbers(_only(element))
    if len(positions) != 1:
        raise GeometryFault("geometry-malformed", element, str(positions.size), "2")
    return shapely.Point(positions[0])


def _line(element: Element) -> BaseGeometry:
    return _make_line(_positions(element), element)


def _curve(element: Element) -> BaseGeometry:
    pieces = [_positions(_expect(segment, "LineStringSegment")) for segment in _only(element).children]
    if not pieces:
        raise GeometryFault("geometry-empty", element)
    for before, after in pairwise(pieces):
        if not np.array_equal(before[-1], after[0]):
            raise GeometryFault("curve-gap", element)
    return _make_line(np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])]), element)


def _polygon(element: Element) -> BaseGeometry:
    if not element.children:
        raise GeometryFault("geometry-empty", element)
    rings = [_positions(_expect(_only(side), "LinearRing")) for side in element.children]
    for ring in rings:
        if len(ring) < _RING or not np.array_equal(ring[0], ring[-1]):
            raise GeometryFault("geometry-invalid", element)
    return shapely.Polygon(rings[0], rings[1:])


def _several(make: Callable[[Any], BaseGeometry]) -> Callable[[Element], BaseGeometry]:
    def read(element: Element) -> BaseGeometry:
        parts = [_read(one) for member in element.children for one in member.children]
        if not parts:
            raise GeometryFault("geometry-empty", element)
        if len({part.geom_type for part in parts}) != 1:
            raise GeometryFault("geometry-type", element)
        return make(parts)

    return read


_READERS: Final[dict[str, Callable[[Element], BaseGeometry]]] = {
    "Point": _point,
    "LineString": _line,
    "Curve": _curve,
    "Polygon": _polygon,
    "MultiPoint": _several(shapely.MultiPoint),
    "MultiCurve": _several(shapely.MultiLineString),
    "MultiSurface": _several(shapely.MultiPolygon),
}


def _positions(element: Element) -> Positions:
    if not element.children:
        raise GeometryFault("geometry-empty", element)
    if len(element.children) > MAX_VERTICES:
        raise GeometryFault("geometry-limit", element, "", str(MAX_VERTICES))
    return np.concatenate([_numbers(child) for child in element.children])


def _numbers(element: Element) -> Positions:
    most = MAX_VERTICES * 2
    words = element.text.split(maxsplit=most)
    if len(words) > most:
        raise GeometryFault("geometry-limit", element, "", str(MAX_VERTICES))
    if element.children or not words or len(words) % 2 or element.attributes.get("srsDimension", "2") != "2":
        raise GeometryFault("geometry-malformed", element, str(len(words)), "2 · n")
    try:
        return np.array([parse_number(word) for word in words]).reshape(-1, 2)
    except ValueError:
        raise GeometryFault("coordinate-not-a-number", element, "", "0.0") from None


def _make_line(positions: Positions, element: Element) -> BaseGeometry:
    if len(positions) < _LINE or (positions == positions[0]).all():
        raise GeometryFault("geometry-degenerate", element)
    return shapely.LineString(positions)


def _only(element: Element) -> Element:
    if len(element.children) != 1:
        raise GeometryFault("geometry-malformed", element, str(len(element.children)), "1")
    return element.children[0]


def _expect(element: Element, name: str) -> Element:
    if element.name != GML + name:
        raise GeometryFault("geometriDatatyperestriktion", element, element.local_name, name)
    return element
