"""Restrictions of components: attributes that only some kinds of component may have."""

from typing import Final

from ingest.rules.case import Broken, Case, Restriction, only_with_type
from ingest.rules.pipes import forsyningsart_not_predefined

MANHOLE: Final = "brønd"
LONG_SHAPES: Final = ("kvadratisk", "rektangulær")


def bottom_length(case: Case) -> Broken | None:
    """Bundlaengde may only be given of a manhole whose shape is kvadratisk or rektangulær."""
    if not case.given("bundlaengde") or case.unread & {"type", "broendform"}:
        return None
    kind, shape = case.attributes.get("type"), case.attributes.get("broendform")
    if kind == MANHOLE and shape in LONG_SHAPES:
        return None
    return Broken("bundlaengde", f"{kind}, {shape or 'void'}", f"{MANHOLE}, {' | '.join(LONG_SHAPES)}")


RESTRICTIONS: Final = (
    Restriction("Afløbskomponent.brøndformTilladelse", only_with_type("broendform", MANHOLE)),
    Restriction("Afløbskomponent.bundlængdeTilladelse", bottom_length),
    Restriction("AndenKomponent.forsyningsartRestriktion", forsyningsart_not_predefined),
    Restriction("Elkomponent.relativNiveauTilladelse", only_with_type("relativNiveau", "rørblok")),
    Restriction("Vandkomponent.anborstedTilladelse", only_with_type("anborsted", "tilslutningspunkt")),
    Restriction("Vandkomponent.stutskoteTilladelse", only_with_type("stutskote", "tapsted", "ventil")),
    Restriction("Vandkomponent.tapstedstypeTilladelse", only_with_type("tapstedstype", "tapsted")),
)
