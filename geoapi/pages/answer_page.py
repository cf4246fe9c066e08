"""The page on which an owner answers one request: plain HTML that works without a script and with a screen reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from pyproj import Transformer
from starlette.responses import HTMLResponse

from geoapi.pages.shared import Language, html_page, words_of
from ler.domain.answers import AnswerType
from ler.domain.legal_time import local
from ler.domain.states import OWNER_MACHINE, OwnerEvent
from ler.services.answers import AnswerRevision, Asked

TYPES: Final = tuple(kind.name for kind in AnswerType)


@dataclass(frozen=True, slots=True)
class PageFault:
    """What is wrong with what was sent, and in which field."""

    text: str
    field: str | None = None


def answer_page(
    asked: Asked,
    revisions: Sequence[AnswerRevision],
    owner_name: str,
    path: str,
    language: Language,
    *,
    values: Mapping[str, str] | None = None,
    faults: Sequence[PageFault] = (),
    status: int = 200,
) -> HTMLResponse:
    """Return the page; `values` are what was sent before, `faults` why it was not taken."""
    words = words_of("answer")[language]
    newest = revisions[0] if revisions else None
    holds = newest if newest and newest.holds else None
    west, south, east, north = asked.area.bounds
    told = {
        "asked": asked,
        "bounds": f"{west:.0f}, {south:.0f} – {east:.0f}, {north:.0f}",
        "contact": ", ".join(_contact(asked)),
        "due": _legal(asked.due_at) if asked.due_at else "",
        "faults": faults,
        "faulty": {fault.field for fault in faults},
        "given": _given(holds, words) if holds else None,
        "late": asked.owes_answer and asked.due_at is not None and asked.due_at < datetime.now(UTC),
        "middle": _middle(asked),
        "open": (asked.state, OwnerEvent.ANSWER) in OWNER_MACHINE.steps,
        "owner_name": owner_name,
        "path": path,
        "revision": newest.revision if newest else 0,
        "types": TYPES,
        "values": values or {},
        "words": words,
    }
    return html_page("answer.html.j2", language, told, status=status)


def fault_text(code: str, language: Language) -> str | None:
    """Return what the page says of a fault; None for one that it has no words of its own for."""
    texts: Mapping[str, str] = words_of("answer")[language].fault_texts
    return texts.get(code)


def _given(revision: AnswerRevision, words: Any) -> dict[str, str]:  # noqa: ANN401 - texts by name
    return {"moment": _legal(revision.answered_at), "type": words.types[revision.type.name]}


def _contact(asked: Asked) -> list[str]:
    contact = asked.contact
    told = (asked.requester_name, contact.person, contact.address, contact.phone, contact.email)
    return list(dict.fromkeys(one for one in told if one))


def _middle(asked: Asked) -> str:
    """A place that any map of the world finds, for who has no program for our coordinates."""
    inside = asked.area.representative_point()
    longitude, latitude = _to_degrees().transform(inside.x, inside.y)
    return f"{latitude:.6f}, {longitude:.6f}"


def _legal(moment: datetime) -> str:
    return local(moment).strftime("%Y-%m-%d %H:%M %Z")


@cache
def _to_degrees() -> Transformer:
    return Transformer.from_crs("EPSG:25832", "EPSG:4258", always_xy=True)
