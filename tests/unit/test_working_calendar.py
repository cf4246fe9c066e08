"""Denmark's working days, against dates looked up in printed calendars."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ler.calendar_of_denmark import calendar_of_denmark
from ler.domain.calendar import WorkingClock
from ler.errors import InputError

EXTRA = ("06-05", "12-24", "12-31")


def off(year: int, *extra: str) -> list[str]:
    """Days from Monday to Friday that are no working days, as mm-dd."""
    calendar = calendar_of_denmark(year, year, extra)
    days = (date(year, 1, 1) + timedelta(days=count) for count in range(366))
    return [
        f"{day:%m-%d}"
        for day in days
        if day.year == year and day.weekday() < 5 and not calendar.is_working_day(day)
    ]


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        # New Year, Maundy Thursday, Good Friday, Easter Monday, Store Bededag, Ascension, Whit Monday, Christmas
        (2023, "04-06 04-07 04-10 05-05 05-18 05-29 12-25 12-26"),
        (2024, "01-01 03-28 03-29 04-01 05-09 05-20 12-25 12-26"),
        (2026, "01-01 04-02 04-03 04-06 05-14 05-25 12-25"),
        (2027, "01-01 03-25 03-26 03-29 05-06 05-17"),
    ],
)
def test_public_holidays(year: int, expected: str) -> None:
    assert off(year) == expected.split()


def test_days_of_settings_come_on_top() -> None:
    assert set(off(2026, *EXTRA)) - set(off(2026)) == {"06-05", "12-24", "12-31"}
    assert set(off(2027, *EXTRA)) - set(off(2027)) == {"12-24", "12-31"}  # 5 June is a Saturday


def test_a_day_that_only_leap_years_have() -> None:
    calendar = calendar_of_denmark(2027, 2028, ("02-29",))
    assert not calendar.is_working_day(date(2028, 2, 29))
    assert calendar.is_working_day(date(2027, 3, 1))


@pytest.mark.parametrize("text", ["02-30", "5 June", "2026-06-05", ""])
def test_a_day_that_no_year_has_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="mm-dd"):
        calendar_of_denmark(2026, 2026, (text,))


@given(
    st.dates(date(2025, 12, 20), date(2028, 1, 10)),
    st.dates(date(2025, 12, 20), date(2028, 1, 10)),
    st.integers(1, 400),
)
def test_days_are_counted_as_by_walking_from_one_to_the_next(one: date, other: date, count: int) -> None:
    calendar = calendar_of_denmark(2026, 2027, EXTRA)
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(730)]
    working = [day for day in days if calendar.is_working_day(day)]

    def told(ask: Callable[[], object]) -> object:
        try:
            return ask()
        except InputError:
            return None

    known = date(2026, 1, 1) <= min(one, other) and max(one, other) <= date(2027, 12, 31)
    first, last = min(one, other), max(one, other)
    between = sum(first <= day <= last for day in working) if known else None
    assert told(lambda: calendar.working_days(first, last)) == between
    later = [day for day in working if day >= one]
    if one.year >= 2026:
        assert told(lambda: calendar.last_of(one, count)) == (
            later[count - 1] if count <= len(later) else None
        )
    earlier = [day for day in working if day <= one]
    if one.year <= 2027:
        assert told(lambda: calendar.first_of(one, count)) == (
            earlier[-count] if count <= len(earlier) else None
        )


def test_years_that_are_not_known_are_refused() -> None:
    calendar = calendar_of_denmark(2026, 2026)
    assert calendar.is_working_day(date(2026, 12, 31))
    for day in (date(2025, 12, 31), date(2027, 1, 1)):
        with pytest.raises(InputError, match=str(day)):
            calendar.is_working_day(day)


def test_working_days_are_counted_from_the_day_after() -> None:
    calendar = calendar_of_denmark(2026, 2027, EXTRA)
    assert calendar.working_day_after(date(2026, 11, 27)) == date(2026, 11, 30)
    assert calendar.working_day_after(date(2026, 12, 23), 3) == date(2026, 12, 30)
    assert calendar.working_day_after(date(2026, 12, 30)) == date(2027, 1, 4)


@pytest.mark.parametrize(
    ("moment", "runs"),
    [
        ("2026-11-24T05:59:59.999999", False),
        ("2026-11-24T06:00", True),
        ("2026-11-24T14:59:59.999999", True),
        ("2026-11-24T15:00", False),
        ("2026-07-01T05:00", True),
        ("2026-07-01T14:00", False),
        ("2026-11-28T10:00", False),
        ("2026-04-06T10:00", False),
    ],
)
def test_the_clock_runs_from_7_to_16_legal_time(moment: str, *, runs: bool) -> None:
    clock = WorkingClock(calendar_of_denmark(2026, 2026), time(7), time(16))
    assert clock.runs_at(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is runs
