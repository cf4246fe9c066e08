"""What owners are asked: fetched, acknowledged, withdrawn, pointed out on site; and who answers for an area."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.responses import JSONResponse

from geoapi.answer_views import PATH, AppointmentFields, Words, asked_view, revision_view
from geoapi.auth import May, caller_transaction
from geoapi.cursors import cursor_of, place_of
from geoapi.parameters import body_of, read_json
from ler.domain.access import Scope
from ler.domain.states import OWES_ANSWER, OwnerState
from ler.services.answers import (
    acknowledge,
    appoint,
    ask_to_mark,
    choose_answering,
    get_asked,
    list_asked,
    list_revisions,
    mark,
    withdraw_answer,
)
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.ANSWER_READ))]
type Answerer = Annotated[Principal, Depends(May(Scope.ANSWER_WRITE))]
type Requester = Annotated[Principal, Depends(May(Scope.REQUEST_WRITE))]
type Registrar = Annotated[Principal, Depends(May(Scope.REGISTER_WRITE))]
type Body = Annotated[bytes, Depends(body_of)]

OPEN: Final = "open"


class WithdrawFields(BaseModel):
    """Why an answer is taken back."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: Words = ""


class MarkFields(BaseModel):
    """What there is to say of lines that were pointed out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    note: Words = ""


class AskToMarkFields(BaseModel):
    """What was not found, and where."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class AnsweringFields(BaseModel):
    """Who answers for an area: the platform from the published network, or the owner itself."""

    model_config = ConfigDict(extra="forbid", strict=True)

    answered_by: Literal["platform", "owner"]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    one = f"{PATH}/{{owner_request_id}}"
    app.add_api_route(PATH, listing, methods=["GET"], summary="What the organisation is asked, newest first")
    app.add_api_route(one, show, methods=["GET"], summary="One thing that the organisation is asked")
    app.add_api_route(
        f"{one}/acknowledge", fetched, methods=["POST"], summary="Say that it was fetched; may be repeated"
    )
    app.add_api_route(f"{one}/answers", answers, methods=["GET"], summary="Every answer that was given")
    for path, handler, method, fields, summary in (
        (f"{one}/withdraw", withdraw, "POST", WithdrawFields, "Take the answer back"),
        (f"{one}/appointment", appointment, "PUT", AppointmentFields, "When and where lines are pointed out"),
        (f"{one}/mark", marked, "POST", MarkFields, "Say that the lines were pointed out"),
        (
            f"{one}/ask-to-mark",
            ask,
            "POST",
            AskToMarkFields,
            "Ask, as requester, for lines to be pointed out",
        ),
        (
            "/api/v1/interest-areas/{interest_area_id}/answering",
            answering,
            "PUT",
            AnsweringFields,
            "Who answers for an area from now on",
        ),
    ):
        app.add_api_route(
            path, handler, methods=[method], summary=summary, openapi_extra={"requestBody": _schema(fields)}
        )


def listing(
    request: Request,
    caller: Reader,
    state: Literal["open", "asked", "taken-out", "to-be-marked", "answered", "withdrawn"] | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """List what the organisation is asked; `open`: what owes an answer. What is not acknowledged stays `asked`.

    A lost call loses nothing: the list is always of all that is in the state, and `next` leads to the following page.
    """
    with caller_transaction(request, caller) as connection:
        found = list_asked(
            connection, states=_states(state), most=limit + 1, before=place_of(cursor) if cursor else None
        )
    page: dict[str, Any] = {"owner_requests": [asked_view(one) for one in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1]
        chosen = f"state={state}&" if state else ""
        page["next"] = f"{PATH}?{chosen}limit={limit}&cursor={cursor_of(last.received_at, last.id)}"
    return JSONResponse(page)


def show(request: Request, caller: Reader, owner_request_id: UUID) -> Response:
    """Show what is asked: area, period, whom to call, and until when to answer."""
    with caller_transaction(request, caller) as connection:
        return JSONResponse(asked_view(get_asked(connection, owner_request_id)))


def fetched(request: Request, caller: Answerer, owner_request_id: UUID) -> Response:
    """Say that it was fetched. The clock does not mind: it runs since the request was available."""
    with caller_transaction(request, caller) as connection:
        return JSONResponse(asked_view(acknowledge(connection, owner_request_id)))


def answers(request: Request, caller: Reader, owner_request_id: UUID) -> Response:
    """List every answer that was given to it, the newest first; nothing of an old one is ever taken away."""
    with caller_transaction(request, caller) as connection:
        found = list_revisions(connection, get_asked(connection, owner_request_id))
    return JSONResponse({"answers": [revision_view(one) for one in found]})


def withdraw(request: Request, caller: Answerer, owner_request_id: UUID, body: Body) -> Response:
    """Take the answer back: another is owed by the due time of the first, and who holds this one is warned."""
    fields = read_json(WithdrawFields, body)
    with caller_transaction(request, caller) as connection:
        return JSONResponse(asked_view(withdraw_answer(connection, owner_request_id, fields.reason)))


def appointment(request: Request, caller: Answerer, owner_request_id: UUID, body: Body) -> Response:
    """Say when and where the lines will be pointed out on site."""
    fields = read_json(AppointmentFields, body)
    with caller_transaction(request, caller) as connection:
        return JSONResponse(asked_view(appoint(connection, owner_request_id, fields.appointment())))


def marked(request: Request, caller: Answerer, owner_request_id: UUID, body: Body) -> Response:
    """Say that the lines were pointed out on site."""
    fields = read_json(MarkFields, body)
    with caller_transaction(request, caller) as connection:
        return JSONResponse(asked_view(mark(connection, owner_request_id, fields.note)))


def ask(request: Request, caller: Requester, owner_request_id: UUID, body: Body) -> Response:
    """Ask, as the requester, for lines to be pointed out that do not lie where the data say (OLD § 11(2))."""
    fields = read_json(AskToMarkFields, body)
    with caller_transaction(request, caller) as connection:
        state = ask_to_mark(connection, owner_request_id, fields.reason)
    return JSONResponse({"id": str(owner_request_id), "state": str(state)})


def answering(request: Request, caller: Registrar, interest_area_id: UUID, body: Body) -> Response:
    """Choose who answers for an area of the organisation; requests that were matched before stay as they are."""
    fields = read_json(AnsweringFields, body)
    with caller_transaction(request, caller) as connection:
        choose_answering(connection, interest_area_id, fields.answered_by)
    return JSONResponse({"id": str(interest_area_id), "answered_by": fields.answered_by})


def _states(state: str | None) -> list[OwnerState] | None:
    if state is None:
        return None
    return sorted(OWES_ANSWER) if state == OPEN else [OwnerState(state)]


def _schema(fields: type[BaseModel]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": fields.model_json_schema()}}, "required": True}
