"""Which version somebody means: by its number, a date, or a time."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ler.errors import NotFoundError, RefusedError

_LARGEST: Final = 2**31 - 1


def moment_of(given: str) -> datetime | int:
    """The number of a version, or the end of a date or the time given, in Danish time where no zone is.

    RefusedError `time-invalid` for what is neither, NotFoundError for a number that no version can have.
    """
    if given.isdecimal():
        if len(given) > len(str(_LARGEST)) or int(given) > _LARGEST:
            raise NotFoundError("There is no version of that number.")
        return int(given)
    try:
        moment = datetime.fromisoformat(given)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo("Europe/Copenhagen"))
        if "T" not in given and " " not in given:
            moment += timedelta(days=1) - timedelta(microseconds=1)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RefusedError(
            "time-invalid", f"{given!r} is no date, time or number of a version; write 2026-05-04 or 3"
        ) from None
