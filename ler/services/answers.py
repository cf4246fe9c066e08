"""Owners' own answers: what an owner is asked, and what it does with it. The transaction acts for the owner.

What may follow what is `ler.domain.states`, kept by the functions of `ler/db/sql/answers.sql`; what an answer must hold
is `ler.domain.answers`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from geoalchemy2 import WKBElement
from geoalchemy2.shape import to_shape
from shapely import Polygon
from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection

from ler.db.functions import refusals
from ler.db.rows import features_to_rows
from ler.db.tables import answer_attachment, owner_answer, owner_request
from ler.domain.answers import (
    AnswerContent,
    AnswerType,
    Appointment,
    answer_faults,
    appointment_faults,
    check_order,
)
from ler.domain.faults import Fault, refuse_faults
from ler.domain.legal_time import local
from ler.domain.request_rules import Contact, DigKind
from ler.domain.states import OWES_ANSWER, OwnerState, RequestState
from ler.errors import NotFoundError, RefusedError
from ler.model import Feature, load_model
from ler.rules_in_force import Due
from ler.services.sensitivity import refuse_forbidden

LONGEST_TEXT: Final = 4000
"""Characters of a text of an owner."""

_ABSENT: Final = "There is no such owner request."
_NOBODY: Final = UUID(int=0)
_NOT_DELIVERED: Final = frozenset({"version_id", "owner_id", "line", "content_hash"})
"""What a row has as a part of a network, and not as one of an answer."""
_ASKED: Final = text("SELECT * FROM ler.asked_of_me(:one, :states, :before, :before_id, :most)")
_ACKNOWLEDGE: Final = text("SELECT ler.acknowledge(:asked)")
_GIVE: Final = text(
    "SELECT * FROM ler.give_answer(:asked, :is_update, CAST(:given AS jsonb), CAST(:features AS jsonb),"
    " CAST(:attachments AS jsonb), :manual_due_at)"
)
_WITHDRAW: Final = text("SELECT ler.withdraw_answer(:asked, :reason)")
_APPOINT: Final = text("SELECT ler.appoint(:asked, CAST(:appointment AS jsonb))")
_MARK: Final = text("SELECT ler.mark(:asked, :note)")
_ASK_TO_MARK: Final = text("SELECT ler.ask_to_mark(:asked, :reason)")
_CHOOSE: Final = text("SELECT ler.choose_answering(:area, :by)")
_NOT_FEATURES: Final = frozenset(
    {"Informationsressource", "LinearDimension", "TextAnnotation", "LinearAnnotation"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an owner is asked for one of its interest areas. Moments are aware UTC."""

    id: UUID
    request_id: UUID
    order_number: int
    interest_area_id: UUID
    registration_number: int
    """Of the interest area; LER's indberetningsNr."""
    state: OwnerState
    received_at: datetime
    due_at: datetime | None
    dispensed: bool
    """Whether it has a dispensation, and so the longer deadline."""
    acknowledged_at: datetime | None
    answered_at: datetime | None
    late: bool
    appointment: Appointment | None
    marking_asked_at: datetime | None
    """When the requester asked for lines to be pointed out that it did not find."""
    marking_reason: str | None
    marked_at: datetime | None
    marking_note: str | None
    request_state: RequestState
    kind: DigKind
    already_started: bool
    period_from: date
    period_to: date
    purpose: str
    description: str | None
    utility_types: tuple[str, ...] | None
    address_ids: tuple[UUID, ...]
    """Of whose house connections sketches are asked for."""
    clip_buffer_m: float
    area: Polygon
    """EPSG:25832."""
    requester_name: str
    contact: Contact

    @property
    def owes_answer(self) -> bool:
        """Whether the owner's clock runs."""
        return self.state in OWES_ANSWER


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file of an answer; its bytes lie in the blob store."""

    path: str
    format: str
    media_type: str
    sha256: str
    size_bytes: int
    address_id: UUID | None = None
    """Of the request's addresses, that of whose house connection it is a sketch."""


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer to be given."""

    type: AnswerType
    is_update: bool = False
    valid_until: date | None = None
    """Last day on which what it says is valid (LER gyldigTil)."""
    further_information: str = ""
    expected_time: datetime | None = None
    appointment: Appointment | None = None
    contact: Contact | None = None
    """Whom to ask about it, LER's Kontaktprofil; None: as the file says, if it does."""
    header: Feature | None = None
    """What a file says of itself."""
    features: Sequence[Feature] = ()
    source_sha256: str | None = None
    attachments: Sequence[NewAttachment] = field(default_factory=tuple)

    @property
    def line_count(self) -> int:
        """Lines, traces and components."""
        return sum(1 for feature in self.features if feature.type not in _NOT_FEATURES)


