"""The page behind the link in an owner's mail: one owner request, answered without an account and without a script."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import FastAPI, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from shapely.geometry import mapping
from sqlalchemy.engine import Connection
from starlette.datastructures import FormData, UploadFile
from starlette.responses import JSONResponse, RedirectResponse

from geoapi.answer_views import AnswerFields
from geoapi.answering import enter_answer
from geoapi.danish import in_language
from geoapi.negotiation import language_of
from geoapi.pages.answer_page import PageFault, answer_page, fault_text
from geoapi.pages.shared import Language
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from geoapi.routes.answers import MOST_FILES, Sent, laid_out, prepared_answer
from ler.db.engine import transaction
from ler.db.functions import record_event
from ler.domain.answers import AnswerType
from ler.domain.faults import FaultsError
from ler.domain.legal_time import parse_moment
from ler.domain.request_rules import MOST_ADDRESSES
from ler.errors import InputError, RefusedError
from ler.services.answer_links import PAGE, AnswerLink, find_answer_link
from ler.services.answers import get_asked, list_revisions
from ler.services.registry import Organisation, get_organisation

PATH: Final = f"{PAGE}/{{secret}}"
AREA_PATH: Final = f"{PATH}/area"

_TEXTS: Final = (
    *("type", "revision", "further_information", "valid_until", "expected_time", "starts_at", "ends_at"),
    *("place", "meeting_contact", "name", "phone", "email"),
)
_SKETCH: Final = "sketch-"
"""Before an address's id: the field of its sketches."""
_FIELDS: Final = {
    "features": "gml",
    "attachments": "attachment",
    "attachment_addresses": "attachment",
    "appointment/starts_at": "starts_at",
    "appointment/ends_at": "ends_at",
    "appointment/place": "place",
    "appointment/contact": "meeting_contact",
    "contact/person": "name",
    "contact/name": "name",
    "contact/phone": "phone",
    "contact/email": "email",
}
"""Where a JSON pointer leads on the page, when the field has another name."""

type Chosen = Annotated[Literal["da", "en"] | None, Query()]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(PATH, show, methods=["GET"], summary="The page on which an owner answers")
    app.add_api_route(PATH, give, methods=["POST"], summary="Answer from the page")
    app.add_api_route(AREA_PATH, area, methods=["GET"], summary="The dig area, for the owner that answers")


def show(request: Request, secret: str, language: Chosen = None) -> Response:
    """Show what is asked, and a form to answer it. Looking at it changes nothing: programs follow links in mails."""
    link = _link(request, secret)
    with transaction(platform_of(request).databases.app, link.owner_id) as connection:
        return _page(request, connection, link, secret, language)


def area(request: Request, secret: str) -> Response:
    """Give the dig area as GeoJSON in EPSG:25832."""
    link = _link(request, secret)
    with transaction(platform_of(request).databases.app, link.owner_id) as connection:
        asked = get_asked(connection, link.owner_request_id)
    feature = {
        "type": "Feature",
        "properties": {"order_number": asked.order_number, "purpose": asked.purpose},
        "geometry": mapping(asked.area),
    }
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}},
        "features": [feature],
    }
    return JSONResponse(document, media_type="application/geo+json")


async def give(request: Request, secret: str, language: Chosen = None) -> Response:
    """Take the answer, and lead back to the page; what is wrong is told on it, beside what was filled in."""
    link = await run_in_threadpool(_link, request, secret)
    async with request.form(max_files=MOST_FILES + 1 + MOST_ADDRESSES, max_fields=len(_TEXTS)) as form:
        return await run_in_threadpool(_give, request, link, secret, form, language)


def _give(request: Request, link: AnswerLink, secret: str, form: FormData, language: Chosen) -> Response:
    values = {name: value for name in _TEXTS if isinstance(value := form.get(name), str)}
    try:
        _answer(request, link, form, values, _language(request, language))
    except (InputError, ProblemException, ValidationError) as error:
        faults = [*_faults(error, _language(request, language))]
        with transaction(platform_of(request).databases.app, link.owner_id) as connection:
            return _page(
                request,
                connection,
                link,
                secret,
                language,
                values=values,
                faults=faults,
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )
    chosen = f"?language={language}" if language else ""
    return RedirectResponse(f"{PAGE}/{secret}{chosen}", HTTPStatus.SEE_OTHER)


