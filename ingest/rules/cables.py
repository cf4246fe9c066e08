"""Restrictions of power and telecommunication lines: they may tell an indicative depth instead of heights."""

from typing import Final

from ingest.rules.case import Broken, Case, Restriction, Stage, required
from ingest.rules.lines import VERY_DANGEROUS, depth_not_void, depth_of_new_line, never_very_dangerous

VERY_DANGEROUS_KV: Final = 10.0
"""Restriction Elledning.fareklasseRestriktion of 2.0.0 and 2.0.1."""


def danger_of_voltage(case: Case) -> Broken | None:
    """A power line is meget farlig from 10 kV, and only from there; nothing is asked of an unknown voltage."""
    voltage = case.number("spaendingsniveau")
    if voltage is None or "fareklasse" in case.unread:
        return None
    danger = case.attributes.get("fareklasse")
    if (danger == VERY_DANGEROUS) == (voltage >= VERY_DANGEROUS_KV):
        return None
    return Broken("fareklasse", f"{danger or 'void'}, {voltage:g} kV")


RESTRICTIONS: Final = (
    Restriction("Elledning.fareklasseRestriktion", danger_of_voltage),
    Restriction("Elledning.udvendigDiameterBetingelse", required("udvendigDiameter"), Stage.NEW),
    Restriction("Elledning.vejledendeDybdeRestriktion", depth_of_new_line, Stage.NEW),
    Restriction("Elledning.vejledendeDybdeBetingelse", depth_of_new_line, Stage.NEW),
    Restriction("Elledning.vejledendeDybdeVoidrestriktion", depth_not_void, Stage.NEW_OWN_BUILT),
    Restriction("Telekommunikationsledning.fareklasseRestriktion", never_very_dangerous),
    Restriction(
        "Telekommunikationsledning.udvendigDiameterBetingelse", required("udvendigDiameter"), Stage.NEW
    ),
    Restriction("Telekommunikationsledning.vejledendeDybdeRestriktion", depth_of_new_line, Stage.NEW),
    Restriction("Telekommunikationsledning.vejledendeDybdeBetingelse", depth_of_new_line, Stage.NEW),
    Restriction(
        "Telekommunikationsledning.vejledendeDybdeVoidrestriktion", depth_not_void, Stage.NEW_OWN_BUILT
    ),
)
