"""What an owner's answer may and must hold, and which answer may follow which.

The six kinds are the code list Graveforespoergselssvartype of LER GML 2.2.0; the same content rules hold for a file
(`ingest.rules`) and for an answer given in a form.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ler.domain.faults import Fault
from ler.domain.states import OwnerEvent
from ler.errors import RefusedError


class AnswerType(StrEnum):
    """The six kinds of answer, as they stand in a file."""

    NO_LINES = "ingen ledninger i graveområde"
    WITHHELD = "ledningsoplysninger udleveres ikke"
    DELIVERED = "ledningsoplysninger udleveret"
    MANUAL = "udtaget til manuel behandling"
    SITE_MARKING = "udtaget til påvisning - ledningsoplysninger udleveres ikke"
    SITE_MARKING_WITH_LINES = "udtaget til påvisning - ledningsoplysninger udleveret"


class Holds(StrEnum):
    """Whether an answer holds something."""

    MUST = "must"
    MAY = "may"
    MUST_NOT = "must not"


@dataclass(frozen=True, slots=True)
class ContentRule:
    """What one kind of answer holds, and what it does to the owner request."""

    event: OwnerEvent
    features: Holds
    """Lines, traces and components."""
    expected_time: Holds = Holds.MUST_NOT
    """When another answer is expected (forventetAfleveringstidspunkt)."""
    further_information: Holds = Holds.MAY
    """Text (typeSupplerendeInfo)."""
    appointment: Holds = Holds.MUST_NOT
    """When and where lines are pointed out on site, in whose company [INF]; often agreed later."""


CONTENT_RULES: Final[Mapping[AnswerType, ContentRule]] = MappingProxyType(
    {
        AnswerType.NO_LINES: ContentRule(OwnerEvent.ANSWER, Holds.MUST_NOT),
        AnswerType.WITHHELD: ContentRule(OwnerEvent.ANSWER, Holds.MUST_NOT, further_information=Holds.MUST),
        AnswerType.DELIVERED: ContentRule(OwnerEvent.ANSWER, Holds.MUST),
        # Whether lines may come with it is not said; a file with some is judged by a setting of the rules of files.
        AnswerType.MANUAL: ContentRule(OwnerEvent.TAKE_OUT, Holds.MAY, expected_time=Holds.MAY),
        AnswerType.SITE_MARKING: ContentRule(OwnerEvent.CALL_TO_SITE, Holds.MUST_NOT, appointment=Holds.MAY),
        AnswerType.SITE_MARKING_WITH_LINES: ContentRule(
            OwnerEvent.CALL_TO_SITE, Holds.MUST, appointment=Holds.MAY
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Appointment:
    """Where people meet for lines to be pointed out."""

    starts_at: datetime
    ends_at: datetime
    place: str
    contact: str


@dataclass(frozen=True, slots=True)
class AnswerContent:
    """What of an answer its kind decides."""

    type: AnswerType
    feature_count: int = 0
    expected_time: datetime | None = None
    further_information: str = ""
    appointment: Appointment | None = None


def answer_faults(answer: AnswerContent, now: datetime) -> list[Fault]:
    """Return what an answer holds against the rules of its kind, and times that are gone at `now`, aware."""
    return [*_content(answer), *_times(answer, now)]


def check_order(*, is_update: bool, answered_before: bool) -> None:
    """RefusedError for a first answer marked as an update or a further one not marked (LER error code 13-310).

    An owner that withdrew its answer has answered before: who holds the withdrawn one must be told of another.
    """
    if is_update and not answered_before:
        raise RefusedError(
            "answer-wrongly-an-update",
            "nothing was answered yet that could be updated: send the first answer without the mark "
            "(13-310 UtilityPackageErroneouslyMarkedAsUpdate)",
        )
    if answered_before and not is_update:
        raise RefusedError(
            "answer-already-delivered",
            "this was answered already: mark a further answer as an update (13-310 UtilityPackageAlreadyDelivered)",
        )


def appointment_faults(meeting: Appointment, now: datetime) -> list[Fault]:
    """Return what is wrong with an appointment at `now`, aware."""
    return [*_meeting(meeting, now)]


def _content(answer: AnswerContent) -> Iterator[Fault]:
    rule = CONTENT_RULES[answer.type]
    parts = (
        ("features", rule.features, answer.feature_count > 0, "lines, traces or components"),
        ("expected_time", rule.expected_time, answer.expected_time is not None, "an expected time"),
        (
            "further_information",
            rule.further_information,
            bool(answer.further_information.strip()),
            "further information",
        ),
        ("appointment", rule.appointment, answer.appointment is not None, "an appointment on site"),
    )
    for name, holds, present, words in parts:
        if (holds is Holds.MUST and not present) or (holds is Holds.MUST_NOT and present):
            code = f"answer-{name.replace('_', '-')}"
            yield Fault(code, f"/{name}", f"an answer '{answer.type}' {holds} hold {words}")


def _times(answer: AnswerContent, now: datetime) -> Iterator[Fault]:
    if answer.expected_time is not None and answer.expected_time <= now:
        yield Fault("expected-time-past", "/expected_time", "the expected time must lie ahead")
    if answer.appointment is not None:
        yield from _meeting(answer.appointment, now)


def _meeting(meeting: Appointment, now: datetime) -> Iterator[Fault]:
    if meeting.starts_at <= now:
        yield Fault("appointment-past", "/appointment/starts_at", "the appointment must lie ahead")
    if meeting.ends_at <= meeting.starts_at:
        yield Fault("appointment-ends-early", "/appointment/ends_at", "the appointment ends before it starts")
    for name in ("place", "contact"):
        if not getattr(meeting, name).strip():
            yield Fault(
                f"appointment-{name}-missing", f"/appointment/{name}", f"the appointment needs a {name}"
            )
