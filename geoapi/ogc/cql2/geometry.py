"""Geometries of filters: read, judged and brought to EPSG:25832, where the platform's geometries are.

A straight edge in degrees is none in metres, so edges are cut into short pieces before they are moved, and a bounding box
keeps its course (a box moved by its corners loses some percent of what lies in it). What reaches beyond the surroundings
of Denmark is cut off there, since EPSG:25832 cannot hold the world, and a small piece far from all data stands for it, so
that what is only partly inside stays different from what is wholly inside.

Refused: coordinates out of their system's range, rings that are not closed, geometries that are not valid or empty, mixed
collections where a relation is not defined for them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoapi.ogc.cql2.limits import MOST_STRAIGHT_VERTICES
from geoapi.ogc.cql2.terms import CRS84, FilterError
from ingest.crs import STORAGE_EPSG, system_of, transform
from ler.errors import RefusedError

type Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class LiteralSystem:
    """The system in which a caller writes coordinates."""

    epsg: int
    range: Box
    """Least and greatest x (or longitude) and y (or latitude) that are coordinates at all."""
    near: Box | None
    """Beyond this there is no data, and the way to EPSG:25832 need not hold; None where nothing is moved."""
    step: float
    """Longest piece of an edge, in the system's units: its middle is off by less than 15 mm."""
    latitude_first: bool = False
    degrees: bool = False


_WORLD: Final = (-180.0, -90.0, 180.0, 90.0)
_SURROUNDINGS: Final = (0.0, 48.0, 24.0, 64.0)
_LONGITUDE_FIRST: Final = LiteralSystem(4326, _WORLD, _SURROUNDINGS, 0.008, degrees=True)
_STORED: Final = LiteralSystem(STORAGE_EPSG, (-1e8, -1e8, 1e8, 1e8), None, math.inf)
_EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
SYSTEMS: Final = {
    CRS84: _LONGITUDE_FIRST,
    "http://www.opengis.net/def/crs/OGC/0/CRS84h": _LONGITUDE_FIRST,
    f"{_EPSG}4326": replace(_LONGITUDE_FIRST, latitude_first=True),
    f"{_EPSG}25832": _STORED,
    f"{_EPSG}7416": _STORED,
    f"{_EPSG}25833": LiteralSystem(25833, (-1e8, -1e8, 1e8, 1e8), (-4e5, 5.4e6, 1.2e6, 7.1e6), 1000.0),
    f"{_EPSG}3857": LiteralSystem(3857, (-2.1e7, -1e8, 2.1e7, 1e8), (0.0, 6.1e6, 2.7e6, 9.3e6), 1000.0),
}
"""What `filter-crs` may be; heights of literals are read and not used, as all relations are of the plane."""

_KINDS: Final[dict[str, Any]] = {
    "Point": shapely.Point,
    "LineString": shapely.LineString,
    "MultiPoint": shapely.MultiPoint,
    "MultiLineString": shapely.MultiLineString,
}
_SMALLEST_RING: Final = 4


def parts_of(given: object, system: LiteralSystem, place: str) -> list[BaseGeometry]:
    """Return a literal in EPSG:25832: one geometry, or the members of a collection. FilterError `geometry-...`."""
    match given:
        case {"type": "GeometryCollection", "geometries": [_, *_] as members}:
            within = f"{place}/geometries"
            return [part for n, one in enumerate(members) for part in parts_of(one, system, f"{within}/{n}")]
        case {"type": "GeometryCollection"}:
            raise FilterError("geometry-empty", "a geometry has no positions", place)
        case dict() if "bbox" in given or "coordinates" in given:
            return [_geometry(given, system, place)]
    raise FilterError("geometry-invalid", "this is no geometry", place)


def _geometry(given: dict[str, object], system: LiteralSystem, place: str) -> BaseGeometry:
    try:
        made = _box(given["bbox"], system, place) if "bbox" in given else _made(given, system, place)
    except (ValueError, TypeError, shapely.errors.GEOSException):
        raise FilterError("geometry-invalid", "the geometry has too few positions", place) from None
    _require_valid(made, place)
    if system.near is None:
        return made
    moved = _moved(*_near(made, system.near, system.step), system.epsg, place)
    _require_valid(moved, place)
    return moved


def _made(given: dict[str, object], system: LiteralSystem, place: str) -> BaseGeometry:
    kind, coordinates = str(given["type"]), given["coordinates"]
    depth = {"Point": 0, "LineString": 1, "MultiPoint": 1, "MultiLineString": 2, "Polygon": 2}.get(kind, 3)
    read = _read(coordinates, depth, system, place)
    if kind == "Polygon":
        return _polygon(read, place)
    if kind == "MultiPolygon":
        return shapely.MultiPolygon([_polygon(one, place) for one in read])
    made: BaseGeometry = _KINDS[kind](read)
    return made


