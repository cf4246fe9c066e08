"""Owners' answers come in: as JSON, or as a form with the same fields, LER GML and other files."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from geoapi.answer_views import PATH, AnswerFields, finding_view, given_view
from geoapi.answering import Prepared, SentFile, enter_answer, prepare_answer
from geoapi.auth import May, caller_transaction
from geoapi.kept_answers import kept_response
from geoapi.negotiation import language_of
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.problems import ProblemError, ProblemException
from geoapi.stores import blob_store
from ingest.answer_file import AnswerRefusedError
from ingest.readers.prolog import UnreadableFileError
from ler.domain.access import Scope
from ler.errors import RefusedError
from ler.faults import point
from ler.services.answers import get_asked
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.registry import get_organisation
from ler.services.tokens import Principal
from ler.settings import Settings

type Answerer = Annotated[Principal, Depends(May(Scope.ANSWER_WRITE))]

MOST_FILES: Final = 50
"""Attachments of one answer."""
_FORM: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a caller sent, its files on disk."""

    fields: AnswerFields
    gml: Path | None
    files: Sequence[SentFile]
    digest: bytes
    """Of all of it: what makes a repeated call the same call."""


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    schema = AnswerFields.model_json_schema()
    form = {
        "type": "object",
        "properties": {
            "answer": {
                "type": "string",
                "description": "The fields as JSON; may be left out with a GML file.",
            },
            "gml": {"type": "string", "format": "binary", "description": "LER GML, 2.0.0 to 2.2.0."},
            "attachment": {"type": "array", "items": {"type": "string", "format": "binary"}},
        },
    }
    app.add_api_route(
        f"{PATH}/{{owner_request_id}}/answers",
        give,
        methods=["POST"],
        status_code=201,
        summary="Answer, or correct the answer",
        openapi_extra={
            "requestBody": {
                "content": {"application/json": {"schema": schema}, _FORM: {"schema": form}},
                "required": True,
            }
        },
    )


async def give(
    request: Request,
    caller: Answerer,
    owner_request_id: UUID,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Answer what was asked, or correct the answer with `update`.

    What lies outside the dig area is cut off and told. An answer after its time is kept and marked. A second answer that
    is no update is refused.
    """
    key = check_key(idempotency_key)
    await run_in_threadpool(_refuse_others, request, caller, owner_request_id)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        async with request.form(max_files=MOST_FILES + 1, max_fields=1) as form:
            return await run_in_threadpool(_give_form, request, caller, owner_request_id, key, form)
    body = await body_of(request)
    return await run_in_threadpool(_give_json, request, caller, owner_request_id, key, body)


def _refuse_others(request: Request, caller: Principal, owner_request_id: UUID) -> None:
    """Nobody's files are read for what somebody else is asked."""
    with caller_transaction(request, caller) as connection:
        get_asked(connection, owner_request_id)


def _give_json(
    request: Request, caller: Principal, owner_request_id: UUID, key: str, body: bytes
) -> Response:
    sent = Sent(read_json(AnswerFields, body), None, (), body)
    return _give(request, caller, owner_request_id, key, sent)


def _give_form(
    request: Request, caller: Principal, owner_request_id: UUID, key: str, form: FormData
) -> Response:
    with laid_out(form) as sent:
        return _give(request, caller, owner_request_id, key, sent)


def _give(request: Request, caller: Principal, owner_request_id: UUID, key: str, sent: Sent) -> Response:
    platform = platform_of(request)
    language = language_of(request.headers.get("accept-language"))
    with caller_transaction(request, caller) as connection:
        cvr = get_organisation(connection, caller.organisation_id).cvr
    prepared = prepared_answer(sent, cvr, platform.settings, language)
    with caller_transaction(request, caller) as connection:

        def work() -> KeptAnswer:
            given = enter_answer(connection, owner_request_id, prepared, platform.settings)
            view = given_view(given, prepared.warnings, language)
            return KeptAnswer(HTTPStatus.CREATED, {}, view)

        answer = answer_once(
            connection,
            caller.organisation_id,
            route=f"POST {PATH}/{owner_request_id}/answers",
            key=key,
            body=sent.digest,
            work=work,
        )
        point("answer.give.before-commit")
    point("answer.give.after-commit")
    return kept_response(answer)


def prepared_answer(
    sent: Sent, cvr: str | None, settings: Settings, language: Literal["da", "en"]
) -> Prepared:
    """Check what was sent and keep its files; what is wrong with a file becomes a problem that tells all of it."""
    try:
        return prepare_answer(
            sent.fields.answer(),
            sent.gml,
            sent.files,
            owner_cvr=cvr,
            store=blob_store(settings),
            settings=settings,
        )
    except AnswerRefusedError as refused:
        told = [finding_view(finding, language) for finding in refused.findings.kept]
        errors = [ProblemError(one["code"], one["message"], f"gml/line/{one['line']}") for one in told]
        raise ProblemException("answer-refused", errors=errors) from None
    except UnreadableFileError as unreadable:
        raise ProblemException(
            "answer-refused",
            errors=[ProblemError(unreadable.code, str(unreadable), f"gml/line/{unreadable.line}")],
        ) from None


@contextmanager
def laid_out(form: FormData) -> Iterator[Sent]:
    """Lay the parts of a form out as files for the time of the block. RefusedError for parts that are not known."""
    unknown = sorted({name for name in form if name not in {"answer", "gml", "attachment"}})
    if unknown:
        raise RefusedError("form-invalid", f"there is no part {unknown[0][:80]!r}: answer, gml, attachment")
    gmls, attachments = _files(form, "gml"), _files(form, "attachment")
    if len(gmls) > 1:
        raise RefusedError("form-invalid", "there may be one part gml")
    fields = _fields(form)
    with tempfile.TemporaryDirectory(prefix="ler-answer-") as name:
        folder = Path(name)
        gml = _lay(folder / "answer.gml", gmls[0]) if gmls else None
        files = [
            SentFile(_name(part), _lay(folder / f"{number}", part)) for number, part in enumerate(attachments)
        ]
        parts: list[Any] = [fields.model_dump(mode="json"), _digest(gml) if gml else None]
        parts += [[file.name, _digest(file.path)] for file in files]
        yield Sent(fields, gml, files, json.dumps(parts, sort_keys=True).encode())


def _fields(form: FormData) -> AnswerFields:
    given = form.getlist("answer")
    if len(given) > 1 or not all(isinstance(one, str) for one in given):
        raise RefusedError("form-invalid", "the part answer is one text of JSON")
    return read_json(AnswerFields, str(given[0]).encode()) if given else AnswerFields()


def _files(form: FormData, name: str) -> list[UploadFile]:
    parts = form.getlist(name)
    files = [part for part in parts if isinstance(part, UploadFile)]
    if len(files) != len(parts):
        raise RefusedError("form-invalid", f"the part {name} is a file, with a filename")
    # Browsers send an empty part for a field of the form in which no file was chosen.
    return [file for file in files if file.filename or file.size]


def _name(part: UploadFile) -> str:
    return part.filename or ""


def _lay(path: Path, part: UploadFile) -> Path:
    with path.open("wb") as target:
        shutil.copyfileobj(part.file, target, 1 << 20)
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return sha256(stream.read()).hexdigest()
