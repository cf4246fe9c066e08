"""The fixed words of the reports, in Danish and English."""

from dataclasses import dataclass
from typing import Final

from ingest.rules.catalogue import Language


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language; `{}` stands for a value."""

    language: Language
    thousands: str
    title: str
    clean: str
    clean_all: str
    unreadable: str
    errors: str
    warnings: str
    features: str
    model: str
    error: str
    warning: str
    times: str
    once: str
    mend: str
    basis: str
    first_places: str
    more: str
    place: str
    object_: str
    attribute: str
    found: str
    wanted: str
    number: str
    message: str
    map_title: str
    map_note: str
    no_map: str
    on_map: str
    north: str
    filter_: str
    filter_hint: str
    nothing_left: str
    rules: str
    rule: str
    count: str
    severity: str
    skip: str
    line_column: str

    def figure(self, number: int) -> str:
        """A whole number as the language writes it."""
        return f"{number:,}".replace(",", self.thousands)

    def often(self, count: int) -> str:
        """How often something was met."""
        return self.once if count == 1 else self.times.format(self.figure(count))


_ENGLISH: Final = Words(
    language="en",
    thousands=",",
    title="Check of {}",
    clean="No findings.",
    clean_all="clean",
    unreadable="The file cannot be read",
    errors="{} errors",
    warnings="{} warnings",
    features="{} features",
    model="LER {}",
    error="error",
    warning="warning",
    times="{} times",
    once="once",
    mend="How to mend it",
    basis="Basis",
    first_places="The first {} of {}",
    more="and {} more",
    place="Line:column",
    object_="gml:id",
    attribute="Attribute",
    found="Found",
    wanted="Wanted",
    number="No.",
    message="What is wrong",
    map_title="Where",
    map_note="Coordinates in EPSG:25832, metres. A disc is an error, a diamond a warning; the number is that of the"
    " finding below. Heavy lines have findings.",
    no_map="No finding of this file has a place, and no feature a geometry that could be read: there is no map.",
    on_map="{} more at the same place",
    north="N",
    filter_="Show only findings with",
    filter_hint="rule, gml:id, attribute or value",
    nothing_left="No finding has that text.",
    rules="What was found",
    rule="Rule",
    count="Number",
    severity="Severity",
    skip="Skip to the findings",
    line_column="line {}, column {}",
)

_DANISH: Final = Words(
    language="da",
    thousands=".",
    title="Kontrol af {}",
    clean="Ingen fejl eller advarsler.",
    clean_all="fejlfri",
    unreadable="Filen kan ikke læses",
    errors="{} fejl",
    warnings="{} advarsler",
    features="{} objekter",
    model="LER {}",
    error="fejl",
    warning="advarsel",
    times="{} gange",
    once="én gang",
    mend="Sådan rettes det",
    basis="Grundlag",
    first_places="De første {} af {}",
    more="og {} til",
    place="Linje:kolonne",
    object_="gml:id",
    attribute="Attribut",
    found="Fundet",
    wanted="Ønsket",
    number="Nr.",
    message="Hvad er galt",
    map_title="Hvor",
    map_note="Koordinater i EPSG:25832, meter. En cirkel er en fejl, en rude en advarsel; tallet er nummeret i"
    " listen nedenfor. Kraftige linjer har fejl eller advarsler.",
    no_map="Ingen fejl i filen har et sted, og intet objekt en geometri, der kunne læses: der er intet kort.",
    on_map="{} til på samme sted",
    north="N",
    filter_="Vis kun det, der indeholder",
    filter_hint="regel, gml:id, attribut eller værdi",
    nothing_left="Intet indeholder den tekst.",
    rules="Det blev fundet",
    rule="Regel",
    count="Antal",
    severity="Alvor",
    skip="Gå til listen",
    line_column="linje {}, kolonne {}",
)

WORDS: Final[dict[Language, Words]] = {"da": _DANISH, "en": _ENGLISH}
