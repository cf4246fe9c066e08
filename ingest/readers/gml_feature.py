"""One element of an LER file to one `Feature`, driven by the model; every fault becomes a finding.

The reader goes on after a fault, so that an owner sees all of them. It reports what a validator with the published
schemas would, without them: element names, order and number, codes, lengths, numbers and units, voids, XML attributes,
identifiers. Nothing that it does not understand is dropped in silence.
"""

import re
from typing import Final

from ingest.findings import Finding, Findings
from ingest.readers.geometry_batch import GeometryBatch
from ingest.readers.gml_attributes import NIL, REASON, AttributeFault, check_property, check_root
from ingest.readers.gml_geometry import Coverage, GeometryFault
from ingest.readers.gml_standard import check_standard
from ingest.readers.identifiers import GML_ID, HREF, Identifiers
from ingest.readers.type_table import BEFORE_ALL, REPEATED, STANDARD, Column, TypeTable, make_tables, plain
from ingest.readers.xml_stream import WHITE_SPACE, Element
from ingest.rules.catalogue import load_rules
from ler.model import Feature, Kind, Model, Value
from ler.model.values import BEFORE, MEDIA_TYPES, ImpossibleDateError, parse

LEVEL_CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/5799"
"""DVR90 height: the only reference system of a level."""

UNKNOWN: Final = "unknown"
"""The only reason for a void that the LER model admits."""

_TRUE: Final = frozenset({"true", "1"})
_NCNAME: Final = re.compile(r"[^\W\d][\w.\-·]*")
_UNIT: Final = re.compile(r"[^: \n\r\t]+|([a-zA-Z][a-zA-Z0-9\-+.]*:|\.\./|\./|#).*")
_ONLY_ID: Final = frozenset({GML_ID})


