"""The elements of one object of IMKL as attributes of LER, as the table says; what LER has no place for is told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ingest.readers.identifiers import HREF
from ingest.readers.imkl.desk import Desk
from ingest.readers.xml_stream import Element
from ler.exchange.tables import DANGER_PREFIX, DUMMY_TIME, Field, ImklTable, last_word
from ler.model import NAMESPACES, Attribute, Feature, FeatureType, Kind, Value
from ler.model.values import parse, parse_number, parse_time

UNKNOWN: Final = "unknown"
"""The one reason for a void that LER has."""

_NIL: Final = f"{NAMESPACES['xsi']}}}nil"
_TRUE: Final = frozenset({"true", "1"})
_MIDNIGHT: Final = "T00:00:00"
_DAY: Final = len("2024-05-13")
_UNITS: Final[Mapping[str, float]] = {
    "mm": 1,
    "cm": 10,
    "m": 1000,
    "V": 1,
    "kV": 1000,
    "bar": 1,
    "mbar": 0.001,
}
_OF_LENGTH: Final = frozenset({"mm", "cm", "m"})

_STRUCTURE: Final = frozenset(
    {
        *(
            "aanvraag",
            "appurtenanceType",
            "bestandIdentificator",
            "cables",
            "dieptelegging",
            "ducts",
            "extraGeometrie",
        ),
        *("geometry", "heeftExtraInformatie", "identificatie", "inNetwork", "inspireId", "ligging", "link"),
        *("oilGasChemicalsProductType", "pipes"),
    }
)
"""Read for what they point to, by others than this module, or identity."""


def is_nil(element: Element) -> bool:
    """Whether the element stands without a value."""
    return element.attributes.get(_NIL) in _TRUE


def told_text(element: Element) -> str:
    """Return what an element says: its text, or the address it points to."""
    return element.text.strip() or element.attributes.get(HREF, "")


class ValueReader:
    """Reads the attributes that an element of the object itself holds."""

    def __init__(self, table: ImklTable, desk: Desk) -> None:
        self._table = table
        self._desk = desk
        self._rows: dict[tuple[str, bool], dict[str, list[tuple[Field, Attribute]]]] = {}

    def fill(
        self, feature: Feature, feature_type: FeatureType, children: Sequence[Element], *, component: bool
    ) -> None:
        """Read the elements that the table has for this type."""
        rows = self._rows_of(feature_type, component=component)
        left = []
        for child in children:
            wanted = rows.get(child.local_name)
            if wanted is None:
                left.append(child)
            elif is_nil(child):
                self._fill_void(feature, wanted, child)
            elif wanted[0][0].form == "words":
                self._fill_words(feature, wanted, child)
            else:
                for row, attribute in wanted:
                    self._fill_one(feature, row, attribute, child)
        stand_ins = {
            row.otherwise.rpartition(":")[2]: (row, own) for found in rows.values() for row, own in found
        }
        for child in left:
            if not (
                child.local_name in stand_ins
                and self._fill_otherwise(feature, *stand_ins[child.local_name], child)
            ):
                self._tell_unmapped(child)

    def fill_voids(self, feature: Feature, feature_type: FeatureType, element: Element) -> None:
        """Say of what LER demands and IMKL does not have that nobody knows it; tell what may not be unknown."""
        for attribute in feature_type.attributes:
            if (
                attribute.kind is Kind.GEOMETRY
                or not (attribute.min_count or attribute.with_geometry)
                or attribute.name in feature.attributes
                or attribute.name in feature.voids
            ):
                continue
            if attribute.void:
                feature.voids[attribute.name] = UNKNOWN
            elif attribute.min_count:
                self._desk.tell("value-missing", element, attribute.name)

    def accept(self, attribute: Attribute, text: str, element: Element) -> Value:
        """Return the value of an attribute, None where LER cannot hold it, which is told."""
        try:
            return parse(attribute, text)
        except ValueError as wanted:
            self._desk.tell("imkl-value-unmapped", element, "", text, str(wanted))
            return None

    def number(self, element: Element, unit: str) -> float | None:
        """Return a measure in that unit; None for one that cannot be read, which is told."""
        stated = element.attributes.get("uom", "").rpartition(":")[2]
        factor, wanted = _UNITS.get(stated), _UNITS.get(unit)
        try:
            number = parse_number(element.text)
        except ValueError:
            factor = None
            number = 0.0
        if factor is None or wanted is None or (stated in _OF_LENGTH) != (unit in _OF_LENGTH):
            self._desk.tell("imkl-value-unmapped", element, "", f"{element.text} {stated}", unit)
            return None
        return round(number * factor / wanted, 9)

    def _rows_of(
        self, feature_type: FeatureType, *, component: bool
    ) -> Mapping[str, list[tuple[Field, Attribute]]]:
        key = (feature_type.name, component)
        if key not in self._rows:
            found = self._rows.setdefault(key, {})
            for attribute in feature_type.attributes:
                row = self._table.field_of(feature_type, attribute.name)
                element = (row.nodes if component else row.element) if row else ""
                if row and element and row.form not in {"theme", "depth", "extras", "contents", "node"}:
                    found.setdefault(element.rpartition(":")[2], []).append((row, attribute))
        return self._rows[key]

    def _tell_unmapped(self, child: Element) -> None:
        if child.local_name in _STRUCTURE or is_nil(child):
            return
        told = told_text(child) or ", ".join(one.local_name for one in child.children)
        if told:
            self._desk.tell("imkl-element-unmapped", child, "", last_word(told))

    def _fill_void(self, feature: Feature, wanted: Sequence[tuple[Field, Attribute]], child: Element) -> None:
        reason = last_word(child.attributes.get("nilReason", "")).lower()
        for _, attribute in wanted:
            if reason == UNKNOWN and attribute.void:
                feature.voids[attribute.name] = UNKNOWN

    def _fill_otherwise(self, feature: Feature, row: Field, attribute: Attribute, child: Element) -> bool:
        """Read an element that stands in for another; False where that says something else."""
        value = None if is_nil(child) else self._value(row, attribute, child)
        told = feature.attributes.get(attribute.name)
        if told is None and value is not None:
            feature.attributes[attribute.name] = value
        return value is None or told in {None, value}

    def _fill_one(self, feature: Feature, row: Field, attribute: Attribute, child: Element) -> None:
        if row.form == "first" and child.text == feature.gml_id:
            return  # the object's own, which stands where LER has none
        value = self._value(row, attribute, child)
        if value == UNKNOWN and row.form == "code":
            if attribute.void:
                feature.voids[attribute.name] = UNKNOWN
        elif value is not None:
            feature.attributes[attribute.name] = [value] if attribute.many else value

    def _value(self, row: Field, attribute: Attribute, child: Element) -> Value:
        text = child.text
        match row.form:
            case "code" | "word":
                return self._code(row, child)
            case "time":
                return self._time(text.strip(), child)
            case "datetime":
                return None if text.strip() == DUMMY_TIME else self.accept(attribute, text, child)
            case "measure":
                number = self.number(child, row.unit)
                return round(number / row.factor, 9) if number else None
            case "dimension":
                return self._dimension(text, child)
            case _:
                return self.accept(attribute, text, child) if text else None

    def _code(self, row: Field, child: Element) -> Value:
        codes = self._table.codes[row.codes]
        told = told_text(child)
        word = codes.read(told) if told else None
        if word is None:
            if told:
                self._desk.tell("imkl-value-unmapped", child, "", last_word(told), " | ".join(codes.values))
            return None
        if not word:
            return UNKNOWN
        if (codes.find(word) or "").casefold() != last_word(told).casefold():
            self._desk.tell("imkl-value-coarser", child, "", last_word(told), word)
        return word

    def _time(self, text: str, child: Element) -> Value:
        try:
            day = parse_time(text[:_DAY])
        except ValueError as wanted:
            self._desk.tell("imkl-value-unmapped", child, "", text, str(wanted))
            return None
        if text[_DAY:] != _MIDNIGHT:
            self._desk.tell("imkl-value-coarser", child, "", text, day)
        return day

    def _dimension(self, text: str, child: Element) -> Value:
        number, _, unit = text.strip().partition(" ")
        try:
            return {"value": parse_number(number), "uom": _unit(unit)}
        except ValueError:
            self._desk.tell("imkl-value-unmapped", child, "", text, "1.5 m")
            return None

    def _fill_words(
        self, feature: Feature, wanted: Sequence[tuple[Field, Attribute]], child: Element
    ) -> None:
        """Lines of a text as the writer puts them: kind, danger class, precautions; any other text is one of these."""
        if len(wanted) == 1:
            self._fill_text(feature, wanted[0][1], child)
            return
        rows = {attribute.name: attribute for _, attribute in wanted}
        lines = child.text.split("\n")
        kind = rows.get("type")
        if kind and _holds(kind, lines[0]):
            feature.attributes["type"] = lines.pop(0)
        danger = rows.get("fareklasse")
        if danger and lines and lines[0].startswith(DANGER_PREFIX):
            word = lines[0].removeprefix(DANGER_PREFIX)
            if _holds(danger, word):
                feature.attributes["fareklasse"] = word
                lines.pop(0)
        rest = "\n".join(lines)
        if rest.strip() and (value := self.accept(rows["sikkerhedshensyn"], rest, child)) is not None:
            feature.attributes["sikkerhedshensyn"] = value

    def _fill_text(self, feature: Feature, attribute: Attribute, child: Element) -> None:
        """A text that is one attribute alone."""
        if child.text and (value := self.accept(attribute, child.text, child)) is not None:
            feature.attributes[attribute.name] = value


def _unit(text: str) -> str:
    if not text or not text.isalpha():
        raise ValueError("m")
    return text


def _holds(attribute: Attribute, text: str) -> bool:
    try:
        parse(attribute, text)
    except ValueError:
        return False
    return bool(text)


def targets(children: Sequence[Element], name: str) -> Iterator[tuple[Element, str]]:
    """Yield what elements of a name point to, each with its element; addresses within the file may begin with #."""
    for child in children:
        if child.local_name == name and (target := child.attributes.get(HREF, "").removeprefix("#")):
            yield child, target
