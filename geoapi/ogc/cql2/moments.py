"""Dates, moments and intervals of filters, and how intervals lie to each other (ISO 8601, both ends belong to them).

Dates and moments are never mixed: whose day a date would be is not the platform's to guess.
"""

import re
from datetime import UTC, date, datetime
from typing import Final

from geoapi.ogc.cql2.terms import FilterError, Kind

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)

RELATIONS: Final = {
    "t_after": "{s1} > {e2}",
    "t_before": "{e1} < {s2}",
    "t_disjoint": "{s1} > {e2} OR {e1} < {s2}",
    "t_equals": "{s1} = {s2} AND {e1} = {e2}",
    "t_intersects": "{s1} <= {e2} AND {e1} >= {s2}",
    "t_contains": "{s1} < {s2} AND {e1} > {e2}",
    "t_during": "{s1} > {s2} AND {e1} < {e2}",
    "t_finishedBy": "{s1} < {s2} AND {e1} = {e2}",
    "t_finishes": "{s1} > {s2} AND {e1} = {e2}",
    "t_meets": "{e1} = {s2}",
    "t_metBy": "{s1} = {e2}",
    "t_overlappedBy": "{s1} > {s2} AND {s1} < {e2} AND {e1} > {e2}",
    "t_overlaps": "{s1} < {s2} AND {e1} > {s2} AND {e1} < {e2}",
    "t_startedBy": "{s1} = {s2} AND {e1} > {e2}",
    "t_starts": "{s1} = {s2} AND {e1} < {e2}",
}
"""In SQL, of the start and end of the first and the second interval."""
OF_INSTANTS: Final = {"t_after", "t_before", "t_disjoint", "t_equals", "t_intersects"}
"""Relations that instants have too; the others are of intervals only, as the standard has it."""


def read_date(text: str, place: str) -> date:
    """Return `yyyy-mm-dd` as a date. FilterError `date-invalid`."""
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise FilterError("date-invalid", f"{text[:40]!r} is not a date: write it like 2026-12-01", place)
    return day


def read_moment(text: str, place: str) -> datetime:
    """Return an RFC 3339 time as aware UTC. FilterError `date-invalid`."""
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC) if _MOMENT.fullmatch(text) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None or text[11:13] == "24":
        raise FilterError(
            "date-invalid", f"{text[:40]!r} is not a time: write it like 2026-12-01T12:00:00Z", place
        )
    return moment


def read_instant(text: str, place: str) -> tuple[date | datetime, Kind]:
    """Return what a text without a word before it means, and whether it is a date or a moment."""
    return (read_moment(text, place), Kind.DATETIME) if "T" in text else (read_date(text, place), Kind.DATE)
