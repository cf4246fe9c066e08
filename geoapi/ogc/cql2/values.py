"""Scalar expressions of filters in SQL: properties, texts, numbers, truth values, dates and moments.

`casei` is full case mapping by ICU, whatever the database's locale; `accenti` takes marks off letters and writes those that
are no letter with a mark (ø, æ, ß, ...) in ASCII. Both need nothing but PostgreSQL itself. Texts are ordered by code point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from geoapi.ogc.cql2.amounts import Amount, combined, constant, of_property
from geoapi.ogc.cql2.limits import MOST_FOLDED
from geoapi.ogc.cql2.moments import read_date, read_instant, read_moment
from geoapi.ogc.cql2.operators import ARITHMETIC, PREDICATES, misused
from geoapi.ogc.cql2.terms import FilterError, Kind, Queryable

_SINGLE: Final = ("øØłŁđĐðÐħĦıŧŦ", "oOlLdDdDhHitT")
_DOUBLE: Final = {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ẞ": "SS", "þ": "th", "Þ": "TH"}
_CASTS: Final = {
    Kind.STRING: "text",
    Kind.INTEGER: "int8",
    Kind.NUMBER: "float8",
    Kind.BOOLEAN: "bool",
    Kind.DATE: "date",
    Kind.DATETIME: "timestamptz",
    Kind.STRINGS: "text[]",
    Kind.GEOMETRY: "bytea",
}
_WORDS: Final = {
    Kind.STRING: "a text",
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "a date",
    Kind.DATETIME: "a moment (date and time)",
    Kind.STRINGS: "a list of texts",
    Kind.GEOMETRY: "a geometry",
}
_MOST_NAMES: Final = 40


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar expression."""

    kind: Kind
    sql: str
    """Empty for a literal that was not bound yet."""
    value: object = None
    """The value of a literal, None for anything else."""
    node: object = None
    """What it was made of, for a literal that may be of another kind beside another operand."""

    @property
    def numeric(self) -> bool:
        """Whether it is a whole or other number."""
        return self.kind in (Kind.INTEGER, Kind.NUMBER)


