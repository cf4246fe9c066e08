"""Excavation requests: what one would cost, sending one, listing them, and looking at one."""

from datetime import date
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.asking import send_request
from geoapi.auth import May, caller_transaction
from geoapi.cursors import cursor_of, place_of
from geoapi.kept_answers import kept_response
from geoapi.negotiation import language_of
from geoapi.parameters import read_json
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from geoapi.request_bodies import RequestBody, read_request
from geoapi.request_forms import READERS, Sent, form_schema, prepare_files, sent_request
from geoapi.request_views import (
    AREA_CRS,
    PATH,
    Language,
    area_view,
    etag,
    named_views,
    owner_views,
    price_view,
    progress_view,
    request_view,
    summary_view,
)
from ler.domain.access import Scope
from ler.domain.legal_time import parse_date
from ler.domain.request_rules import DigKind
from ler.domain.states import RequestState
from ler.errors import RefusedError
from ler.faults import point
from ler.rules_in_force import ordinary_due, request_limits
from ler.services.charges import quote
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.request_reading import (
    RequestFilter,
    StoredRequest,
    find_requests,
    get_stored,
    list_asked_areas,
)
from ler.services.requests import NewRequest, today_of
from ler.services.tokens import Principal
from ler.settings import Settings

type Reader = Annotated[Principal, Depends(May(Scope.REQUEST_READ))]
type Sender = Annotated[Principal, Depends(May(Scope.REQUEST_WRITE))]
type SentRequest = Annotated[Sent, Depends(sent_request)]
type Key = Annotated[str | None, Header(alias="Idempotency-Key")]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.state.area_readers = BoundedSemaphore(READERS)
    body = {"requestBody": form_schema(RequestBody)}
    app.add_api_route(
        f"{PATH}/price",
        price,
        methods=["POST"],
        summary="What a request would cost; nothing is kept",
        openapi_extra=body,
    )
    app.add_api_route(
        PATH, create, methods=["POST"], status_code=201, summary="Send a request", openapi_extra=body
    )
    app.add_api_route(PATH, listing, methods=["GET"], summary="List requests, the newest first")
    app.add_api_route(f"{PATH}/{{request_id}}", show, methods=["GET"], summary="One request")
    app.add_api_route(
        f"{PATH}/{{request_id}}/owners",
        owners,
        methods=["GET"],
        summary="Whom a request asked, and how far each is",
    )


def price(request: Request, caller: Sender, sent: SentRequest) -> Response:
    """Say what a request would cost, and the area as it would be understood."""
    settings = platform_of(request).settings
    body = read_json(RequestBody, sent.document)
    files = prepare_files(request, sent, body)
    with caller_transaction(request, caller) as connection:
        wanted = read_request(body, settings, files, today_of(connection))
        cost = quote(
            connection, caller.organisation_id, wanted.order, free_renewal_days=settings.free_renewal_days
        )
    told = {"price": price_view(cost), "area": area_view(wanted.area), "area_crs": AREA_CRS}
    return JSONResponse(told)


def create(request: Request, caller: Sender, sent: SentRequest, idempotency_key: Key = None) -> Response:
    """Enter a request, ask its owners, and answer with the receipt."""
    key = check_key(idempotency_key)
    settings = platform_of(request).settings
    body = read_json(RequestBody, sent.document)
    files = prepare_files(request, sent, body)
    language = language_of(request.headers.get("accept-language"))
    with caller_transaction(request, caller) as connection:

        def work() -> KeptAnswer:
            wanted = read_request(body, settings, files, today_of(connection))
            return entered(connection, caller, wanted, settings, language)

        answer = answer_once(
            connection, caller.organisation_id, route=f"POST {PATH}", key=key, body=sent.identity, work=work
        )
        point("request.create.before-commit")
    point("request.create.after-commit")
    return kept_response(answer)


def listing(
    request: Request,
    caller: Reader,
    *,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    state: RequestState | None = None,
    kind: DigKind | None = None,
    order: UUID | None = None,
    made_from: Annotated[str | None, Query(alias="from", max_length=10)] = None,
    made_to: Annotated[str | None, Query(alias="to", max_length=10)] = None,
) -> Response:
    """List the caller's requests; `next` leads to the following page. `from` and `to` are dates on which they were made."""
    wanted = RequestFilter(state, kind, order, _date(made_from, "from"), _date(made_to, "to"))
    before = place_of(cursor) if cursor else None
    with caller_transaction(request, caller) as connection:
        found = find_requests(connection, wanted, limit=limit + 1, before=before)
        areas = list_asked_areas(connection, [one.id for one in found[:limit]])
    page: dict[str, Any] = {"requests": [summary_view(one, areas[one.id]) for one in found[:limit]]}
    if len(found) > limit:
        given = {
            name: value for name, value in request.query_params.items() if name not in {"cursor", "limit"}
        }
        last = cursor_of(found[limit - 1].created_at, found[limit - 1].id)
        page["next"] = f"{PATH}?{urlencode({**given, 'limit': limit, 'cursor': last})}"
    return JSONResponse(page)


def show(
    request: Request,
    caller: Reader,
    request_id: UUID,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Show a request: its receipt, and how far each owner is."""
    language = language_of(request.headers.get("accept-language"))
    with caller_transaction(request, caller) as connection:
        stored = get_stored(connection, request_id)
        view = view_of(connection, stored, language)
    return shown(stored, view, if_none_match)


def owners(
    request: Request,
    caller: Reader,
    request_id: UUID,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Show whom a request asked, by owner and interest area, or whom one for orientation named."""
    with caller_transaction(request, caller) as connection:
        stored = get_stored(connection, request_id)
        areas = list_asked_areas(connection, [request_id])[request_id]
    told = owner_views(areas) if stored.owners_named is None else named_views(stored.owners_named)
    view = {"state": stored.state.value, "progress": progress_view(areas), "owners": told}
    return shown(stored, view, if_none_match)


def entered(
    connection: Connection, caller: Principal, wanted: NewRequest, settings: Settings, language: Language
) -> KeptAnswer:
    """Enter a request and return its receipt as an answer."""
    made = send_request(
        connection,
        caller.organisation_id,
        wanted,
        limits=request_limits(settings),
        due=ordinary_due(settings),
        free_renewal_days=settings.free_renewal_days,
    )
    stored = get_stored(connection, made.id)
    view = view_of(connection, stored, language)
    headers = {
        "Location": f"{PATH}/{made.id}",
        "ETag": etag(stored, view),
        "Content-Language": language,
    }
    return KeptAnswer(HTTPStatus.CREATED, headers, view)


def view_of(connection: Connection, stored: StoredRequest, language: Language) -> dict[str, Any]:
    """Return a request as its requester sees it now."""
    areas = list_asked_areas(connection, [stored.id])[stored.id]
    return request_view(stored, areas, language, today_of(connection))


def shown(stored: StoredRequest, view: dict[str, Any], if_none_match: str | None) -> Response:
    """Return a view, or that the caller has it already."""
    tag = etag(stored, view)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Language, Authorization"}
    known = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return JSONResponse(view, headers=headers)


def _date(text: str | None, name: str) -> date | None:
    try:
        return parse_date(text) if text is not None else None
    except RefusedError as refused:
        raise ProblemException("parameter-invalid", f"{name}: {refused}") from None
