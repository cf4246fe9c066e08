"""Restrictions of pipes, ducts and lines of other utilities: outer size by cross-section, heights, danger class.

What is asked of the size follows from the cross-section. A void cross-section is neither circular nor not circular:
the size of such a line is asked for by the server's own rules (`server.py`).
"""

from typing import Final

from ingest.rules.case import (
    TELLS_NO_HEIGHT,
    Broken,
    Case,
    Check,
    Restriction,
    Stage,
    not_void,
    required,
)
from ingest.rules.lines import (
    VERY_DANGEROUS,
    depth_of_cables_not_void,
    depth_of_new_cables,
    never_very_dangerous,
)
from ler.model import UNKNOWN_HEIGHT, Value

CIRCULAR: Final = "cirkulær"
VERY_DANGEROUS_GAS_BAR: Final = 19.0
"""Restriction Gasledning.fareklasseRestriktion of 2.0.0 and 2.0.1."""
VERY_DANGEROUS_THERMAL_BAR: Final = 10.0
VERY_DANGEROUS_THERMAL_CEL: Final = 130.0
"""Restriction TermiskLedning.fareklasseRestriktion of 2.0.0 and 2.0.1; the temperature itself is still allowed."""


def diameter_forbidden(case: Case) -> Broken | None:
    """The diameter may not be given when the cross-section is not circular."""
    shape = case.attributes.get("tvaersnitsform")
    if shape is None or shape == CIRCULAR or not case.given("udvendigDiameter"):
        return None
    return Broken("udvendigDiameter", str(shape), CIRCULAR)


def diameter_required(case: Case) -> Broken | None:
    """The diameter must be given when a new line is circular."""
    if case.attributes.get("tvaersnitsform") != CIRCULAR or case.given("udvendigDiameter"):
        return None
    return Broken("udvendigDiameter", CIRCULAR)


def side_forbidden(side: str) -> Check:
    """Width or height may not be given when the cross-section is circular."""

    def check(case: Case) -> Broken | None:
        if case.attributes.get("tvaersnitsform") != CIRCULAR or not case.given(side):
            return None
        return Broken(side, CIRCULAR)

    return check


def side_required(side: str) -> Check:
    """Width or height must be given when a new line is not circular."""

    def check(case: Case) -> Broken | None:
        shape = case.attributes.get("tvaersnitsform")
        if shape is None or shape == CIRCULAR or case.given(side):
            return None
        return Broken(side, str(shape))

    return check


def heights_known(case: Case) -> Broken | None:
    """No vertex may have the unknown height -99."""
    unknown = case.heights_unknown(any_vertex=case.settings.unknown_height_any_vertex)
    return Broken("geometri", f"{UNKNOWN_HEIGHT:g}") if unknown else None


def heights_of_duct_known(case: Case) -> Broken | None:
    """As `heights_known`, unless the duct serves power or telecommunication first."""
    utility = case.primary_utility
    if utility in TELLS_NO_HEIGHT or (utility is None and not case.settings.unknown_utility_needs_height):
        return None
    return heights_known(case)


def danger_of_gas(case: Case) -> Broken | None:
    """A gas line is meget farlig from 19 bar, and only from there; nothing is asked of an unknown pressure."""
    pressure = case.number("tryk")
    if pressure is None or "fareklasse" in case.unread:
        return None
    danger = case.attributes.get("fareklasse")
    return _danger(danger, f"{pressure:g} bar", wanted=pressure >= VERY_DANGEROUS_GAS_BAR)


def danger_of_heat(case: Case) -> Broken | None:
    """A thermal line is meget farlig above 130 °C or from 10 bar, and not when both are known to be less."""
    temperature, pressure = case.number("temperatur"), case.number("tryk")
    if "fareklasse" in case.unread:
        return None
    hot = temperature is not None and temperature > VERY_DANGEROUS_THERMAL_CEL
    pressed = pressure is not None and pressure >= VERY_DANGEROUS_THERMAL_BAR
    if not (hot or pressed) and (temperature is None or pressure is None):
        return None
    told = [f"{temperature:g} Cel"] if temperature is not None else []
    told += [f"{pressure:g} bar"] if pressure is not None else []
    return _danger(case.attributes.get("fareklasse"), ", ".join(told), wanted=hot or pressed)


