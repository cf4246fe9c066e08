"""Why an owner's precaution holds, in words, Danish and English: what its row names, the nearest line, what was not known."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from conflicts.clearances import Clearances
from conflicts.words import Language, Said, metres, worst_words
from ler.domain.precautions import Hit, PrecautionRow
from ler.domain.work_codes import work_kinds, work_methods
from ler.model import load_model

_REQUEST_KINDS: Final[Mapping[str, Said]] = {
    "dig": {"da": "gravning", "en": "digging"},
    "planning": {"da": "projektering", "en": "planning"},
    "emergency": {"da": "hastereparation", "en": "urgent repair"},
    "orientation": {"da": "orientering", "en": "orientation"},
}


def hit_reason(hit: Hit, feature_type: str, clearances: Clearances, language: Language) -> str:
    """Say in a few sentences why a row holds."""
    names = "; ".join(_conditions(hit.row, clearances, language))
    said = f"Gælder for {names}" if language == "da" else f"Holds for {names}"
    return f"{said}. {_nearest(hit, feature_type, language)}{worst_words(hit.reasons, language)}."


def _nearest(hit: Hit, feature_type: str, language: Language) -> str:
    near, danish = hit.nearest, language == "da"
    kind = feature_type if danish else load_model().types[feature_type].label
    least = metres(near.least_m, language)
    if near.most_m is None:
        place = "kan ligge hvor som helst" if danish else "may lie anywhere"
    elif danish:
        place = f"kan ligge {least} m fra gravningen"
    else:
        place = f"may lie {least} m from the dig"
    return (
        f"Nærmest af {hit.lines}: {kind} {near.gml_id} {place}"
        if danish
        else f"Nearest of {hit.lines}: {kind} {near.gml_id} {place}"
    )


def _conditions(row: PrecautionRow, clearances: Clearances, language: Language) -> Iterator[str]:
    danish, lists = language == "da", load_model().code_lists
    for values, name in ((row.themes, "Forsyningsart"), (row.danger_classes, "Fareklasse")):
        if values:
            labels = lists[name].values
            yield _any(value if danish else labels.get(value) or value for value in values)
    if row.classes:
        yield _any(_class(one, clearances, language) for one in row.classes)
    if row.request_kinds:
        yield _any(_REQUEST_KINDS[one][language] for one in row.request_kinds)
    for codes, words in ((row.activities, work_kinds()), (row.methods, work_methods())):
        if codes:
            yield _any(words[one][language].lower() for one in codes)
    if row.depth_from_m is not None or row.depth_to_m is not None:
        yield _depth(row, language)
    if row.within_m is not None:
        yield f"{'inden for' if danish else 'within'} {metres(row.within_m, language)} m"
    if row.areas:
        yield f"{'i området' if danish else 'in the area'} {_any(row.areas)}"


def _any(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _class(name: str, clearances: Clearances, language: Language) -> str:
    utility, _, one = name.partition(".")
    return str(getattr(clearances.utilities[utility].classes[one], language))


def _depth(row: PrecautionRow, language: Language) -> str:
    danish = language == "da"
    least = "0" if row.depth_from_m is None else metres(row.depth_from_m, language)
    if row.depth_to_m is None:
        return f"{'gravedybde fra' if danish else 'depth from'} {least} m"
    most = metres(row.depth_to_m, language)
    return f"gravedybde {least} til {most} m" if danish else f"depth {least} to {most} m"
