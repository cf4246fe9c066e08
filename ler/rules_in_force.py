"""The rules of `ler.domain` with the figures that the settings give."""

from collections.abc import Callable
from datetime import datetime

from ler.calendar_of_denmark import calendar_of_denmark
from ler.domain.calendar import WorkingCalendar
from ler.domain.deadlines import DeadlineKind, DeadlineRules, Readings, due_at
from ler.domain.dig_area import AreaLimits
from ler.domain.legal_time import legal_day
from ler.domain.request_rules import RequestLimits
from ler.settings import Settings

type Due = Callable[[datetime], datetime]
"""From when an owner received a request to when it must have answered, both aware UTC."""


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


def ordinary_due(settings: Settings) -> Due:
    """Return how long owners have by these settings."""

    def due(received_at: datetime) -> datetime:
        calendar = working_calendar(settings, legal_day(received_at).year)
        return due_at(received_at, DeadlineKind.ORDINARY, calendar, deadline_rules(settings))

    return due


def due_by_default_rules(received_at: datetime) -> datetime:
    """Return when an owner must have answered by the default settings, whatever the environment sets."""
    extra_days_off = Settings.model_fields["extra_days_off"].default
    year = legal_day(received_at).year
    calendar = calendar_of_denmark(year, year + 1, extra_days_off)
    return due_at(received_at, DeadlineKind.ORDINARY, calendar, DeadlineRules())


def manual_due(settings: Settings) -> Due:
    """Return how long owners have, from the receipt, whose answer is taken out for manual handling."""

    def due(received_at: datetime) -> datetime:
        calendar = working_calendar(settings, legal_day(received_at).year)
        return due_at(received_at, DeadlineKind.MANUAL, calendar, deadline_rules(settings))

    return due
