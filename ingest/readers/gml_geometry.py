"""GML geometry to shapely, as the LER model allows it: linear, three numbers a vertex, EPSG:7416.

This is the only place where the LER height -99 ("unknown") is read; inside the platform it is NaN. Nothing is guessed:
a geometry with another or no reference system, two numbers a vertex, an arc, a gap inside a curve or a number that is
not finite is a `GeometryFault`, because a line drawn in the wrong place is worse than none.
"""

from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from lxml import etree
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ler.model import NAMESPACES, UNKNOWN_HEIGHT

CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/7416"
"""ETRS89 / UTM zone 32N + DVR90 height: the only reference system of the LER model."""

MAX_VERTICES: Final = 100_000
"""Longest geometry; a longer one must be split by its owner."""

HEIGHTS_M: Final = (-98.0, 400.0)
"""What a height above DVR90 can be in Denmark, from the deepest sea lines to the tallest pylons, m. Outside it the
number is a depth, a code for "unknown" other than -99, or a fault."""

_GML: Final = "{" + NAMESPACES["gml"] + "}"
_HREF: Final = "{" + NAMESPACES["xlink"] + "}href"
_POINT_NUMBERS: Final = 3

type Coordinates = NDArray[np.float64]


class GeometryFault(ValueError):  # noqa: N818 - a finding about a file, not an error of ours
    """What is wrong with one geometry: `code` and `line` beside the message."""

    def __init__(self, code: str, message: str, element: etree._Element) -> None:
        super().__init__(message)
        self.code = code
        self.line = line_of(element)


def line_of(element: etree._Element) -> int:
    """Line of the file that an element starts on."""
    return element.sourceline or 0


def read_geometry(holder: etree._Element, allowed: str) -> BaseGeometry:
    """Return the geometry inside a property element, in EPSG:7416 with NaN for unknown heights.

    `allowed` is the model's word: `curve`, `curves`, `point` or `any`. Raises GeometryFault.
    """
    if holder.get(_HREF) is not None:
        raise GeometryFault(
            "xml-external-reference", "a geometry must stand in its place, not behind a link", holder
        )
    element = _only_child(holder)
    if _name(element) not in _ALLOWED[allowed]:
        wanted = ", ".join(f"gml:{name}" for name in _ALLOWED[allowed])
        raise GeometryFault(
            "geometriDatatyperestriktion", f"gml:{_name(element)} found, wanted {wanted}", element
        )
    _check_reference_systems(element)
    geometry = _READERS[_name(element)](element)
    if shapely.get_num_coordinates(geometry) > MAX_VERTICES:
        raise GeometryFault(
            "geometry-limit", f"more than {MAX_VERTICES} vertices: split the feature", element
        )
    return geometry


def _check_reference_systems(element: etree._Element) -> None:
    if element.get("srsName") is None:
        raise GeometryFault("indholdGM_ObjectSRIDrestriktion", f"srsName is missing, wanted {CRS}", element)
    for inner in element.iter(f"{_GML}*"):
        name = inner.get("srsName")
        if name is not None and name != CRS:
            raise GeometryFault(
                "indholdGM_ObjectSRIDrestriktion",
                f"srsName is {name!r}, wanted {CRS} (plane coordinates and DVR90 heights); "
                "another name leaves open what the heights mean",
                inner,
            )
        if inner.get("srsDimension") not in {None, "3"}:
            raise GeometryFault("Check3DGeometryRule", "srsDimension must be 3, or left out", inner)


def _point(element: etree._Element) -> shapely.Point:
    coordinates = _numbers(_only_child(element, "pos"))
    if len(coordinates) != 1:
        raise GeometryFault("geometry-malformed", "a point has one position", element)
    return shapely.Point(coordinates[0])


def _line(element: etree._Element) -> shapely.LineString:
    return _make_line(_positions(element), element)


