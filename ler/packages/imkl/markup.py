"""Markup of IMKL: elements, identifiers and geometry in RD (EPSG:28992), two numbers a vertex, three decimals."""

from typing import Final
from xml.sax.saxutils import escape, quoteattr

import shapely
from shapely.geometry.base import BaseGeometry

from ler.exchange.identifiers import NAMESPACE
from ler.exchange.tables import load_imkl
from ler.model.values import format_number

UOM: Final = "urn:ogc:def:uom:OGC::"
UNKNOWN: Final = "Unknown"
"""Reason of a void: nobody knows. A void without a reason is one that says nothing."""


def text_element(name: str, text: str) -> str:
    """Return an element that holds text."""
    return f"<{name}>{escape(text, {'\r': '&#13;'})}</{name}>"


def link_element(name: str, target: str) -> str:
    """Return an element that points to an object or a code."""
    return f"<{name} xlink:href={quoteattr(target)}/>"


def measure_element(name: str, number: float, unit: str) -> str:
    """Return an element that holds a number with its unit."""
    return f'<{name} uom="{UOM}{unit}">{format_number(number)}</{name}>'


def void_element(name: str, *, unknown: bool = False) -> str:
    """Return an element without a value; `unknown` says that nobody knows it."""
    unit = load_imkl().raw["units"].get(name)
    measure = f' uom="{UOM}{unit}"' if unit else ""
    reason = f' nilReason="{UNKNOWN}"' if unknown else ""
    return f'<{name}{measure} xsi:nil="true"{reason}/>'


def inspire_id(name: str, local: str) -> str:
    """Return an identifier as INSPIRE has it."""
    return (
        f"<{name}><base:Identifier><base:localId>{local}</base:localId>"
        f"<base:namespace>{NAMESPACE}</base:namespace></base:Identifier></{name}>"
    )


def imkl_id(local: str) -> str:
    """Return an identifier as IMKL has it."""
    return (
        f"<imkl:identificatie><imkl:NEN3610ID><imkl:namespace>{NAMESPACE}</imkl:namespace>"
        f"<imkl:lokaalID>{local}</imkl:lokaalID></imkl:NEN3610ID></imkl:identificatie>"
    )


def geometry_element(geometry: BaseGeometry, gml_id: str, *, curve: bool = False) -> str:
    """Return a geometry in RD; a line as a Curve where INSPIRE has one. Outer rings turn against the clock, as KLIC wants."""
    head = f' srsName="{load_imkl().raw["crs"]}" srsDimension="2" gml:id="{gml_id}"'
    match geometry:
        case shapely.Point():
            return f"<gml:Point{head}><gml:pos>{_numbers(geometry)}</gml:pos></gml:Point>"
        case shapely.LineString():
            positions = f"<gml:posList>{_numbers(geometry)}</gml:posList>"
            if not curve:
                return f"<gml:LineString{head}>{positions}</gml:LineString>"
            segment = f"<gml:LineStringSegment>{positions}</gml:LineStringSegment>"
            return f"<gml:Curve{head}><gml:segments>{segment}</gml:segments></gml:Curve>"
        case shapely.Polygon():
            turned = shapely.orient_polygons(geometry)
            rings = _ring("exterior", turned.exterior)
            rings += "".join(_ring("interior", hole) for hole in turned.interiors)
            return f"<gml:Polygon{head}>{rings}</gml:Polygon>"
    name, member = _COLLECTIONS[geometry.geom_type]
    inner = "".join(
        f"<gml:{member}>{geometry_element(part, f'{gml_id}_{number}')}</gml:{member}>"
        for number, part in enumerate(shapely.get_parts(geometry), start=1)
    )
    return f"<gml:{name}{head}>{inner}</gml:{name}>"


_COLLECTIONS: Final = {
    "MultiPoint": ("MultiPoint", "pointMember"),
    "MultiLineString": ("MultiCurve", "curveMember"),
    "MultiPolygon": ("MultiSurface", "surfaceMember"),
}


def _ring(name: str, ring: BaseGeometry) -> str:
    return f"<gml:{name}><gml:LinearRing><gml:posList>{_numbers(ring)}</gml:posList></gml:LinearRing></gml:{name}>"


def _numbers(geometry: BaseGeometry) -> str:
    decimals = load_imkl().raw["coordinate_decimals"]
    coordinates = shapely.get_coordinates(geometry).round(decimals)
    return " ".join(format_number(number) for number in coordinates.ravel().tolist())
