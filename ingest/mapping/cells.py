"""One cell of an owner's table to one value of the model: a value, nothing, void, or what is wrong with it.

Whatever stands in a cell, the answer is an `Outcome` and never an exception. The lexical rules are the model's own
(`ler.model.values`); this module only brings numbers, dates and codes of owners into the model's way of writing.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any, Final

from ingest.mapping.rules import AttributeRule
from ingest.mapping.units import convert, units_of
from ler.model import Attribute, FeatureType, Kind, Value
from ler.model.values import BEFORE, ImpossibleDateError, format_share, parse

type Cell = object
"""What a column holds: text, number, truth value, date or date-time; None where it holds nothing."""

MAX_TEXT: Final = 10_000
"""Characters of the longest text without a limit of its own."""
_MOST_VALUES: Final = 10_000
_SHOWN: Final = 60
_NCNAME: Final = re.compile(r"[^\W\d][\w.\-·]*")
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""What neither XML nor the database can hold: control characters, NUL, halves of surrogate pairs."""
_FORMULA: Final = re.compile(r"'(?=['=+\-@\t\r])")
_NUMERIC: Final = frozenset({Kind.SHARE, Kind.MEASURE, Kind.LEVEL, Kind.INTEGER})
_DIGITS: Final = 15
"""Decimal digits that a double keeps."""


class Meaning(Enum):
    """What came of a cell."""

    VALUE = "value"
    ABSENT = "absent"
    VOID = "void"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one cell became."""

    meaning: Meaning
    value: Value = None
    code: str = ""
    """Of the finding, for a fault."""
    found: str = ""
    wanted: str = ""


ABSENT: Final = Outcome(Meaning.ABSENT)
VOID: Final = Outcome(Meaning.VOID)


@dataclass(frozen=True, slots=True)
class Notation:
    """How the owner writes: the decimal sign, blanks around cells, spreadsheets' apostrophes."""

    decimal: str = "."
    thousands: str = ""
    strip: bool = True
    spreadsheet: bool = False