@dataclass(frozen=True, slots=True)
class Given:
    """What became of an answer."""

    answer_id: UUID
    revision: int
    state: OwnerState
    late: bool
    """Given after its time: kept and marked."""
    feature_count: int
    clipped: int
    """Features of which only a part lies in the area."""
    outside: int
    """Features that lie outside and were left out."""
    left_out_references: int


@dataclass(frozen=True, slots=True)
class AnswerRevision:
    """An answer as it was given."""

    id: UUID
    revision: int
    type: AnswerType
    given_by: str
    answered_at: datetime
    replaced_at: datetime | None
    withdrawn_at: datetime | None
    valid_until: date | None
    further_information: str | None
    expected_time: datetime | None
    feature_count: int
    attachments: tuple[str, ...]
    addresses: Mapping[str, UUID]
    """Of attachments that are sketches of an address, by path."""

    @property
    def holds(self) -> bool:
        """Whether it is the one that counts."""
        return self.replaced_at is None


def list_asked(
    connection: Connection,
    *,
    states: Sequence[OwnerState] | None = None,
    most: int,
    before: tuple[datetime, UUID] | None = None,
) -> list[Asked]:
    """Return what the acting owner was asked, the newest first; `before` is where the page before ended.

    A call that is lost loses nothing: what is not acknowledged stands in the state `asked` until it is.
    """
    moment, key = before or (None, None)
    return _asked(
        connection,
        states=[str(state) for state in states] if states is not None else None,
        before=moment,
        before_id=key,
        most=most,
    )


def get_asked(connection: Connection, owner_request_id: UUID) -> Asked:
    """Return one thing that the acting owner was asked; NotFoundError for any other."""
    found = _asked(connection, one=owner_request_id, most=1)
    if not found:
        raise NotFoundError(_ABSENT)
    return found[0]


def acknowledge(connection: Connection, owner_request_id: UUID) -> Asked:
    """Say that it was fetched; said again it changes nothing. RefusedError when it was answered before or is over."""
    with refusals(_REFUSALS):
        connection.execute(_ACKNOWLEDGE, {"asked": owner_request_id})
    return get_asked(connection, owner_request_id)


def give_answer(connection: Connection, owner_request_id: UUID, answer: NewAnswer, manual_due: Due) -> Given:
    """Answer, or correct the answer that there is; what lies outside the dig area is cut off.

    `manual_due` says, from the receipt, until when an answer must follow one that is taken out for manual handling.
    NotFoundError for what is not the acting owner's; FaultsError for what its kind does not allow; RefusedError for a
    second answer that is no update, an update of nothing, a state in which it cannot be, or a line that must never be
    stored. Nothing is stored then.
    """
    now = connection.execute(select(func.now())).scalar_one()
    refuse_faults([*answer_faults(_content(answer), now), *_text_faults(answer)])
    refuse_forbidden(connection, answer.features)
    asked = get_asked(connection, owner_request_id)
    refuse_faults([*_address_faults(answer, asked)])
    values = {
        "asked": owner_request_id,
        "is_update": answer.is_update,
        "given": json.dumps(_given(answer)),
        "features": _features_json(answer.features),
        "attachments": json.dumps([_attachment(one) for one in answer.attachments]),
        "manual_due_at": manual_due(asked.received_at, dispensed=asked.dispensed),
    }
    with refusals(_REFUSALS):
        row = connection.execute(_GIVE, values).mappings().one()
    return Given(**{**row, "state": OwnerState(row["state"])})


def withdraw_answer(connection: Connection, owner_request_id: UUID, reason: str = "") -> Asked:
    """Take the answer back; another is owed by the due time of the first. RefusedError when there is none."""
    refuse_faults([*_long("reason", reason)])
    with refusals(_REFUSALS):
        connection.execute(_WITHDRAW, {"asked": owner_request_id, "reason": reason})
    return get_asked(connection, owner_request_id)


def appoint(connection: Connection, owner_request_id: UUID, appointment: Appointment) -> Asked:
    """Say when and where the lines will be pointed out. RefusedError when none are to be."""
    now = connection.execute(select(func.now())).scalar_one()
    refuse_faults(appointment_faults(appointment, now))
    values = {"asked": owner_request_id, "appointment": json.dumps(_appointment(appointment))}
    with refusals(_REFUSALS):
        connection.execute(_APPOINT, values)
    return get_asked(connection, owner_request_id)


