"""What the values of a column tell of how they are to be read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.mapping.samples import ColumnSample
from ingest.mapping.words import alike
from ler.model import Attribute, Kind
from ler.model.values import BEFORE, parse

_DATES: Final = (
    (re.compile(r"\d\d-\d\d-\d{4}", re.ASCII), "%d-%m-%Y"),
    (re.compile(r"\d\d\.\d\d\.\d{4}", re.ASCII), "%d.%m.%Y"),
    (re.compile(r"\d\d/\d\d/\d{4}", re.ASCII), "%d/%m/%Y"),
    (re.compile(r"\d{8}", re.ASCII), "%Y%m%d"),
)
_UNIT_ENDING: Final = re.compile(r"[_ (\[](mm|cm|dm|m|kv|v|bar|mbar)[)\]]?$", re.IGNORECASE)
_UNITS: Final = {"kv": "kV", "v": "V"}
_SMALL_MM: Final = 6.0
"""Diameters and depths all below this are hardly millimetres."""
_NUMERIC: Final = frozenset({Kind.MEASURE, Kind.LEVEL, Kind.SHARE, Kind.INTEGER})
_CHOICES: Final = 12


@dataclass(slots=True)
class ColumnGuess:
    """Keys of the rule, a table of codes, and what its owner must answer."""

    keys: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    choices: str = ""
    comment: str = ""


def guess_column(variants: Sequence[Attribute], column: ColumnSample, prefix: str) -> ColumnGuess:
    """Return how a column is to be read as an attribute, of which there is a variant for each feature type."""
    attribute = next((variant for variant in variants if variant.many), variants[0])
    guess = ColumnGuess()
    values = list(column.values)
    if attribute.many:
        separator = next((sign for sign in (";", ",", "|") if any(sign in value for value in values)), ";")
        guess.keys["split"] = f'"{separator}"'
        if any("\\" in value for value in values):
            guess.keys["escape"] = '"\\\\"'
        values = [part.strip() for value in values for part in value.split(separator)]
    if attribute.kind is Kind.INLINE:
        if all(value.startswith("{") for value in values):
            guess.keys["json"] = "true"
        else:
            guess.keys["fields"] = f"{{navn: {{column: {column.name}}}}}"
    elif attribute.kind is Kind.REFERENCE and prefix:
        guess.keys["prefix"] = prefix
    elif attribute.kind in {Kind.CODE, Kind.BOOLEAN}:
        _guess_codes(guess, variants, values)
    elif attribute.kind in {Kind.DATE, Kind.TIME, Kind.DATETIME}:
        _guess_dates(guess, attribute, values)
    elif attribute.kind in _NUMERIC:
        _guess_unit(guess, attribute, column)
    return guess


def _guess_codes(guess: ColumnGuess, variants: Sequence[Attribute], values: list[str]) -> None:
    attribute = variants[0]
    strange = [value for value in dict.fromkeys(values) if not any(_is_value(v, value) for v in variants)]
    if not strange:
        return
    known = dict(attribute.code_list.values) if attribute.code_list else {"true": "ja", "false": "nej"}
    guess.choices = " | ".join(list(known)[:_CHOICES])
    guess.codes = {value: value for value in dict.fromkeys(values) if value and value not in strange}
    for value in strange:
        close = [code for code, label in known.items() if alike(value, code) or alike(value, label)]
        if len(close) == 1:
            guess.codes[value] = close[0]
        else:
            guess.questions.append(value)


def _is_value(attribute: Attribute, value: str) -> bool:
    try:
        parse(attribute, value)
    except ValueError:
        return not value
    return True


def _guess_dates(guess: ColumnGuess, attribute: Attribute, values: list[str]) -> None:
    for pattern, form in _DATES:
        if values and all(pattern.fullmatch(value) for value in values):
            guess.keys["date"] = f'"{form}"'
            return
    if any(not _is_value(attribute, value.removeprefix(BEFORE)) for value in values):
        guess.comment = f'dates as {values[0]!r}: state date, e.g. "%d-%m-%Y"' if values else ""


def _guess_unit(guess: ColumnGuess, attribute: Attribute, column: ColumnSample) -> None:
    if found := _UNIT_ENDING.search(column.name):
        unit = _UNITS.get(found[1].lower(), found[1].lower())
        if unit != attribute.unit:
            guess.keys["unit"] = unit
        return
    numbers = [abs(number) for number in column.numbers()]
    if attribute.unit == "mm" and numbers and 0 < max(numbers) < _SMALL_MM:
        guess.keys["unit"] = "m"
        guess.comment = f"values up to {max(numbers):g}, hardly mm"
    if attribute.kind is Kind.SHARE and numbers and max(numbers) > 1:
        guess.keys["unit"] = '"%"'
        guess.comment = f"values up to {max(numbers):g}, so percent"
