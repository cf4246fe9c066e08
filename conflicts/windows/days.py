"""Working days by number: the planner counts them from a first day on and skips the others."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, timedelta

from ler.domain.calendar import WorkingCalendar
from ler.domain.works import PlannedWork

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


def days_of(works: Iterable[PlannedWork], calendar: WorkingCalendar, today: date) -> WorkDays:
    """Return the days that works need, of those that the calendar knows; `today` is among them."""
    firsts, lasts = [today], [today]
    for work in works:
        firsts.append(min(work.earliest_start, work.planned_start or work.earliest_start))
        lasts.append(work.latest_end)
    return WorkDays(calendar, max(min(firsts), calendar.first), min(max(lasts), calendar.last))
