"""Restrictions of the answer itself, its contacts and its attachments."""

import re
from typing import Final

from ingest.rules.case import Broken, Case, Restriction

MANUAL: Final = "udtaget til manuel behandling"
WITHHELD: Final = "ledningsoplysninger udleveres ikke"

_ABSOLUTE: Final = re.compile(r"[/\\]|[A-Za-z][A-Za-z0-9+.\-]*:")
"""A path from a root, with a drive letter or with a scheme."""


def expected_delivery(case: Case) -> Broken | None:
    """The expected time of delivery may only be given when the answer is taken out for manual handling."""
    kind = str(case.attributes.get("type", ""))
    if not case.given("forventetAfleveringstidspunkt") or kind == MANUAL or "type" in case.unread:
        return None
    return Broken("forventetAfleveringstidspunkt", kind, MANUAL)


def withheld_says_why(case: Case) -> Broken | None:
    """Further information must be given when the owner does not tell of the lines."""
    if case.attributes.get("type") != WITHHELD or case.has_text("typeSupplerendeInfo"):
        return None
    return Broken("typeSupplerendeInfo")


def mail_without_telephone(case: Case) -> Broken | None:
    """Mailadresse must be given when telefonnummer is not."""
    reachable = case.has_text("mailadresse") or case.has_text("telefonnummer")
    return None if reachable else Broken("mailadresse")


def telephone_without_mail(case: Case) -> Broken | None:
    """Telefonnummer must be given when mailadresse is not."""
    reachable = case.has_text("telefonnummer") or case.has_text("mailadresse")
    return None if reachable else Broken("telefonnummer")


def relative_path(case: Case) -> Broken | None:
    """The path of an attachment must be relative."""
    path = case.attributes.get("sti")
    return Broken("sti", path) if isinstance(path, str) and _ABSOLUTE.match(path) else None


RESTRICTIONS: Final = (
    Restriction(
        "Graveforespørgselssvar.forventetAfleveringstidspunktRestriktion", expected_delivery, until="2.0.1"
    ),
    Restriction(
        "Graveforespørgselssvar.forventetAfleveringstidspunktBetingelse", expected_delivery, since="2.1.0"
    ),
    Restriction("Graveforespørgselssvar.typeSupplerendeInfoBetingelse", withheld_says_why),
    Restriction("Kontaktprofil.mailadresseBetingelse", mail_without_telephone),
    Restriction("Kontaktprofil.telefonnummerBetingelse", telephone_without_mail),
    Restriction("Informationsressource.stiRestriktion", relative_path),
)
