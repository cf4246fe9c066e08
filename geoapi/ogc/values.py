"""Values of parameters as the database takes them; ValueError for what it would refuse."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from geoapi.ogc.cql2 import Kind

_LARGEST: Final = 2**63


def _whole(given: str) -> int:
    if not given.removeprefix("-").isdigit() or not given.isascii() or not -_LARGEST <= int(given) < _LARGEST:
        raise ValueError(given)
    return int(given)


def _number(given: str) -> float:
    found = float(given)
    if not math.isfinite(found):
        raise ValueError(given)
    return found


def _boolean(given: str) -> bool:
    if given not in {"true", "false"}:
        raise ValueError(given)
    return given == "true"


def _moment(given: str) -> datetime:
    found = datetime.fromisoformat(given)
    if found.tzinfo is None:
        raise ValueError(given)
    return found.astimezone(UTC)


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    Kind.INTEGER: _whole,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: date.fromisoformat,
    Kind.DATETIME: _moment,
    "bigint": _whole,
    "uuid": UUID,
    "timestamptz": _moment,
}


def value_of(kind: str, given: str) -> Any:  # noqa: ANN401 - of the kind
    """Return a text as a value of a kind of property, or of an SQL type of a key."""
    try:
        return _READERS.get(kind, str)(given)
    except OverflowError:
        raise ValueError(given) from None
