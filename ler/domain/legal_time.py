"""Legal time: dates and times of day as Danish law means them, and the instants that the platform stores.

Instants are aware UTC. Days, opening hours and what people write are legal local time. A local time that does not
exist, or exists twice, on the two nights of a year when clocks are moved is refused: nobody's deadline is guessed.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ler.errors import RefusedError

LEGAL_ZONE: Final = ZoneInfo("Europe/Copenhagen")
EARLIEST_YEAR: Final = 1900
LATEST_YEAR: Final = 2199

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_WIDEST_OFFSET: Final = timedelta(hours=14)


def legal_day(moment: datetime) -> date:
    """Return the date that an instant has in Denmark."""
    return local(moment).date()


def local(moment: datetime) -> datetime:
    """Return an instant as legal local time; ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return moment.astimezone(LEGAL_ZONE)


def instant(day: date, at: time) -> datetime:
    """Return the instant, aware UTC, of a legal local time; where clocks are moved, the earlier reading.

    For opening hours and ends of days, which law places where no clock is moved; what people write goes through
    `parse_moment`.
    """
    return datetime.combine(day, at, tzinfo=LEGAL_ZONE).astimezone(UTC)


def parse_date(text: str) -> date:
    """Read `yyyy-mm-dd` and nothing else (LER error codes 19-320, 19-330); RefusedError `date-invalid`."""
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise RefusedError("date-invalid", f"{text!r} is not a date: write yyyy-mm-dd, like 2026-12-01")
    return day


def parse_moment(text: str) -> datetime:
    """Read `yyyy-mm-ddThh:mm[:ss]` with an offset, or without one as legal local time; returns aware UTC.

    RefusedError: `date-invalid`; `date-ambiguous` for a local time without offset that was skipped or came twice.
    """
    found = _MOMENT.fullmatch(text)
    try:
        moment = datetime.fromisoformat(text) if found else None
    except ValueError:
        moment = None
    if found is None or moment is None:
        raise RefusedError(
            "date-invalid", f"{text!r} is not a time: write yyyy-mm-ddThh:mm, with an offset like +01:00"
        )
    parse_date(found[1])
    if found[2].startswith("24") or abs(moment.utcoffset() or timedelta(0)) >= _WIDEST_OFFSET:
        raise RefusedError("date-invalid", f"{text!r} is not a time: hours end at 23, offsets before ±14:00")
    return moment.astimezone(UTC) if moment.tzinfo else _unambiguous(moment)


def _unambiguous(wall: datetime) -> datetime:
    """The instant of a wall-clock time that exists once."""
    first = wall.replace(tzinfo=LEGAL_ZONE, fold=0)
    second = wall.replace(tzinfo=LEGAL_ZONE, fold=1)
    if first.utcoffset() != second.utcoffset():
        raise RefusedError(
            "date-ambiguous",
            f"{wall.isoformat()} was skipped or came twice when clocks were moved: give it with an offset, like +01:00",
        )
    return first.astimezone(UTC)
