"""An owner's answer as it comes in - fields, perhaps a GML file, perhaps other files - on its way into the database.

The same for the HTTP interface, the page for owners without a system, and the command line. Files are in the blob store
before the answer names them; of an answer that is refused they are swept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy.engine import Connection

from ingest.answer_file import AnswerFile, read_answer
from ingest.findings import Finding
from ler.blobs import BlobStore
from ler.domain.answers import AnswerType
from ler.domain.attachments import (
    Attachment,
    attachment_faults,
    format_of,
    media_type_of,
    place_names,
)
from ler.domain.faults import Fault, refuse_faults
from ler.domain.legal_time import parse_moment
from ler.errors import RefusedError
from ler.model import Feature
from ler.rules_in_force import manual_due
from ler.services.answers import Given, NewAnswer, NewAttachment, give_answer
from ler.settings import Settings

_LOOK: Final = 32
"""Bytes at the beginning of a file that tell its kind."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it was sent, on disk."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Prepared:
    """An answer whose files were checked and are kept; nothing is entered yet."""

    answer: NewAnswer
    warnings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Answer:
    """What of an answer was given beside its file; `type` None: as the file says."""

    type: AnswerType | None
    rest: NewAnswer
    addresses: Mapping[str, UUID] = field(default_factory=dict)
    """Of files that are sketches of an address, by the name under which they were sent."""


def prepare_answer(
    answer: Answer,
    gml: Path | None,
    files: Sequence[SentFile],
    *,
    owner_cvr: str | None,
    store: BlobStore,
    settings: Settings,
) -> Prepared:
    """Check an answer with its files, and keep them.

    What was given beside the GML goes before what that says, except its kind, in which both must agree. Raises
    AnswerRefusedError and UnreadableFileError for the GML, FaultsError for the rest.
    """
    read = read_answer(gml, coverage=settings.coverage, owner_cvr=owner_cvr) if gml else None
    new = _merged(answer, read)
    referred = read.attachment_paths if read else set()
    paths = place_names([file.name for file in files], referred)
    sent = [_as_sent(path, file.path) for path, file in zip(paths, files, strict=True)]
    refuse_faults([*attachment_faults(sent, referred), *_unsent(answer, files)])
    kept = [
        replace(_keep(store, path, file.path), address_id=answer.addresses.get(file.name))
        for path, file in zip(paths, files, strict=True)
    ]
    return Prepared(replace(new, attachments=kept), read.findings.kept if read else [])


def enter_answer(
    connection: Connection, owner_request_id: UUID, prepared: Prepared, settings: Settings
) -> Given:
    """Enter a prepared answer; the transaction acts for the owner. Raises what `give_answer` raises."""
    return give_answer(connection, owner_request_id, prepared.answer, manual_due(settings))


def _merged(answer: Answer, read: AnswerFile | None) -> NewAnswer:
    if read is None:
        if answer.type is None:
            refuse_faults([Fault("answer-type-missing", "/type", "say what kind of answer it is")])
            raise AssertionError
        return replace(answer.rest, type=answer.type)
    stated = read.header.attributes.get("type")
    if answer.type is not None and stated != answer.type:
        raise RefusedError(
            "answer-type-differs", f"the file says '{stated}', and beside it was said '{answer.type}'"
        )
    rest = answer.rest
    return replace(
        rest,
        type=AnswerType(str(stated)),
        valid_until=rest.valid_until or _date(read.header, "gyldigTil"),
        further_information=rest.further_information or _text(read.header, "typeSupplerendeInfo"),
        expected_time=rest.expected_time or _moment(read.header, "forventetAfleveringstidspunkt"),
        header=read.header,
        features=read.features,
        source_sha256=read.sha256,
    )


def _unsent(answer: Answer, files: Sequence[SentFile]) -> Iterator[Fault]:
    for name in sorted({*answer.addresses} - {file.name for file in files}):
        yield Fault("attachment-unsent", "/attachment_addresses", f"no file {name[:80]!r} was sent")


def _text(header: Feature, name: str) -> str:
    value = header.attributes.get(name)
    return value if isinstance(value, str) else ""


def _date(header: Feature, name: str) -> date | None:
    value = _text(header, name)
    return date.fromisoformat(value[:10]) if value else None


def _moment(header: Feature, name: str) -> datetime | None:
    """A time of the file; without an offset it is legal local time."""
    value = _text(header, name)
    return parse_moment(value) if value else None


def _as_sent(path: str, file: Path) -> Attachment:
    with file.open("rb") as stream:
        return Attachment(path, stream.read(_LOOK), file.stat().st_size)


def _keep(store: BlobStore, path: str, file: Path) -> NewAttachment:
    blob = store.put(file)
    return NewAttachment(path, format_of(path) or "", media_type_of(path), blob.sha256, blob.size_bytes)
