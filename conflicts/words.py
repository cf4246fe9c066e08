"""A conflict in words, Danish and English: what it is, how near, what follows, by which rule, and what was not known."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from conflicts.clearances import UNKNOWN_PAIR, Arrangement, Clearances, Zone
from conflicts.detect import Conflict
from ler.model import load_model

type Language = Literal["da", "en"]
type Said = Mapping[Language, str]

ZONE_WORDS: Final[Mapping[Zone, Said]] = {
    Zone.NO_MACHINE: {"da": "ingen maskine", "en": "no machine"},
    Zone.HAND_DIG: {"da": "håndgravning", "en": "hand dig"},
    Zone.STAND_BY: {"da": "ejeren til stede", "en": "owner stands by"},
    Zone.NOTIFY: {"da": "varsko ejeren", "en": "notify owner"},
    Zone.CLEAR: {"da": "fri", "en": "clear"},
}
_ARRANGED: Final[Mapping[Arrangement, Said]] = {
    Arrangement.PARALLEL: {"da": "langs", "en": "alongside"},
    Arrangement.CROSSING: {"da": "krydser", "en": "crossing"},
    Arrangement.ABOVE: {"da": "under gravningen", "en": "under the dig"},
    Arrangement.OVERHEAD: {"da": "i luften", "en": "overhead"},
}
_REASONS: Final[Mapping[str, Said]] = {
    "accuracy-unknown": {"da": "nøjagtigheden er ukendt", "en": "its accuracy is not known"},
    "activity-unknown": {"da": "arbejdets art er ikke oplyst", "en": "the kind of work is not told"},
    "class-unknown": {"da": "spænding eller tryk er ukendt", "en": "voltage or pressure is not known"},
    "danger-unknown": {"da": "fareklassen er ukendt", "en": "its danger class is not known"},
    "dig-depth-unknown": {"da": "gravedybden er ikke oplyst", "en": "the depth of the dig is not told"},
    "distance-unknown": {"da": "reglens afstand er ikke læst", "en": "the rule's distance was not read"},
    "line-depth-unknown": {"da": "ledningens dybde er ukendt", "en": "the depth of the line is not known"},
    "method-unknown": {"da": "metoden er ikke oplyst", "en": "the method is not told"},
    "no-rule": {"da": "der er ingen regel for den", "en": "there is no rule for it"},
    "place-unknown": {"da": "dens sted er ukendt", "en": "its place is not known"},
    "size-unknown": {"da": "størrelsen er ukendt", "en": "its size is not known"},
    "theme-unknown": {"da": "forsyningsarten er ukendt", "en": "its utility type is not known"},
}
_NO_RULE: Final[Said] = {
    "da": "ingen regel fundet, den strengeste gælder",
    "en": "no rule was found, the strictest holds",
}
_UNVERIFIED: Final[Said] = {"da": "[ikke efterprøvet]", "en": "[not verified]"}


def title(conflict: Conflict, language: Language) -> str:
    """Return what the line is."""
    kind = conflict.delivered.feature.type
    return kind if language == "da" else load_model().types[kind].label


def reason(conflict: Conflict, clearances: Clearances, language: Language) -> str:
    """Say a conflict in a few sentences."""
    distance = _distance(conflict, language)
    zone = ZONE_WORDS[conflict.zone][language].capitalize()
    limit = metres(conflict.limit_m, language)
    within = f"{zone} inden for {limit} m" if language == "da" else f"{zone} within {limit} m"
    rule = rule_words(conflict.rule, conflict, clearances, language)
    said = f"{distance}. {within}: {rule}"
    if conflict.unverified:
        said += f" {_UNVERIFIED[language]}"
    return f"{said}{worst_words(conflict.reasons, language)}."


def worst_words(codes: Sequence[str], language: Language) -> str:
    """Say as the end of a sentence what was not known; nothing when all was."""
    worst = "Regnet som det værste" if language == "da" else "Taken for the worst"
    return f". {worst}: {', '.join(reason_words(one, language) for one in codes)}" if codes else ""


def reason_words(code: str, language: Language) -> str:
    """Say one thing that was not known."""
    return _REASONS[code][language]


def rule_words(name: str, conflict: Conflict, clearances: Clearances, language: Language) -> str:
    """Say the rule of that id; of the owner's own when it has one so called."""
    owner = conflict.delivered.owner_id
    own = clearances.of_owners.get(owner, ()) if owner else ()
    if name == UNKNOWN_PAIR:
        return _NO_RULE[language]
    return next(str(getattr(rule, language)) for rule in (*own, *clearances.rules) if rule.id == name)


def _distance(conflict: Conflict, language: Language) -> str:
    danish = language == "da"
    least = metres(conflict.least_m, language)
    if conflict.most_m is None:
        said = "Kan ligge hvor som helst i gravningen" if danish else "May lie anywhere in the dig"
    else:
        most = metres(conflict.most_m, language)
        said = (
            f"Kan ligge {least} til {most} m fra gravningen"
            if danish
            else f"May lie {least} to {most} m from the dig"
        )
    said += f", {_ARRANGED[conflict.arrangement][language]}"
    if conflict.arrangement is Arrangement.CROSSING and conflict.angle_deg is not None:
        said += f" ({conflict.angle_deg:.0f}°)"
    if conflict.below_least_m is not None and conflict.below_most_m is not None:
        ends = [metres(one, language) for one in (conflict.below_least_m, conflict.below_most_m)]
        said += (
            f", {ends[0]} til {ends[1]} m under bunden"
            if danish
            else f", {ends[0]} to {ends[1]} m below the bottom"
        )
    return said


def metres(value: float, language: Language) -> str:
    """Say metres to the centimetre."""
    text = f"{value:.2f}"
    return text.replace(".", ",") if language == "da" else text
