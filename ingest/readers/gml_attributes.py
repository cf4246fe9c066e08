"""The XML attributes that the published schemas allow on an element, and their values.

An attribute that is allowed but says nothing that the platform keeps is told; one that is not allowed is a fault.
"""

import re
from collections.abc import Mapping
from typing import Final

from ingest.readers.identifiers import GML_ID, HREF
from ingest.readers.xml_stream import WHITE_SPACE, Element
from ler.model import NAMESPACES, Attribute, Kind

_XLINK: Final = f"{NAMESPACES['xlink']}}}"
_XSI: Final = f"{NAMESPACES['xsi']}}}"
NIL: Final = f"{_XSI}nil"
REASON: Final = "nilReason"

_LINK: Final = frozenset(
    {_XLINK + name for name in ("type", "href", "role", "arcrole", "title", "show", "actuate")}
)
_ASSOCIATION: Final = _LINK | {"owns", REASON, f"{NAMESPACES['gml']}}}remoteSchema"}
_REFERENCE_SYSTEM: Final = frozenset({"srsName", "srsDimension", "axisLabels", "uomLabels"})
_GEOMETRY: Final = _REFERENCE_SYSTEM | {GML_ID}
_AGGREGATE: Final = _GEOMETRY | {"aggregationType"}
_DERIVATIVES: Final = frozenset({"numDerivativesAtStart", "numDerivativesAtEnd", "numDerivativeInterior"})
_ANYWHERE: Final = frozenset({f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation"})
_OWNED: Final = frozenset({"owns"})
_GML: Final = f"{NAMESPACES['gml']}}}"

_OF_GML: Final[Mapping[str, frozenset[str]]] = {
    _GML + name: allowed
    for names, allowed in (
        (("Point", "LineString", "Curve", "Polygon", "Surface", "LinearRing"), _GEOMETRY),
        (("MultiPoint", "MultiCurve", "MultiSurface", "Ring"), _AGGREGATE),
        (("LineStringSegment",), _DERIVATIVES | {"interpolation"}),
        (("PolygonPatch",), frozenset({"interpolation"})),
        (("pos", "lowerCorner", "upperCorner", "Envelope"), _REFERENCE_SYSTEM),
        (("posList",), _REFERENCE_SYSTEM | {"count"}),
        (("pointMember", "curveMember", "surfaceMember", "descriptionReference"), _ASSOCIATION),
        (("description",), _ASSOCIATION - {"owns"}),
        (("pointMembers", "curveMembers", "surfaceMembers"), _OWNED),
        (("identifier", "name"), frozenset({"codeSpace"})),
        (("boundedBy",), frozenset({REASON})),
    )
    for name in names
}
_OF_KIND: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.MEASURE: frozenset({"uom"}),
    Kind.LEVEL: _REFERENCE_SYSTEM,
    Kind.TIME: frozenset({"indeterminatePosition", "frame", "calendarEraName"}),
    Kind.FORMAT: frozenset({"type"}),
    Kind.LITERAL: frozenset({"http://www.w3.org/XML/1998/namespace}lang"}),
    Kind.REFERENCE: _ASSOCIATION,
    Kind.INLINE: _OWNED,
    Kind.GEOMETRY: _ASSOCIATION,
}
_READ: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.MEASURE: frozenset({"uom"}),
    Kind.LEVEL: frozenset({"srsName", "srsDimension"}),
    Kind.TIME: frozenset({"indeterminatePosition", "frame"}),
    Kind.FORMAT: frozenset({"type"}),
    Kind.REFERENCE: frozenset({HREF}),
}
_BOOLEAN: Final = ("true", "false", "1", "0")
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    NIL: _BOOLEAN,
    "owns": _BOOLEAN,
    "interpolation": ("linear", "planar"),
    "aggregationType": ("set", "bag", "sequence", "array", "record", "table"),
    f"{_XLINK}type": ("simple",),
    f"{_XLINK}show": ("new", "replace", "embed", "other", "none"),
    f"{_XLINK}actuate": ("onLoad", "onRequest", "other", "none"),
}
_FIXED: Final = {_GML + "LineStringSegment": "linear", _GML + "PolygonPatch": "planar"}
_PATTERNS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "count": (re.compile(r"\+?0*[1-9][0-9]*"), "1"),
    "srsDimension": (re.compile(r"\+?0*[1-9][0-9]*"), "1"),
    **{name: (re.compile(r"[+-]?[0-9]+"), "0") for name in _DERIVATIVES},
}


class AttributeFault(ValueError):  # noqa: N818 - a finding about a file, not an error of ours
    """An XML attribute that may not stand where it stands, or not with its value."""

    def __init__(self, code: str, found: str, wanted: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.found = found
        self.wanted = wanted


def check_attributes(element: Element) -> None:
    """Check the attributes of an element of GML. Raises AttributeFault."""
    allowed = _OF_GML.get(element.name, _GEOMETRY)
    for name, value in element.attributes.items():
        if name not in allowed:
            check_elsewhere(name)
        fixed = _FIXED.get(element.name) if name == "interpolation" else None
        if fixed and value != fixed:
            raise AttributeFault("xml-attribute-value", f"{name}={value}", fixed)
        check_value(name, value)


def check_property(attribute: Attribute, element: Element) -> list[str]:
    """Check the attributes of a property element; return those that are not kept. Raises AttributeFault."""
    kind = attribute.kind
    allowed = _OF_KIND.get(kind, frozenset())
    kept = _READ.get(kind, frozenset())
    lost = []
    for name, value in element.attributes.items():
        if name == NIL or (name == REASON and attribute.void):
            check_value(name, value)
        elif name in allowed:
            check_value(name, value)
            if name not in kept:
                lost.append(name)
        else:
            check_elsewhere(name)
    return lost


def check_root(element: Element, own: frozenset[str]) -> None:
    """Check the attributes of an element that may only have its own. Raises AttributeFault."""
    for name in element.attributes:
        if name not in own:
            check_elsewhere(name)


def check_elsewhere(name: str) -> None:
    """Refuse an attribute that no schema names here, unless it may stand anywhere. Raises AttributeFault."""
    if name not in _ANYWHERE:
        raise AttributeFault("attribute-unknown", name)


def check_value(name: str, value: str) -> None:
    """Refuse a value that the attribute cannot have. Raises AttributeFault."""
    stripped = value.strip(WHITE_SPACE)
    values = _VALUES.get(name)
    if values and stripped not in values:
        raise AttributeFault(
            "xml-attribute-value", f"{name.rpartition('}')[2]}={value}"[:60], " | ".join(values)
        )
    pattern, wanted = _PATTERNS.get(name, (None, ""))
    if pattern and not pattern.fullmatch(stripped):
        raise AttributeFault("xml-attribute-value", f"{name}={value}"[:60], wanted)
