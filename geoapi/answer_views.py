"""What owners are asked and what they answered, as JSON; and the fields of an answer as they come in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)
from shapely.geometry import mapping

from geoapi.answering import Answer
from geoapi.moments import Day, Moment
from ingest.findings import Finding
from ingest.rules.catalogue import load_rules
from ler.domain.answers import AnswerType, Appointment
from ler.domain.request_rules import Contact
from ler.services.answers import AnswerRevision, Asked, Given, NewAnswer

PATH: Final = "/api/v1/owner-requests"


type Words = Annotated[str, StringConstraints(max_length=4000)]


class ContactFields(BaseModel):
    """Whom to ask about the answer (Kontaktprofil): a name, and a telephone number or an e-mail address."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    phone: Annotated[str, StringConstraints(max_length=15)] = ""
    email: Annotated[str, StringConstraints(max_length=254)] = ""


class AppointmentFields(BaseModel):
    """When and where lines are pointed out on site."""

    model_config = ConfigDict(extra="forbid", strict=True)

    starts_at: Moment
    ends_at: Moment
    place: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    contact: Annotated[str, StringConstraints(min_length=1, max_length=500)]

    def appointment(self) -> Appointment:
        """Return it as the services know it."""
        return Appointment(self.starts_at, self.ends_at, self.place, self.contact)


class AnswerFields(BaseModel):
    """An answer, without its files. `type` may be left out when a GML file says it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Annotated[AnswerType | None, Field(strict=False)] = None
    update: Annotated[bool, Field(description="A further answer, in the place of the one before.")] = False
    valid_until: Day | None = None
    further_information: Words = ""
    expected_time: Annotated[
        Moment | None, Field(description="Only of an answer taken out for manual handling.")
    ] = None
    appointment: AppointmentFields | None = None
    contact: ContactFields | None = None
    attachment_addresses: Annotated[
        dict[str, Annotated[UUID, Field(strict=False)]],
        Field(
            max_length=50,
            description="Of attachments that are sketches of a house connection: the address of the request, "
            "by the file's name.",
        ),
    ] = {}

    def answer(self) -> Answer:
        """Return it as the services know it."""
        contact = self.contact
        rest = NewAnswer(
            type=AnswerType.NO_LINES,  # put right when the file is read
            is_update=self.update,
            valid_until=self.valid_until,
            further_information=self.further_information,
            expected_time=self.expected_time,
            appointment=self.appointment.appointment() if self.appointment else None,
            contact=Contact(contact.email, person=contact.name, phone=contact.phone) if contact else None,
        )
        return Answer(self.type, rest, self.attachment_addresses)


def asked_view(asked: Asked) -> dict[str, Any]:
    """Return what an owner is asked, as it sees it."""
    path = f"{PATH}/{asked.id}"
    contact = asked.contact
    return {
        "id": str(asked.id),
        "request_id": str(asked.request_id),
        "order_number": asked.order_number,
        "interest_area": {
            "id": str(asked.interest_area_id),
            "registration_number": asked.registration_number,
        },
        "state": str(asked.state),
        "owes_answer": asked.owes_answer,
        "received_at": asked.received_at.isoformat(),
        "due_at": _moment(asked.due_at),
        "dispensation": asked.dispensed,
        "acknowledged_at": _moment(asked.acknowledged_at),
        "answered_at": _moment(asked.answered_at),
        "late": asked.late,
        "appointment": appointment_view(asked.appointment),
        "marking": {
            "asked_at": _moment(asked.marking_asked_at),
            "reason": asked.marking_reason,
            "marked_at": _moment(asked.marked_at),
            "note": asked.marking_note,
        },
        "request": {
            "state": str(asked.request_state),
            "kind": str(asked.kind),
            "already_started": asked.already_started,
            "period_from": asked.period_from.isoformat(),
            "period_to": asked.period_to.isoformat(),
            "purpose": asked.purpose,
            "description": asked.description,
            "utility_types": list(asked.utility_types) if asked.utility_types is not None else None,
            "address_ids": [str(one) for one in asked.address_ids],
            "crs": "EPSG:25832",
            "area": mapping(asked.area),
            "clip_buffer_m": asked.clip_buffer_m,
        },
        "requester": {
            "name": asked.requester_name,
            "person": contact.person or None,
            "address": contact.address or None,
            "email": contact.email or None,
            "phone": contact.phone or None,
        },
        "links": {"self": path} | {name: f"{path}/{name}" for name in _LINKS},
    }


_LINKS: Final = ("acknowledge", "answers", "withdraw", "appointment", "mark")


def appointment_view(meeting: Appointment | None) -> dict[str, str] | None:
    """Return an appointment."""
    if meeting is None:
        return None
    return {
        "starts_at": meeting.starts_at.isoformat(),
        "ends_at": meeting.ends_at.isoformat(),
        "place": meeting.place,
        "contact": meeting.contact,
    }


def given_view(given: Given, warnings: Sequence[Finding], language: Literal["da", "en"]) -> dict[str, Any]:
    """Return what became of an answer, with all that its owner should know of it."""
    told = [finding_view(finding, language) for finding in warnings]
    for code, count in (
        ("answer-late", int(given.late)),
        ("answer-clipped", given.clipped),
        ("answer-outside", given.outside),
        ("answer-references", given.left_out_references),
    ):
        if count:
            told.append({"code": code, "message": WARNINGS[code][language].format(count=count)})
    return {
        "id": str(given.answer_id),
        "revision": given.revision,
        "state": str(given.state),
        "late": given.late,
        "feature_count": given.feature_count,
        "clipped": given.clipped,
        "outside": given.outside,
        "references_left_out": given.left_out_references,
        "warnings": told,
    }


WARNINGS: Final[dict[str, dict[str, str]]] = {
    "answer-late": {
        "da": "Svaret kom efter fristen. Det er gemt og mærket som for sent.",
        "en": "The answer came after its time. It was kept and marked as late.",
    },
    "answer-clipped": {
        "da": "{count} objekter rækker ud over graveområdet; kun delen inden for udleveres.",
        "en": "{count} features reach out of the dig area; only the part inside is delivered.",
    },
    "answer-outside": {
        "da": "{count} objekter ligger uden for graveområdet og udleveres ikke.",
        "en": "{count} features lie outside the dig area and are not delivered.",
    },
    "answer-references": {
        "da": "{count} henvisninger til objekter, som ikke udleveres, er taget ud.",
        "en": "{count} references to features that are not delivered were taken out.",
    },
}


def finding_view(finding: Finding, language: Literal["da", "en"]) -> dict[str, Any]:
    """Return a finding of a file in words."""
    return {
        "code": finding.code,
        "message": load_rules()[finding.code].message(finding, language),
        "line": finding.line,
        "gml_id": finding.gml_id,
    }


def revision_view(revision: AnswerRevision) -> dict[str, Any]:
    """Return an answer as it was given."""
    return {
        "id": str(revision.id),
        "revision": revision.revision,
        "type": str(revision.type),
        "given_by": revision.given_by,
        "holds": revision.holds,
        "answered_at": revision.answered_at.isoformat(),
        "replaced_at": _moment(revision.replaced_at),
        "withdrawn_at": _moment(revision.withdrawn_at),
        "valid_until": revision.valid_until.isoformat() if revision.valid_until else None,
        "further_information": revision.further_information,
        "expected_time": _moment(revision.expected_time),
        "feature_count": revision.feature_count,
        "attachments": list(revision.attachments),
        "attachment_addresses": {path: str(one) for path, one in revision.addresses.items()},
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
