"""The owners in the letter: an overview, and of each whom to call, how far it is, and what it answered."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from ler.domain.answers import AnswerType
from ler.domain.states import OwnerState
from ler.model import load_model
from ler.packages.advice import Language, moment_text
from ler.packages.attachments import names_in
from ler.packages.content import AreaStatus, Delivery, OwnerStatus
from ler.packages.contents import Contents
from ler.packages.letter_parts import (
    Facts,
    Line,
    Section,
    Table,
    Words,
    email,
    given,
    joined,
    member,
    phone,
    said,
)
from ler.packages.map_texts import grouped
from ler.packages.styles import load_styles


def owners_section(contents: Contents, words: Words, language: Language) -> Section:
    """Return the section of all owners, in the order of the package."""
    overview = Table(
        words.overview,
        words.overview_head,
        [_row(owner, words, language) for owner in contents.owners],
        (0.24, 0.29, 0.17, 0.14, 0.16),
    )
    return Section(
        said(words.owners),
        [overview] if contents.owners else [],
        [
            Section(
                given(owner.name) or said(owner.cvr),
                [Facts(list(_facts(owner, contents, words, language)))],
            )
            for owner in contents.owners
        ],
    )


def _row(owner: OwnerStatus, words: Words, language: Language) -> Sequence[Line]:
    dues = sorted({area.due_at for area in owner.missing if area.due_at})
    states = [words.missing] if owner.missing else []
    states += dict.fromkeys(_state(owner, area, words) for area in owner.areas)
    return (
        given(owner.name),
        said("; ".join(states)),
        said(moment_text(dues[0]) if dues else ""),
        said(grouped(owner.feature_count, language)),
        next((phone(number) for number in _numbers(owner)), ()),
    )


def _numbers(owner: OwnerStatus) -> Iterator[str]:
    yield from (one.phone for one in owner.contacts if one.phone)
    if owner.phone:
        yield owner.phone


def _facts(
    owner: OwnerStatus,
    contents: Contents,
    words: Words,
    language: Language,
) -> Iterator[tuple[str, Sequence[Line]]]:
    if owner.missing:
        yield words.state_word, [said(words.missing)]
    yield words.cvr, [given(owner.cvr)]
    yield words.contact, list(_contacts(owner, words, language))
    for area in owner.areas:
        name = words.area_state.format(number=area.registration_number)
        yield name, [said(", ".join(_area(owner, area, words)))]
    if owner.to_be_marked or any(area.appointment for area in owner.areas):
        yield words.marking, list(_markings(owner, words))
    for delivery in owner.deliveries:
        yield from _answer(delivery, words, language)
    if owner.deliveries:
        yield words.attachments, list(_attachments(owner, contents, words))
        yield words.drawings, list(_drawings(owner, words))


def _contacts(owner: OwnerStatus, words: Words, language: Language) -> Iterator[Line]:
    """Whom to turn to, first at the head; the owner itself at the end."""
    for one in owner.contacts:
        kind = load_styles().utility(one.utility_type).name.in_language(language) if one.utility_type else ""
        name = (*given(one.name), *said(words.contact_for.format(kind=kind.lower()) if kind else ""))
        yield joined([name, phone(one.phone or ""), email(one.email or "")])
    if own := joined([phone(owner.phone or ""), email(owner.email or "")]):
        yield own


def _state(owner: OwnerStatus, area: AreaStatus, words: Words) -> str:
    """How far an owner is with an area: the kind of the answer that holds, else the state."""
    answer = owner.answer_for(area)
    if answer is None or area.state not in {OwnerState.ANSWERED, OwnerState.TO_BE_MARKED}:
        return str(words.states[area.state.value])
    return _kind(answer.answer_type, words)


def _kind(answer_type: str, words: Words) -> str:
    return str(words.types[AnswerType(answer_type).name])


def _area(owner: OwnerStatus, area: AreaStatus, words: Words) -> Iterator[str]:
    yield _state(owner, area, words)
    if area in owner.missing and area.due_at:
        yield words.due.format(due=moment_text(area.due_at))
    if area.late:
        yield words.late
    if area.dispensed:
        yield words.dispensed


def _markings(owner: OwnerStatus, words: Words) -> Iterator[Line]:
    for area in owner.areas:
        if area.appointment:
            meeting = area.appointment
            time = f"{moment_text(meeting.starts_at)} – {moment_text(meeting.ends_at)}"
            yield joined([said(time), given(meeting.place), phone(meeting.contact)])
        elif area.state is OwnerState.TO_BE_MARKED:
            yield said(words.marking_unset)


def _answer(
    delivery: Delivery,
    words: Words,
    language: Language,
) -> Iterator[tuple[str, Sequence[Line]]]:
    answered = words.answered.format(
        type=_kind(delivery.answer_type, words),
        moment=_moment(delivery.answered_at, words),
        revision=delivery.revision,
    )
    yield (
        words.answer,
        [said(answered), said(words.by_owner if delivery.given_by_owner else words.by_platform)],
    )
    if delivery.expected_time:
        yield words.expected, [said(moment_text(delivery.expected_time))]
    if delivery.further_information:
        yield words.information, [given(delivery.further_information)]
    if delivery.withholds or delivery.answer_type in {AnswerType.WITHHELD, AnswerType.SITE_MARKING}:
        yield words.withheld, [said(words.withheld_value)]
    if delivery.valid_until:
        yield words.valid_until, [said(delivery.valid_until.isoformat())]
    if delivery.version is not None:
        moment = _moment(delivery.published_at, words)
        yield words.dataset, [said(words.dataset_value.format(version=delivery.version, moment=moment))]
    if delivery.features:
        yield words.counts, [said(_counts(delivery, words, language))]


def _counts(delivery: Delivery, words: Words, language: Language) -> str:
    model = load_model()
    types = ", ".join(
        f"{grouped(count, language)} {name if language == 'da' else model.types[name].label}"
        for name, count in delivery.counts().items()
    )
    told = words.counts_value.format(count=grouped(len(delivery.features), language), types=types)
    if delivery.clipped:
        told += f"; {words.clipped.format(count=grouped(len(delivery.clipped), language))}"
    return str(told)


def _attachments(owner: OwnerStatus, contents: Contents, words: Words) -> Iterator[Line]:
    for path, attachment in names_in(contents, owner):
        if attachment.file is None:
            yield joined([given(attachment.path), said(words.lost)], ": ")
        else:
            yield (*member(path), *said(f" ({attachment.format})"))


def _drawings(owner: OwnerStatus, words: Words) -> Iterator[Line]:
    for delivery in owner.deliveries:
        for one in delivery.drawings:
            day = one.taken_on.isoformat() if one.taken_on else words.unknown
            name = given(words.drawing_value.format(name=one.name, day=day))
            yield name if one.path else joined([name, said(words.lost)], ": ")


def _moment(moment: datetime | None, words: Words) -> str:
    return moment_text(moment) if moment else str(words.unknown)