def _read(given: object, depth: int, system: LiteralSystem, place: str) -> list[object]:
    """Return coordinates as pairs of x and y, at the depth that their kind of geometry has."""
    if not isinstance(given, list) or not given:
        raise FilterError("geometry-empty", "a geometry has no positions", place)
    if depth:
        return [_read(one, depth - 1, system, place) for one in given]
    if not 2 <= len(given) <= 3 or not all(isinstance(one, float) for one in given):  # noqa: PLR2004 - heights
        raise FilterError("geometry-invalid", "a position has two coordinates, and may have a height", place)
    return [*_position(given[0], given[1], system, place)]


def _position(first: float, second: float, system: LiteralSystem, place: str) -> tuple[float, float]:
    x, y = (second, first) if system.latitude_first else (first, second)
    left, bottom, right, top = system.range
    if not (left <= x <= right and bottom <= y <= top):
        order = "latitude, longitude" if system.latitude_first else "longitude or easting first"
        raise FilterError(
            "geometry-range", f"{first:g} {second:g} is no position in filter-crs ({order})", place
        )
    return x, y


def _polygon(rings: object, place: str) -> shapely.Polygon:
    if not isinstance(rings, list):
        raise FilterError("geometry-invalid", "a polygon is a list of rings", place)
    for ring in rings:
        if len(ring) < _SMALLEST_RING:
            raise FilterError("geometry-invalid", "a ring has fewer than four positions", place)
        if ring[0] != ring[-1]:
            raise FilterError(
                "geometry-not-closed", "a ring does not end where it begins: repeat its first position", place
            )
    return shapely.Polygon(rings[0], rings[1:])


def _box(corners: object, system: LiteralSystem, place: str) -> BaseGeometry:
    """Return the area of a bounding box, or the line or point that it has shrunk to."""
    if not isinstance(corners, list) or len(corners) not in (4, 6):
        raise FilterError("geometry-invalid", "a bounding box has four numbers, or six with heights", place)
    half = len(corners) // 2
    left, bottom = _position(corners[0], corners[1], system, place)
    right, top = _position(corners[half], corners[half + 1], system, place)
    if bottom > top or (left > right and not system.degrees):
        raise FilterError("geometry-invalid", "a bounding box begins at its smallest coordinates", place)
    if left > right:
        edge = system.range
        return shapely.MultiPolygon(
            [shapely.box(left, bottom, edge[2], top), shapely.box(edge[0], bottom, right, top)]
        )
    if left == right and bottom == top:
        return shapely.Point(left, bottom)
    if left == right or bottom == top:
        return shapely.LineString([(left, bottom), (right, top)])
    return shapely.box(left, bottom, right, top)


def _require_valid(geometry: BaseGeometry, place: str) -> None:
    if geometry.is_empty:
        raise FilterError("geometry-empty", "a geometry has no positions", place)
    if not geometry.is_valid:
        raise FilterError(
            "geometry-invalid",
            f"the geometry is not valid: {shapely.is_valid_reason(geometry).split('[')[0].strip().lower()}",
            place,
        )


def _near(geometry: BaseGeometry, near: Box, step: float) -> tuple[BaseGeometry, float]:
    """Return what of a geometry is near Denmark, with one small piece for all that is not; and how to cut its edges."""
    area = shapely.box(*near)
    if area.covers(geometry):
        return geometry, step
    if geometry.covers(area):
        # Where the edge of the world lies does not matter, as long as it has few positions.
        return area, area.length / 200
    kept = [one for one in _single(geometry.intersection(area)) if _dimension(one) == _dimension(geometry)]
    left, bottom, right, top = near
    width, height = (right - left) / 1000, (top - bottom) / 1000
    corner = (left - 20 * width, bottom - 20 * height)
    piece = [
        shapely.Point(corner),
        shapely.LineString([corner, (corner[0] + width, corner[1])]),
        shapely.box(*corner, corner[0] + width, corner[1] + height),
    ][_dimension(geometry)]
    return _gathered([*kept, piece]), step


def _single(geometry: BaseGeometry) -> Sequence[BaseGeometry]:
    return [*shapely.get_parts(geometry)] if not geometry.is_empty else []


def _gathered(parts: list[BaseGeometry]) -> BaseGeometry:
    """Return geometries of one kind as one."""
    kinds: list[Any] = [shapely.MultiPoint, shapely.MultiLineString, shapely.MultiPolygon]
    made: BaseGeometry = kinds[_dimension(parts[0])](parts)
    return made


def _dimension(geometry: BaseGeometry) -> int:
    return int(shapely.get_dimensions(geometry))


def _moved(geometry: BaseGeometry, step: float, epsg: int, place: str) -> BaseGeometry:
    if geometry.length / step + shapely.get_num_coordinates(geometry) > MOST_STRAIGHT_VERTICES:
        raise FilterError("geometry-too-long", "the edges of a geometry are too long in all", place)

    def to_storage(positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return transform(system_of(epsg), positions)

    try:
        return shapely.transform(shapely.segmentize(geometry, step), to_storage)
    except RefusedError:
        raise FilterError("geometry-range", "a geometry cannot be brought to EPSG:25832", place) from None
