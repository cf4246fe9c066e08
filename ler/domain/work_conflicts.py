"""Works that get in each other's way, or in that of a restriction: the kinds, and where the word of each side stands.

A conflict is no prohibition: each side judges whether it is one. A judgement is of what was compared; when a work is moved
or changed, it is to be given anew.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from shapely.geometry.base import BaseGeometry

from ler.domain.restrictions import RestrictionKind


class WorkConflictKind(StrEnum):
    """How two works, or a work and a restriction (named as its kind), meet on the same days."""

    SAME_PLACE = "same-place"
    """What they cover overlaps or touches."""
    ADJACENT = "adjacent"
    """Both take something of the road, near each other."""
    MORATORIUM = RestrictionKind.MORATORIUM
    CLOSED_PERIOD = RestrictionKind.CLOSED_PERIOD
    EVENT = RestrictionKind.EVENT
    BUS_LINE = RestrictionKind.BUS_LINE
    DIVERSION = RestrictionKind.DIVERSION


class JudgementState(StrEnum):
    """Where a conflict stands with one of its sides."""

    OPEN = "open"
    JUDGED = "judged"
    JUDGE_AGAIN = "re-judge"
    """Judged as it was before one of the sides changed."""


@dataclass(frozen=True, slots=True)
class WorkConflict:
    """One conflict. Of two works the one with the smaller id comes first, so that a pair is one conflict."""

    kind: WorkConflictKind
    work_id: UUID
    other_work_id: UUID | None
    restriction_id: UUID | None
    """One of the two is given."""
    place: BaseGeometry
    """EPSG:25832: what they share, or the shortest line between them."""
    distance_m: float
    first_day: date
    last_day: date
    """Of the days on which both may be going on; both count."""
    certain: bool
    """Whether they share a day wherever in their windows they are put; else it can be avoided by choosing days."""
    fingerprint: str
    """SHA-256, hexadecimal, of what of both sides was compared."""

    @property
    def sides(self) -> tuple[UUID, UUID]:
        """The two things that meet."""
        return self.work_id, self.other_work_id or self.restriction_id or self.work_id


def judgement_state(judged: str | None, now: str) -> JudgementState:
    """Return where a conflict stands with a side that judged it by one fingerprint (None: never) and that has another now."""
    if judged is None:
        return JudgementState.OPEN
    return JudgementState.JUDGED if judged == now else JudgementState.JUDGE_AGAIN
