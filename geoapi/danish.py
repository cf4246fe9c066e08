"""Problem details in Danish: English sentences are known again by their templates, and said as the catalogue says them.

Whoever raises an error writes it in English and knows of no language. The files in `problem_details` give, for each sentence,
the English template and the Danish one with the same gaps: `{name}` goes over unchanged, `{name:told}` may itself be a
sentence or a phrase of the catalogue, `{name:sentence}` must be one, and `{name:list}` is a list whose `and` and `or` become
Danish. A sentence that is not known stays English:
nothing is lost. Nothing here is for matching what callers send: a value in a gap is copied, never read.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal

_GAP: Final = re.compile(r"\{(\w+)(?::(told|sentence|list))?\}")
_DEEPEST: Final = 3
"""Sentences in sentences: a value error in a field in a file."""
_LIST_WORDS: Final = (
    (" and no ", " og ingen "),
    (" and ", " og "),
    (" or a ", " eller "),
    (" or ", " eller "),
)
_LONGEST: Final = 10_000
"""Characters. What is longer was made so by what a caller sent, and is not worth the time."""
_BETWEEN: Final = "; "
"""What is put between the faults of one call."""
_MOST_TOGETHER: Final = 20


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence in both languages."""

    english: str
    danish: str
    literals: tuple[str, ...]
    """The English text around the gaps: one more than there are gaps."""
    names: tuple[str, ...]
    """Of the gaps, as they follow each other in English."""
    pieces: tuple[tuple[str, str | None, str | None], ...]
    """The Danish sentence: text, then the name of a gap and how it is told, if any."""

    @property
    def rank(self) -> tuple[bool, int]:
        """Of two that match, the greater is meant: what stands around another sentence, then what has more text."""
        return any(how == "sentence" for _, _, how in self.pieces), sum(map(len, self.literals))

    def values(self, text: str) -> dict[str, str] | None:
        """Return what stands in the gaps of a text, None when it is another sentence. Time grows with the text's length only."""
        first, last = self.literals[0], self.literals[-1]
        end = len(text) - len(last)
        if not text.startswith(first) or not text.endswith(last) or end < len(first):
            return None
        found: dict[str, str] = {}
        at = len(first)
        for name, literal in zip(self.names[:-1], self.literals[1:-1], strict=True):
            until = text.find(literal, at, end)
            if until < 0:
                return None
            found[name] = text[at:until]
            at = until + len(literal)
        found[self.names[-1]] = text[at:end]
        return found


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All templates, those without gaps apart."""

    plain: Mapping[str, str]
    templates: Sequence[Template]
    """By rank, the greatest first."""

    def danish(self, text: str, depth: int = 0) -> str:
        """Return a detail in Danish, as it is when it is not known."""
        known = self._whole(text, depth) if depth <= _DEEPEST else text
        if known is None and 0 < text.count(_BETWEEN) <= _MOST_TOGETHER:
            return _BETWEEN.join(self._whole(part, depth) or part for part in text.split(_BETWEEN))
        return text if known is None else known

    def _whole(self, text: str, depth: int) -> str | None:
        if text in self.plain:
            return self.plain[text]
        for template in self.templates:
            values = template.values(text)
            said = None if values is None else self._said(template, values, depth)
            if said is not None:
                return said
        return None

    def _said(self, template: Template, values: Mapping[str, str], depth: int) -> str | None:
        """The sentence with these values, None when one of them should be a sentence and is not known."""
        said = []
        for text, name, how in template.pieces:
            value = "" if name is None else values[name]
            if how in ("told", "sentence"):
                told = self.danish(value, depth + 1)
                if how == "sentence" and told == value:
                    return None
                value = told
            elif how == "list":
                value = _listed(value)
            said += [text, value]
        return "".join(said)


def _listed(value: str) -> str:
    for english, danish in _LIST_WORDS:
        value = value.replace(english, danish)
    return value


def in_language(text: str, language: Literal["da", "en"]) -> str:
    """Return a problem's detail in a language; a sentence that the catalogue does not have stays as it is."""
    return catalogue().danish(text) if language == "da" and len(text) <= _LONGEST else text


@cache
def catalogue() -> Catalogue:
    """Return the sentences of all files. ValueError when one stands twice or its gaps differ."""
    read: dict[str, str] = {}
    for file in sorted(files(__package__).joinpath("problem_details").iterdir(), key=lambda one: one.name):
        for english, danish in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if english in read:
                raise ValueError(f"{english!r} stands twice in the catalogue of details")
            read[english] = danish
    templates = [_template(english, danish) for english, danish in read.items() if _GAP.search(english)]
    templates.sort(key=lambda one: (one.rank, one.english), reverse=True)
    return Catalogue({one: read[one] for one in read if not _GAP.search(one)}, templates)


def _template(english: str, danish: str) -> Template:
    literals = _GAP.split(english)
    told = _GAP.split(danish)
    names = tuple(literals[1::3])
    if len(set(names)) < len(names) or not set(told[1::3]) <= set(names):
        raise ValueError(f"{english!r} and {danish!r} do not have the same gaps")
    pieces = zip(told[0::3], [*told[1::3], None], [*told[2::3], None], strict=True)
    return Template(english, danish, tuple(literals[0::3]), names, tuple(pieces))