def _answer(
    request: Request, link: AnswerLink, form: FormData, values: dict[str, str], language: Language
) -> None:
    platform = platform_of(request)
    known = int(values["revision"]) if values.get("revision", "").isdigit() else 0
    owner = _owner(request, link.owner_id)
    with laid_out(_files_only(form)) as files:
        fields = _fields(values, _addresses(form), is_update=known > 0)
        sent = Sent(fields, files.gml, files.files, files.digest)
        prepared = prepared_answer(sent, owner.cvr, platform.settings, language)
        with transaction(platform.databases.app, link.owner_id) as connection:
            given = enter_answer(connection, link.owner_request_id, prepared, platform.settings)
            # Sent twice, or answered by another hand since the page was shown.
            if given.revision != known + 1:
                raise RefusedError("answer-already-delivered", "it was answered in the meantime")
            record_event(
                connection,
                "owner:answer_link:use",
                actor=link.owner_id,
                object_id=link.owner_request_id,
                details={"answer_id": str(given.answer_id)},
            )


def _fields(values: dict[str, str], addresses: dict[str, str], *, is_update: bool) -> AnswerFields:
    if values.get("type") not in AnswerType.__members__:
        raise RefusedError("answer-type-missing", "type")
    meeting = {name: values[name] for name in ("starts_at", "ends_at", "place") if values.get(name)}
    if values.get("meeting_contact"):
        meeting["contact"] = values["meeting_contact"]
    contact = {name: values[name] for name in ("name", "phone", "email") if values.get(name)}
    for name in ("starts_at", "ends_at"):
        if name in meeting:
            meeting[name] = parse_moment(meeting[name]).isoformat()
    expected = values.get("expected_time")
    given = {
        "type": AnswerType[values["type"]].value,
        "update": is_update,
        "further_information": values.get("further_information", "").replace("\r\n", "\n"),
        "valid_until": values.get("valid_until") or None,
        "expected_time": parse_moment(expected).isoformat() if expected else None,
        "appointment": meeting or None,
        "contact": contact or None,
        "attachment_addresses": addresses,
    }
    return AnswerFields.model_validate(given)


def _files_only(form: FormData) -> FormData:
    """The files, sketches among the attachments."""
    parts = [("attachment" if name.startswith(_SKETCH) else name, part) for name, part in form.multi_items()]
    return FormData([(name, part) for name, part in parts if name in {"gml", "attachment"}])


def _addresses(form: FormData) -> dict[str, str]:
    """The address of each sketch, by the file's name."""
    return {
        part.filename: name.removeprefix(_SKETCH)
        for name, part in form.multi_items()
        if name.startswith(_SKETCH) and isinstance(part, UploadFile) and part.filename
    }


def _faults(error: Exception, language: Language) -> Iterator[PageFault]:
    match error:
        case FaultsError():
            for fault in error.faults:
                text = fault_text(fault.code, language) or in_language(fault.message, language)
                yield PageFault(text, _field(fault.pointer))
        case ValidationError():
            for one in error.errors(include_url=False, include_input=False, include_context=False):
                field = _field("/" + "/".join(str(part) for part in one["loc"]))
                said = "field-missing" if one["type"] == "missing" else "field-invalid"
                yield PageFault(fault_text(said, language) or in_language(one["msg"], language), field)
        case ProblemException():
            yield from (PageFault(in_language(one.detail, language), "gml") for one in error.problem.errors)
        case RefusedError():
            field = "type" if error.code == "answer-type-missing" else None
            yield PageFault(fault_text(error.code, language) or in_language(str(error), language), field)
        case _:
            yield PageFault(in_language(str(error), language))


def _field(pointer: str) -> str | None:
    path = pointer.strip("/")
    found = _FIELDS.get(path) or _FIELDS.get(path.partition("/")[0])
    return found or path.partition("/")[0] or None


def _page(
    request: Request,
    connection: Connection,
    link: AnswerLink,
    secret: str,
    language: Chosen,
    *,
    values: Mapping[str, str] | None = None,
    faults: Sequence[PageFault] = (),
    status: int = HTTPStatus.OK,
) -> Response:
    asked = get_asked(connection, link.owner_request_id)
    owner = get_organisation(connection, link.owner_id)
    return answer_page(
        asked,
        list_revisions(connection, asked),
        owner.name,
        f"{PAGE}/{secret}",
        _language(request, language),
        values=values,
        faults=faults,
        status=status,
    )


def _link(request: Request, secret: str) -> AnswerLink:
    with transaction(platform_of(request).databases.app, None) as connection:
        return find_answer_link(connection, secret)


def _owner(request: Request, owner_id: UUID) -> Organisation:
    with transaction(platform_of(request).databases.app, owner_id) as connection:
        return get_organisation(connection, owner_id)


def _language(request: Request, chosen: Chosen) -> Language:
    return chosen or language_of(request.headers.get("accept-language"))
