"""The words of filters: what may be asked for, what comes out, and the one refusal."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from ler.errors import RefusedError

type Language = Literal["cql2-text", "cql2-json"]

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
"""Longitude, latitude: what the coordinates of a filter are in when nothing else is said."""


class Kind(StrEnum):
    """What the values of a queryable are."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    GEOMETRY = "geometry"
    STRINGS = "strings"
    """A list of texts: `text[]`."""


@dataclass(frozen=True, slots=True)
class Queryable:
    """A property that filters may name."""

    name: str
    kind: Kind
    column: str
    """SQL expression of our own, never from a caller; `%` is written `%%`.

    Integers are `bigint` or smaller, numbers `double precision`, moments `timestamptz`, geometries in EPSG:25832.
    """
    title: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition for the WHERE of a statement of psycopg 3."""

    sql: str
    """With named parameters, `%(f0)s` and so on; in parentheses where it needs them; true, false or NULL."""
    values: dict[str, object]
    canonical: str
    """One text for all ways to write the same filter, for cache keys and ETags."""


class FilterError(RefusedError):
    """The filter cannot be used."""

    def __init__(self, reason: str, message: str, place: str = "") -> None:
        super().__init__("filter-invalid", f"{message} ({place})" if place else message)
        self.reason = reason
        """What is wrong, in kebab-case, stable across releases."""
        self.place = place
        """`character N` of the text, counted from 1, or a JSON pointer into the filter as CQL2 JSON."""
