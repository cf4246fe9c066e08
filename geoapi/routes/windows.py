"""Digging windows: those that are kept, who is invited, what is answered, and the own ones as a calendar."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.geojson import geometry_view
from geoapi.negotiation import language_of
from geoapi.parameters import body_of, read_json
from geoapi.register_http import API, View, moment, shown
from geoapi.windows_calendar import window_calendar
from geoapi.windows_desk import window_view
from ler.domain.access import Scope
from ler.domain.legal_time import parse_moment
from ler.domain.windows import WindowState
from ler.services.tokens import Principal
from ler.services.windows import StoredWindow, answer_window, get_window, invite_window, list_windows

type Planner = Annotated[Principal, Depends(May(Scope.WORK_READ))]
type Party = Annotated[Principal, Depends(May(Scope.WORK_WRITE))]
type Body = Annotated[bytes, Depends(body_of)]

PATH: Final = f"{API}/windows"
CALENDAR: Final = f"{API}/feeds/windows.ics"
_ONE: Final = f"{PATH}/{{window_id}}"


class Invitation(BaseModel):
    """Until when is answered."""

    model_config = ConfigDict(extra="forbid", strict=True)

    answer_by: Annotated[
        str, Field(description="A moment with its zone, like 2027-05-01T12:00:00+02:00; it lies ahead.")
    ]

    @property
    def moment(self) -> datetime:
        """As a moment, aware UTC; RefusedError."""
        return parse_moment(self.answer_by)


class Answer(BaseModel):
    """Yes or no."""

    model_config = ConfigDict(extra="forbid", strict=True)

    accepts: bool
    work: Annotated[
        UUID | None, Field(strict=False, description="For this work alone; absent: for all own ones.")
    ] = None


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(PATH, listing, methods=["GET"], summary="Digging windows that are kept")
    app.add_api_route(_ONE, show, methods=["GET"], summary="One digging window, with its place")
    app.add_api_route(
        f"{_ONE}/invitation",
        invite,
        methods=["POST"],
        summary="Invite the organisations of a window",
        openapi_extra=_body(Invitation),
    )
    app.add_api_route(
        f"{_ONE}/answer",
        answer,
        methods=["POST"],
        summary="Say yes or no to an invitation",
        openapi_extra=_body(Answer),
    )
    app.add_api_route(CALENDAR, calendar, methods=["GET"], summary="Own windows as a calendar")


def listing(
    request: Request,
    caller: Planner,
    *,
    state: WindowState | None = None,
    own: Annotated[bool, Query(description="Only with works of the caller.")] = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> Response:
    """List windows in the order in which they were proposed."""
    with caller_transaction(request, caller) as connection:
        found = list_windows(
            connection,
            states=None if state is None else [state],
            organisation_id=caller.organisation_id if own else None,
            after=cursor,
            limit=limit + 1,
        )
    page: View = {"windows": [_view(one) for one in found[:limit]]}
    if len(found) > limit:
        asked = (f"&state={state.value}" if state else "") + ("&own=true" if own else "")
        page["next"] = f"{PATH}?limit={limit}&cursor={found[limit - 1].seq}{asked}"
    return JSONResponse(page)


def show(request: Request, caller: Planner, window_id: UUID) -> Response:
    """Show a window with its works, the answers and its place."""
    with caller_transaction(request, caller) as connection:
        found = get_window(connection, window_id)
    return shown(_view(found) | {"geometry": geometry_view(found.window.geometry), "crs": "EPSG:25832"})


def invite(request: Request, caller: Party, window_id: UUID, body: Body) -> Response:
    """Invite, as who coordinates the place: the operator, or its road authority. Who says nothing in time is not in it."""
    until = read_json(Invitation, body).moment
    with caller_transaction(request, caller) as connection:
        invite_window(connection, caller.organisation_id, window_id, until)
        return shown(_view(get_window(connection, window_id)))


def answer(request: Request, caller: Party, window_id: UUID, body: Body) -> Response:
    """Answer for the caller's own works, as often as it likes until the window is settled."""
    said = read_json(Answer, body)
    with caller_transaction(request, caller) as connection:
        answer_window(connection, caller.organisation_id, window_id, accepts=said.accepts, work_id=said.work)
        return shown(_view(get_window(connection, window_id)))


def calendar(request: Request, caller: Planner) -> Response:
    """Give the caller's windows as iCalendar: agreed, and those to which it is invited and has not said no."""
    language = language_of(request.headers.get("accept-language"))
    states = [WindowState.INVITED, WindowState.AGREED]
    with caller_transaction(request, caller) as connection:
        found = list_windows(connection, states=states, organisation_id=caller.organisation_id)
        content = window_calendar(found, caller.organisation_id, language)
    headers = {"Cache-Control": "private, no-cache", "Content-Language": language}
    return Response(content, media_type="text/calendar", headers=headers)


def _view(found: StoredWindow) -> View:
    path = f"{PATH}/{found.id}"
    links = {"self": path, "answer": f"{path}/answer", "invitation": f"{path}/invitation"}
    return {**window_view(found), "answer_by": moment(found.answer_by), "links": links}


def _body(model: type[BaseModel]) -> View:
    return {
        "requestBody": {
            "content": {"application/json": {"schema": model.model_json_schema()}},
            "required": True,
        }
    }