class CellFault(ValueError):  # noqa: N818 - becomes a finding, never an error of ours
    """A cell that cannot be read: the code of its finding, and what was wanted."""

    def __init__(self, code: str, wanted: str = "", found: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.wanted = wanted
        self.found = found


def factor_of(attribute: Attribute, unit: str) -> float:
    """Return the factor from an owner's unit to the attribute's. ValueError with the units that would do."""
    wanted = _unit_of(attribute)
    units = units_of(wanted)
    if not unit or unit == wanted:
        return 1.0
    if unit not in units:
        raise ValueError(" | ".join(units) or "no unit")
    return units[unit]


def constant_value(attribute: Attribute, texts: Sequence[str]) -> Value:
    """Return the value that a mapping states by itself. ValueError with what was wanted."""
    try:
        values = [_one(attribute, text) for text in texts]
    except CellFault as fault:
        raise ValueError(fault.wanted or fault.code) from None
    if attribute.many:
        return values
    if len(values) != 1:
        raise ValueError("one value")
    return values[0]


def cell_text(cell: Cell, notation: Notation) -> str:
    """Return a cell as the text that an owner would write; empty for a cell without anything."""
    match cell:
        case str():
            text = _FORMULA.sub("", cell, count=1) if notation.spreadsheet and cell[:1] == "'" else cell
            text = text.strip() if notation.strip else text
        case None:
            text = ""
        case bool():
            text = "true" if cell else "false"
        case float():
            text = "" if math.isnan(cell) else _number_text(cell)
        case datetime():
            text = _datetime_text(cell)
        case date() | time():
            text = cell.isoformat()
        case _:
            text = str(cell)
    return text


class CellReader:
    """Reads the cells of one attribute of one feature type."""

    def __init__(
        self,
        attribute: Attribute,
        rule: AttributeRule,
        notation: Notation,
        target: FeatureType | None = None,
    ) -> None:
        self.attribute = attribute
        self._target = target
        self.rule = rule
        self.notation = notation
        self._factor = 1.0
        if attribute.kind in _NUMERIC and rule.unit and _unit_of(attribute):
            self._factor = factor_of(attribute, rule.unit)
        self._known: dict[object, Outcome] = {}

    def read(self, cell: Cell) -> Outcome:
        """Return what a cell became; the same cell is read once."""
        key = (type(cell), cell)
        try:
            found = self._known.get(key)
        except TypeError:  # a list
            return self._read(cell)
        if found is None:
            if len(self._known) >= _MOST_VALUES:
                self._known.clear()
            found = self._known[key] = self._read(cell)
        return found

    def missing(self) -> Outcome:
        """What a record without a cell has."""
        if self.rule.constant is not None:
            return Outcome(Meaning.VALUE, self.rule.constant)
        return VOID if self.rule.void else ABSENT

    def _read(self, cell: Cell) -> Outcome:
        text = cell_text(cell, self.notation)
        rule = self.rule
        stripped = text.strip()
        if not stripped or stripped in rule.absent:
            return self.missing()
        if stripped in rule.unknown:
            return Outcome(Meaning.VALUE, None) if self.attribute.kind is Kind.LEVEL else VOID
        try:
            value = self._value(cell, text)
        except CellFault as fault:
            found = text if fault.found is None else fault.found
            return Outcome(Meaning.FAULT, None, fault.code, printable(found), fault.wanted)
        return self.missing() if value is None or value == [] else Outcome(Meaning.VALUE, value)

    def _value(self, cell: Cell, text: str) -> Value:
        if self.rule.json:
            return self._from_json(text)
        if self.attribute.many:
            pieces = split_text(text, self.rule.split, self.rule.escape) if self.rule.split else [text]
            if len(pieces) > _MOST_VALUES:
                raise CellFault("attribute-value", f"<= {_MOST_VALUES} values")
            values = [self._single(piece, piece) for piece in pieces if piece.strip()]
            return [value for value in values if value is not None]
        return self._single(cell, text)

    def _single(self, cell: Cell, text: str) -> Value:
        codes = self.rule.codes
        if codes is not None:
            if text not in codes and text.strip() not in codes:
                raise CellFault("mapping-code-unknown", " | ".join(list(codes)[:20]), text)
            text = codes.get(text, codes.get(text.strip())) or ""
            return _one(self.attribute, text) if text else None
        kind = self.attribute.kind
        if kind in _NUMERIC:
            return self._number(cell, text)
        if kind is Kind.BOOLEAN:
            return _one(self.attribute, {"1.0": "1", "0.0": "0"}.get(text, text))
        if kind in {Kind.DATE, Kind.DATETIME, Kind.TIME}:
            return self._moment(text)
        if kind is Kind.REFERENCE:
            return reference(self.rule.prefix + text.strip())
        return _one(self.attribute, text)

    def _number(self, cell: Cell, text: str) -> Value:
        unit = self.rule.unit
        if self.attribute.kind is Kind.MEASURE and not self.attribute.unit:
            written, _, stated = text.strip().partition(" ")
            if not (unit or stated):
                raise CellFault("attribute-value", "1.5 m")
            return {"value": self._finite(cell if unit else written, written), "uom": unit or stated.strip()}
        number = self._finite(cell, text)
        number = convert(number, self._factor)
        if self.attribute.kind is Kind.SHARE:
            return _one(
                self.attribute, format_share(number) if _two_decimals(number) else _number_text(number)
            )
        return _one(self.attribute, _number_text(number))

    def _finite(self, cell: Cell, text: str) -> float:
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            number = float(cell) if abs(cell) < 1e300 else math.inf  # noqa: PLR2004 - no network has such a number
        else:
            number = parse_decimal(text, self.notation)
        if not math.isfinite(number):
            raise CellFault("attribute-value", "0.0", text)
        return number

    def _moment(self, text: str) -> Value:
        kind = self.attribute.kind
        before, body = (BEFORE, text.removeprefix(BEFORE)) if text.startswith(BEFORE) else ("", text)
        if self.rule.dates:
            body = _written_date(body.strip(), self.rule.dates, kind)
        elif kind is not Kind.DATETIME and _MIDNIGHT.search(body):
            body = body[:10]
        elif kind is Kind.DATETIME and _BLANK.match(body):
            body = body.replace(" ", "T", 1)
        if before and kind is not Kind.TIME:
            raise CellFault("attribute-value", "YYYY-MM-DD")
        return before + str(_one(self.attribute, body))

    def _from_json(self, text: str) -> Value:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise CellFault("attribute-value", "JSON") from None
        items = value if isinstance(value, list) else [value]
        if self.attribute.kind is Kind.INLINE:
            return _inline(self._target, value)
        values = [self._single(item, cell_text(item, self.notation)) for item in items]
        return values if self.attribute.many else values[0] if len(values) == 1 else None


def split_text(text: str, separator: str, escape: str) -> list[str]:
    """Return the values of a list; what is escaped is part of a value, blanks around values are not."""
    if not escape:
        return [piece.strip() for piece in text.split(separator.strip() or separator)]
    pieces, current, escaped = [], "", False
    sign = separator.strip() or separator
    for letter in text:
        if escaped:
            current, escaped = current + letter, False
        elif letter == escape:
            escaped = True
        elif letter == sign:
            pieces.append(current)
            current = ""
        else:
            current += letter
    pieces.append(current)
    return [piece.removeprefix(separator[len(sign) :]) if at else piece for at, piece in enumerate(pieces)]


def parse_decimal(text: str, notation: Notation) -> float:
    """Return the number that an owner wrote. Raises CellFault for anything that is no plain number."""
    stripped = text.strip()
    if notation.thousands and notation.thousands in stripped:
        stripped = _without_thousands(stripped, notation)
    plain = stripped.replace(",", ".") if notation.decimal == "," and "." not in stripped else stripped
    if _DECIMAL.fullmatch(plain) and (notation.decimal == "." or "." not in stripped):
        return float(plain)
    raise CellFault("attribute-value", f"0{notation.decimal}0")


def _without_thousands(text: str, notation: Notation) -> str:
    """Return a number without its signs for thousands; CellFault where one is none: with ".", 1.5 is not 15."""
    sign, decimal = re.escape(notation.thousands), re.escape(notation.decimal)
    if not re.fullmatch(rf"[+-]?\d{{1,3}}({sign}\d{{3}})+({decimal}\d*)?", text, re.ASCII):
        raise CellFault("attribute-value", f"1{notation.thousands}000{notation.decimal}0")
    return text.replace(notation.thousands, "")


def reference(gml_id: str) -> str:
    """Return a reference to an object of the file. Raises CellFault for what cannot be an identifier."""
    if not _NCNAME.fullmatch(gml_id):
        raise CellFault("gml-id-invalid", "", gml_id)
    return gml_id


def valid_id(gml_id: str) -> bool:
    """Whether a text can be a `gml:id`."""
    return _NCNAME.fullmatch(gml_id) is not None


def printable(text: str) -> str:
    """Return a value as it can be shown in a report: shortened, without what cannot be written."""
    shown = _FORBIDDEN.sub("\ufffd", text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


_DECIMAL: Final = re.compile(r"[+-]?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][+-]?\d{1,3})?", re.ASCII)
_MIDNIGHT: Final = re.compile(r"^\d{4}-\d\d-\d\d[T ]00:00:00(\.0+)?(Z|\+00:00)?$", re.ASCII)
_BLANK: Final = re.compile(r"^\d{4}-\d\d-\d\d \d\d:", re.ASCII)


def _unit_of(attribute: Attribute) -> str:
    return {Kind.SHARE: "share", Kind.LEVEL: "level"}.get(attribute.kind, attribute.unit)


def _one(attribute: Attribute, text: str) -> Value:
    """One value from its text in the model's own writing. Raises CellFault."""
    if _FORBIDDEN.search(text):
        raise CellFault("text-invalid", "", text)
    if attribute.kind is Kind.REFERENCE:
        return reference(text)
    if attribute.kind is Kind.INLINE:
        raise CellFault("attribute-value", "fields")
    if len(text) > MAX_TEXT:
        raise CellFault("text-too-long", str(attribute.max_length or MAX_TEXT))
    try:
        if attribute.kind is Kind.MEASURE and not attribute.unit:
            number, _, unit = text.partition(" ")
            return {"value": parse(attribute, number), "uom": unit}
        if attribute.kind is Kind.TIME and text.startswith(BEFORE):
            return BEFORE + str(parse(attribute, text.removeprefix(BEFORE)))
        return parse(attribute, text)
    except ImpossibleDateError as error:
        raise CellFault("date-impossible", str(error)) from None
    except ValueError as error:
        raise CellFault(_FAULTS.get(attribute.kind, "attribute-value"), str(error)) from None


_FAULTS: Final[Mapping[Kind, str]] = {Kind.CODE: "attribute-code", Kind.TEXT: "text-too-long"}


def _written_date(text: str, patterns: Sequence[str], kind: Kind) -> str:
    for pattern in patterns:
        try:
            found = datetime.strptime(text, pattern)  # noqa: DTZ007 - the owner's pattern says whether there is a zone
        except (ValueError, IndexError, re.error):
            continue
        if kind is Kind.DATETIME:
            return _datetime_text(found)
        days = "%d" in pattern or "%j" in pattern or "%x" in pattern
        months = days or any(sign in pattern for sign in ("%m", "%b", "%B"))
        return found.date().isoformat()[: 10 if days else 7 if months else 4]
    raise CellFault(
        "date-impossible" if _like_date(text, patterns) else "attribute-value", " | ".join(patterns)
    )


def _like_date(text: str, patterns: Sequence[str]) -> bool:
    """Whether only the calendar is against the text."""
    shape = re.sub(r"\d", "0", text)
    return any(
        re.sub(r"%Y", "0000", re.sub(r"%[dmyHMSj]", "00", p.replace("%Y", "0000"))) == shape for p in patterns
    )


def _datetime_text(moment: datetime) -> str:
    if moment.tzinfo is not None and not moment.utcoffset():
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    return moment.isoformat()


def _number_text(number: float) -> str:
    if math.isfinite(number) and number == int(number) and abs(number) < 10**_DIGITS:
        return str(int(number))
    return repr(float(number))


def _two_decimals(number: float) -> bool:
    return 0 <= number <= 1 and abs(number - round(number, 2)) < 1e-9  # noqa: PLR2004 - far below a hundredth


def _inline(target: FeatureType | None, value: Any) -> Value:  # noqa: ANN401 - whatever the JSON holds
    name = target.name if target else ""
    known = {a.name: a for a in target.attributes} if target else {}
    if not isinstance(value, dict) or not value or not value.keys() <= known.keys() | {"gml_id"}:
        raise CellFault("attribute-value", f"{name} {{{', '.join(known)}}}")
    if not all(isinstance(item, str) for item in value.values()):
        raise CellFault("attribute-value", f"{name} {{…}}")
    if "gml_id" in value:
        reference(value["gml_id"])
    return {key: item if key == "gml_id" else _one(known[key], item) for key, item in value.items()}