def _danger(danger: Value, told: str, *, wanted: bool) -> Broken | None:
    if (danger == VERY_DANGEROUS) == wanted:
        return None
    return Broken("fareklasse", f"{danger or 'void'}, {told}")


def forsyningsart_not_predefined(case: Case) -> Broken | None:
    """Forsyningsart may not be a value that has a feature type of its own: those are not written 'other: ...'."""
    utility = case.attributes.get("forsyningsart")
    if not isinstance(utility, str) or utility.startswith("other: "):
        return None
    return Broken("forsyningsart", utility, "other: …")


_PIPES_AND_OTHERS: Final = ("Rørledning", "AndenLedning")
_WITH_HEIGHTS: Final = ("Afløbsledning", "Gasledning", "Olieledning", "TermiskLedning", "Vandledning")
_SIDES: Final = (("udvendigBredde", "udvendigBredde"), ("udvendigHøjde", "udvendigHoejde"))


def _size() -> tuple[Restriction, ...]:
    """The rules of the outer size, which AndenLedning has as copies of its own from 2.1.0."""
    rows = [
        Restriction(
            "AndenLedning.udvendigDiameterBetingelse", required("udvendigDiameter"), Stage.NEW, until="2.0.1"
        )
    ]
    for owner in _PIPES_AND_OTHERS:
        first = "2.0.0" if owner == "Rørledning" else "2.1.0"
        diameter = f"{owner}.udvendigDiameterBetingelse"
        rows += [
            Restriction(diameter, diameter_forbidden, since=first),
            Restriction(diameter, diameter_required, Stage.NEW, since=first),
        ]
        for official, side in _SIDES:
            condition, ban = f"{owner}.{official}Betingelse", f"{owner}.{official}Voidrestriktion"
            rows += [
                Restriction(condition, side_forbidden(side), since=first),
                Restriction(condition, side_required(side), Stage.NEW, since=first),
                Restriction(ban, not_void(side), Stage.NEW, until="2.0.1"),
                Restriction(ban, not_void(side), Stage.NEW_OWN_BUILT, since="2.1.0"),
            ]
    return tuple(rows)


def _heights() -> tuple[Restriction, ...]:
    """The bans on unknown heights; until 2.0.1 they did not ask who owns the line or whether it is built."""
    rows = [Restriction("Rørledning.geometriVertikaleKoordinaterRestriktion", heights_known, Stage.NEW)]
    for owner in (*_WITH_HEIGHTS, "AndenLedning", "Føringsrør"):
        name = f"{owner}.geometriVertikaleKoordinaterRestriktion"
        check = heights_of_duct_known if owner == "Føringsrør" else heights_known
        rows += [
            Restriction(name, check, Stage.NEW, until="2.0.1"),
            Restriction(name, check, Stage.NEW_OWN_BUILT, since="2.1.0"),
        ]
    return tuple(rows)


RESTRICTIONS: Final = (
    *_size(),
    *_heights(),
    Restriction("AndenLedning.forsyningsartRestriktion", forsyningsart_not_predefined),
    Restriction("Føringsrør.vejledendeDybdeBetingelse", depth_of_new_cables, Stage.NEW),
    Restriction("Føringsrør.vejledendeDybdeVoidrestriktion", depth_of_cables_not_void, Stage.NEW_OWN_BUILT),
    Restriction("Gasledning.fareklasseRestriktion", danger_of_gas),
    Restriction("TermiskLedning.fareklasseRestriktion", danger_of_heat),
    *(
        Restriction(f"{owner}.fareklasseRestriktion", never_very_dangerous)
        for owner in ("Afløbsledning", "AndenLedning", "Olieledning", "Vandledning")
    ),
)
