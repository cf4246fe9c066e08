"""What an exchange with a neighbour's model lost, in words and as JSON: one line a field, with its count and first place."""

from pathlib import Path
from typing import Any, Final

from rich.text import Text

from geoapi.cli.console import results, say
from ler.exchange.account import Fate
from ler.packages.exchange import Exchanged

FORMAT: Final = "ler-exchange/1"

_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "done": "{path}: {count:,} features",
        "faithful": "Nothing was lost, nothing assumed.",
        "accuracy": "Coordinates were transformed with an accuracy of {accuracy} m.",
        Fate.OBJECT_LOST: "lost, the other model has no place for the object",
        Fate.VALUE_LOST: "lost",
        Fate.COARSER: "kept in part",
        Fate.ASSUMED: "assumed, the other model demands it",
        Fate.TO_ADD: "to be added, the other model demands it",
        "first": "first {gml_id} {value}",
    },
    "da": {
        "done": "{path}: {count} objekter",
        "faithful": "Intet gik tabt, intet er antaget.",
        "accuracy": "Koordinaterne er omregnet med en nøjagtighed på {accuracy} m.",
        Fate.OBJECT_LOST: "tabt, den anden model har ingen plads til objektet",
        Fate.VALUE_LOST: "tabt",
        Fate.COARSER: "bevaret til dels",
        Fate.ASSUMED: "antaget, den anden model kræver det",
        Fate.TO_ADD: "skal tilføjes, den anden model kræver det",
        "first": "første {gml_id} {value}",
    },
}


def tell_exchange(exchanged: Exchanged, language: str) -> None:
    """Print what became of the features."""
    words = _WORDS[language]
    say(words["done"].format(path=exchanged.path, count=exchanged.feature_count))
    if exchanged.accuracy_m != 0:
        told = "?" if exchanged.accuracy_m is None else f"{exchanged.accuracy_m:g}"
        say(words["accuracy"].format(accuracy=told))
    for fate, kind, name, met in exchanged.account.rows():
        first = words["first"].format(gml_id=met.gml_id, value=met.value).strip()
        field = ".".join(part for part in (kind, name) if part)
        results().print(Text(f"{field}: {met.count}, {words[fate]} ({first})"))
    if exchanged.account.faithful:
        say(words["faithful"])


def exchange_document(source: Path, exchanged: Exchanged) -> dict[str, Any]:
    """Return the same as JSON."""
    return {
        "format": FORMAT,
        "file": str(source),
        "copy": str(exchanged.path),
        "features": exchanged.feature_count,
        "accuracy_m": exchanged.accuracy_m,
        "faithful": exchanged.account.faithful,
        "fields": [
            {
                "fate": str(fate),
                "of": kind,
                "field": name,
                "count": met.count,
                "first": {"gml_id": met.gml_id, "line": met.line, "value": met.value},
            }
            for fate, kind, name, met in exchanged.account.rows()
        ],
    }
