"""What whoever asked must be told besides the answers: who is missing, what the data may not be used for, what to mend.

Each warning has a code that stays, words in Danish and English, and where it is about a field a JSON pointer. None of
them is a refusal; to say that digging is safe is not ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ler.domain.answers import AnswerType
from ler.domain.legal_time import legal_day, local
from ler.domain.request_rules import DigKind
from ler.domain.states import OWES_ANSWER, OwnerState, RequestState

_HIDDEN: Final = frozenset({AnswerType.WITHHELD.value, AnswerType.SITE_MARKING.value})
_OVER: Final = frozenset({RequestState.CANCELLED, RequestState.ENDED, RequestState.ERASED})


@dataclass(frozen=True, slots=True)
class Standing:
    """One owner and interest area, as far as warnings go."""

    owner: str
    """Its name, with whom to call where that is known."""
    state: OwnerState
    due_at: datetime | None
    late: bool
    answer_type: str | None
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as far as warnings go."""

    kind: DigKind
    state: RequestState
    period_from: date
    areas: Sequence[Standing]


@dataclass(frozen=True, slots=True)
class DigWarning:
    """One thing to know."""

    code: str
    da: str
    en: str
    pointer: str | None = None
    """Into the request as sent."""


def dig_warnings(asked: Asked, today: date) -> list[DigWarning]:
    """Return what must be known, what forbids digging first. `today` is the legal local date."""
    if asked.state in _OVER:
        return [DigWarning("request-over", "Forespørgslen gælder ikke mere. Spørg igen, før du graver.",
                        "The request holds no more. Ask again before you dig.")]  # fmt: skip
    return [
        *_purpose(asked.kind),
        *_missing(asked),
        *_marking(asked.areas),
        *_withheld(asked.areas),
        *_expired(asked.areas, today),
        *_nobody(asked),
        *_too_early(asked),
    ]


def _purpose(kind: DigKind) -> Iterator[DigWarning]:
    if kind is DigKind.PLANNING:
        yield DigWarning(
            "planning-only",
            "GRAV IKKE efter disse data: de er bestilt til projektering. Spørg igen, før der graves.",
            "DO NOT DIG on these data: they were asked for planning. Ask again before anybody digs.",
            "/kind",
        )
    if kind is DigKind.ORIENTATION:
        yield DigWarning(
            "orientation-only",
            "GRAV IKKE: ingen ledningsejer er spurgt. Dette er kun en liste over, hvem der har ledninger.",
            "DO NOT DIG: no owner was asked. This is only a list of those who have lines.",
            "/kind",
        )


def _missing(asked: Asked) -> Iterator[DigWarning]:
    missing = _names([area for area in asked.areas if area.state in OWES_ANSWER])
    if missing:
        all_of_them = len(_names(asked.areas))
        owners = "owner" if len(missing) == 1 else "owners"
        names = ", ".join(missing)
        yield DigWarning(
            "answers-missing",
            f"GRAV IKKE: {len(missing)} af {all_of_them} ledningsejere mangler at svare: {names}",
            f"DO NOT DIG: {len(missing)} {owners} missing of {all_of_them}: {names}",
        )
    late = _names([area for area in asked.areas if area.late and area.state in OWES_ANSWER])
    if late:
        yield DigWarning(
            "answers-late",
            f"Fristen er overskredet: kontakt selv {', '.join(late)}",
            f"The time to answer is over: turn to {', '.join(late)} yourself",
        )


def _marking(areas: Sequence[Standing]) -> Iterator[DigWarning]:
    marking = _names([area for area in areas if area.state is OwnerState.TO_BE_MARKED])
    if marking:
        yield DigWarning(
            "marking-missing",
            f"GRAV IKKE, før ledningerne er påvist på stedet af {', '.join(marking)}",
            f"DO NOT DIG before the lines have been pointed out on site by {', '.join(marking)}",
        )


def _withheld(areas: Sequence[Standing]) -> Iterator[DigWarning]:
    withheld = _names([area for area in areas if area.answer_type in _HIDDEN])
    if withheld:
        yield DigWarning(
            "lines-withheld",
            f"Der er ledninger, som ikke er vist. Tal med {', '.join(withheld)}, før du graver.",
            f"There are lines that are not shown. Talk to {', '.join(withheld)} before you dig.",
        )


def _expired(areas: Sequence[Standing], today: date) -> Iterator[DigWarning]:
    expired = _names([area for area in areas if area.valid_until and area.valid_until < today])
    if expired:
        yield DigWarning(
            "data-expired",
            f"Data er ikke gyldige mere fra {', '.join(expired)}: forny forespørgslen",
            f"The data are valid no longer of {', '.join(expired)}: renew the request",
        )


def _nobody(asked: Asked) -> Iterator[DigWarning]:
    if not asked.areas and asked.kind is not DigKind.ORIENTATION:
        yield DigWarning(
            "nobody-asked",
            "Ingen ledningsejer har registreret et interesseområde her. Private ledninger kan findes alligevel.",
            "No owner has registered an interest area here. There may be private lines all the same.",
        )


def _too_early(asked: Asked) -> Iterator[DigWarning]:
    due = max(
        (area.due_at for area in asked.areas if area.due_at and area.state in OWES_ANSWER), default=None
    )
    if due and asked.kind is not DigKind.PLANNING and asked.period_from <= legal_day(due):
        at = f"{local(due):%Y-%m-%d %H:%M}"
        yield DigWarning(
            "period-begins-before-answers",
            f"Perioden begynder {asked.period_from}, og ejerne har tid til {at}",
            f"The period begins {asked.period_from}, and owners have time until {at}",
            "/period_from",
        )


def _names(areas: Sequence[Standing]) -> list[str]:
    return [*dict.fromkeys(area.owner for area in areas)]
