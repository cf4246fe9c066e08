"""The rules of `ler.domain` with the figures that the settings give."""

from ler.calendar_of_denmark import calendar_of_denmark
from ler.domain.calendar import WorkingCalendar
from ler.domain.deadlines import DeadlineRules, Readings
from ler.domain.dig_area import AreaLimits
from ler.domain.request_rules import RequestLimits
from ler.settings import Settings


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
