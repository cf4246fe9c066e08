"""The map picture's own words in Danish and English; names of symbols stand in the style source."""

from typing import Final

from ler.packages.styles import Language

_TEXTS: Final[dict[str, dict[Language, str]]] = {
    "legend": {"da": "Signaturforklaring", "en": "Legend"},
    "no_lines": {"da": "Ingen ledninger i området", "en": "No lines in the area"},
    "nothing_to_draw": {
        "da": "Ingen af områdets ledninger kan tegnes her",
        "en": "None of the lines in the area can be drawn here",
    },
    "overview": {
        "da": "Kun oversigt: ledninger kan ikke skelnes i denne målestok; brug detailkort.",
        "en": "Overview only: lines cannot be told apart at this scale; use detail maps.",
    },
    "outside": {"da": "Uden for dette kort: {count}", "en": "Outside this map: {count}"},
    "without_place": {
        "da": "Oplyst uden sted, ikke tegnet: {count}",
        "en": "Given without a place, not drawn: {count}",
    },
    "more": {"da": "+ {count} til", "en": "+ {count} more"},
    "more_lines": {"da": "… {count} linjer til", "en": "… {count} more lines"},
    "north": {"da": "N", "en": "N"},
    "scale": {"da": "Målestok 1:{denominator}", "en": "Scale 1:{denominator}"},
    "printed": {
        "da": "ved udskrift i {width} × {height} mm",
        "en": "when printed at {width} × {height} mm",
    },
    "crs": {"da": "Koordinater: EPSG:25832", "en": "Coordinates: EPSG:25832"},
}


def map_text(key: str, language: Language, **values: object) -> str:
    """The words for `key`, with the values put in; KeyError for a key that does not exist."""
    return _TEXTS[key][language].format(**values)


def grouped(number: int, language: Language) -> str:
    """A whole number with its thousands told apart, the way the language does it."""
    return f"{number:,}".replace(",", "." if language == "da" else ",")
