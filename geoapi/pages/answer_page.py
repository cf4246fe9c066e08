"""The page on which an owner answers one request: plain HTML that works without a script and with a screen reader."""

import tomllib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import SimpleNamespace
from typing import Any, Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from pyproj import Transformer
from starlette.responses import HTMLResponse

from ler.domain.answers import AnswerType
from ler.domain.legal_time import local
from ler.domain.states import OWNER_MACHINE, OwnerEvent
from ler.services.answers import AnswerRevision, Asked

type Language = Literal["da", "en"]

TYPES: Final = tuple(kind.name for kind in AnswerType)
_OTHER: Final[Mapping[Language, Language]] = {"da": "en", "en": "da"}


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
    words = _words()[language]
    newest = revisions[0] if revisions else None
    holds = newest if newest and newest.holds else None
    west, south, east, north = asked.area.bounds
    html = (
        _environment()
        .get_template("answer.html.j2")
        .render(
            asked=asked,
            bounds=f"{west:.0f}, {south:.0f} – {east:.0f}, {north:.0f}",
            contact=", ".join(_contact(asked)),
            due=_legal(asked.due_at) if asked.due_at else "",
            faults=faults,
            faulty={fault.field for fault in faults},
            given=_given(holds, words) if holds else None,
            language=language,
            late=asked.owes_answer and asked.due_at is not None and asked.due_at < datetime.now(UTC),
            middle=_middle(asked),
            open=(asked.state, OwnerEvent.ANSWER) in OWNER_MACHINE.steps,
            other=_OTHER[language],
            owner_name=owner_name,
            path=path,
            revision=newest.revision if newest else 0,
            style=_style(),
            types=TYPES,
            values=values or {},
            words=words,
        )
    )
    headers = {"Content-Security-Policy": _policy(), "Content-Language": language, "Vary": "Accept-Language"}
    return HTMLResponse(html, status, headers=headers)


def fault_text(code: str, language: Language) -> str | None:
    """Return what the page says of a fault; None for one that it has no words of its own for."""
    texts: Mapping[str, str] = _words()[language].fault_texts
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


@cache
def _words() -> dict[Language, Any]:
    read = tomllib.loads(files(__package__).joinpath("answer.toml").read_text(encoding="utf-8"))
    return {"da": SimpleNamespace(**read["da"]), "en": SimpleNamespace(**read["en"])}


@cache
def _style() -> str:
    return files(__package__).joinpath("answer.css").read_text(encoding="utf-8")


@cache
def _policy() -> str:
    """Nothing but its own style, and a form that goes back to where it came from."""
    style = b64encode(sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("geoapi", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