def mark(connection: Connection, owner_request_id: UUID, note: str = "") -> Asked:
    """Say that the lines were pointed out on site. RefusedError when none were to be."""
    refuse_faults([*_long("note", note)])
    with refusals(_REFUSALS):
        connection.execute(_MARK, {"asked": owner_request_id, "note": note or None})
    return get_asked(connection, owner_request_id)


def ask_to_mark(connection: Connection, owner_request_id: UUID, reason: str) -> OwnerState:
    """Ask, as the requester, for lines to be pointed out that do not lie where the data say.

    NotFoundError for what is not of a request of the acting requester, RefusedError when it was not answered.
    """
    faults = [*_long("reason", reason)]
    if not reason.strip():
        faults.append(Fault("reason-missing", "/reason", "say what was not found, and where"))
    refuse_faults(faults)
    with refusals(_REFUSALS):
        connection.execute(_ASK_TO_MARK, {"asked": owner_request_id, "reason": reason})
    state = select(owner_request.c.state).where(owner_request.c.id == owner_request_id)
    return OwnerState(connection.execute(state).scalar_one())


def list_revisions(connection: Connection, asked: Asked) -> list[AnswerRevision]:
    """Return every answer that was given to what was asked, the newest first."""
    columns = owner_answer.c
    query = (
        select(owner_answer)
        .where(
            columns.request_id == asked.request_id,
            (columns.interest_area_id == asked.interest_area_id) | columns.interest_area_id.is_(None),
        )
        .order_by(columns.answered_at.desc(), columns.revision.desc())
    )
    files: dict[UUID, dict[str, UUID | None]] = {}
    named = answer_attachment.c
    paths = select(named.answer_id, named.path, named.address_id).where(named.request_id == asked.request_id)
    for answer_id, path, address_id in connection.execute(paths.order_by(named.path)):
        files.setdefault(answer_id, {})[path] = address_id
    return [
        AnswerRevision(
            id=row.id,
            revision=row.revision,
            type=AnswerType(row.answer_type),
            given_by=row.given_by,
            answered_at=row.answered_at,
            replaced_at=row.replaced_at,
            withdrawn_at=row.withdrawn_at,
            valid_until=row.valid_until,
            further_information=row.further_information,
            expected_time=row.expected_time,
            feature_count=row.feature_count,
            attachments=tuple(files.get(row.id, ())),
            addresses={path: one for path, one in files.get(row.id, {}).items() if one},
        )
        for row in connection.execute(query)
    ]


def choose_answering(
    connection: Connection, interest_area_id: UUID, answered_by: Literal["platform", "owner"]
) -> None:
    """Choose who answers for an area of the acting owner from now on; NotFoundError for any other area."""
    values = {"area": interest_area_id, "by": answered_by}
    with refusals({"LE404": "There is no such interest area."}):
        connection.execute(_CHOOSE, values)


def appointment_of(stored: Mapping[str, str] | None) -> Appointment | None:
    """Return an appointment as it was stored."""
    if stored is None:
        return None
    return Appointment(
        starts_at=datetime.fromisoformat(stored["starts_at"]),
        ends_at=datetime.fromisoformat(stored["ends_at"]),
        place=stored["place"],
        contact=stored["contact"],
    )


def _asked(
    connection: Connection,
    *,
    most: int,
    one: UUID | None = None,
    states: list[str] | None = None,
    before: datetime | None = None,
    before_id: UUID | None = None,
) -> list[Asked]:
    values = {"one": one, "states": states, "before": before, "before_id": before_id, "most": most}
    return [_as_asked(dict(row)) for row in connection.execute(_ASKED, values).mappings()]


def _as_asked(row: dict[str, Any]) -> Asked:
    area = to_shape(WKBElement(row.pop("area"), extended=True))
    if not isinstance(area, Polygon):
        raise TypeError("the database holds an area that is no polygon")
    contact = Contact(
        email=row.pop("contact_email") or "",
        person=row.pop("contact_person") or "",
        address=row.pop("contact_address") or "",
        phone=row.pop("contact_phone") or "",
    )
    types = row.pop("utility_types")
    return Asked(
        **row
        | {
            "state": OwnerState(row["state"]),
            "request_state": RequestState(row["request_state"]),
            "kind": DigKind(row["kind"]),
            "appointment": appointment_of(row["appointment"]),
            "utility_types": tuple(types) if types is not None else None,
            "address_ids": tuple(row["address_ids"]),
            "area": area,
            "contact": contact,
        }
    )


def _given(answer: NewAnswer) -> dict[str, Any]:
    return {
        "answer_type": str(answer.type),
        "valid_until": answer.valid_until.isoformat() if answer.valid_until else None,
        "further_information": answer.further_information.strip() or None,
        "expected_time": answer.expected_time.isoformat() if answer.expected_time else None,
        "appointment": _appointment(answer.appointment) if answer.appointment else None,
        "header": _header(answer),
        "source_sha256": answer.source_sha256,
    }