def _curve(element: etree._Element) -> shapely.LineString:
    segments = _only_child(element, "segments")
    pieces = [_positions(_expect(segment, "LineStringSegment")) for segment in _children(segments)]
    return _make_line(_join(pieces, element), element)


def _multi_curve(element: etree._Element) -> BaseGeometry:
    lines = [_read_one(child, "curve") for child in _members(element, "curveMember", "curveMembers")]
    return shapely.MultiLineString([line for line in lines if isinstance(line, shapely.LineString)])


def _multi_point(element: etree._Element) -> BaseGeometry:
    points = [_read_one(child, "point") for child in _members(element, "pointMember", "pointMembers")]
    return shapely.MultiPoint([point for point in points if isinstance(point, shapely.Point)])


def _polygon(element: etree._Element) -> shapely.Polygon:
    shell: shapely.LinearRing | None = None
    holes: list[shapely.LinearRing] = []
    for child in _children(element):
        ring = _ring(_only_child(child))
        if _name(child) == "exterior" and shell is None:
            shell = ring
        elif _name(child) == "interior":
            holes.append(ring)
        else:
            raise GeometryFault("geometry-malformed", f"unexpected gml:{_name(child)} in a polygon", child)
    if shell is None:
        raise GeometryFault("geometry-malformed", "a polygon needs an exterior ring", element)
    return shapely.Polygon(shell, holes)


def _surface(element: etree._Element) -> BaseGeometry:
    patches = _children(_only_child(element, "patches"))
    return _collect_polygons([_polygon(_expect(patch, "PolygonPatch")) for patch in patches], element)


def _multi_surface(element: etree._Element) -> BaseGeometry:
    surfaces = [_read_one(child, "surface") for child in _members(element, "surfaceMember", "surfaceMembers")]
    return shapely.MultiPolygon(
        [p for s in surfaces for p in shapely.get_parts(s) if isinstance(p, shapely.Polygon)]
    )


def _collect_polygons(polygons: list[shapely.Polygon], element: etree._Element) -> BaseGeometry:
    if not polygons:
        raise GeometryFault("geometry-empty", "the geometry is empty", element)
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _ring(element: etree._Element) -> shapely.LinearRing:
    if _name(element) == "Ring":
        members = _children(element)
        coordinates = _join([_coordinates(_read_one(_only_child(m), "curve")) for m in members], element)
    else:
        coordinates = _positions(_expect(element, "LinearRing"))
    if len(coordinates) < 4 or not _same(coordinates[0], coordinates[-1]):  # noqa: PLR2004 - the least closed ring
        raise GeometryFault(
            "geometry-invalid", "a ring has at least four positions and ends where it starts", element
        )
    # shapely takes NaN for unequal to itself and would close such a ring a second time: give it the open ring.
    return shapely.LinearRing(coordinates[:-1])


def _read_one(element: etree._Element, allowed: str) -> BaseGeometry:
    if _name(element) not in _ALLOWED[allowed]:
        raise GeometryFault(
            "geometriDatatyperestriktion", f"gml:{_name(element)} is not allowed here", element
        )
    return _READERS[_name(element)](element)


def _members(element: etree._Element, single: str, several: str) -> list[etree._Element]:
    found: list[etree._Element] = []
    for child in _children(element):
        if _name(child) not in {single, several}:
            raise GeometryFault("geometry-malformed", f"unexpected gml:{_name(child)}", child)
        inside = _children(child)
        if not inside or child.get(_HREF) is not None:
            raise GeometryFault(
                "xml-external-reference", f"gml:{_name(child)} must hold its geometry, not a link", child
            )
        found.extend(inside)
    if not found:
        raise GeometryFault("geometry-empty", "the geometry is empty", element)
    return found


def _positions(element: etree._Element) -> Coordinates:
    children = _children(element)
    if not children:
        raise GeometryFault("geometry-empty", "the geometry is empty", element)
    if len(children) == 1 and _name(children[0]) == "posList":
        return _numbers(children[0])
    return np.concatenate([_numbers(_expect(child, "pos")) for child in children])


