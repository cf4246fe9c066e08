"""Clocks that go wrong: those of the platform's processes, and time that passes for the database."""

from datetime import date, time
from pathlib import Path
from uuid import UUID

from ler.domain.calendar import WorkingCalendar, WorkingClock
from tests.databases import Database


class _EveryDay(WorkingCalendar):
    """Saturdays and Sundays too: what a test says must hold on whatever day it runs."""

    def is_working_day(self, day: date) -> bool:
        return self.first <= day <= self.last


ALWAYS = WorkingClock(
    _EveryDay(date(2020, 1, 1), date(2199, 1, 1), frozenset()), time(0, 0), time(23, 59, 59)
)
"""A working clock that stands still for a second a day."""


def wrong_clock(seconds: int) -> dict[str, str]:
    """What in the environment of a process sets its clock forward or back, all but the one that only measures."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }


def pass_time(database: Database, request: UUID, minutes: int) -> None:
    """As if so much time had gone since a request was matched, which left its owners two hours to answer."""
    with database.connect() as connection:
        connection.execute("SET session_replication_role = replica")  # the clock moves, not the due time
        connection.execute(
            "UPDATE ler.owner_request SET received_at = now() - make_interval(mins => %s),"
            " due_at = now() - make_interval(mins => %s) + interval '2 hours' WHERE request_id = %s",
            [minutes, minutes, request],
        )
        connection.execute("UPDATE ler.answer_watch SET next_at = now() WHERE request_id = %s", [request])
