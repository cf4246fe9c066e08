"""In which language a command tells its results: Danish or English."""

import os
from typing import Annotated, Literal

import typer

type Chosen = Literal["da", "en"]

LanguageOption = Annotated[
    Literal["da", "en"] | None,
    typer.Option("--language", help="Language of the report; else that of the system (LANG)."),
]


def language_of(wanted: Chosen | None) -> Chosen:
    """Return the language that was asked for, else Danish where the system is Danish, else English."""
    if wanted:
        return wanted
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "da" if next((name for name in names if name), "").startswith("da") else "en"
