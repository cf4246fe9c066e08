"""What the play of chance is about: interest areas, answers, what is asked of owners, and requests, in plain Python."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from ler.domain.answers import AnswerType
from ler.domain.states import OWES_ANSWER, OwnerState, RequestState

NOT_PACKED: Final = frozenset({RequestState.CANCELLED, RequestState.ERASED})

type Line = tuple[str, str]
"""A line's gml:id and what tells its content apart."""


@dataclass(eq=False)
class Area:
    """An interest area, and who answers for it from now on."""

    id: UUID
    owner: UUID
    places: frozenset[str]
    by_platform: bool


@dataclass(eq=False)
class Given:
    """An answer; `area` None speaks for all areas that the platform answered."""

    owner: UUID
    area: UUID | None
    kind: AnswerType
    by_owner: bool
    lines: frozenset[Line]
    revision: int = 1
    version: int | None = None
    id: UUID | None = None
    holds: bool = True
    withdrawn: bool = False
    files: frozenset[tuple[str, str]] = frozenset()
    """Paths and digests of what goes with it."""
    withheld: frozenset[Line] = frozenset()
    """Lines on which the owner's word is awaited."""


@dataclass(eq=False)
class Duty:
    """An owner request."""

    id: UUID
    area: Area
    received: datetime
    due: datetime
    state: OwnerState = OwnerState.ASKED
    late: bool = False
    acknowledged: bool = False
    reminded: bool = False
    """That its time is up."""
    answer: Given | None = None
    """The newest, whether it holds or was taken back."""

    @property
    def owner(self) -> UUID:
        return self.area.owner

    @property
    def owes(self) -> bool:
        return self.state in OWES_ANSWER

    @property
    def overdue(self) -> bool:
        return self.owes and self.due < datetime.now(UTC)

    @property
    def told(self) -> bool:
        """Whether an answer holds that ends the waiting."""
        return self.answer is not None and self.answer.holds and self.answer.kind is not AnswerType.MANUAL


@dataclass(eq=False)
class Request:
    """An excavation request."""

    id: UUID
    requester: UUID
    place: str
    days: int
    """From the first day to the last."""
    duties: list[Duty] = field(default_factory=list)
    answers: list[Given] = field(default_factory=list)
    state: RequestState = RequestState.OPEN
    revision: int = 1
    past: bool = False
    """Whether the last day is over."""
    called: bool = True
    """Whether a job to make its packages waits."""
    packed: int = 0
    packages: Counter[tuple[UUID | None, int]] = field(default_factory=Counter)

    def holding(self, owner: UUID | None = None) -> list[Given]:
        return [one for one in self.answers if one.holds and owner in {None, one.owner}]

    def speaks_for(self, answer: Given) -> list[Duty]:
        return [duty for duty in self.duties if duty.answer is answer]

    @property
    def owners(self) -> set[UUID]:
        return {duty.owner for duty in self.duties}

    @property
    def left_to_pack(self) -> bool:
        return self.packed < self.revision and self.state not in NOT_PACKED


def places_of(place: str) -> frozenset[str]:
    """The parts of the town, "w" and "e", of which a place consists."""
    return frozenset(place)
