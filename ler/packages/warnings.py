"""What a package warns of, owner by owner and utility by utility: the nearest zone of its lines, and its precautions.

Plain values, worked out before the package is made and kept with what it is made of (`recipe`), so that it can be made again
as it was, whatever rules and tables hold by then.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class NearestZone:
    """The nearest zone that any of an owner's lines of one utility may lie in. Metres."""

    zone: str
    """`no-machine`, `hand-dig`, `stand-by` or `notify`."""
    da: str
    en: str
    """Its name."""
    limit_m: float
    """Within which it holds for the line that is told of: of all in that zone the nearest."""
    least_m: float
    gml_id: str
    lines: int
    """How many lines are in this zone."""
    conflicts: int
    """How many are in any."""
    reason_da: str
    reason_en: str


@dataclass(frozen=True, slots=True)
class OwnersMeasure:
    """A row of an owner's precautions that holds."""

    priority: int
    da: str
    en: str
    contact: str | None
    notice_days: int | None
    """Working days."""
    lines: int
    gml_id: str
    """Of the nearest line."""
    reasons: tuple[str, ...]
    reason_da: str
    reason_en: str


@dataclass(frozen=True, slots=True)
class UtilityWarning:
    """All that is warned of for an owner's lines of one utility type."""

    owner_id: UUID
    utility_type: str | None
    """LER forsyningsart; None: the lines do not tell it."""
    zone: NearestZone | None
    precautions: Sequence[OwnersMeasure]
    """All that hold, the highest first: it alone stands in the letter."""


def warnings_document(warnings: Sequence[UtilityWarning]) -> list[dict[str, Any]]:
    """Return warnings fit for JSON."""
    return [{**dataclasses.asdict(one), "owner_id": str(one.owner_id)} for one in warnings]


def read_warnings(document: object) -> tuple[UtilityWarning, ...]:
    """Return the warnings that `warnings_document` wrote."""
    return TypeAdapter(tuple[UtilityWarning, ...]).validate_python(document)
