"""Working days by number: the planner counts them from a first day on and skips the others."""

from bisect import bisect_left, bisect_right
from datetime import date, timedelta

from ler.domain.calendar import WorkingCalendar

_DAY = timedelta(days=1)


class WorkDays:
    """The working days from one day to another, numbered from 0."""

    def __init__(self, calendar: WorkingCalendar, first: date, last: date) -> None:
        days = (first + _DAY * number for number in range((last - first).days + 1))
        self._days = [day for day in days if calendar.is_working_day(day)]

    def __len__(self) -> int:
        return len(self._days)

    def from_(self, day: date) -> int:
        """Number of the first working day that is not before a day; the count of all when there is none."""
        return bisect_left(self._days, day)

    def until(self, day: date) -> int:
        """Number of the last working day that is not after a day; -1 when there is none."""
        return bisect_right(self._days, day) - 1

    def date(self, number: int) -> date:
        """Return the day of a number."""
        return self._days[number]


def days_of(calendar: WorkingCalendar) -> WorkDays:
    """Return all days that a calendar knows: a day has the same number whichever works are planned."""
    return WorkDays(calendar, calendar.first, calendar.last)
