"""What a letter is made of, whatever it is written as: sections of paragraphs, facts, lists and tables.

A letter is in one language. Every piece of text is a `Run`; text that owners and requesters gave is marked as given,
made plain where it becomes a run, and escaped where it is written.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from ler.packages.advice import Language
from ler.packages.figures import Figure
from ler.packages.plain_text import plain

type Words = Any
"""Texts of one language by name."""

_PHONE = re.compile(r"\+?[0-9](?:[ ()./-]?[0-9]){3,18}")
_EMAIL = re.compile(r"[^\s@<>\"',;:?&]{1,64}@[^\s@<>\"',;:?&]{1,190}")


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line."""

    text: str
    href: str | None = None
    """Where it leads: ASCII, quoted, with the scheme `tel`, `mailto` or `https`, or a path within the package."""
    given: bool = False
    """Of others' words: Danish most often, but nobody knows."""


type Line = tuple[Run, ...]


class Weight(StrEnum):
    """How a notice stands out, never by its colour alone: a stop also says so in its first words."""

    STOP = "stop"
    CARE = "care"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Notice:
    """What must be seen first."""

    weight: Weight
    text: str
    lines: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words."""

    line: Line


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and their values; a value may have several lines."""

    rows: Sequence[tuple[str, Sequence[Line]]]


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Line]]
    shares: Sequence[float]
    """Of each column in the width; together 1."""


type Block = Notice | Paragraph | Facts | Items | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading."""

    title: Line
    blocks: Sequence[Block]
    sections: Sequence["Section"] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole letter in one language."""

    language: Language
    name: str
    """Of the language, in it."""
    title: str
    state: Notice
    """Its first line: whether anybody may dig."""
    date: str
    """Of when it tells."""
    notices: Sequence[Notice]
    sections: Sequence[Section]
    page: str
    """How pages are counted: with `{page}` and `{pages}`."""


def said(text: str) -> Line:
    """Return our own words as a line."""
    return (Run(text),)


def given(text: object, href: str | None = None) -> Line:
    """Return others' words as a line; empty when nothing is left of them."""
    words = plain(str(text))
    return (Run(words, href, given=True),) if words else ()


def phone(number: str) -> Line:
    """Return a telephone number, which can be called where it looks like one."""
    words = plain(number)
    digits = re.sub(r"[^0-9+]", "", words)
    return given(words, f"tel:{digits}" if _PHONE.fullmatch(words) else None)


def email(address: str) -> Line:
    """Return a mail address, to which can be written where it looks like one."""
    words = plain(address)
    return given(words, f"mailto:{quote(words, safe='@.+-_')}" if _EMAIL.fullmatch(words) else None)


def member(path: str) -> Line:
    """Return the path of a file of the package, which opens where the package is unpacked."""
    return (Run(plain(path), quote(path), given=True),)


def joined(lines: Sequence[Line], between: str = ", ") -> Line:
    """Return the lines that are not empty as one."""
    runs: list[Run] = []
    for line in lines:
        if line:
            runs += [Run(between), *line] if runs else line
    return tuple(runs)
