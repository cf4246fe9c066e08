"""Notices as an Atom feed, and deadlines as a calendar."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID
from xml.etree import ElementTree as ET

from icalendar import Calendar, Event

from geoapi.delivery.texts import Language, words_of
from ler.services.calendars import DigPeriod, DueDate
from ler.services.notices import Notice

_ATOM: Final = "http://www.w3.org/2005/Atom"
_TITLES: Final = {"da": "Meddelelser", "en": "Notices"}
_AUTHOR: Final = {"da": "Ledningsregistret", "en": "The register of lines"}
_NEVER: Final = datetime(2020, 1, 1, tzinfo=UTC)
_OWED: Final = {"da": "Svarfrist: graveforespørgsel {}", "en": "Answer due: excavation request {}"}
_AWAITED: Final = {"da": "Svar ventes: graveforespørgsel {}", "en": "Answer awaited: excavation request {}"}
_DIG: Final = {"da": "Gravearbejde: forespørgsel {}", "en": "Dig: request {}"}
_SHORTLY: Final = timedelta(minutes=15)
"""How long a deadline is shown in a calendar, before it."""


def atom_feed(notices: Sequence[Notice], organisation_id: UUID, address: str, language: Language) -> bytes:
    """Return an Atom feed of notices, the newest first."""
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": language})
    _add(root, "id", f"urn:uuid:{organisation_id}")
    _add(root, "title", _TITLES[language])
    _add(root, "updated", _time(notices[0].at if notices else _NEVER))
    _add(ET.SubElement(root, f"{{{_ATOM}}}author"), "name", _AUTHOR[language])
    ET.SubElement(root, f"{{{_ATOM}}}link", {"rel": "self", "href": address})
    for notice in notices:
        words = words_of(notice.kind, notice.data, language)
        entry = ET.SubElement(root, f"{{{_ATOM}}}entry")
        _add(entry, "id", f"urn:uuid:{notice.id}")
        _add(entry, "title", words.subject)
        _add(entry, "updated", _time(notice.at))
        ET.SubElement(entry, f"{{{_ATOM}}}category", {"term": notice.kind})
        _add(entry, "content", f"{words.happened} {words.to_do}")
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def deadline_calendar(due: Sequence[DueDate], digs: Sequence[DigPeriod], language: Language) -> bytes:
    """Return a calendar in which each answer that is owed ends when it is due, and digs are whole days."""
    calendar = Calendar()
    calendar.add("prodid", "-//ler//deadlines//DA")
    calendar.add("version", "2.0")
    for one in due:
        words = (_OWED if one.own else _AWAITED)[language]
        event = _event(one.owner_request_id, words.format(one.order_number or ""), one.asked_at)
        event.add("dtstart", one.at - _SHORTLY)
        event.add("dtend", one.at)
        calendar.add_component(event)
    for dig in digs:
        event = _event(dig.request_id, _DIG[language].format(dig.order_number), dig.asked_at)
        event.add("dtstart", dig.first_day)
        event.add("dtend", dig.last_day + timedelta(days=1))
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _event(of: UUID, summary: str, stamp: datetime) -> Event:
    event = Event()
    event.add("uid", str(of))
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("summary", summary.strip())
    return event


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}{name}").text = text


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
