"""How the official texts are read where they leave room: one setting for each open question, with its default.

What each choice costs is in `docs/decisions/0008-unclear-restrictions.md`.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """The readings that the rules follow."""

    cutoff: date = date(2023, 7, 1)
    """Lines established after this day must be described in full (skæringsdato, BEK 1315/2024)."""

    unknown_height_any_vertex: bool = True
    """The bans on -99 strike when one vertex has no height; False: only when no vertex has one."""

    depth_any_vertex: bool = False
    """An indicative depth is due when no vertex has a height; True: already when one vertex has none."""

    missing_ownership_is_own: bool = True
    """A line without ejerskabsforhold counts as owned by the owner that delivers it."""

    unknown_status_is_built: bool = True
    """A void driftsstatus counts as "not under etablering"."""

    unknown_utility_needs_height: bool = True
    """A duct without forsyningsart counts as neither el nor telekommunikation, so that its heights are due."""

    void_is_given: bool = True
    """A void attribute counts as given where a text says that it must, or must not, be given."""

    blank_is_given: bool = False
    """A text of blanks only counts as given."""

    exclusive_cross_section: bool = True
    """Of a line whose tvaersnitsform is void, either the diameter or width and height are told, not both."""

    manual_handling_may_hold_lines: bool = True
    """An answer taken out for manual handling may already hold lines."""

    lying_in_a_line_is_contained: bool = False
    """A line needs no geometry already when liggerILedning is true; False: only when a line or trace refers to it."""

    area_tolerance_m: float = 0.001
    """How far a geometry may reach over the edge of the dig area: cut points are rounded to 0.1 mm."""
