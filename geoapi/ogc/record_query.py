"""What a call asks of the catalogue besides what it may ask of features (Records 1): `q`, `type`, `ids`, `externalIds`.

Several values stand in a list, of which a record meets one; the words of one value of `q` stand together in its text.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import QueryParams

from geoapi.ogc.crs import unusable

RECORDS: Final = frozenset({"q", "type", "ids", "externalIds"})
_MOST: Final = 100

type Condition = tuple[str, Mapping[str, Any]]
"""An SQL expression over the row `f`, and its values."""


def record_conditions(given: QueryParams) -> tuple[Condition, ...]:
    """Return what the parameters ask for; a problem for an empty list, or one that is too long."""
    found: list[Condition] = []
    if "q" in given:
        found.append(("f.words ILIKE ANY (%(q)s)", {"q": [_pattern(one) for one in _listed(given, "q")]}))
    if "type" in given:
        found.append(("f.type = ANY (%(type)s)", {"type": _listed(given, "type")}))
    if "ids" in given:
        found.append(("f.id = ANY (%(ids)s)", {"ids": _listed(given, "ids")}))
    if "externalIds" in given:
        condition = (
            "(f.external_id = ANY (%(external)s) OR f.scheme || ':' || f.external_id = ANY (%(external)s))"
        )
        found.append((condition, {"external": _listed(given, "externalIds")}))
    return tuple(found)


def _listed(given: QueryParams, name: str) -> list[str]:
    found = [one.strip() for one in given[name].split(",")]
    if len(found) > _MOST or not all(found):
        raise unusable(name, f"1 to {_MOST} values are wanted, none of them empty")
    return found


def _pattern(words: str) -> str:
    """Words as LIKE looks for them, wherever they stand."""
    told = " ".join(words.split())
    for sign in ("\\", "%", "_"):
        told = told.replace(sign, f"\\{sign}")
    return f"%{told}%"
