"""Restrictions of all lines and of traces: status, danger, accuracy, diameter, indicative depth of traces."""

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

VERY_DANGEROUS: Final = "meget farlig"


def accuracy_with_geometry(attribute: str) -> Check:
    """The accuracy class must be given when the line has a geometry, and may not be when it has none."""

    def check(case: Case) -> Broken | None:
        if case.given(attribute) == case.has_geometry:
            return None
        return Broken(attribute, str(case.attributes.get(attribute, "")))

    return check


def depth_of_new_line(case: Case) -> Broken | None:
    """The indicative depth must be given when the heights of a new line are unknown."""
    if case.given("vejledendeDybde"):
        return None
    unknown = case.heights_unknown(any_vertex=case.settings.depth_any_vertex)
    return Broken("vejledendeDybde") if unknown else None


def depth_not_void(case: Case) -> Broken | None:
    """The indicative depth may not be void when the heights of a new line are unknown."""
    if "vejledendeDybde" not in case.voids:
        return None
    unknown = case.heights_unknown(any_vertex=case.settings.depth_any_vertex)
    return Broken("vejledendeDybde", "void") if unknown else None


def depth_of_new_cables(case: Case) -> Broken | None:
    """As `depth_of_new_line`, of traces and ducts that serve power or telecommunication first."""
    return depth_of_new_line(case) if case.primary_utility in TELLS_NO_HEIGHT else None


def depth_of_cables_not_void(case: Case) -> Broken | None:
    """As `depth_not_void`, of traces and ducts that serve power or telecommunication first."""
    return depth_not_void(case) if case.primary_utility in TELLS_NO_HEIGHT else None


def never_very_dangerous(case: Case) -> Broken | None:
    """Fareklasse may not be meget farlig."""
    if case.attributes.get("fareklasse") != VERY_DANGEROUS:
        return None
    return Broken("fareklasse", VERY_DANGEROUS)


RESTRICTIONS: Final = (
    Restriction("Ledning.driftsstatusVoidrestriktion", not_void("driftsstatus"), Stage.NEW),
    Restriction("Ledning.fareklasseVoidrestriktion", not_void("fareklasse"), Stage.NEW),
    Restriction("Ledning.nøjagtighedsklasseBetingelse", accuracy_with_geometry("noejagtighedsklasse")),
    Restriction(
        "Ledning.nøjagtighedsklasseVertikalBetingelse", accuracy_with_geometry("noejagtighedsklasseVertikal")
    ),
    Restriction(
        "Ledning.nøjagtighedsklasseVoidrestriktion",
        not_void("noejagtighedsklasse"),
        Stage.NEW,
        until="2.0.1",
    ),
    Restriction(
        "Ledning.nøjagtighedsklasseVoidrestriktion",
        not_void("noejagtighedsklasse"),
        Stage.NEW_OWN,
        since="2.1.0",
    ),
    Restriction(
        "Ledning.nøjagtighedsklasseVertikalVoidrestriktion",
        not_void("noejagtighedsklasseVertikal"),
        Stage.NEW_OWN,
    ),
    Restriction(
        "Ledning.udvendigDiameterVoidrestriktion", not_void("udvendigDiameter"), Stage.NEW, until="2.0.1"
    ),
    Restriction(
        "Ledning.udvendigDiameterVoidrestriktion",
        not_void("udvendigDiameter"),
        Stage.NEW_OWN_BUILT,
        since="2.1.0",
    ),
    Restriction("Ledningstrace.nøjagtighedsklasseBetingelse", required("noejagtighedsklasse")),
    Restriction(
        "Ledningstrace.nøjagtighedsklasseVertikalBetingelse", required("noejagtighedsklasseVertikal")
    ),
    Restriction(
        "Ledningstrace.nøjagtighedsklasseVoidrestriktion",
        not_void("noejagtighedsklasse"),
        Stage.NEW,
        until="2.0.1",
    ),
    Restriction(
        "Ledningstrace.nøjagtighedsklasseVoidrestriktion",
        not_void("noejagtighedsklasse"),
        Stage.NEW_OWN,
        since="2.1.0",
    ),
    Restriction(
        "Ledningstrace.nøjagtighedsklasseVertikalVoidrestriktion",
        not_void("noejagtighedsklasseVertikal"),
        Stage.NEW_OWN,
    ),
    Restriction("Ledningstrace.vejledendeDybdeBetingelse", depth_of_new_cables, Stage.NEW),
    Restriction(
        "Ledningstrace.vejledendeDybdeVoidrestriktion", depth_of_cables_not_void, Stage.NEW_OWN_BUILT
    ),
)
