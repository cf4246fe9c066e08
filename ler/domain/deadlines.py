"""When an owner must have answered, when it is reminded, and when its silence is told to others.

The clock of the two hours runs 07-16 on working days in legal local time. All moments are aware UTC and passed in.
Figures are the law's (`ler.domain.law`); how they are read where the text leaves room is `Readings`, with reasons in
docs/decisions/0020-reading-the-deadlines.md.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from ler.domain.calendar import WorkingCalendar, WorkingClock
from ler.domain.law import DeadlineFigures, deadline_figures, in_force
from ler.domain.legal_time import instant, legal_day, local

_HUNDRED: Final = 100


class DeadlineKind(StrEnum):
    """Which of the law's deadlines an owner has."""

    ORDINARY = "ordinary"
    """Two hours (LAW § 10(1)). A request for urgent repair has no shorter one in the text that was seen."""
    MANUAL = "manual-handling"
    """Taken out for manual handling (LAW § 10(2)), counted from the receipt of the request."""
    DISPENSATION = "dispensation"
    """An owner with dispensation (LAW § 13(2), (3))."""


class Remainder(StrEnum):
    """A request that came in the hours, of whose two hours a part is left when the clock stops."""

    NEXT_MORNING = "next-morning"
    """The rest runs from the opening of the next working day: 15:30 gives 08:30."""
    OUTSIDE_HOURS_TIME = "outside-hours-time"
    """It is due when those are due that came outside the hours: 15:30 gives 09:00."""


class BeforeOpening(StrEnum):
    """A request that came on a working day before the clock starts."""

    SAME_DAY = "same-day"
    """The next weekday is the one that is about to begin: 03:00 on Tuesday gives 09:00 on Tuesday."""
    NEXT_DAY = "next-day"
    """The next weekday is the day after: 03:00 on Tuesday gives 09:00 on Wednesday."""


class DayEnd(StrEnum):
    """When a deadline of whole working days ends; the day of receipt is not counted."""

    CLOSING = "closing"
    """When the clock stops on the last day."""
    MIDNIGHT = "midnight"
    """When the last day ends."""
    RUNNING_TIME = "running-time"
    """When the clock has run for so many whole days since the receipt: 10:00 on Monday gives 10:00 on Wednesday."""


@dataclass(frozen=True, slots=True)
class Readings:
    """How the law is read where its text leaves room."""

    remainder: Remainder = Remainder.NEXT_MORNING
    before_opening: BeforeOpening = BeforeOpening.SAME_DAY
    day_end: DayEnd = DayEnd.CLOSING


@dataclass(frozen=True, slots=True)
class DeadlineRules:
    """Every set of the law's figures, and how it is read."""

    figures: Sequence[DeadlineFigures] = field(default_factory=deadline_figures)
    readings: Readings = field(default_factory=Readings)


def due_at(
    received_at: datetime, kind: DeadlineKind, calendar: WorkingCalendar, rules: DeadlineRules
) -> datetime:
    """Return the last moment, aware UTC, at which an answer is in time.

    `received_at`, aware, is when the request was available to the owner (LAW § 10(1), last sentence), whether or not
    it was fetched. InputError for a day outside the calendar or before the law's figures.
    """
    figures = in_force(rules.figures, legal_day(received_at))
    clock = _clock(calendar, figures)
    match kind:
        case DeadlineKind.ORDINARY:
            return _ordinary(received_at, clock, figures, rules.readings)
        case DeadlineKind.MANUAL:
            return _working_days(received_at, figures.manual_working_days, clock, rules.readings)
        case DeadlineKind.DISPENSATION:
            return _working_days(received_at, figures.dispensation_working_days, clock, rules.readings)


def clock_of(received_at: datetime, calendar: WorkingCalendar, rules: DeadlineRules) -> WorkingClock:
    """Return the clock that runs for a request received then."""
    return _clock(calendar, in_force(rules.figures, legal_day(received_at)))


def _clock(calendar: WorkingCalendar, figures: DeadlineFigures) -> WorkingClock:
    return WorkingClock(calendar, figures.clock_opens, figures.clock_closes)


