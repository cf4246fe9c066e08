"""What a requester does with a request: a later last day, giving it up, asking again as it was or as a copy."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import caller_transaction
from geoapi.kept_answers import kept_response
from geoapi.negotiation import language_of
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from geoapi.request_bodies import CopyBody, ExtensionBody, RenewalBody, again, read_area
from geoapi.request_views import PATH, etag, revision_of
from geoapi.routes.requests import Key, Sender, entered, view_of
from ler.domain.states import RequestState
from ler.errors import RefusedError
from ler.faults import point
from ler.rules_in_force import request_limits
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.request_reading import StoredRequest, get_stored
from ler.services.requests import NewRequest, cancel_request, check_request, extend_request, today_of
from ler.services.tokens import Principal
from ler.settings import Settings

type Body = Annotated[bytes, Depends(body_of)]
type IfMatch = Annotated[str | None, Header()]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    path = f"{PATH}/{{request_id}}"
    app.add_api_route(
        path, extend, methods=["PATCH"], summary="A later last day", openapi_extra=_body(ExtensionBody)
    )
    app.add_api_route(f"{path}/cancel", cancel, methods=["POST"], summary="Give a request up")
    for name, handler, model, summary in (
        ("renew", renew, RenewalBody, "Ask again as it was, in another period"),
        ("copy", copy, CopyBody, "Ask as in an older request, with what is said otherwise"),
    ):
        app.add_api_route(
            f"{path}/{name}",
            handler,
            methods=["POST"],
            status_code=201,
            summary=summary,
            openapi_extra=_body(model),
        )


def extend(
    request: Request, caller: Sender, request_id: UUID, body: Body, if_match: IfMatch = None
) -> Response:
    """Give a request a later last day; its price stays and nobody is asked anew."""
    settings = platform_of(request).settings
    wanted = read_json(ExtensionBody, body)
    with caller_transaction(request, caller) as connection:
        get_stored(connection, request_id)
        if if_match is None:
            raise ProblemException("precondition-required")
        seen = None if if_match.strip() == "*" else revision_of(if_match)
        if seen is None and if_match.strip() != "*":
            raise ProblemException("precondition-failed", "the ETag is none of this request's")
        extend_request(connection, request_id, wanted.period_to, seen=seen, limits=request_limits(settings))
        answer = _now(request, connection, request_id)
        point("request.extend.before-commit")
    return answer


def cancel(request: Request, caller: Sender, request_id: UUID) -> Response:
    """Give a request up: owners need not answer any more. The price stays, and so does what was delivered."""
    with caller_transaction(request, caller) as connection:
        cancel_request(connection, request_id)
        answer = _now(request, connection, request_id)
        point("request.cancel.before-commit")
    return answer


def renew(
    request: Request, caller: Sender, request_id: UUID, body: Body, idempotency_key: Key = None
) -> Response:
    """Ask again as it was: a request of its own, with a price of its own."""
    wanted = read_json(RenewalBody, body)

    def make(stored: StoredRequest, settings: Settings) -> NewRequest:
        return again(stored, wanted, settings, None)

    return _again(request, caller, request_id, ("renew", body, idempotency_key), make)


def copy(
    request: Request, caller: Sender, request_id: UUID, body: Body, idempotency_key: Key = None
) -> Response:
    """Ask as in an older request, with another area or whatever else is said otherwise."""
    wanted = read_json(CopyBody, body)

    def make(stored: StoredRequest, settings: Settings) -> NewRequest:
        other = wanted.area is not None or wanted.area_wkt is not None
        return again(stored, wanted, settings, read_area(wanted, settings) if other else None)

    return _again(request, caller, request_id, ("copy", body, idempotency_key), make)


def _again(
    request: Request,
    caller: Principal,
    request_id: UUID,
    call: tuple[str, bytes, str | None],
    make: Callable[[StoredRequest, Settings], NewRequest],
) -> Response:
    name, body, given = call
    key = check_key(given)
    settings = platform_of(request).settings
    language = language_of(request.headers.get("accept-language"))
    with caller_transaction(request, caller) as connection:
        stored = get_stored(connection, request_id)

        def work() -> KeptAnswer:
            if stored.state is RequestState.ERASED:
                raise RefusedError("event-not-possible", "What the request said has been erased.")
            wanted = make(stored, settings)
            check_request(wanted, request_limits(settings), today=today_of(connection))
            return entered(connection, caller, wanted, settings, language)

        route = f"POST {PATH}/{request_id}/{name}"
        answer = answer_once(connection, caller.organisation_id, route=route, key=key, body=body, work=work)
    return kept_response(answer)


def _now(request: Request, connection: Connection, request_id: UUID) -> Response:
    language = language_of(request.headers.get("accept-language"))
    stored = get_stored(connection, request_id)
    view = view_of(connection, stored, language)
    return JSONResponse(view, headers={"ETag": etag(stored, view), "Content-Language": language})


def _body(model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"content": content, "required": True}}