class FeatureReader:
    """Reads the elements of one file; remembers identifiers and references across them."""

    def __init__(self, model: Model, coverage: Coverage, findings: Findings) -> None:
        self.model = model
        self.findings = findings
        self.identifiers = Identifiers()
        self.tables = make_tables(model)
        self.geometries = GeometryBatch(coverage, self._faulty_geometry)
        self._rules = load_rules()
        self._feature = Feature("", "")
        self.kept_standard: frozenset[str] = frozenset()
        """Elements of GML itself that mean something where the reader is."""

    def turn_to(self, feature: Feature) -> None:
        """Report what follows as faults of this feature."""
        self._feature = feature

    def read(self, element: Element, table: TypeTable) -> Feature:
        """Return the feature that the element holds; what could not be read is missing and has its finding.

        Its geometry may be missing until `geometries` are flushed.
        """
        feature = self._feature = Feature(table.name, "", line=element.line)
        feature.gml_id = self._identifier(element)
        self.fill(feature, element.children, table, element)
        return feature

    def fill(self, feature: Feature, children: list[Element], table: TypeTable, holder: Element) -> None:
        """Read the property elements of one feature, in the order the model wants them."""
        self._feature = feature
        columns, attributes = table.columns, feature.attributes
        reached, seen = BEFORE_ALL, 0
        for child in children:
            column = columns.get(child.name)
            if column is None:
                reached = self._no_attribute(child, reached)
                continue
            position = column.position
            if position > reached:
                reached = position
            else:
                self._check_order(column, child, reached, seen)
            seen |= column.bit
            text = child.text
            if child.attributes != column.usual or child.children:
                self._read_marked(feature, column, child)
            elif len(text) <= column.longest:
                self._store(attributes, column, text)
            elif text in column.known:
                self._store(attributes, column, column.known[text])
            else:
                self._read_marked(feature, column, child)
        if holder.text:
            self._check_text(holder)
        if seen & table.required != table.required:
            self._report_missing(table, seen, holder)

    def report(
        self, code: str, element: Element, attribute: str = "", found: str = "", wanted: str = ""
    ) -> None:
        """Add a finding at an element of the feature being read; the catalogue says how much it weighs."""
        feature = self._feature
        finding = Finding(
            code=code,
            line=element.line,
            column=element.column,
            gml_id=feature.gml_id,
            severity=self._rules[code].severity,
            feature_type=feature.type,
            attribute=attribute,
            found=_shorten(found),
            wanted=wanted,
        )
        self.findings.add(finding)

    @staticmethod
    def _store(attributes: dict[str, Value], column: Column, value: Value) -> None:
        if not column.many:
            attributes[column.name] = value
            return
        values = attributes.setdefault(column.name, [])
        if isinstance(values, list):
            values.append(value)

    def _identifier(self, element: Element) -> str:
        gml_id = element.attributes.get(GML_ID)
        if gml_id is None or len(element.attributes) > 1:
            try:
                check_root(element, _ONLY_ID)
            except AttributeFault as fault:
                self.report(fault.code, element, "", fault.found, fault.wanted)
        if gml_id is None:
            self.report("gml-id-missing", element)
            return ""
        self.take_identifier(element, gml_id)
        return gml_id.strip(WHITE_SPACE)

    def take_identifier(self, element: Element, gml_id: str) -> None:
        """Check an identifier and take note of it."""
        gml_id = gml_id.strip(WHITE_SPACE)
        if not _NCNAME.fullmatch(gml_id):
            self.report("gml-id-invalid", element, "gml:id", gml_id)
        self.identifiers.add(gml_id)

    def _no_attribute(self, child: Element, reached: int) -> int:
        """An element that the feature type does not have; GML itself gives every feature a few."""
        position = STANDARD.get(child.name)
        if position is None:
            self.report("element-unknown", child, child.local_name, child.name)
            return reached
        if position < reached or (position == reached and child.name not in REPEATED):
            self.report("element-misplaced", child, f"gml:{child.local_name}")
        fault = check_standard(child)
        if fault:
            self.report("gml-property-wrong", child, f"gml:{child.local_name}", fault)
        elif child.name not in self.kept_standard and child.local_name != "boundedBy":
            self.report("gml-property-not-kept", child, f"gml:{child.local_name}")
        return max(reached, position)

    def _check_order(self, column: Column, child: Element, reached: int, seen: int) -> None:
        if column.position < reached:
            self.report("element-misplaced", child, column.name)
        if seen & column.bit and not column.many:
            self.report("element-too-many", child, column.name, "", "1")

    def _check_text(self, element: Element) -> None:
        if element.stray_text:
            self.report("text-misplaced", element, element.local_name, element.stray_text)

    def _report_missing(self, table: TypeTable, seen: int, holder: Element) -> None:
        for column in table.columns.values():
            if column.attribute.min_count and not seen & column.bit:
                self.report("element-missing", holder, column.name)

    def _read_marked(self, feature: Feature, column: Column, element: Element) -> None:
        """Read a property element that has something to be looked at: markup, elements, a text not met before."""
        try:
            if element.attributes:
                for name in check_property(column.attribute, element):
                    self.report("xml-attribute-not-kept", element, column.name, name.rpartition("}")[2])
            if NIL in element.attributes:
                void = element.attributes[NIL].strip(WHITE_SPACE) in _TRUE
                if not column.attribute.void:
                    self.report("void-not-allowed", element, column.name)
                if void:
                    feature.voids[column.name] = self._void(column, element)
                    return
            self._check_reason(column, element)
            if column.attribute.kind is Kind.GEOMETRY:
                self._geometry(feature, column, element)
            else:
                self._store(feature.attributes, column, self._value(column, element))
        except AttributeFault as fault:
            self._unread(feature, column)
            self.report(fault.code, element, column.name, fault.found, fault.wanted)
        except ValueError as fault:
            self._unread(feature, column)
            self.report(_code_of(column, fault), element, column.name, element.text, str(fault))

    @staticmethod
    def _unread(feature: Feature, column: Column) -> None:
        feature.unread |= {column.name}

    def _value(self, column: Column, element: Element) -> Value:
        attribute = column.attribute
        if attribute.kind is Kind.INLINE:
            return self._inline(column, element)
        if element.children:
            child = element.children[0]
            raise AttributeFault("element-unknown", child.name)
        if attribute.kind is Kind.REFERENCE:
            return self._reference(column, element)
        self._check_markup(column, element)
        value = parse(attribute, element.text)
        if attribute.kind is Kind.TIME and "indeterminatePosition" in element.attributes:
            return f"{BEFORE}{value}"
        if attribute.kind is Kind.MEASURE and not attribute.unit:
            return {"value": value, "uom": element.attributes.get("uom")}
        if element.attributes == column.usual:
            column.remember(element.text, value)
        return value

    def _check_markup(self, column: Column, element: Element) -> None:
        match column.attribute.kind:
            case Kind.MEASURE:
                self._check_unit(column, element)
            case Kind.LEVEL:
                self._check_level(column, element)
            case Kind.FORMAT:
                self._check_media_type(column, element)
            case Kind.TIME:
                self._check_time(column, element)
            case _:
                pass

    def _void(self, column: Column, element: Element) -> str | None:
        if element.children or element.text or HREF in element.attributes:
            self.report("void-not-empty", element, column.name, element.text)
        if column.attribute.kind is Kind.MEASURE:
            self._check_unit(column, element)
        return self._check_reason(column, element)

    def _check_reason(self, column: Column, element: Element) -> str | None:
        reason = element.attributes.get(REASON)
        if reason is not None and reason != UNKNOWN:
            self.report("indholdNilReasonRestriktion", element, column.name, reason, UNKNOWN)
        return reason

    def _geometry(self, feature: Feature, column: Column, element: Element) -> None:
        self._take_geometry_identifiers(element)
        self.geometries.add(feature, column.name, element, column.attribute.geometry)

    def _take_geometry_identifiers(self, element: Element) -> None:
        for child in element.children:
            gml_id = child.attributes.get(GML_ID)
            if gml_id is not None:
                self.take_identifier(child, gml_id)
            if child.children:
                self._take_geometry_identifiers(child)

    def _faulty_geometry(self, feature: Feature, attribute: str, fault: GeometryFault) -> None:
        feature.unread |= {attribute}
        self._feature = feature
        self.report(fault.code, fault.element, attribute, fault.found, fault.wanted)

    def _inline(self, column: Column, element: Element) -> dict[str, Value]:
        target = self.tables[column.attribute.target]
        children = element.children
        self._check_text(element)
        if len(children) != 1 or children[0].name != plain(target.feature_type.tag):
            found = ", ".join(child.local_name for child in children[:3])
            raise AttributeFault("member-wrong", found, target.name)
        outer = self._feature
        feature = self.read(children[0], target)
        self._feature = outer
        return {"gml_id": feature.gml_id, **feature.attributes}

    def _reference(self, column: Column, element: Element) -> str:
        if element.text:  # not even blanks: its type has empty content
            self.report("text-misplaced", element, column.name, element.text)
        href = element.attributes.get(HREF, "")
        if not href.startswith("#") or len(href) == 1:
            self.report("HrefHashtagRule", element, column.name, href, "#…")
            return ""
        target = href[1:]
        self.identifiers.refer(target)
        return target

    def _check_time(self, column: Column, element: Element) -> None:
        position = element.attributes.get("indeterminatePosition", "before")
        if position != "before":
            self.report("EtableringsTidsPunktRule", element, column.name, position, "before")
        if "calendarEraName" in element.attributes:
            self.report("EtableringsTidsPunktRule", element, column.name, "calendarEraName")

    def _check_unit(self, column: Column, element: Element) -> None:
        unit = element.attributes.get("uom")
        wanted = column.attribute.unit
        if unit is None:
            self.report("unit-missing", element, column.name, "", wanted or "m")
        elif (wanted and unit != wanted) or not _UNIT.fullmatch(unit):
            self.report("unit-wrong", element, column.name, unit, wanted or "m")

    def _check_level(self, column: Column, element: Element) -> None:
        system = element.attributes.get("srsName", "")
        if system != LEVEL_CRS:
            self.report("indholdKoteSRIDrestriktion", element, column.name, system, LEVEL_CRS)
        dimension = element.attributes.get("srsDimension", "1")
        if dimension != "1":
            self.report("indholdKoteSRIDrestriktion", element, column.name, dimension, "1")

    def _check_media_type(self, column: Column, element: Element) -> None:
        wanted = MEDIA_TYPES.get(element.text)
        found = element.attributes.get("type", "")
        if wanted and found != wanted:
            self.report("formatRestriktion", element, column.name, found, wanted)


def _code_of(column: Column, fault: ValueError) -> str:
    if isinstance(fault, ImpossibleDateError):
        return "date-impossible"
    match column.attribute.kind:
        case Kind.CODE | Kind.FORMAT:
            return "attribute-code"
        case Kind.TEXT:
            return "text-too-long"
        case _:
            return "attribute-value"


def _shorten(text: str, longest: int = 60) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