def _header(answer: NewAnswer) -> dict[str, Any]:
    """What the answer says of itself, as an element of LER GML: what was given beside a file goes before the file."""
    header = answer.header or Feature("", "")
    attributes = {**header.attributes}
    given = {
        "gyldigTil": answer.valid_until.isoformat() if answer.valid_until else None,
        "typeSupplerendeInfo": answer.further_information.strip() or None,
        "forventetAfleveringstidspunkt": _local_time(answer.expected_time),
        "kontaktprofilTilTekniskeSpoergsmaal": _contact_profile(answer.contact),
    }
    attributes |= {name: value for name, value in given.items() if value is not None}
    voids = {name: reason for name, reason in header.voids.items() if name not in attributes}
    return {"attributes": attributes, "voids": voids}


def _local_time(moment: datetime | None) -> str | None:
    return local(moment).replace(tzinfo=None).isoformat(timespec="seconds") if moment else None


def _contact_profile(contact: Contact | None) -> dict[str, Any] | None:
    if contact is None:
        return None
    told = {"navn": contact.person, "telefonnummer": contact.phone, "mailadresse": contact.email}
    return {"gml_id": "kontakt", **{name: value for name, value in told.items() if value}}


def _content(answer: NewAnswer) -> AnswerContent:
    return AnswerContent(
        type=answer.type,
        feature_count=answer.line_count,
        expected_time=answer.expected_time,
        further_information=answer.further_information,
        appointment=answer.appointment,
    )


def _text_faults(answer: NewAnswer) -> Iterator[Fault]:
    yield from _long("further_information", answer.further_information)
    contact = answer.contact
    if contact is None:
        return
    if not contact.person.strip():
        yield Fault("contact-name-missing", "/contact/person", "a contact has a name (Kontaktprofil.navn)")
    if not contact.email and not contact.phone:
        yield Fault(
            "contact-unreachable", "/contact", "a contact has a telephone number or an e-mail address"
        )
    for name, value, most in (
        ("person", contact.person, 100),
        ("phone", contact.phone, 15),
        ("email", contact.email, 254),
    ):
        if len(value) > most:
            yield Fault("text-too-long", f"/contact/{name}", f"at most {most} characters")


def _address_faults(answer: NewAnswer, asked: Asked) -> Iterator[Fault]:
    for number, one in enumerate(answer.attachments):
        if one.address_id is not None and one.address_id not in asked.address_ids:
            yield Fault(
                "address-unknown", f"/attachments/{number}", f"the request names no address {one.address_id}"
            )


def _long(name: str, value: str) -> Iterator[Fault]:
    if len(value) > LONGEST_TEXT:
        yield Fault("text-too-long", f"/{name}", f"at most {LONGEST_TEXT} characters")


def _features_json(features: Sequence[Feature]) -> str:
    rows = features_to_rows(features, load_model().types, owner_id=_NOBODY, version_id=_NOBODY, first_seq=1)
    return json.dumps(
        [
            {name: value for name, value in row.items() if name not in _NOT_DELIVERED}
            | {
                "attributes": json.loads(row["attributes"]),
                "voids": json.loads(row["voids"]),
                "geom": row["geom"].hex() if row["geom"] else None,
            }
            for row in rows
        ]
    )


def _attachment(attachment: NewAttachment) -> dict[str, Any]:
    return {
        "path": attachment.path,
        "format": attachment.format,
        "media_type": attachment.media_type,
        "sha256": attachment.sha256,
        "size_bytes": attachment.size_bytes,
        "address_id": str(attachment.address_id) if attachment.address_id else None,
    }


def _appointment(meeting: Appointment) -> dict[str, str]:
    return {
        "starts_at": meeting.starts_at.isoformat(),
        "ends_at": meeting.ends_at.isoformat(),
        "place": meeting.place,
        "contact": meeting.contact,
    }


def _out_of_order(*, is_update: bool) -> tuple[str, str]:
    try:
        check_order(is_update=is_update, answered_before=not is_update)
    except RefusedError as refused:
        return refused.code, str(refused)
    raise AssertionError


_REFUSALS: Final[Mapping[str, str | tuple[str, str]]] = {
    "LE404": _ABSENT,
    "LE409": ("event-not-possible", "This is not possible in the state that the owner request is in."),
    "LE411": _out_of_order(is_update=False),
    "LE412": _out_of_order(is_update=True),
    "LE422": ("answer-features", "no line, trace or component of the file lies in the dig area"),
}