def _ordinary(
    received_at: datetime, clock: WorkingClock, figures: DeadlineFigures, readings: Readings
) -> datetime:
    day = legal_day(received_at)
    if clock.runs_at(received_at):
        carried = clock.after(received_at, figures.answer_within)
        if legal_day(carried) == day or readings.remainder is Remainder.NEXT_MORNING:
            return carried
    elif _opens_later_that_day(received_at, clock) and readings.before_opening is BeforeOpening.SAME_DAY:
        return instant(day, figures.outside_hours_by)
    return instant(clock.calendar.working_day_after(day), figures.outside_hours_by)


def _opens_later_that_day(moment: datetime, clock: WorkingClock) -> bool:
    return clock.calendar.is_working_day(legal_day(moment)) and local(moment).time() < clock.opens


def _working_days(received_at: datetime, count: int, clock: WorkingClock, readings: Readings) -> datetime:
    last = clock.calendar.working_day_after(legal_day(received_at), count)
    opens, closes = clock.hours(last)
    match readings.day_end:
        case DayEnd.CLOSING:
            return closes
        case DayEnd.MIDNIGHT:
            return instant(last + timedelta(days=1), time(0))
        case DayEnd.RUNNING_TIME:
            return clock.after(received_at, count * (closes - opens))


class NoticeKind(StrEnum):
    """What is told when time runs out."""

    REMINDER = "reminder"
    SILENCE = "silence"
    """The deadline has passed without an answer."""


class Recipient(StrEnum):
    """To whom."""

    OWNER = "owner"
    REQUESTER = "requester"
    """With the owner's contact: at the deadline it may turn to the owner itself (BEK-1534 § 9(5))."""
    OWNER_MANAGEMENT = "owner-management"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell at a moment, unless the owner has answered by then."""

    at: datetime
    kind: NoticeKind
    to: Recipient
    percent: int = _HUNDRED
    """Of the running time that is gone."""


@dataclass(frozen=True, slots=True)
class NoticePlan:
    """When to remind and whom to tell of silence. The law says nothing of either: settings."""

    reminder_percents: Sequence[int] = (50, 90, 100)
    management_after: timedelta = timedelta(hours=2)
    """Running time after the deadline."""
    operator_after: timedelta = timedelta(hours=9)


def notices(received_at: datetime, due: datetime, clock: WorkingClock, plan: NoticePlan) -> list[Notice]:
    """Return everything to tell about an owner that stays silent, in order of time."""
    running = clock.running(received_at, due)
    reminders = [
        Notice(
            _share(received_at, due, running, percent, clock), NoticeKind.REMINDER, Recipient.OWNER, percent
        )
        for percent in sorted(plan.reminder_percents)
    ]
    silence = [
        Notice(due.astimezone(UTC), NoticeKind.SILENCE, Recipient.REQUESTER),
        Notice(clock.after(due, plan.management_after), NoticeKind.SILENCE, Recipient.OWNER_MANAGEMENT),
        Notice(clock.after(due, plan.operator_after), NoticeKind.SILENCE, Recipient.OPERATOR),
    ]
    return sorted([*reminders, *silence], key=lambda notice: notice.at)


def owed_notices(plan: Sequence[Notice], told: Collection[Notice], now: datetime) -> list[Notice]:
    """Return what must be told now. After hours without a sweep only the latest reminder: older ones say less."""
    reached = [notice for notice in plan if notice.at <= now]
    reminders = [notice for notice in reached if notice.kind is NoticeKind.REMINDER]
    owed = [*reminders[-1:], *(notice for notice in reached if notice.kind is NoticeKind.SILENCE)]
    return [notice for notice in owed if notice not in told]


def _share(
    received_at: datetime, due: datetime, running: timedelta, percent: int, clock: WorkingClock
) -> datetime:
    """When so much of the running time is gone; all of it is gone at the deadline."""
    if percent >= _HUNDRED:
        return due.astimezone(UTC)
    return min(clock.after(received_at, running * percent // _HUNDRED), due.astimezone(UTC))


class Lateness(StrEnum):
    """How an answer, or its absence, stands to its deadline."""

    PENDING = "pending"
    IN_TIME = "in-time"
    LATE = "late"
    OVERDUE = "overdue"
    """Not answered, and the deadline has passed."""


def lateness(due: datetime, answered_at: datetime | None, now: datetime) -> Lateness:
    """Say whether an answer is late; one at the very moment of the deadline is in time."""
    if answered_at is not None:
        return Lateness.LATE if answered_at > due else Lateness.IN_TIME
    return Lateness.OVERDUE if now > due else Lateness.PENDING
