"""One element of an LER file to one `Feature`, driven by the model; every fault becomes a finding.

The reader goes on after a fault, so that an owner sees all of them. It checks what it must to read faithfully:
element names, order and number, codes, lengths, numbers and units, voids, references and identifiers. Nothing that it
does not understand is dropped in silence.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import shapely
from lxml import etree

from ingest.findings import Finding, Findings, Severity
from ingest.readers.gml_geometry import GeometryFault, line_of, read_geometry
from ler.model import NAMESPACES, Attribute, Feature, FeatureType, Kind, Model, Value
from ler.model.values import BEFORE, MEDIA_TYPES, parse

LEVEL_CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/5799"
"""DVR90 height: the only reference system of a level."""

_GML: Final = "{" + NAMESPACES["gml"] + "}"
_GML_ID: Final = _GML + "id"
_HREF: Final = "{" + NAMESPACES["xlink"] + "}href"
_NIL: Final = "{" + NAMESPACES["xsi"] + "}nil"
_TRUE: Final = frozenset({"true", "1"})
_NCNAME: Final = re.compile(r"[^\W\d][\w.\-]*")
_STANDARD_PROPERTIES: Final = frozenset(
    _GML + name
    for name in ("metaDataProperty", "description", "descriptionReference", "identifier", "name", "location")
)
_IN_ONE_ELEMENT: Final = frozenset({Kind.REFERENCE, Kind.INLINE, Kind.GEOMETRY})
_OWN_ATTRIBUTES: Final[dict[Kind, frozenset[str]]] = {
    Kind.MEASURE: frozenset({"uom"}),
    Kind.LEVEL: frozenset({"srsName", "srsDimension"}),
    Kind.TIME: frozenset({"indeterminatePosition", "frame"}),
    Kind.FORMAT: frozenset({"type"}),
    Kind.REFERENCE: frozenset({_HREF}),
}

type Coverage = tuple[float, float, float, float]
"""West, south, east, north in EPSG:25832, metres."""


@dataclass(slots=True)
class FeatureReader:
    """Reads the elements of one file; remembers identifiers and references across them."""

    model: Model
    coverage: Coverage
    findings: Findings
    _ids: set[str] = field(default_factory=set)
    _wanted: dict[str, tuple[int, str]] = field(default_factory=dict)
    _gml_id: str = ""

    def read(self, element: etree._Element, feature_type: FeatureType) -> Feature:
        """Return the feature that the element holds; what could not be read is missing and has its finding."""
        gml_id = self._gml_id = self._identifier(element)
        feature = Feature(feature_type.name, gml_id, line=line_of(element))
        self.fill(feature, list(element), feature_type)
        return feature

    def fill(self, feature: Feature, children: list[etree._Element], feature_type: FeatureType) -> None:
        """Read the property elements of one feature, in the order the model wants them."""
        reached = 0
        counts: Counter[str] = Counter()
        for child in children:
            attribute = feature_type.by_tag.get(str(child.tag))
            if attribute is None:
                self._unknown(child, feature_type)
                continue
            counts[attribute.name] += 1
            if attribute.position < reached:
                self.report(
                    "element-misplaced", f"{attribute.name} stands too late: the order is fixed", child
                )
            reached = max(reached, attribute.position)
            self._read_attribute(feature, attribute, child)
        for attribute in feature_type.attributes:
            count = counts[attribute.name]
            if count < attribute.min_count:
                self._missing(feature, attribute)
            if not attribute.many and count > 1:
                self._too_many(feature, attribute, count)

    def report(
        self, code: str, message: str, element: etree._Element, severity: Severity = Severity.ERROR
    ) -> None:
        """Add a finding at an element of the feature being read."""
        self._add(code, message, line_of(element), severity)

    def check_references(self) -> None:
        """After the last feature: every reference must have met its target somewhere in the file."""
        for target, (line, gml_id) in self._wanted.items():
            if target not in self._ids:
                message = f"reference to #{target}, but no feature of this file has that gml:id"
                self.findings.add(Finding("ManglendeGmlIdHenvisningRule", message, line, gml_id))

    def _identifier(self, element: etree._Element) -> str:
        gml_id = element.get(_GML_ID)
        for name in element.attrib:
            if name != _GML_ID:
                self.report("attribute-unknown", f"XML attribute {name} is not part of the model", element)
        if gml_id is None:
            self.report("gml-id-missing", f"{_local(element)} needs a gml:id", element)
            return ""
        if not _NCNAME.fullmatch(gml_id):
            self.report(
                "gml-id-invalid", f"gml:id {gml_id!r} must begin with a letter and hold no blanks", element
            )
        elif gml_id in self._ids:
            self.report("id-duplicate", f"gml:id {gml_id!r} is used twice in the file", element)
        self._ids.add(gml_id)
        return gml_id

    def _unknown(self, child: etree._Element, feature_type: FeatureType) -> None:
        if child.tag in _STANDARD_PROPERTIES:
            message = f"gml:{_local(child)} is no part of the LER model and is not kept"
            self.report("gml-property-not-kept", message, child, Severity.WARNING)
        elif child.tag != _GML + "boundedBy":  # an envelope says nothing that the geometry does not say
            message = (
                f"{_local(child)} is not an attribute of {feature_type.name} in LER {self.model.version}"
            )
            self.report("element-unknown", message, child)

    def _read_attribute(self, feature: Feature, attribute: Attribute, element: etree._Element) -> None:
        try:
            if element.get(_NIL) in _TRUE:
                feature.voids[attribute.name] = self._void(attribute, element)
            elif attribute.kind is Kind.GEOMETRY:
                feature.geometry = self._geometry(attribute, element)
            else:
                self._store(feature, attribute, self._value(attribute, element))
        except GeometryFault as fault:
            self._add(fault.code, str(fault), fault.line, Severity.ERROR)
        except ValueError as wanted:
            code = "attribute-code" if attribute.kind is Kind.CODE else "attribute-value"
            given = _shorten(element.text or "")
            self.report(code, f"{attribute.name} is '{given}', wanted {wanted}", element)

    @staticmethod
    def _store(feature: Feature, attribute: Attribute, value: Value) -> None:
        if not attribute.many:
            feature.attributes[attribute.name] = value
            return
        values = feature.attributes.setdefault(attribute.name, [])
        if isinstance(values, list):
            values.append(value)

    def _value(self, attribute: Attribute, element: etree._Element) -> Value:
        self._check_xml_attributes(attribute, element)
        if attribute.kind is Kind.INLINE:
            return self._inline(attribute, element)
        if len(element):
            raise ValueError("text, not elements")
        if attribute.kind is Kind.REFERENCE:
            return self._reference(element)
        text = element.text or ""
        if attribute.kind is Kind.MEASURE:
            self._check_unit(attribute, element)
        elif attribute.kind is Kind.LEVEL:
            self._check_level(element)
        elif attribute.kind is Kind.FORMAT:
            self._check_media_type(element, text)
        value = parse(attribute, text)
        if attribute.kind is Kind.TIME and element.get("indeterminatePosition") is not None:
            return self._before(element, value)
        if attribute.kind is Kind.MEASURE and not attribute.unit:
            return {"value": value, "uom": element.get("uom")}
        return value

    def _void(self, attribute: Attribute, element: etree._Element) -> str | None:
        if not attribute.void:
            self.report("void-not-allowed", f"{attribute.name} may not be void (xsi:nil)", element)
        if len(element) or element.text or element.get(_HREF) is not None:
            self.report("void-not-empty", f"{attribute.name} is void and must be empty", element)
        if attribute.kind is Kind.MEASURE:
            self._check_unit(attribute, element)
        reason = element.get("nilReason")
        if reason not in {None, "unknown"}:
            self.report(
                "indholdNilReasonRestriktion", f"nilReason is {reason!r}, wanted 'unknown' or none", element
            )
        return reason

    def _geometry(self, attribute: Attribute, element: etree._Element) -> shapely.geometry.base.BaseGeometry:
        geometry = read_geometry(element, attribute.geometry)
        west, south, east, north = self.coverage
        left, bottom, right, top = geometry.bounds
        if left >= west and bottom >= south and right <= east and top <= north:
            return geometry
        if abs(left) <= 180 and abs(bottom) <= 180:  # noqa: PLR2004 - degrees
            raise GeometryFault(
                "crs-out-of-area", "the coordinates look like degrees, wanted metres", element
            )
        if left >= south and right <= north and bottom >= west and top <= east:
            raise GeometryFault(
                "crs-axis-order", "the axes look swapped: easting first, then northing", element
            )
        raise GeometryFault(
            "crs-out-of-area",
            f"({left:.0f}, {bottom:.0f}) lies outside the area that this platform covers",
            element,
        )

    def _inline(self, attribute: Attribute, element: etree._Element) -> dict[str, Value]:
        target = self.model.types[attribute.target]
        children = list(element)
        if len(children) != 1 or children[0].tag != target.tag:
            raise ValueError(f"one {attribute.target} element inside")
        outer = self._gml_id
        feature = self.read(children[0], target)
        self._gml_id = outer
        return {"gml_id": feature.gml_id, **feature.attributes}

    def _reference(self, element: etree._Element) -> str:
        href = element.get(_HREF)
        if href is None or not href.startswith("#") or len(href) == 1:
            self.report(
                "HrefHashtagRule", f"xlink:href is {href!r}, wanted '#' and the gml:id of a feature", element
            )
            return ""
        target = href[1:]
        if target not in self._ids:
            self._wanted.setdefault(target, (line_of(element), self._gml_id))
        return target

    def _before(self, element: etree._Element, value: Value) -> Value:
        if element.get("indeterminatePosition") != "before":
            self.report("EtableringsTidsPunktRule", "indeterminatePosition may only be 'before'", element)
        return f"{BEFORE}{value}"

    def _check_unit(self, attribute: Attribute, element: etree._Element) -> None:
        unit = element.get("uom")
        if unit is None:
            self.report("unit-missing", f"{attribute.name} needs uom='{attribute.unit or '...'}'", element)
        elif attribute.unit and unit != attribute.unit:
            self.report(
                "unit-wrong", f"{attribute.name} has uom={unit!r}, wanted {attribute.unit!r}", element
            )

    def _check_level(self, element: etree._Element) -> None:
        if element.get("srsName") != LEVEL_CRS:
            message = f"srsName is {element.get('srsName')!r}, wanted {LEVEL_CRS}"
            self.report("indholdKoteSRIDrestriktion", message, element)
        if element.get("srsDimension") not in {None, "1"}:
            self.report("indholdKoteSRIDrestriktion", "a level has srsDimension 1", element)

    def _check_media_type(self, element: etree._Element, text: str) -> None:
        wanted = MEDIA_TYPES.get(text)
        if wanted and element.get("type") != wanted:
            message = f"format {text} has type={element.get('type')!r}, wanted {wanted!r}"
            self.report("formatRestriktion", message, element)

    def _check_xml_attributes(self, attribute: Attribute, element: etree._Element) -> None:
        known = _OWN_ATTRIBUTES.get(attribute.kind, frozenset())
        for name in element.attrib:
            if name not in known and name not in {_NIL, "nilReason"}:
                message = f"XML attribute {name} of {attribute.name} is not kept"
                self.report("xml-attribute-not-kept", message, element, Severity.WARNING)

    def _missing(self, feature: Feature, attribute: Attribute) -> None:
        message = f"{feature.type} needs {attribute.name}"
        self._add("element-missing", message, feature.line, Severity.ERROR)

    def _too_many(self, feature: Feature, attribute: Attribute, count: int) -> None:
        message = f"{feature.type} has {attribute.name} {count} times, wanted once"
        self._add("element-too-many", message, feature.line, Severity.ERROR)

    def _add(self, code: str, message: str, line: int, severity: Severity) -> None:
        self.findings.add(Finding(code, message, line, self._gml_id, severity))


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _shorten(text: str, longest: int = 60) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
