"""The lexical rules of attribute values: from the text of an element to a value, and back.

`parse` refuses, with a `ValueError` that says what was wanted in values that need no language, everything that the
published schemas refuse, and three things that they let pass though no reader could trust them: numbers that are not
finite, dates that no calendar has, and a bare text where a code is due. Texts and codes are compared letter by letter; numbers, dates and truth values
may have white space around them, as XML Schema says.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final

from ler.model.feature import Value
from ler.model.schema import UNKNOWN_HEIGHT, Attribute, Kind

BEFORE: Final = "before "
"""Prefix of a time of establishment known only to lie before a date (`indeterminatePosition="before"`)."""

MEDIA_TYPES: Final = {
    "CSV": "text/csv",
    "DGN": "application/octet-stream",
    "DOC": "application/msword",
    "DOCX": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "DWF": "model/vnd.dwf",
    "DWG": "image/vnd.dwg",
    "DXF": "image/vnd.dxf",
    "IFC-SPF": "application/x-step",
    "IFC-XML": "application/xml",
    "JPEG": "image/jpeg",
    "PDF": "application/pdf",
    "SAT": "application/octet-stream",
    "SHP": "application/x-shapefile",
    "SKP": "application/octet-stream",
    "TAB": "application/x-tab",
    "TIFF": "image/tiff",
    "XLS": "application/vnd.ms-excel",
    "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Formats an attachment may have, with the media type each must state (restriction formatRestriktion)."""

EXTENSIONS: Final = {
    "CSV": ("csv",),
    "DGN": ("dgn",),
    "DOC": ("doc",),
    "DOCX": ("docx",),
    "DWF": ("dwf",),
    "DWG": ("dwg",),
    "DXF": ("dxf",),
    "IFC-SPF": ("ifc",),
    "IFC-XML": ("ifcxml", "xml"),
    "JPEG": ("jpg", "jpeg"),
    "PDF": ("pdf",),
    "SAT": ("sat",),
    "SHP": ("shp", "shz", "zip"),
    "SKP": ("skp",),
    "TAB": ("tab", "zip"),
    "TIFF": ("tif", "tiff"),
    "XLS": ("xls",),
    "XLSX": ("xlsx",),
}
"""File name extensions of each format; SHP and TAB are several files, which owners send zipped."""

DATE_PATTERN: Final = "YYYY-MM-DD"
DATETIME_PATTERN: Final = "YYYY-MM-DDThh:mm:ss"
TIME_PATTERN: Final = "YYYY-MM-DD | YYYY-MM | YYYY"

_SPACE = " \t\r\n"
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DOUBLE = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SHARE = re.compile(r"0(\.[0-9]{1,2})?|1(\.0{1,2})?")
_ZONE = r"(Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)?"
_DATE = re.compile(rf"(\d{{4}}-\d\d-\d\d){_ZONE}", re.ASCII)
_DATETIME = re.compile(rf"(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?{_ZONE}", re.ASCII)
_TIME = re.compile(r"(\d{4})(-(\d\d)(-(\d\d))?)?", re.ASCII)
_URI_FORBIDDEN = re.compile(r'[\x00-\x20<>"{}|\\^`]')


class ImpossibleDateError(ValueError):
    """A day or a time that the calendar does not have, though it is written as one."""


def parse(attribute: Attribute, text: str) -> Value:
    """Return the value that the text of one element stands for; an unknown level (-99) is None.

    Covers the kinds whose value is in the text alone; references and inline objects are in the markup (KeyError).
    Raises ValueError with what was wanted.
    """
    return _PARSERS[attribute.kind](attribute, text)


def format_value(attribute: Attribute, value: Value) -> str:
    """Return the text of one element that holds the value; the counterpart of `parse`."""
    if value is None:
        return format_number(UNKNOWN_HEIGHT)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format_share(value) if attribute.kind is Kind.SHARE else format_number(value)
    return str(value).removeprefix(BEFORE) if attribute.kind is Kind.TIME else str(value)


def format_number(value: float) -> str:
    """Return the shortest text that reads back as the same double, without an exponent where it can be avoided."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004 - exact range


def format_share(value: float) -> str:
    """Return a share of capacity as the schema wants it: at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def parse_number(text: str) -> float:
    """Return a finite double. ValueError for anything else, decimal commas included."""
    stripped = text.strip(_SPACE)
    if _DOUBLE.fullmatch(stripped):
        number = float(stripped)
        if math.isfinite(number):
            return number
    raise ValueError("0.0")


def parse_time(text: str) -> str:
    """Return a time of establishment: a year, a month or a day that the calendar has. ValueError otherwise."""
    stripped = text.strip(_SPACE)
    if found := _TIME.fullmatch(stripped):
        year, _, month, _, day = found.groups()
        _require_calendar(f"{year}-{month or '01'}-{day or '01'}")
        return stripped
    raise ValueError(TIME_PATTERN)


def _code(attribute: Attribute, text: str) -> str:
    code_list = attribute.code_list
    if code_list is None or text in code_list:
        return text
    raise ValueError(" | ".join([*code_list.values, "other: …"] if code_list.open else code_list.values))


def _text(attribute: Attribute, text: str) -> str:
    if attribute.max_length and len(text) > attribute.max_length:
        raise ValueError(str(attribute.max_length))
    return text


def _share(_: Attribute, text: str) -> float:
    if _SHARE.fullmatch(text.strip(_SPACE)):
        return float(text)
    raise ValueError("0.00 … 1.00")


def _integer(_: Attribute, text: str) -> int:
    if _INTEGER.fullmatch(text.strip(_SPACE)):
        return int(text)
    raise ValueError("0")


def _boolean(_: Attribute, text: str) -> bool:
    stripped = text.strip(_SPACE)
    if stripped in {"true", "1"}:
        return True
    if stripped in {"false", "0"}:
        return False
    raise ValueError("true | false")


def _date(_: Attribute, text: str) -> str:
    stripped = text.strip(_SPACE)
    if found := _DATE.fullmatch(stripped):
        _require_calendar(found[1])
        return stripped
    raise ValueError(DATE_PATTERN)


def _datetime(_: Attribute, text: str) -> str:
    stripped = text.strip(_SPACE)
    if found := _DATETIME.fullmatch(stripped):
        try:
            datetime.fromisoformat(found[1])
        except ValueError:
            raise ImpossibleDateError(DATETIME_PATTERN) from None
        return stripped
    raise ValueError(DATETIME_PATTERN)


def _uri(_: Attribute, text: str) -> str:
    stripped = text.strip(_SPACE)
    if not stripped or _URI_FORBIDDEN.search(stripped):
        raise ValueError("folder/file%20name.pdf")
    return stripped


def _format(_: Attribute, text: str) -> str:
    if text in MEDIA_TYPES:
        return text
    raise ValueError(" | ".join(MEDIA_TYPES))


def _require_calendar(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ImpossibleDateError(DATE_PATTERN) from None


def _level(_: Attribute, text: str) -> float | None:
    number = parse_number(text)
    return None if number == UNKNOWN_HEIGHT else number


_PARSERS: Final[Mapping[Kind, Callable[[Attribute, str], Value]]] = {
    Kind.TEXT: _text,
    Kind.CODE: _code,
    Kind.INTEGER: _integer,
    Kind.SHARE: _share,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.TIME: lambda _, text: parse_time(text),
    Kind.MEASURE: lambda _, text: parse_number(text),
    Kind.LEVEL: _level,
    Kind.URI: _uri,
    Kind.FORMAT: _format,
    Kind.LITERAL: lambda _, text: text,
}
