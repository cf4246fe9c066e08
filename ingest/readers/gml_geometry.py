"""GML geometry to shapely, as the LER model allows it: linear, three numbers a vertex, EPSG:7416.

This is the only place where the LER height -99 ("unknown") is read; inside the platform it is NaN. Nothing is guessed:
a geometry with another or no reference system, two numbers a vertex, an arc, a gap inside a curve or a number that is
not finite is a `GeometryFault`, because a line drawn in the wrong place is worse than none.
"""

import re
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ingest.readers.gml_attributes import AttributeFault, check_attributes
from ingest.readers.identifiers import HREF
from ingest.readers.xml_stream import WHITE_SPACE, Element
from ler.model import NAMESPACES, UNKNOWN_HEIGHT
from ler.model.values import parse_number

CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/7416"
"""ETRS89 / UTM zone 32N + DVR90 height: the only reference system of the LER model."""

MAX_VERTICES: Final = 100_000
"""Longest geometry; a longer one must be split by its owner."""

MAX_SURFACE_VERTICES: Final = 10_000
"""Largest surface: whether it crosses itself takes GEOS a minute when 100,000 edges all cross each other."""

HEIGHTS_M: Final = (-98.0, 400.0)
"""What a height above DVR90 can be in Denmark, from the deepest sea lines to the tallest pylons, m. Outside it the
number is a depth, a code for "unknown" other than -99, or a fault."""

POINT_NUMBERS: Final = 3
GML: Final = f"{NAMESPACES['gml']}}}"

_PLAIN_NUMBER: Final = "0.0"
_PLACE_OF_FAULT: Final = re.compile(r"\[(.+)\]")

type Coordinates = NDArray[np.float64]

type Coverage = tuple[float, float, float, float]
"""West, south, east, north in EPSG:25832, metres."""