@dataclass
class Values:
    """What a filter binds, and what it may name."""

    queryables: Mapping[str, Queryable]
    bound: dict[str, object] = field(default_factory=dict)
    folded: int = 0

    def bind(self, value: object, cast: str) -> str:
        """Return the SQL of a parameter with this value."""
        name = f"f{len(self.bound)}"
        self.bound[name] = value
        return f"%({name})s::{cast}"

    def queryable(self, name: str, place: str) -> Queryable:
        """Return what a property is. FilterError `property-unknown`, in the same words for absent and hidden ones."""
        found = self.queryables.get(name)
        if found is None:
            names = ", ".join(sorted(self.queryables)[:_MOST_NAMES]) or "none"
            raise FilterError("property-unknown", f"there is no property {name[:60]!r}, only: {names}", place)
        return found

    def scalar(self, node: object, place: str) -> Scalar:  # noqa: C901, PLR0911 - one for each form
        """Return an expression of one value. FilterError where it is none."""
        match node:
            case bool():
                return Scalar(Kind.BOOLEAN, "TRUE" if node else "FALSE", node)
            case int():
                return Scalar(Kind.INTEGER, "", node)
            case float():
                return Scalar(Kind.NUMBER, "", node)
            case str():
                return Scalar(Kind.STRING, "", node, node)
            case {"date": str(day)}:
                return Scalar(Kind.DATE, "", read_date(day, place))
            case {"timestamp": str(moment)}:
                return Scalar(Kind.DATETIME, "", read_moment(moment, place))
            case {"property": str(name)}:
                found = self.queryable(name, place)
                return Scalar(found.kind, found.column)
            case {"op": "casei" | "accenti" as op, "args": list(args)}:
                return Scalar(Kind.STRING, self._folded(str(op), args, place))
            case {"op": str(op), "args": [_, _]} if op in ARITHMETIC:
                return self._amount_as_scalar(self.amount(node, place))
            case {"op": str(op)} if op not in PREDICATES:
                raise misused(op, place)
        raise FilterError("value-expected", "a property or a value is expected here", place)

    def sql(self, scalar: Scalar) -> str:
        """Return an expression's SQL; a literal is bound."""
        return scalar.sql or self.bind(scalar.value, _CASTS[scalar.kind])

    def alike(self, sides: list[Scalar], places: list[str]) -> list[Scalar]:
        """Return operands that can be compared. FilterError `kinds-differ`.

        A text beside a date or a moment is read as one, since the standard's own examples write them so.
        """
        temporal = next((one.kind for one in sides if one.kind in (Kind.DATE, Kind.DATETIME)), None)
        if temporal:
            sides = [self._as_instant(one, temporal, place) for one, place in zip(sides, places, strict=True)]
        first = sides[0]
        for one, place in zip(sides, places, strict=True):
            if one.kind in (Kind.GEOMETRY, Kind.STRINGS):
                used = "S_INTERSECTS" if one.kind is Kind.GEOMETRY else "A_CONTAINS"
                raise FilterError(
                    "kinds-differ", f"{_WORDS[one.kind]} is compared by functions like {used}", place
                )
            if one.kind is not first.kind and not (one.numeric and first.numeric):
                raise FilterError(
                    "kinds-differ", f"{_WORDS[first.kind]} is not compared with {_WORDS[one.kind]}", place
                )
        return sides

    def many(self, literals: list[Scalar]) -> str:
        """Return the SQL of a list of literals of one kind, as one parameter."""
        kind = literals[0].kind
        if any(one.kind is Kind.NUMBER for one in literals):
            kind = Kind.NUMBER
        held = [float(str(one.value)) if kind is Kind.NUMBER else one.value for one in literals]
        return self.bind(held, f"{_CASTS[kind]}[]")

    def amount(self, node: object, place: str) -> Amount:
        """Return a numeric expression as an operand of arithmetic. FilterError `kinds-differ` or as `combined`."""
        match node:
            case {"op": str(op), "args": [left, right]} if op in ARITHMETIC:
                sides = self.amount(left, f"{place}/args/0"), self.amount(right, f"{place}/args/1")
                return combined(op, *sides, place)
        found = self.scalar(node, place)
        if not found.numeric:
            raise FilterError("kinds-differ", f"{_WORDS[found.kind]} cannot be computed with", place)
        if isinstance(found.value, int | float):
            return constant(found.value, place)
        return of_property(found.sql, found.kind)

    def texts(self, node: object, place: str) -> str:
        """Return the SQL of a list of texts: a property, or literals. FilterError `kinds-differ`."""
        match node:
            case list():
                if not all(isinstance(one, str) for one in node):
                    raise FilterError("kinds-differ", "a list is of texts only, in single quotes", place)
                return self.bind(node, "text[]")
            case {"property": str(name)}:
                found = self.queryable(name, place)
                if found.kind is Kind.STRINGS:
                    return found.column
                raise FilterError(
                    "kinds-differ", f"{name[:60]!r} is {_WORDS[found.kind]}, not a list of texts", place
                )
        raise FilterError(
            "value-expected", "a list is expected here: a property, or texts like ('a','b')", place
        )

    def pattern(self, node: object, place: str) -> str:
        """Return the SQL of what stands after LIKE. FilterError `pattern-invalid`."""
        match node:
            case str():
                _require_pattern(node, place)
                return self.bind(node, "text")
            case {"op": "casei" | "accenti" as op, "args": [inner]}:
                return self._fold(str(op), self.pattern(inner, f"{place}/args/0"), place)
        raise FilterError("pattern-invalid", "after LIKE stands a text, or casei or accenti of a text", place)

    def _folded(self, op: str, args: list[object], place: str) -> str:
        if len(args) != 1:
            raise FilterError("arguments", f"{op} has one argument", place)
        inner = self.scalar(args[0], f"{place}/args/0")
        if inner.kind is not Kind.STRING:
            raise FilterError("kinds-differ", f"{op} is of a text, not of {_WORDS[inner.kind]}", place)
        return self._fold(op, self.sql(inner), place)

    def _fold(self, op: str, sql: str, place: str) -> str:
        self.folded += 1
        if self.folded > MOST_FOLDED:
            raise FilterError(
                "filter-too-large", f"the filter has more than {MOST_FOLDED} casei and accenti", place
            )
        return _FOLDS[op](sql)

    def _amount_as_scalar(self, amount: Amount) -> Scalar:
        if amount.value is None:
            return Scalar(Kind.NUMBER, amount.sql)
        whole = isinstance(amount.value, int)
        return Scalar(Kind.INTEGER if whole else Kind.NUMBER, "", amount.value)

    def _as_instant(self, scalar: Scalar, kind: Kind, place: str) -> Scalar:
        if not isinstance(scalar.node, str):
            return scalar
        value, found = read_instant(scalar.node, place)
        return replace(scalar, kind=found, value=value) if found is kind else _mixed(kind, found, place)


def described(kind: Kind) -> str:
    """Return what values of a kind are, as messages say it."""
    return _WORDS[kind]


def _mixed(kind: Kind, found: Kind, place: str) -> Scalar:
    raise FilterError("kinds-differ", f"{_WORDS[kind]} is not compared with {_WORDS[found]}", place)


def _casei(sql: str) -> str:
    return f'upper(({sql}) COLLATE "und-x-icu") COLLATE "C"'


def _accenti(sql: str) -> str:
    found = f"translate(regexp_replace(normalize(({sql}), NFD), '[\\u0300-\\u036f]', '', 'g'), '{_SINGLE[0]}', '{_SINGLE[1]}')"
    for letter, written in _DOUBLE.items():
        found = f"replace({found}, '{letter}', '{written}')"
    return f'({found}) COLLATE "C"'


_FOLDS: Final = {"casei": _casei, "accenti": _accenti}


def _require_pattern(pattern: str, place: str) -> None:
    """PostgreSQL refuses a pattern whose last character is an escape that escapes nothing."""
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise FilterError(
            "pattern-invalid", "the pattern ends with a backslash that escapes nothing: write it twice", place
        )
