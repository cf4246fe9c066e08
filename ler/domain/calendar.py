"""Working days, and the clock that runs on them: 07-16 on working days, in legal local time.

Which days are no working days comes in as data (`WorkingCalendar`): the law's list is a matter of the year and of
settings, and is made by `ler.calendar_of_denmark`. Days outside the years that the calendar knows are refused.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from ler.domain.legal_time import instant, legal_day
from ler.errors import InputError

_SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Which days are working days, from the first to the last day that it knows."""

    first: date
    last: date
    days_off: frozenset[date]
    """Days that are no working days; Saturdays and Sundays need not be among them."""

    def is_working_day(self, day: date) -> bool:
        """Whether a day is a working day; InputError for a day that the calendar does not know."""
        self._check(day.toordinal())
        return day.weekday() < _SATURDAY and day not in self.days_off

    def working_day_after(self, day: date, count: int = 1) -> date:
        """Return the working day that is `count` working days after a day, which is itself not counted."""
        found = day.toordinal()
        target = self._rank(found) + count
        # A step as long as what is missing never goes too far, and ends on a working day.
        while missing := target - self._rank(found):
            self._check(found + 1)
            found += missing
            self._check(found)
        return date.fromordinal(found)

    def working_days(self, first: date, last: date) -> int:
        """Return how many working days there are from a day to another, both counted."""
        if last < first:
            return 0
        self._check(first.toordinal())
        self._check(last.toordinal())
        return self._rank(last.toordinal()) - self._rank(first.toordinal() - 1)

    def last_of(self, start: date, count: int) -> date:
        """Return the last day of work that takes `count` working days, at least one, from the earliest day on."""
        return self.working_day_after(start - _DAY, count)

    def first_of(self, end: date, count: int) -> date:
        """Return the latest day on which work of `count` working days, at least one, must begin to end by a day."""
        found = end.toordinal() + 1
        target = self._rank(found - 1) - count
        while missing := self._rank(found - 1) - target:
            self._check(found - 1)
            found -= missing
            self._check(found)
        return date.fromordinal(found)

    def _rank(self, ordinal: int) -> int:
        """Return how many working days there are up to a day since the first Monday of all."""
        weeks, rest = divmod(ordinal, 7)
        return 5 * weeks + min(rest, 5) - bisect_right(_weekdays_off(self.days_off), ordinal)

    def _check(self, ordinal: int) -> None:
        if not self.first.toordinal() <= ordinal <= self.last.toordinal():
            day = date.fromordinal(min(max(ordinal, 1), date.max.toordinal()))
            raise InputError(f"the calendar knows no {day}: it goes from {self.first} to {self.last}")


@lru_cache(maxsize=64)
def _weekdays_off(days_off: frozenset[date]) -> Sequence[int]:
    """Return the days off that are no Saturdays or Sundays, as ordinals, sorted."""
    return tuple(sorted(day.toordinal() for day in days_off if day.weekday() < _SATURDAY))


@dataclass(frozen=True, slots=True)
class WorkingClock:
    """A clock that runs between two times of day on working days and stands still otherwise."""

    calendar: WorkingCalendar
    opens: time
    closes: time

    def hours(self, day: date) -> tuple[datetime, datetime]:
        """Return when it starts and stops on a working day, aware UTC."""
        return instant(day, self.opens), instant(day, self.closes)

    def runs_at(self, moment: datetime) -> bool:
        """Whether it runs: from the opening second on, and at the closing second no more."""
        day = legal_day(moment)
        opens, closes = self.hours(day)
        return self.calendar.is_working_day(day) and opens <= moment < closes

    def after(self, moment: datetime, running: timedelta) -> datetime:
        """Return when it has run for so long since a moment, aware UTC; `running` is more than nothing."""
        day, moment, left = legal_day(moment), moment.astimezone(UTC), running
        while True:
            if self.calendar.is_working_day(day):
                opens, closes = self.hours(day)
                begins = max(moment, opens)
                room = max(closes - begins, timedelta(0))
                if room and left <= room:
                    return begins + left
                left -= room
            day += _DAY

    def running(self, start: datetime, end: datetime) -> timedelta:
        """Return how long it runs between two moments; nothing when the second is not later."""
        total, day, last = timedelta(0), legal_day(start), legal_day(end)
        while day <= last:
            if self.calendar.is_working_day(day):
                opens, closes = self.hours(day)
                total += max(min(closes, end) - max(opens, start), timedelta(0))
            day += _DAY
        return total
