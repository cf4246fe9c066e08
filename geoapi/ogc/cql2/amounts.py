"""Arithmetic in filters that no row can make fail.

PostgreSQL ends a statement at a division by zero, an overflow or an underflow. So every expression carries how large and
how small its values can be, and what could leave the range of doubles is refused before it is asked. A property's value
beyond 1e15, or closer to nothing than 1e-15, and what is divided by zero, is unknown (NULL): such a row is not found.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from geoapi.ogc.cql2.terms import FilterError, Kind

_GREATEST: Final = 1e15
_LEAST: Final = 1e-15
_RANGE: Final = (1e-290, 1e290)
_ULP: Final = 2.0**-53
_EXACT: Final = 2**53
"""Below it, doubles hold every whole number."""
_HIGHEST_POWER: Final = 8


@dataclass(frozen=True, slots=True)
class Amount:
    """A numeric expression."""

    sql: str
    """A `double precision` expression; empty for a constant."""
    low: float
    """No value that is not zero is closer to zero."""
    high: float
    value: float | int | None = None
    """The value of a constant."""
    whole: str = ""
    """The same as a `bigint` expression, where it is one."""


def constant(value: float, place: str) -> Amount:
    """Return a number; FilterError `number-range` for one that no arithmetic can bear."""
    if not math.isfinite(value) or abs(value) > _RANGE[1] or 0 < abs(value) < _RANGE[0]:
        raise FilterError("number-range", "a number is too large or too small", place)
    exact = int(value) if abs(value) < _EXACT and float(value).is_integer() else value
    return Amount("", abs(value) or 1.0, abs(value), exact)


def of_property(column: str, kind: Kind) -> Amount:
    """Return a property's value as an operand."""
    if kind is Kind.INTEGER:
        return Amount(f"({column})::float8", 1.0, 2.0**63, whole=f"({column})::int8")
    sql = f"CASE WHEN {column} = 0 OR abs({column}) BETWEEN {_LEAST!r} AND {_GREATEST!r} THEN {column} END"
    return Amount(f"({sql})", _LEAST, _GREATEST)


def combined(op: str, left: Amount, right: Amount, place: str) -> Amount:
    """Return two operands under an operator. FilterError `division-by-zero`, `number-range` or `arithmetic`."""
    if op in ("/", "%", "div") and right.high == 0:
        raise FilterError("division-by-zero", "a number is divided by zero", place)
    if left.value is not None and right.value is not None:
        return constant(_computed(op, left.value, right.value, place), place)
    match op:
        case "+" | "-":
            made = Amount(
                f"({_sql(left)} {op} {_sql(right)})",
                max(min(left.low, right.low) * _ULP, 5e-324),
                left.high + right.high,
            )
        case "*":
            made = Amount(f"({_sql(left)} * {_sql(right)})", left.low * right.low, left.high * right.high)
            _require_low(made.low, place)
        case "/" | "div":
            quotient = f"({_sql(left)} / {_divisor(right)})"
            made = Amount(quotient, left.low / right.high, left.high / right.low)
            _require_low(made.low, place)
            if op == "div":
                made = Amount(f"trunc{quotient}", 1.0, left.high / right.low)
        case "%":
            made = _remainder(left, right, place)
        case _:
            made = _power(left, right, place)
    _require_high(made.high, place)
    return made


_COMPUTED: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "div": lambda left, right: float(math.trunc(left / right)),
    "%": math.fmod,
    "^": math.pow,
}


def _computed(op: str, left: float, right: float, place: str) -> float:
    try:
        return _COMPUTED[op](float(left), float(right))
    except (OverflowError, ValueError):
        raise FilterError("number-range", "a number is too large, or there is no such power", place) from None


def _remainder(left: Amount, right: Amount, place: str) -> Amount:
    sides = [one.whole or (str(one.value) if isinstance(one.value, int) else "") for one in (left, right)]
    if not all(sides):
        raise FilterError(
            "arithmetic", "`%` is of whole numbers only: an integer property or a number on each side", place
        )
    divisor = sides[1] if right.value is not None else f"NULLIF({sides[1]}, 0)"
    sql = f"mod(({sides[0]})::int8, ({divisor})::int8)"
    return Amount(f"({sql})::float8", 1.0, 2.0**63, whole=sql)


def _power(base: Amount, exponent: Amount, place: str) -> Amount:
    times = exponent.value
    if not isinstance(times, int) or not 0 <= times <= _HIGHEST_POWER:
        raise FilterError(
            "arithmetic", f"a property is raised to a whole number from 0 to {_HIGHEST_POWER} only", place
        )
    try:
        low, high = base.low**times, base.high**times
    except OverflowError:
        low, high = base.low, math.inf
    _require_low(low, place)
    return Amount(f"power({_sql(base)}, {times}::float8)", low, high)


def _divisor(amount: Amount) -> str:
    return _sql(amount) if amount.value is not None else f"NULLIF({amount.sql}, 0)"


def _sql(amount: Amount) -> str:
    """A constant is written out: it was computed here, and has no character that a caller chose."""
    return amount.sql or f"({float(amount.value or 0)!r})::float8"


def _require_high(bound: float, place: str) -> None:
    if not bound <= _RANGE[1]:
        raise FilterError("number-range", "the result can be too large to be computed", place)


def _require_low(bound: float, place: str) -> None:
    if not bound >= _RANGE[0]:
        raise FilterError("number-range", "the result can be too small to be computed", place)
