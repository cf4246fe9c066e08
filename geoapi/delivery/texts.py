"""The words of notices, in Danish and English: for mails, and as titles in the feed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from jinja2 import Environment, StrictUndefined

from ler.domain.legal_time import local

type Language = Literal["da", "en"]

_MONTHS: Final = {
    "da": [
        "januar",
        "februar",
        "marts",
        "april",
        "maj",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "december",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
_NOBODY: Final = {"da": "En ledningsejer", "en": "An owner"}
_UNKNOWN: Final = {"da": "uden nummer", "en": "without a number"}
_SOON: Final = {"da": "hurtigst muligt", "en": "as soon as possible"}


@dataclass(frozen=True, slots=True)
class Words:
    """What a notice says."""

    subject: str
    happened: str
    to_do: str


@dataclass(frozen=True, slots=True)
class _Templates:
    parts: tuple[Any, Any, Any]


def words_of(kind: str, data: Mapping[str, Any], language: Language, *, code: str | None = None) -> Words:
    """Return the words of a notice. What it does not say of a thing is left open in words, never an error."""
    due = data.get("due_at")
    values = {
        "kind": kind,
        "data": _Forgiving(data),
        "code": code or "",
        "order": data.get("order_number") or (_UNKNOWN[language] if "." in kind else ""),
        "owner": data.get("owner_name") or _NOBODY[language],
        "due": moment(datetime.fromisoformat(due), language) if due else _SOON[language],
    }
    known = _templates()
    # Without a line's end or another control character: a subject is one line of a mail's head.
    subject, happened, to_do = (
        " ".join(part.render(values).split())
        for part in known.get((kind, language), known["other", language]).parts
    )
    return Words(subject, happened, to_do)


def moment(at: datetime, language: Language) -> str:
    """Return an instant in legal local time, in words."""
    here = local(at)
    month = _MONTHS[language][here.month - 1]
    if language == "da":
        return f"{here.day}. {month} {here.year} kl. {here:%H.%M}"
    return f"{here.day} {month} {here.year} at {here:%H:%M}"


def told_kinds() -> set[str]:
    """Return the kinds that have words of their own."""
    return {kind for kind, _ in _templates()} - {"other"}


class _Forgiving(dict[str, Any]):
    """Data in which whatever is missing is empty: a notice of an older version of the program must still be told."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({"percent": 0, "owners_missing": 0, "owners_to_mark": 0} | dict(data))

    def __missing__(self, key: str) -> str:
        return ""


@cache
def _templates() -> dict[tuple[str, str], _Templates]:
    # Words are plain text; the templates of mails escape them where they are HTML.
    environment = Environment(autoescape=False, undefined=StrictUndefined)  # noqa: S701
    read = tomllib.loads(files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))
    return {
        (kind, language): _Templates(tuple(environment.from_string(part) for part in parts))  # type: ignore[arg-type]
        for kind, entry in read.items()
        for language, parts in entry.items()
    }
