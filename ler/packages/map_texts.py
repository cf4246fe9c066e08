"""The maps' own words, Danish with English beside them; names of symbols stand in the style source."""

from typing import Final, NamedTuple

from ler.packages.styles import Language


class Said(NamedTuple):
    """The same words in Danish and in English."""

    da: str
    en: str

    @property
    def both(self) -> str:
        """In one line; once where both are the same."""
        return self.da if self.da == self.en else f"{self.da} / {self.en}"


_TEXTS: Final = {
    "legend": Said("Signaturforklaring", "Legend"),
    "no_lines": Said("Ingen ledninger oplyst i området", "No lines given in the area"),
    "nothing_to_draw": Said("Ingen af ledningerne kan tegnes her", "None of the lines can be drawn here"),
    "overview": Said(
        "Kun oversigt: ledninger kan ikke skelnes i denne målestok.",
        "Overview only: lines cannot be told apart at this scale.",
    ),
    "see_plan": Said("Brug plan.pdf.", "Use plan.pdf."),
    "outside": Said("Uden for dette kort: {count}", "Outside this map: {count}"),
    "without_place": Said(
        "Oplyst uden sted, ikke tegnet: {count}", "Given without a place, not drawn: {count}"
    ),
    "more": Said("+ {count} til", "{count} more"),
    "more_lines": Said("… se ejerlisten", "see the list of owners"),
    "scale": Said("Målestok", "Scale 1:{denominator}"),
    "printed": Said("Udskriv i 100 % på {paper}", "print at 100 %"),
    "crs": Said("EPSG:25832, m. N: netnord", "grid north"),
    "sheet": Said("Blad {number} af {count}", "Sheet {number} of {count}"),
    "index": Said("Bladoversigt", "Index of sheets"),
    "to_sheet": Said("Blad {number}", "Sheet {number}"),
    "verify": Said("Kontrollér", "Verify"),
    "depth_given": Said("Dybde som oplyst, m", "Depth as given, m"),
    "cover": Said("Jorddække beregnet, m", "Cover computed, m"),
    "attachment": Said("Bilag i pakken", "Attachment in the package"),
    "base_map": Said("Baggrundskort", "Base map"),
    "base_map_unreadable": Said("Baggrundskortet kan ikke læses", "The base map cannot be read"),
    "base_map_missing": Said("Baggrundskortet findes ikke", "The base map is missing"),
    "base_map_foreign_crs": Said(
        "Baggrundskortet er ikke i EPSG:25832 og ikke tegnet",
        "The base map is not in EPSG:25832 and not drawn",
    ),
    "base_map_elsewhere": Said(
        "Baggrundskortet dækker ikke graveområdet", "The base map does not cover the dig area"
    ),
    "base_map_partly": Said(
        "Baggrundskortet dækker kun en del af graveområdet", "The base map covers only a part of the dig area"
    ),
}


def map_text(key: str, **values: object) -> Said:
    """The words for `key`, with the values put in; KeyError for a key that does not exist."""
    return Said(*(words.format(**values) for words in _TEXTS[key]))


def grouped(number: int, language: Language | None = None) -> str:
    """A whole number with its thousands told apart: the language's way, or one that both read."""
    return f"{number:,}".replace(",", " " if language is None else "." if language == "da" else ",")


def decimal(value: float, language: Language) -> str:
    """A number to two decimals, without those that say nothing."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if language == "da" else text
