"""The rules of `ler.domain` with the figures that the settings give."""

from datetime import date, datetime
from typing import Protocol

from ler.calendar_of_denmark import calendar_of_denmark
from ler.domain.calendar import WorkingCalendar
from ler.domain.deadlines import DeadlineKind, DeadlineRules, Readings, due_at
from ler.domain.dig_area import AreaLimits
from ler.domain.legal_time import legal_day
from ler.domain.request_rules import RequestLimits
from ler.domain.works import WorkRules
from ler.settings import Settings


class Due(Protocol):
    """From when an owner received a request to when it must have answered, both aware UTC."""

    def __call__(self, received_at: datetime, *, dispensed: bool = False, manual: bool = False) -> datetime:
        """Return the last moment at which it is in time.

        `dispensed` is who has a dispensation, `manual` whose answer is taken out for manual handling.
        """
        ...


def area_limits(settings: Settings) -> AreaLimits:
    """Return what one dig area may be."""
    return AreaLimits(
        max_area_m2=settings.max_area_m2,
        min_area_m2=settings.min_area_m2,
        max_parts=settings.max_polygons,
        max_corridor_width_m=settings.max_corridor_width_m,
    )


def request_limits(settings: Settings) -> RequestLimits:
    """Return how long, how early and how late a dig may be."""
    return RequestLimits(
        longest_period_days=settings.longest_period_days,
        days_ahead=settings.days_ahead,
        days_back=settings.days_back,
        days_back_when_started=settings.days_back_when_started,
    )


def deadline_rules(settings: Settings) -> DeadlineRules:
    """Return the law's deadlines, read as the settings say."""
    readings = Readings(
        remainder=settings.deadline_remainder,
        before_opening=settings.deadline_before_opening,
        day_end=settings.deadline_day_end,
    )
    return DeadlineRules(readings=readings)


def working_calendar(settings: Settings, year: int) -> WorkingCalendar:
    """Return the working calendar for what begins in a year: the deadlines of its last days end in the next."""
    return calendar_of_denmark(year, year + 1, settings.extra_days_off)


def calendar_between(settings: Settings, first: date, last: date) -> WorkingCalendar:
    """Return the working calendar of the years from that of one day to that of another."""
    return calendar_of_denmark(first.year, last.year, settings.extra_days_off)


def work_rules(settings: Settings, today: date) -> WorkRules:
    """Return by what planned works are judged: their windows lie from five years back to eleven ahead.

    So far back that a work that was forgotten can still be said to be done.
    """
    calendar = calendar_of_denmark(today.year - 5, today.year + 11, settings.extra_days_off)
    return WorkRules(calendar, settings.coverage)


def ordinary_due(settings: Settings) -> Due:
    """Return how long owners have by these settings."""
    return _due(DeadlineKind.ORDINARY, settings.extra_days_off, deadline_rules(settings))


def due_by_default_rules(received_at: datetime, *, dispensed: bool = False, manual: bool = False) -> datetime:
    """Return when an owner must have answered by the default settings, whatever the environment sets."""
    extra_days_off: tuple[str, ...] = Settings.model_fields["extra_days_off"].default
    due = _due(DeadlineKind.ORDINARY, extra_days_off, DeadlineRules())
    return due(received_at, dispensed=dispensed, manual=manual)


def manual_due(settings: Settings) -> Due:
    """Return how long owners have, from the receipt, whose answer is taken out for manual handling."""
    return _due(DeadlineKind.MANUAL, settings.extra_days_off, deadline_rules(settings))


def _due(kind: DeadlineKind, extra_days_off: tuple[str, ...], rules: DeadlineRules) -> Due:
    """By that deadline; who has a dispensation has its own whatever it does, as `ler.domain.states.deadline_of` says."""

    def due(received_at: datetime, *, dispensed: bool = False, manual: bool = False) -> datetime:
        by = DeadlineKind.DISPENSATION if dispensed else DeadlineKind.MANUAL if manual else kind
        year = legal_day(received_at).year
        calendar = calendar_of_denmark(year, year + 1, extra_days_off)
        return due_at(received_at, by, calendar, rules)

    return due
