"""Danish words for the names of the LER model, which writes them without spaces and without æ, ø and å."""

import re
from functools import cache
from typing import Final

_ENGLISH: Final = {
    "annotatedFeature": "Objekt, som teksten hører til",
    "connector": "Henvisningslinje",
    "creator": "Ophav",
    "date": "Dato",
    "dimensionalValue": "Mål",
    "identifier": "Identifikation",
    "publisher": "Udgiver",
    "text": "Tekst",
    "title": "Titel",
    "LinearAnnotation": "Linje i noterne",
    "LinearDimension": "Målsætning",
    "TextAnnotation": "Tekst i noterne",
    "noejagtighedsklasse": "Nøjagtighedsklasse, vandret",
    "noejagtighedsklasseVertikal": "Nøjagtighedsklasse, lodret",
}
"""Names that are English in the model, and two that say too little apart."""
_LETTERS: Final = {"ae": "æ", "oe": "ø", "aa": "å", "Ae": "Æ", "Oe": "Ø", "Aa": "Å"}


@cache
def danish_label(name: str) -> str:
    """Return `udvendigHoejde` as `Udvendig højde`; every `ae`, `oe` and `aa` of the model is a Danish letter."""
    if name in _ENGLISH:
        return _ENGLISH[name]
    spelled = re.sub("ae|oe|aa|Ae|Oe|Aa", lambda found: _LETTERS[found[0]], name)
    words = re.sub(r"(?<=[a-zæøå])(?=[A-ZÆØÅ])", " ", spelled)
    return words[:1].upper() + words[1:].lower()
