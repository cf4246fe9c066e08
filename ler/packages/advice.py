"""What a package says in words before anybody digs, in Danish and English: who is missing, and until when it has time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from ler.domain.answers import AnswerType
from ler.domain.legal_time import local
from ler.domain.request_rules import DigKind
from ler.domain.states import OwnerState
from ler.packages.content import AreaStatus, Delivery, OwnerStatus, RequestInfo
from ler.packages.plain_text import plain

type Language = Literal["da", "en"]

MISSING: Final = "answers-missing"
MARKING: Final = "marking-missing"
WITHHELD: Final = "lines-withheld"
PLANNING: Final = "planning-only"
NOBODY: Final = "nobody-asked"
ALL_ANSWERED: Final = "all-answered"
NO_LINES: Final = "no-lines"

STATUS: Final = {
    OwnerState.ASKED: "ikke besvaret",
    OwnerState.ACKNOWLEDGED: "ikke besvaret",
    OwnerState.WITHDRAWN: "svar trukket tilbage",
    OwnerState.MARKED: "påvist",
    OwnerState.CANCELLED: "annulleret",
    OwnerState.ENDED: "afsluttet",
}
"""How an interest area's state is told where no answer holds; else the answer's kind is. The register's own words for
these were not found."""
_LATE: Final = "ikke besvaret, fristen er overskredet"


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to know."""

    code: str
    da: str
    en: str
    lines: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """Owner by owner, in Danish and English."""

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        told = {"code": self.code, "da": self.da, "en": self.en}
        return told | ({"owners": [{"da": da, "en": en} for da, en in self.lines]} if self.lines else {})


def is_complete(owners: Sequence[OwnerStatus]) -> bool:
    """Whether no owner owes an answer."""
    return not any(owner.missing for owner in owners)


def advise(request: RequestInfo, owners: Sequence[OwnerStatus]) -> list[Advice]:
    """Say what is to be known, what forbids digging first."""
    return [
        *_missing(owners),
        *_marking(owners),
        *_withheld(owners),
        *_planning(request),
        *_nothing_missing(owners),
        *_no_lines(owners),
    ]


def status_of(owner: OwnerStatus, area: AreaStatus) -> str:
    """Tell in Danish how far an owner is with an area."""
    answer = owner.answer_for(area)
    if area.late and area.state in {OwnerState.ASKED, OwnerState.ACKNOWLEDGED}:
        return _LATE
    if area.state in STATUS or answer is None:
        return STATUS.get(area.state, area.state.value)
    return answer.answer_type


def advice_text(advice: Sequence[Advice], language: Language) -> str:
    """Return the advice as a text for people."""
    if language == "da":
        return "\r\n\r\n".join(_text(one.da, [line for line, _ in one.lines]) for one in advice)
    return "\r\n\r\n".join(_text(one.en, [line for _, line in one.lines]) for one in advice)


def _missing(owners: Sequence[OwnerStatus]) -> Iterator[Advice]:
    missing = [owner for owner in owners if owner.missing]
    if not missing:
        return
    one = len(missing) == 1
    yield Advice(
        MISSING,
        f"GRAV IKKE: {len(missing)} af {len(owners)} ledningsejere mangler at svare. "
        "Hent pakken igen, når de har svaret.",
        f"DO NOT DIG: {len(missing)} {'owner' if one else 'owners'} missing of {len(owners)}. "
        "Fetch the package again when they have answered.",
        [_missing_line(owner) for owner in missing],
    )


def _missing_line(owner: OwnerStatus) -> tuple[str, str]:
    due = min((area.due_at for area in owner.missing if area.due_at), default=None)
    who = _who(owner)
    withdrawn = any(area.state is OwnerState.WITHDRAWN for area in owner.missing)
    taken_out = any(area.state is OwnerState.TAKEN_OUT for area in owner.missing)
    late = any(area.late for area in owner.missing)
    if all(area.state is OwnerState.ENDED for area in owner.missing):
        return (
            f"{who}: svarede ikke, før forespørgslen sluttede",
            f"{who}: did not answer before the request ended",
        )
    da, en = f"{who}: skal svare", f"{who}: must answer"
    if withdrawn:
        da, en = f"{who}: har trukket sit svar tilbage og skal svare igen", f"{who}: took its answer back and must answer again"  # fmt: skip
    elif taken_out:
        da, en = (
            f"{who}: behandler sagen manuelt og skal svare",
            f"{who}: handles it manually and must answer",
        )
    if due:
        da, en = f"{da} senest {moment_text(due)}", f"{en} by {moment_text(due)}"
    if any(area.dispensed for area in owner.missing):
        da, en = f"{da} (ejeren har dispensation)", f"{en} (the owner has a dispensation)"
    if late:
        da, en = f"{da} - FRISTEN ER OVERSKREDET, kontakt ejeren", f"{en} - OVERDUE, turn to the owner"
    return da, en


