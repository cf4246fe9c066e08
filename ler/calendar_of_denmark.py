"""The working calendar of Denmark: public holidays by the library `holidays`, and the days that settings add.

The library knows the law's changes (Store Bededag is an ordinary Friday since 2024). Grundlovsdag, 24 and 31 December
are no public holidays; the amendment of 2008 named them as no weekdays, and the current text was not seen: settings.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from holidays import country_holidays

from ler.domain.calendar import WorkingCalendar
from ler.errors import InputError

_LEAP_YEAR: Final = 2000
"""In which 29 February can be written."""


def calendar_of_denmark(
    first_year: int, last_year: int, extra_days_off: Iterable[str] = ()
) -> WorkingCalendar:
    """Return the working calendar of whole years; `extra_days_off` are days of every year, written `mm-dd`.

    InputError for a day that no year has.
    """
    years = range(first_year, last_year + 1)
    extra = [day for text in extra_days_off for day in _each_year(text, years)]
    public = country_holidays("DK", years=years)
    return WorkingCalendar(date(first_year, 1, 1), date(last_year, 12, 31), frozenset({*public, *extra}))


def _each_year(text: str, years: range) -> list[date]:
    try:
        day = date.fromisoformat(f"{_LEAP_YEAR}-{text}")
    except ValueError:
        raise InputError(f"{text!r} is no day of the year: write mm-dd, like 06-05") from None
    return [day.replace(year=year) for year in years if (day.month, day.day) != (2, 29) or year % 4 == 0]
