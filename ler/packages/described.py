"""What the files of a package are and what opens them, in Danish and English: told once, for every text that says it."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ler.packages.advice import Language
from ler.packages.contents import Contents


@dataclass(frozen=True, slots=True)
class Described:
    """A file of a package."""

    name: str
    """`{order}` stands for the request's order number."""
    of: str
    """Which packages have it: `consolidated`, `owner` or `both`."""
    words: dict[str, str]
    opens: dict[str, str]


@cache
def described() -> tuple[Described, ...]:
    """Return every file that packages have, in the order of the archive."""
    return tuple(
        Described(
            one["name"],
            one["of"],
            {"da": one["da"], "en": one["en"]},
            {"da": one["opens_da"], "en": one["opens_en"]},
        )
        for one in _read()["member"]
    )


def described_in(contents: Contents) -> Iterator[tuple[str, Described]]:
    """Yield the files of one package with their names there."""
    kind = "consolidated" if contents.consolidated else "owner"
    for one in described():
        if one.of in {kind, "both"}:
            yield one.name.format(order=contents.request.order_number), one


def owners_files(contents: Contents, language: Language) -> str:
    """Say where the owners' own files are."""
    words: str = _read()["owners"][f"{'consolidated' if contents.consolidated else 'owner'}_{language}"]
    return words


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(files("ler.packages").joinpath("described.toml").read_text(encoding="utf-8"))
