"""Due times as computed by hand, and what must hold for every moment."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ler.calendar_of_denmark import calendar_of_denmark
from ler.domain.deadlines import (
    BeforeOpening,
    DayEnd,
    DeadlineKind,
    DeadlineRules,
    Lateness,
    Notice,
    NoticeKind,
    NoticePlan,
    Readings,
    Recipient,
    Remainder,
    clock_of,
    due_at,
    lateness,
    notices,
    owed_notices,
)
from ler.domain.law import deadline_figures, fee_figures, in_force
from ler.errors import InputError
from ler.rules_in_force import deadline_rules, working_calendar
from ler.settings import Settings

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
CALENDAR = calendar_of_denmark(2023, 2032, ("06-05", "12-24", "12-31"))
RULES = DeadlineRules()


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=COPENHAGEN)


def due(received: str, kind: DeadlineKind = DeadlineKind.ORDINARY, rules: DeadlineRules = RULES) -> str:
    """The due time of a legal local time, as one."""
    moment = due_at(wall(received), kind, CALENDAR, rules)
    assert moment.tzinfo is UTC
    return moment.astimezone(COPENHAGEN).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


ORDINARY = {
    # 24 November 2026 is a Tuesday.
    "in the morning": ("2026-11-24 10:00", "2026-11-24 12:00"),
    "the clock starts": ("2026-11-24 07:00", "2026-11-24 09:00"),
    "a minute before the clock starts": ("2026-11-24 06:59", "2026-11-24 09:00"),
    "at night": ("2026-11-24 03:00", "2026-11-24 09:00"),
    "the last that fits": ("2026-11-24 14:00", "2026-11-24 16:00"),
    "a second too late to fit": ("2026-11-24 14:00:01", "2026-11-25 07:00:01"),
    "a minute too late to fit": ("2026-11-24 14:01", "2026-11-25 07:01"),
    "the worked rule of the domain": ("2026-11-24 15:20", "2026-11-25 08:20"),
    "half an hour left": ("2026-11-24 15:30", "2026-11-25 08:30"),
    "a minute left": ("2026-11-24 15:59", "2026-11-25 08:59"),
    "a second left": ("2026-11-24 15:59:59", "2026-11-25 08:59:59"),
    "the clock stops": ("2026-11-24 16:00", "2026-11-25 09:00"),
    "the last second of the day": ("2026-11-24 23:59:59", "2026-11-25 09:00"),
    "the first second of the day": ("2026-11-25 00:00", "2026-11-25 09:00"),
    "Friday, half an hour left": ("2026-11-27 15:30", "2026-11-30 08:30"),
    "Friday evening": ("2026-11-27 16:00", "2026-11-30 09:00"),
    "Saturday": ("2026-11-28 12:00", "2026-11-30 09:00"),
    "Sunday night": ("2026-11-29 23:00", "2026-11-30 09:00"),
    "Monday before dawn": ("2026-11-30 00:30", "2026-11-30 09:00"),
    # Easter Sunday is 5 April 2026.
    "before Easter 2026": ("2026-04-01 15:30", "2026-04-07 08:30"),
    "Maundy Thursday 2026": ("2026-04-02 10:00", "2026-04-07 09:00"),
    "Easter Monday 2026": ("2026-04-06 10:00", "2026-04-07 09:00"),
    # Easter Sunday 28 March 2027 is the night in which clocks go forward.
    "before Easter 2027": ("2027-03-24 15:00", "2027-03-30 08:00"),
    "Good Friday 2027": ("2027-03-26 08:00", "2027-03-30 09:00"),
    # Clocks go forward on 29 March 2026 and back on 25 October 2026.
    "before summer time": ("2026-03-27 15:30", "2026-03-30 08:30"),
    "the day of summer time": ("2026-03-29 12:00", "2026-03-30 09:00"),
    "before winter time": ("2026-10-23 15:30", "2026-10-26 08:30"),
    "the day of winter time": ("2026-10-25 12:00", "2026-10-26 09:00"),
    "before Ascension": ("2026-05-13 15:30", "2026-05-15 08:30"),
    "Whit Monday": ("2026-05-25 10:00", "2026-05-26 09:00"),
    "before Grundlovsdag": ("2026-06-04 15:00", "2026-06-08 08:00"),
    "Grundlovsdag, a Friday": ("2026-06-05 10:00", "2026-06-08 09:00"),
    "before Christmas": ("2026-12-23 15:00", "2026-12-28 08:00"),
    "Christmas Eve": ("2026-12-24 08:00", "2026-12-28 09:00"),
    "before the end of the year": ("2026-12-30 15:30", "2027-01-04 08:30"),
    "the end of the year": ("2026-12-31 10:00", "2027-01-04 09:00"),
    # Store Bededag, the fourth Friday after Easter, was a holiday for the last time in 2023.
    "Store Bededag 2023": ("2023-05-05 10:00", "2023-05-08 09:00"),
    "what would be Store Bededag 2026": ("2026-05-01 10:00", "2026-05-01 12:00"),
}


@pytest.mark.parametrize("case", ORDINARY)
def test_two_hours(case: str) -> None:
    received, expected = ORDINARY[case]
    assert due(received) == expected


UTC_MOMENTS = {
    "into summer time": ("2026-03-27T14:30", "2026-03-30T06:30"),
    "just after the skipped hour": ("2026-03-29T01:00", "2026-03-30T07:00"),
    "the first 02:30": ("2026-10-25T00:30", "2026-10-26T08:00"),
    "the second 02:30": ("2026-10-25T01:30", "2026-10-26T08:00"),
    "into winter time": ("2026-10-23T13:30", "2026-10-26T07:30"),
    "Easter and summer time": ("2027-03-24T14:00", "2027-03-30T06:00"),
    "a date in UTC that is another in Denmark": ("2026-11-24T23:30", "2026-11-25T08:00"),
}


@pytest.mark.parametrize("case", UTC_MOMENTS)
def test_two_hours_in_utc(case: str) -> None:
    received, expected = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in UTC_MOMENTS[case])
    assert due_at(received, DeadlineKind.ORDINARY, CALENDAR, RULES) == expected


LONGER = {
    "Monday": ("2026-11-23 10:00", "2026-11-25 16:00", "2026-11-30 16:00"),
    "Monday before dawn": ("2026-11-23 03:00", "2026-11-25 16:00", "2026-11-30 16:00"),
    "Friday evening": ("2026-11-27 18:00", "2026-12-01 16:00", "2026-12-04 16:00"),
    "Saturday": ("2026-11-28 12:00", "2026-12-01 16:00", "2026-12-04 16:00"),
    "before Easter": ("2026-04-01 10:00", "2026-04-08 16:00", "2026-04-13 16:00"),
    "before winter time": ("2026-10-22 10:00", "2026-10-26 16:00", "2026-10-29 16:00"),
    "before Christmas": ("2026-12-22 10:00", "2026-12-28 16:00", "2027-01-04 16:00"),
}


@pytest.mark.parametrize("case", LONGER)
def test_manual_handling_and_dispensation(case: str) -> None:
    received, manual, dispensation = LONGER[case]
    assert due(received, DeadlineKind.MANUAL) == manual
    assert due(received, DeadlineKind.DISPENSATION) == dispensation


@pytest.mark.parametrize(
    ("readings", "kind", "received", "expected"),
    [
        (
            Readings(remainder=Remainder.OUTSIDE_HOURS_TIME),
            "ordinary",
            "2026-11-24 15:30",
            "2026-11-25 09:00",
        ),
        (
            Readings(remainder=Remainder.OUTSIDE_HOURS_TIME),
            "ordinary",
            "2026-11-24 14:00",
            "2026-11-24 16:00",
        ),
        (Readings(before_opening=BeforeOpening.NEXT_DAY), "ordinary", "2026-11-24 06:59", "2026-11-25 09:00"),
        (Readings(before_opening=BeforeOpening.NEXT_DAY), "ordinary", "2026-11-24 07:00", "2026-11-24 09:00"),
        (Readings(before_opening=BeforeOpening.NEXT_DAY), "ordinary", "2026-11-29 06:59", "2026-11-30 09:00"),
        (Readings(day_end=DayEnd.MIDNIGHT), "manual-handling", "2026-11-23 10:00", "2026-11-26 00:00"),
        (Readings(day_end=DayEnd.MIDNIGHT), "manual-handling", "2026-10-21 10:00", "2026-10-24 00:00"),
        (Readings(day_end=DayEnd.RUNNING_TIME), "manual-handling", "2026-11-23 10:00", "2026-11-25 10:00"),
        (Readings(day_end=DayEnd.RUNNING_TIME), "manual-handling", "2026-11-28 10:00", "2026-12-01 16:00"),
        (Readings(day_end=DayEnd.RUNNING_TIME), "dispensation", "2026-11-23 10:00", "2026-11-30 10:00"),
    ],
)
def test_the_law_can_be_read_otherwise(readings: Readings, kind: str, received: str, expected: str) -> None:
    assert due(received, DeadlineKind(kind), replace(RULES, readings=readings)) == expected


def test_days_that_are_a_matter_of_settings_can_be_left_out() -> None:
    settings = Settings(extra_days_off=(), deadline_day_end=DayEnd.MIDNIGHT)
    calendar, rules = working_calendar(settings, 2026), deadline_rules(settings)
    grundlovsdag, christmas_eve = wall("2026-06-05 10:00"), wall("2026-12-24 14:30")
    assert due_at(grundlovsdag, DeadlineKind.ORDINARY, calendar, rules) == wall("2026-06-05 12:00")
    # 25 to 27 December are two holidays and a Sunday.
    assert due_at(christmas_eve, DeadlineKind.ORDINARY, calendar, rules) == wall("2026-12-28 07:30")
    assert due_at(grundlovsdag, DeadlineKind.MANUAL, calendar, rules) == wall("2026-06-10 00:00")


def test_the_default_settings_are_the_default_readings() -> None:
    assert deadline_rules(Settings()) == RULES
    assert set(working_calendar(Settings(), 2026).days_off) < CALENDAR.days_off


def test_what_the_law_or_the_calendar_does_not_reach_is_refused() -> None:
    with pytest.raises(InputError, match="2023-01-01"):
        due("2022-12-31 23:00")
    with pytest.raises(InputError, match="2033-01-01"):
        due("2032-12-31 10:00")
    with pytest.raises(ValueError, match="zone"):
        due_at(datetime(2026, 11, 24, 10), DeadlineKind.ORDINARY, CALENDAR, RULES)  # noqa: DTZ001 - the point


def test_later_figures_hold_from_their_day_on() -> None:
    changed = replace(
        deadline_figures()[0],
        valid_from=date(2026, 11, 25),
        answer_within=timedelta(hours=1),
        manual_working_days=1,
    )
    rules = DeadlineRules(figures=(changed, *deadline_figures()))
    assert due("2026-11-24 10:00", rules=rules) == "2026-11-24 12:00"
    assert due("2026-11-25 10:00", rules=rules) == "2026-11-25 11:00"
    assert due("2026-11-24 10:00", DeadlineKind.MANUAL, rules) == "2026-11-26 16:00"
    assert due("2026-11-25 10:00", DeadlineKind.MANUAL, rules) == "2026-11-26 16:00"


def test_every_figure_of_the_law_names_its_source() -> None:
    told = [figures.sources for figures in deadline_figures()] + [
        figures.sources for figures in fee_figures()
    ]
    for sources in told:
        assert sources
        assert all(source.startswith(("[LAW", "[WEB]", "[INF]")) for source in sources.values())
    assert in_force(deadline_figures(), date(2026, 1, 1)).sources["clock_opens"].startswith("[LAW § 10(1)]")


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone beside
MONOTONE = [
    DeadlineRules(readings=Readings(remainder=remainder, day_end=day_end))
    for remainder, day_end in product(Remainder, DayEnd)
]


@given(MOMENTS, st.sampled_from(DeadlineKind), st.sampled_from(MONOTONE))
def test_nothing_is_due_before_it_is_received(
    received: datetime, kind: DeadlineKind, rules: DeadlineRules
) -> None:
    assert due_at(received, kind, CALENDAR, rules) > received


@given(
    MOMENTS,
    st.timedeltas(timedelta(0), timedelta(days=3)),
    st.sampled_from(DeadlineKind),
    st.sampled_from(MONOTONE),
)
def test_who_asks_later_is_not_answered_earlier(
    received: datetime, later: timedelta, kind: DeadlineKind, rules: DeadlineRules
) -> None:
    assert due_at(received, kind, CALENDAR, rules) <= due_at(received + later, kind, CALENDAR, rules)


def running_minutes(start: datetime, end: datetime) -> int:
    """Counted one by one: minutes that begin 07-16 on a weekday that is no day off."""
    count, moment = 0, start
    while moment < end:
        shown = moment.astimezone(COPENHAGEN)
        working = shown.weekday() < 5 and shown.date() not in CALENDAR.days_off
        count += working and 7 <= shown.hour < 16
        moment += timedelta(minutes=1)
    return count


@given(MOMENTS)
def test_exactly_two_hours_of_the_clock_run(received: datetime) -> None:
    minute = received.replace(second=0, microsecond=0)
    moment = due_at(minute, DeadlineKind.ORDINARY, CALENDAR, RULES)
    assert running_minutes(minute, moment) == 120
    assert clock_of(minute, CALENDAR, RULES).running(
        received, due_at(received, DeadlineKind.ORDINARY, CALENDAR, RULES)
    ) == (timedelta(hours=2))


@given(MOMENTS, st.integers(1, 60 * 60))
def test_the_clock_counts_back_what_it_ran(received: datetime, minutes: int) -> None:
    clock, ran = clock_of(received, CALENDAR, RULES), timedelta(minutes=minutes)
    end = clock.after(received, ran)
    assert clock.running(received, end) == ran
    assert clock.running(end, received) == timedelta(0)
    assert clock.runs_at(end - timedelta(microseconds=1))


@pytest.fixture(params=["UTC", "America/Los_Angeles", "Pacific/Kiritimati"])
def _machine_elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_machine_elsewhere")
def test_the_zone_of_the_machine_changes_nothing() -> None:
    assert os.environ["TZ"]
    for received, expected in ORDINARY.values():
        assert due(received) == expected


def told(received: str, kind: DeadlineKind = DeadlineKind.ORDINARY) -> list[tuple[str, str, int]]:
    moment = wall(received)
    plan = notices(
        moment, due_at(moment, kind, CALENDAR, RULES), clock_of(moment, CALENDAR, RULES), NoticePlan()
    )
    return [
        (notice.at.astimezone(COPENHAGEN).strftime("%Y-%m-%d %H:%M"), notice.to.value, notice.percent)
        for notice in plan
    ]


def test_reminders_follow_the_running_time_and_silence_is_told_after_it() -> None:
    assert told("2026-11-24 15:30") == [
        ("2026-11-25 07:30", "owner", 50),
        ("2026-11-25 08:18", "owner", 90),
        ("2026-11-25 08:30", "owner", 100),
        ("2026-11-25 08:30", "requester", 100),
        ("2026-11-25 10:30", "owner-management", 100),
        ("2026-11-26 08:30", "operator", 100),
    ]
    assert [at for at, _, _ in told("2026-11-28 12:00")] == [
        "2026-11-30 08:00",
        "2026-11-30 08:48",
        "2026-11-30 09:00",
        "2026-11-30 09:00",
        "2026-11-30 11:00",
        "2026-12-01 09:00",
    ]


def test_reminders_of_manual_handling() -> None:
    # Six hours on Monday and nine on each of the next days: the half is gone on Tuesday at 13, 21.6 h on Wednesday.
    assert told("2026-11-23 10:00", DeadlineKind.MANUAL)[:3] == [
        ("2026-11-24 13:00", "owner", 50),
        ("2026-11-25 13:36", "owner", 90),
        ("2026-11-25 16:00", "owner", 100),
    ]


@given(MOMENTS, st.sampled_from(DeadlineKind), st.sampled_from(MONOTONE))
def test_no_reminder_comes_before_the_receipt_or_after_the_deadline(
    received: datetime, kind: DeadlineKind, rules: DeadlineRules
) -> None:
    end = due_at(received, kind, CALENDAR, rules)
    plan = notices(received, end, clock_of(received, CALENDAR, rules), NoticePlan())
    assert [notice.at for notice in plan] == sorted(notice.at for notice in plan)
    for notice in plan:
        if notice.kind is NoticeKind.REMINDER:
            assert received < notice.at <= end
        else:
            assert notice.at >= end


def plan_of_a_tuesday() -> list[Notice]:
    moment = wall("2026-11-24 10:00")
    return notices(moment, wall("2026-11-24 12:00"), clock_of(moment, CALENDAR, RULES), NoticePlan())


def test_after_hours_without_a_sweep_one_reminder_is_owed_and_all_that_others_must_know() -> None:
    plan = plan_of_a_tuesday()
    owed = owed_notices(plan, (), wall("2026-11-24 15:00"))
    assert [(notice.to, notice.percent) for notice in owed] == [
        (Recipient.OWNER, 100),
        (Recipient.REQUESTER, 100),
        (Recipient.OWNER_MANAGEMENT, 100),
    ]
    assert owed_notices(plan, owed, wall("2026-11-24 15:00")) == []


def test_nothing_is_owed_before_its_time() -> None:
    plan = plan_of_a_tuesday()
    assert owed_notices(plan, (), wall("2026-11-24 10:59")) == []
    (half,) = owed_notices(plan, (), wall("2026-11-24 11:00"))
    assert (half.to, half.percent) == (Recipient.OWNER, 50)


def test_an_answer_at_the_moment_of_the_deadline_is_in_time() -> None:
    end, instant = wall("2026-11-24 12:00"), timedelta(microseconds=1)
    assert lateness(end, end, end) is Lateness.IN_TIME
    assert lateness(end, end + instant, end + instant) is Lateness.LATE
    assert lateness(end, None, end) is Lateness.PENDING
    assert lateness(end, None, end + instant) is Lateness.OVERDUE