def _marking(owners: Sequence[OwnerStatus]) -> Iterator[Advice]:
    marking = [owner for owner in owners if owner.to_be_marked]
    if marking:
        yield Advice(
            MARKING,
            f"GRAV IKKE, før {len(marking)} af ledningsejerne har påvist deres ledninger på stedet.",
            f"DO NOT DIG before {len(marking)} of the owners have pointed their lines out on site.",
            [_marking_line(owner) for owner in marking],
        )


def _marking_line(owner: OwnerStatus) -> tuple[str, str]:
    who = _who(owner)
    meeting = next((area.appointment for area in owner.areas if area.appointment), None)
    if meeting is None:
        return f"{who}: aftal tid med ejeren", f"{who}: agree on a time with the owner"
    told = plain(f"{who}: {moment_text(meeting.starts_at)}, {meeting.place}, {meeting.contact}")
    return told, told


def _withheld(owners: Sequence[OwnerStatus]) -> Iterator[Advice]:
    kinds = {AnswerType.WITHHELD.value, AnswerType.SITE_MARKING.value}
    withheld = [
        (owner, answer)
        for owner in owners
        for answer in owner.deliveries
        if answer.withholds or answer.answer_type in kinds
    ]
    if withheld:
        yield Advice(
            WITHHELD,
            "Disse ejere har ledninger, som ikke er vist i pakken. Tal med dem, før du graver.",
            "These owners have lines that the package does not show. Talk to them before you dig.",
            [_withheld_line(owner, answer) for owner, answer in withheld],
        )


def _withheld_line(owner: OwnerStatus, answer: Delivery) -> tuple[str, str]:
    information = plain(answer.further_information or "")
    told = f"{_who(owner)}: {information}" if information else _who(owner)
    return told, told


def _planning(request: RequestInfo) -> Iterator[Advice]:
    if request.kind is DigKind.PLANNING:
        yield Advice(
            PLANNING,
            "GRAV IKKE efter denne pakke: den er bestilt til projektering. Spørg igen, før der graves.",
            "DO NOT DIG on this package: it was asked for planning. Ask again before anybody digs.",
        )


def _nothing_missing(owners: Sequence[OwnerStatus]) -> Iterator[Advice]:
    if not owners:
        yield Advice(
            NOBODY,
            "Ingen ledningsejer har registreret et interesseområde her.",
            "No owner has registered an interest area there.",
        )
    elif is_complete(owners):
        yield Advice(
            ALL_ANSWERED,
            f"Alle {len(owners)} ledningsejere har svaret."
            if len(owners) > 1
            else "Ledningsejeren har svaret.",
            f"All {len(owners)} owners have answered." if len(owners) > 1 else "The owner has answered.",
        )


def _no_lines(owners: Sequence[OwnerStatus]) -> Iterator[Advice]:
    if owners and not any(owner.feature_count for owner in owners):
        yield Advice(
            NO_LINES,
            "Pakken viser ingen ledninger: der er ikke oplyst nogen i graveområdet.",
            "The package shows no lines: none was told of in the dig area.",
        )


def _who(owner: OwnerStatus) -> str:
    """The owner, and whom to try first there."""
    first = owner.contacts[0] if owner.contacts else None
    reached = (first.name, first.phone, first.email) if first else (owner.phone, owner.email)
    contact = ", ".join(one for one in reached if one)
    return plain(f"{owner.name} ({contact})" if contact else owner.name)


def moment_text(moment: datetime) -> str:
    """Return legal local time with its offset, since the same hour comes twice in October."""
    here = local(moment)
    return f"{here:%Y-%m-%d %H:%M} {here.tzname()}"


def _text(words: str, lines: Sequence[str]) -> str:
    return "\r\n".join([words, *(f"  - {line}" for line in lines)])
