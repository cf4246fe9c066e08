"""The `datetime` parameter of the OGC API: an instant or an interval of RFC 3339, half open where it says `..`.

One end may be a duration of ISO 8601, as in `2026-12-01/P2W`: the standard has none, the official test suite sends some.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from geoapi.ogc.crs import unusable

_OPEN = {"", ".."}
_BOTH_ENDS = 2
_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
"""Years, months, weeks, days, hours, minutes, seconds."""


@dataclass(frozen=True, slots=True)
class Span:
    """From a time to another, both included, aware; None: without a bound. An instant begins where it ends."""

    start: datetime | None
    end: datetime | None


def span_of(given: str) -> Span:
    """Return what a `datetime` parameter says; a day is all of it, in UTC. A problem for what says nothing."""
    parts = given.split("/")
    if len(parts) == 1:
        return Span(*_moment(parts[0]))
    if len(parts) != _BOTH_ENDS or {*parts} <= _OPEN:
        raise _wrong("a time, or two of them with / between, of which one may be ..")
    start, end = _ends(*parts)
    if start and end and start > end:
        raise _wrong("it ends before it starts")
    return Span(start, end)


def _ends(first: str, last: str) -> tuple[datetime | None, datetime | None]:
    if first.startswith("P"):
        end = _moment(last)[1]
        return _later(end, first, -1), end
    start = None if first in _OPEN else _moment(first)[0]
    if last.startswith("P") and start is not None:
        return start, _later(start, last, 1)
    return start, None if last in _OPEN else _moment(last)[1]


def _later(moment: datetime, duration: str, sign: int) -> datetime:
    """A moment moved by a duration; of a month that is too short, its last day."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise _wrong("a duration by ISO 8601 is wanted, as P2W or P1DT12H")
    years, months, weeks, days, hours, minutes, seconds = (int(one or 0) * sign for one in found.groups())
    try:
        year, month = divmod(moment.year * 12 + moment.month - 1 + years * 12 + months, 12)
        day = min(moment.day, monthrange(year, month + 1)[1])
        moved = moment.replace(year=year, month=month + 1, day=day)
        return moved + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        raise _wrong("it leads out of the years 1 to 9999") from None


def _moment(given: str) -> tuple[datetime, datetime]:
    """The first and the last instant of what is told."""
    try:
        if "T" not in given.upper():
            day = datetime.combine(date.fromisoformat(given), datetime.min.time(), UTC)
            return day, day + timedelta(days=1, microseconds=-1)
        moment = datetime.fromisoformat(given.upper())
        if moment.tzinfo is None:
            raise _wrong("a time needs its zone, as in 2026-12-01T12:00:00Z")
        return (moment.astimezone(UTC),) * 2
    except (ValueError, OverflowError):
        raise _wrong("a date or time by RFC 3339 is wanted, as 2026-12-01 or 2026-12-01T12:00:00Z") from None


def _wrong(detail: str) -> Exception:
    return unusable("datetime", detail)