class GeometryFault(ValueError):  # noqa: N818 - a finding about a file, not an error of ours
    """What is wrong with one geometry, at which element, what was found there and what was wanted."""

    def __init__(self, code: str, element: Element, found: str = "", wanted: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.element = element
        self.found = found
        self.wanted = wanted


def read_geometry(holder: Element, allowed: str, coverage: Coverage) -> BaseGeometry:
    """Return the geometry inside a property element, in EPSG:7416 with NaN for unknown heights.

    `allowed` is the model's word: `curve`, `curves`, `point` or `any`. Raises GeometryFault.
    """
    if HREF in holder.attributes:
        raise GeometryFault("xml-external-reference", holder, holder.attributes[HREF])
    element = _only_child(holder)
    if holder.text:
        raise GeometryFault("text-misplaced", holder, holder.text[:40])
    if _name(element) not in ALLOWED[allowed]:
        raise _wrong_kind(element, ALLOWED[allowed])
    if "srsName" not in element.attributes:
        raise GeometryFault("indholdGM_ObjectSRIDrestriktion", element, "", CRS)
    _check_elements(element)
    geometry = _READERS[_name(element)](element)
    if shapely.get_num_coordinates(geometry) > MAX_VERTICES:
        raise _too_long(element)
    check_surfaces(geometry, element)
    check_place(geometry, coverage, element)
    return geometry


def _check_elements(element: Element) -> None:
    """The attributes of an element and of all inside it."""
    attributes = element.attributes
    if attributes.get("srsName", CRS) != CRS:
        raise GeometryFault("indholdGM_ObjectSRIDrestriktion", element, attributes["srsName"], CRS)
    if attributes.get("srsDimension", "3") != "3":
        raise GeometryFault("Check3DGeometryRule", element, attributes["srsDimension"], "3")
    if HREF in attributes:
        raise GeometryFault("xml-external-reference", element, attributes[HREF])
    try:
        check_attributes(element)
    except AttributeFault as fault:
        raise GeometryFault(fault.code, element, fault.found, fault.wanted) from None
    if element.children and element.text:
        raise GeometryFault("text-misplaced", element, element.text[:40])
    for child in element.children:
        _check_elements(child)


def check_surfaces(geometry: BaseGeometry, element: Element) -> None:
    """Refuse a surface that crosses itself or has a hole outside; surfaces beside each other may touch. GeometryFault."""
    for part in shapely.get_parts(geometry):
        if not isinstance(part, shapely.Polygon):
            continue
        if shapely.get_num_coordinates(part) > MAX_SURFACE_VERTICES:
            raise _too_long(element, MAX_SURFACE_VERTICES)
        if not shapely.is_valid(part):
            where = _PLACE_OF_FAULT.search(shapely.is_valid_reason(part))
            raise GeometryFault("geometry-invalid", element, where[1] if where else "")


def check_place(geometry: BaseGeometry, coverage: Coverage, element: Element) -> None:
    """Refuse a geometry that lies outside the coverage. Raises GeometryFault."""
    west, south, east, north = coverage
    left, bottom, right, top = geometry.bounds
    if left >= west and bottom >= south and right <= east and top <= north:
        return
    found = f"{left:.2f} {bottom:.2f}"
    wanted = f"{west:.0f} {south:.0f} … {east:.0f} {north:.0f}"
    if abs(left) <= 180 and abs(bottom) <= 180:  # noqa: PLR2004 - degrees
        raise GeometryFault("crs-out-of-area", element, found, wanted)
    if left >= south and right <= north and bottom >= west and top <= east:
        raise GeometryFault("crs-axis-order", element, found, wanted)
    raise GeometryFault("crs-out-of-area", element, found, wanted)


def _point(element: Element) -> shapely.Point:
    coordinates = _numbers(_only_child(element, "pos"))
    if len(coordinates) != 1:
        raise GeometryFault("Check3DGeometryRule", element, str(coordinates.size), str(POINT_NUMBERS))
    return shapely.Point(coordinates[0])


def _line(element: Element) -> shapely.LineString:
    return _make_line(_positions(element), element)


def _curve(element: Element) -> shapely.LineString:
    segments = _only_child(element, "segments")
    pieces = [_positions(_expect(segment, "LineStringSegment")) for segment in segments.children]
    return _make_line(_join(pieces, element), element)


def _multi_curve(element: Element) -> BaseGeometry:
    lines = [_read_one(child, "curve") for child in _members(element, "curveMember", "curveMembers")]
    return shapely.MultiLineString([line for line in lines if isinstance(line, shapely.LineString)])


def _multi_point(element: Element) -> BaseGeometry:
    points = [_read_one(child, "point") for child in _members(element, "pointMember", "pointMembers")]
    return shapely.MultiPoint([point for point in points if isinstance(point, shapely.Point)])


def _polygon(element: Element) -> shapely.Polygon:
    if not element.children:
        raise GeometryFault("geometry-empty", element)
    shell, *holes = element.children
    rings = [_ring(_only_child(_expect(shell, "exterior")))]
    rings += [_ring(_only_child(_expect(hole, "interior"))) for hole in holes]
    return shapely.Polygon(rings[0], rings[1:])


def _surface(element: Element) -> BaseGeometry:
    patches = _only_child(element, "patches").children
    if not patches:
        raise GeometryFault("geometry-empty", element)
    polygons = [_polygon(_expect(patch, "PolygonPatch")) for patch in patches]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _multi_surface(element: Element) -> BaseGeometry:
    surfaces = [_read_one(child, "surface") for child in _members(element, "surfaceMember", "surfaceMembers")]
    return shapely.MultiPolygon(
        [p for s in surfaces for p in shapely.get_parts(s) if isinstance(p, shapely.Polygon)]
    )


def _ring(element: Element) -> shapely.LinearRing:
    if _name(element) == "Ring":
        members = [_only_child(_expect(member, "curveMember")) for member in element.children]
        coordinates = _join([_coordinates(_read_one(member, "curve")) for member in members], element)
    else:
        coordinates = _positions(_expect(element, "LinearRing"))
    if len(coordinates) < 4 or not _same(coordinates[0], coordinates[-1]):  # noqa: PLR2004 - the least closed ring
        raise GeometryFault("geometry-invalid", element, _written(coordinates[0]))
    # shapely takes NaN for unequal to itself and would close such a ring a second time: give it the open ring.
    return shapely.LinearRing(coordinates[:-1])


def _read_one(element: Element, allowed: str) -> BaseGeometry:
    if _name(element) not in ALLOWED[allowed]:
        raise _wrong_kind(element, ALLOWED[allowed])
    return _READERS[_name(element)](element)


def _members(element: Element, single: str, several: str) -> list[Element]:
    """The geometries of a collection: each in an element of its own, then perhaps many in one."""
    found: list[Element] = []
    closed = False
    for child in element.children:
        if closed or _name(child) not in {single, several}:
            raise GeometryFault("geometry-malformed", child, _name(child), f"{single} | {several}")
        closed = _name(child) == several
        found.extend(child.children if closed else [_only_child(child)])
        if child.text.strip(WHITE_SPACE) and not child.children:
            raise GeometryFault("text-misplaced", child, child.text[:40])
    if not found:
        raise GeometryFault("geometry-empty", element)
    return found


def _positions(element: Element) -> Coordinates:
    children = element.children
    if not children:
        raise GeometryFault("geometry-empty", element)
    if len(children) == 1 and _name(children[0]) == "posList":
        return _numbers(children[0])
    if len(children) > MAX_VERTICES:
        raise _too_long(element)
    return np.concatenate([_one_position(_expect(child, "pos")) for child in children])


def _one_position(element: Element) -> Coordinates:
    coordinates = _numbers(element)
    if len(coordinates) != 1:
        raise GeometryFault("Check3DGeometryRule", element, str(coordinates.size), str(POINT_NUMBERS))
    return coordinates


def _numbers(element: Element) -> Coordinates:
    if element.children:
        raise GeometryFault("geometry-malformed", element, element.children[0].local_name, _PLAIN_NUMBER)
    most = MAX_VERTICES * POINT_NUMBERS
    words = element.text.split(maxsplit=most)
    if len(words) > most:
        raise _too_long(element)
    if not words or len(words) % POINT_NUMBERS:
        raise GeometryFault("Check3DGeometryRule", element, str(len(words)), f"{POINT_NUMBERS} · n")
    coordinates: Coordinates = np.array([_number(word, element) for word in words]).reshape(-1, POINT_NUMBERS)
    heights = coordinates[:, 2]
    heights[heights == UNKNOWN_HEIGHT] = np.nan
    lowest, highest = HEIGHTS_M
    impossible = heights[(heights < lowest) | (heights > highest)]
    if len(impossible):
        wanted = f"{lowest:g} … {highest:g} | {UNKNOWN_HEIGHT:g}"
        raise GeometryFault("height-impossible", element, f"{impossible[0]:g}", wanted)
    return coordinates


def _number(word: str, element: Element) -> float:
    try:
        return parse_number(word)
    except ValueError:
        finite = word not in {"INF", "-INF", "NaN"} and not word.lstrip("+-")[:1].isdigit()
        code = "coordinate-not-a-number" if finite or "," in word else "coordinate-not-finite"
        raise GeometryFault(code, element, word[:40], _PLAIN_NUMBER) from None


def _make_line(coordinates: Coordinates, element: Element) -> shapely.LineString:
    if len(coordinates) < 2 or all(_same(coordinates[0], other) for other in coordinates[1:]):  # noqa: PLR2004
        raise GeometryFault("geometry-degenerate", element)
    return shapely.LineString(coordinates)


def _join(pieces: list[Coordinates], element: Element) -> Coordinates:
    if not pieces:
        raise GeometryFault("geometry-empty", element)
    for before, after in pairwise(pieces):
        if not _same(before[-1], after[0]):
            raise GeometryFault("curve-gap", element, _written(before[-1]), _written(after[0]))
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


def _same(one: Coordinates, other: Coordinates) -> bool:
    return np.array_equal(one, other, equal_nan=True)


def _written(position: Coordinates) -> str:
    return " ".join(f"{number:.4f}".rstrip("0").rstrip(".") for number in position.tolist())


def _coordinates(geometry: BaseGeometry) -> Coordinates:
    return shapely.get_coordinates(geometry, include_z=True)


def _only_child(element: Element, name: str | None = None) -> Element:
    if not element.children and element.stray_text:
        raise GeometryFault("text-misplaced", element, element.text[:40])
    if len(element.children) != 1:
        found = ", ".join(child.local_name for child in element.children[:3])
        raise GeometryFault("geometry-malformed", element, found, f"1 × {name or 'gml'}")
    return _expect(element.children[0], name) if name else element.children[0]


def _expect(element: Element, name: str) -> Element:
    if element.name != GML + name:
        raise _wrong_kind(element, (name,))
    return element


def _wrong_kind(element: Element, wanted: Collection[str]) -> GeometryFault:
    return GeometryFault("geometriDatatyperestriktion", element, _name(element), " | ".join(wanted))


def _too_long(element: Element, most: int = MAX_VERTICES) -> GeometryFault:
    return GeometryFault("geometry-limit", element, "", str(most))


def _name(element: Element) -> str:
    return element.local_name if element.name.startswith(GML) else element.name


_READERS: Final[dict[str, Callable[[Element], BaseGeometry]]] = {
    "Point": _point,
    "LineString": _line,
    "Curve": _curve,
    "MultiCurve": _multi_curve,
    "MultiPoint": _multi_point,
    "Polygon": _polygon,
    "Surface": _surface,
    "MultiSurface": _multi_surface,
}
ALLOWED: Final[dict[str, Collection[str]]] = {
    "point": ("Point",),
    "curve": ("LineString", "Curve"),
    "curves": ("MultiCurve",),
    "surface": ("Polygon", "Surface"),
    "any": tuple(_READERS),
}
