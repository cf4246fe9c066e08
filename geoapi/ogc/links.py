"""Links of the OGC API's answers (RFC 8288): to themselves, to their other formats, and to what belongs to them."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from geoapi.ogc.formats import Format
from geoapi.problems import Language

QUERYABLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SCHEMA_OF: Final = "http://www.opengis.net/def/rel/ogc/1.0/schema"
SORTABLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/sortables"
TILESETS: Final = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
TILING_SCHEME: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
TILING_SCHEMES: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
CONFORMANCE: Final = "http://www.opengis.net/def/rel/ogc/1.0/conformance"
PROCESSES: Final = "http://www.opengis.net/def/rel/ogc/1.0/processes"
JOB_LIST: Final = "http://www.opengis.net/def/rel/ogc/1.0/job-list"
EXECUTE: Final = "http://www.opengis.net/def/rel/ogc/1.0/execute"
STYLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/styles"
TITLES: Final[Mapping[str, Mapping[Language, str]]] = {
    "self": {"da": "Denne side", "en": "This document"},
    "alternate": {"da": "Denne side som {}", "en": "This document as {}"},
    "about": {"da": "Om tjenesten", "en": "About the service"},
    "root": {"da": "Tjenestens forside", "en": "The landing page"},
    "service-desc": {"da": "Beskrivelse af API'et (OpenAPI 3.0)", "en": "The API definition (OpenAPI 3.0)"},
    "conformance": {"da": "Hvad tjenesten overholder", "en": "What the service conforms to"},
    "data": {"da": "Samlingerne", "en": "The collections"},
    "collection": {"da": "Samlingen", "en": "The collection"},
    "items": {"da": "Objekterne som {}", "en": "The features as {}"},
    "related": {"da": "Samlingen med dataene", "en": "The collection with the data"},
    "next": {"da": "Næste side", "en": "The next page"},
    "prev": {"da": "Forrige side", "en": "The page before"},
    QUERYABLES: {"da": "Hvad der kan filtreres på", "en": "What filters may name"},
    SCHEMA_OF: {"da": "Objekternes skema", "en": "The schema of the features"},
    SORTABLES: {"da": "Hvad der kan sorteres efter", "en": "What may be sorted by"},
    TILESETS: {"da": "Vektorfliser", "en": "Vector tiles"},
    TILING_SCHEME: {"da": "Fliseinddelingen", "en": "The tile matrix set"},
    TILING_SCHEMES: {"da": "Fliseinddelinger", "en": "Tile matrix sets"},
    CONFORMANCE: {"da": "Hvad tjenesten overholder", "en": "What the service conforms to"},
    PROCESSES: {"da": "Processer, der kan køres", "en": "Processes that can be run"},
    JOB_LIST: {"da": "Dine kørsler", "en": "Your jobs"},
    EXECUTE: {"da": "Kør processen (POST)", "en": "Run the process (POST)"},
    STYLES: {"da": "Kortstile", "en": "Map styles"},
    "item": {"da": "Fliserne", "en": "The tiles"},
    "geodata": {"da": "Samlingen", "en": "The collection"},
    "stylesheet": {"da": "Stilen som {}", "en": "The style as {}"},
}
"""What links are called, by their relation; `{}` is a format."""


def link(
    rel: str, href: str, media_type: str, language: Language, *, format_: str = "", told: bool = False
) -> dict[str, str]:
    """Return a link; `told`: what it leads to has texts in the language."""
    found = {"rel": rel, "type": media_type, "href": href, "title": TITLES[rel][language].format(format_)}
    return found | ({"hreflang": language} if told else {})


def addressed(path: str, given: Mapping[str, str]) -> str:
    """Return an address with parameters."""
    return f"{path}?{urlencode(given, safe=':,/')}" if given else path


def own_links(
    path: str, given: Mapping[str, str], chosen: Format, offered: Sequence[Format], language: Language
) -> list[dict[str, str]]:
    """Return the links of an answer to itself and to its other formats; `given`: the parameters of the call."""
    here = addressed(path, given)
    # Written once: a page of features has five other formats, and a filter of a thousand characters.
    rest = {name: value for name, value in given.items() if name != "f"}
    start = f"{addressed(path, rest) if 'f' in given else here}{'&' if rest else '?'}f="
    return [
        link("self", here, chosen.media_type, language),
        *(
            link("alternate", start + one.name, one.media_type, language, format_=one.title)
            for one in offered
            if one is not chosen
        ),
    ]
