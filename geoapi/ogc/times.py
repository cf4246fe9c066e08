"""The `datetime` parameter of the OGC API: an instant or an interval of RFC 3339, half open where it says `..`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from geoapi.ogc.crs import unusable

_OPEN = {"", ".."}
_BOTH_ENDS = 2


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
    start = None if parts[0] in _OPEN else _moment(parts[0])[0]
    end = None if parts[1] in _OPEN else _moment(parts[1])[1]
    if start and end and start > end:
        raise _wrong("it ends before it starts")
    return Span(start, end)


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
