"""Times as callers write them: text and nothing else, in fields; and which version of a network somebody means.

A number is refused as a time: who sends one may count seconds or milliseconds. A local time that was skipped or came
twice when clocks were moved is refused too (`ler.domain.legal_time`).
"""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Final

from pydantic import AwareDatetime, BeforeValidator, Field

from ler.domain.legal_time import instant, parse_date, parse_moment
from ler.errors import NotFoundError, RefusedError

_LARGEST: Final = 2**31 - 1


def _only_text(value: object) -> object:
    if not isinstance(value, str) or value.lstrip("+-").replace(".", "").isdecimal():
        raise ValueError("a date or time as text is wanted")
    return value


type Moment = Annotated[AwareDatetime, BeforeValidator(_only_text), Field(strict=False)]
"""A time with its offset from UTC."""
type Day = Annotated[date, BeforeValidator(_only_text), Field(strict=False)]


def moment_of(given: str) -> datetime | int:
    """The number of a version, or the end of a date or the time given, in Danish time where no zone is.

    RefusedError `date-invalid` or `date-ambiguous`, NotFoundError for a number that no version can have.
    """
    if given.isdecimal():
        if len(given) > len(str(_LARGEST)) or int(given) > _LARGEST:
            raise NotFoundError("There is no version of that number.")
        return int(given)
    try:
        return end_of(given) if "T" not in given else parse_moment(given)
    except RefusedError as error:
        raise RefusedError(error.code, f"{error}; or give the number of a version, like 3") from None


def end_of(day: str) -> datetime:
    """Return the last moment of a date, in Danish time; RefusedError `date-invalid`."""
    return instant(parse_date(day) + timedelta(days=1), time(0)) - timedelta(microseconds=1)
