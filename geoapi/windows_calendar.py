"""An organisation's digging windows as a calendar: one entry for each of its works, as whole days."""

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Final, Literal
from uuid import UUID, uuid5

from icalendar import Calendar, Event

from ler.domain.windows import WindowAnswer, WindowState
from ler.services.windows import StoredMember, StoredWindow

_STATUS: Final = {WindowState.AGREED: "CONFIRMED", WindowState.INVITED: "TENTATIVE"}
_OPEN: Final = frozenset({WindowAnswer.OPEN, WindowAnswer.ACCEPTED})
_TURN: Final = {
    "da": "Nr. {place} af {count} i rækkefølgen. {reason}",
    "en": "Number {place} of {count} in order. {reason}",
}


def window_calendar(
    windows: Iterable[StoredWindow], organisation_id: UUID, language: Literal["da", "en"]
) -> bytes:
    """Return the calendar of windows that are agreed, or to which the organisation is invited and has not said no."""
    calendar = Calendar()
    calendar.add("prodid", "-//ler//windows//DA")
    calendar.add("version", "2.0")
    for window in windows:
        for member in window.members:
            if member.member.organisation_id == organisation_id and _shows(window, member):
                calendar.add_component(_event(window, member, language))
    content: bytes = calendar.to_ical()
    return content


def _shows(window: StoredWindow, member: StoredMember) -> bool:
    wanted = {WindowAnswer.ACCEPTED} if window.state is WindowState.AGREED else _OPEN
    return window.state in _STATUS and member.answer in wanted


def _event(window: StoredWindow, member: StoredMember, language: Literal["da", "en"]) -> Event:
    event = Event()
    event.add("uid", str(uuid5(window.id, str(member.member.work_id))))
    event.add("dtstamp", window.changed_at.astimezone(UTC))
    event.add("sequence", window.version)
    event.add("status", _STATUS[window.state])
    event.add("summary", member.title)
    reason = window.window.reason_da if language == "da" else window.window.reason_en
    turn = _TURN[language].format(place=member.place, count=len(window.members), reason=reason)
    event.add("description", turn)
    event.add("dtstart", member.member.start_on)
    event.add("dtend", member.member.end_on + timedelta(days=1))
    return event