def _numbers(element: etree._Element) -> Coordinates:
    if len(element):
        raise GeometryFault("geometry-malformed", "positions are numbers only", element)
    texts = (element.text or "").split()
    if any("_" in text or not text.isascii() for text in texts):  # numpy reads 1_5 as 15
        raise GeometryFault(
            "coordinate-not-a-number", "a coordinate is not a number with a decimal point", element
        )
    try:
        flat = np.array(texts, dtype=np.float64)
    except ValueError:
        raise GeometryFault(
            "coordinate-not-a-number", "a coordinate is not a number with a decimal point", element
        ) from None
    if not len(flat) or len(flat) % _POINT_NUMBERS:
        raise GeometryFault(
            "Check3DGeometryRule", "every position has three numbers: east, north, height", element
        )
    if not np.isfinite(flat).all():
        raise GeometryFault("coordinate-not-finite", "a coordinate is not finite", element)
    coordinates: Coordinates = flat.reshape(-1, _POINT_NUMBERS)
    heights = coordinates[:, 2]
    heights[heights == UNKNOWN_HEIGHT] = np.nan
    lowest, highest = HEIGHTS_M
    impossible = heights[(heights < lowest) | (heights > highest)]
    if len(impossible):
        raise GeometryFault(
            "height-impossible",
            f"the height {impossible[0]:g} m cannot be above DVR90; an unknown height is written -99",
            element,
        )
    return coordinates


def _make_line(coordinates: Coordinates, element: etree._Element) -> shapely.LineString:
    if len(coordinates) < 2 or all(_same(coordinates[0], other) for other in coordinates[1:]):  # noqa: PLR2004
        raise GeometryFault("geometry-degenerate", "a line needs two different positions", element)
    return shapely.LineString(coordinates)


def _join(pieces: list[Coordinates], element: etree._Element) -> Coordinates:
    if not pieces:
        raise GeometryFault("geometry-empty", "the geometry is empty", element)
    for before, after in pairwise(pieces):
        if not _same(before[-1], after[0]):
            raise GeometryFault(
                "curve-gap", "the segments of a curve must meet: a gap would be drawn as a line", element
            )
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


def _same(one: Coordinates, other: Coordinates) -> bool:
    return np.array_equal(one, other, equal_nan=True)


def _coordinates(geometry: BaseGeometry) -> Coordinates:
    return shapely.get_coordinates(geometry, include_z=True)


def _children(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _only_child(element: etree._Element, name: str | None = None) -> etree._Element:
    children = _children(element)
    if len(children) != 1:
        raise GeometryFault(
            "geometry-malformed", f"one element wanted inside {etree.QName(element).localname}", element
        )
    return _expect(children[0], name) if name else children[0]


def _expect(element: etree._Element, name: str) -> etree._Element:
    if element.tag != _GML + name:
        raise GeometryFault(
            "geometriDatatyperestriktion", f"{_name(element)} found, wanted gml:{name}", element
        )
    return element


def _name(element: etree._Element) -> str:
    qualified = etree.QName(element)
    return qualified.localname if qualified.namespace == NAMESPACES["gml"] else str(element.tag)


_READERS: Final[dict[str, Callable[[etree._Element], BaseGeometry]]] = {
    "Point": _point,
    "LineString": _line,
    "Curve": _curve,
    "MultiCurve": _multi_curve,
    "MultiPoint": _multi_point,
    "Polygon": _polygon,
    "Surface": _surface,
    "MultiSurface": _multi_surface,
}
_ALLOWED: Final[dict[str, Collection[str]]] = {
    "point": ("Point",),
    "curve": ("LineString", "Curve"),
    "curves": ("MultiCurve",),
    "surface": ("Polygon", "Surface"),
    "any": tuple(_READERS),
}
