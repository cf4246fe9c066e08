"""Restrictions on digging (moratoria, closed periods, events, bus lines, diversions), and one's word on conflicts of works.

Everybody reads them in the OGC API; here who has a say at a place enters and lifts them.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import shapely
from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.geojson import CrsField, GeometryBody, geometry_view, read_geometry
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.register_http import API, View, check_unchanged, make_once, moment, shown
from geoapi.works_desk import WorksDesk, conflict_row
from ler.domain.access import Scope
from ler.domain.legal_time import legal_day
from ler.domain.work_record import record_of
from ler.services.restrictions import StoredRestriction, get_restriction
from ler.services.tokens import Principal
from ler.services.work_conflicts import KeptConflict, judge_conflict

type Reader = Annotated[Principal, Depends(May(Scope.WORK_READ))]
type Writer = Annotated[Principal, Depends(May(Scope.WORK_WRITE))]
type Body = Annotated[bytes, Depends(body_of)]

PATH: Final = f"{API}/restrictions"
CONFLICTS: Final = f"{API}/work-conflicts"
_KINDS: Final = ("LineString", "Polygon")


class NewRestriction(BaseModel):
    """A restriction; its values are as in `docs/reference/planned-works.md`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    values: Annotated[
        dict[str, Any], Field(description="`kind`, `title`, `first_day`, `last_day`, `source`, `work_id`.")
    ]
    geometry: GeometryBody
    crs: CrsField = "EPSG:25832"


class Word(BaseModel):
    """Whether it is a conflict."""

    model_config = ConfigDict(extra="forbid", strict=True)

    is_conflict: bool
    note: str = ""


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    one = f"{PATH}/{{restriction_id}}"
    app.add_api_route(
        PATH,
        restrict,
        methods=["POST"],
        status_code=201,
        summary="Restrict digging at a place",
        openapi_extra=_body(NewRestriction),
    )
    app.add_api_route(one, show, methods=["GET"], summary="One restriction")
    app.add_api_route(one, lift, methods=["DELETE"], status_code=204, summary="Lift a restriction")
    app.add_api_route(
        f"{CONFLICTS}/{{conflict_id}}/judgement",
        judge,
        methods=["POST"],
        summary="Say whether a conflict of works is one",
        openapi_extra=_body(Word),
    )


def restrict(
    request: Request, caller: Writer, body: Body, idempotency_key: Annotated[str | None, Header()] = None
) -> Response:
    """Restrict digging, as the road authority of the place, as the operator, or past one's own work."""
    wanted = read_json(NewRestriction, body)
    desk = _desk(request)
    place = read_geometry(wanted.geometry, wanted.crs, desk.rules.coverage, "/geometry", kinds=_KINDS)
    place = shapely.force_2d(place)

    def make(connection: Connection) -> View:
        made, _ = desk.restrict(connection, caller.organisation_id, wanted.values, place, base="/values")
        return _restriction_view(get_restriction(connection, made))

    return make_once(request, caller, PATH, make, key=idempotency_key, body=body)


def show(request: Request, caller: Reader, restriction_id: UUID) -> Response:
    """Show a restriction that holds, or one of the caller's that ended."""
    with caller_transaction(request, caller) as connection:
        return shown(_restriction_view(get_restriction(connection, restriction_id)))


def lift(
    request: Request,
    caller: Writer,
    restriction_id: UUID,
    if_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Lift a restriction of the caller's; its conflicts are over."""
    with caller_transaction(request, caller) as connection:
        found = get_restriction(connection, restriction_id)
        check_unchanged(if_match, _restriction_view(found))
        _desk(request).end_restriction(
            connection, caller.organisation_id, restriction_id, expected_version=found.restriction.version
        )
    return Response(status_code=204)


def judge(request: Request, caller: Writer, conflict_id: UUID, body: Body) -> Response:
    """Say so as one of its sides, or as who supervises the place; a later word takes the place of an earlier one."""
    said = read_json(Word, body)
    with caller_transaction(request, caller) as connection:
        made = judge_conflict(
            connection, caller.organisation_id, conflict_id, is_conflict=said.is_conflict, note=said.note
        )
    return JSONResponse(_conflict_view(made))


def _desk(request: Request) -> WorksDesk:
    return WorksDesk(platform_of(request).settings, legal_day(datetime.now(UTC)))


def _restriction_view(stored: StoredRestriction) -> View:
    found = stored.restriction
    return {
        "id": str(found.id),
        "organisation": str(found.organisation_id),
        "version": found.version,
        "values": record_of(found),
        "geometry": geometry_view(found.geometry),
        "crs": "EPSG:25832",
        "ended_at": moment(stored.ended_at),
        "links": {"self": f"{PATH}/{found.id}"},
    }


def _conflict_view(found: KeptConflict) -> View:
    return conflict_row(found) | {
        "geometry": geometry_view(found.place),
        "ended_at": moment(found.ended_at),
    }


def _body(model: type[BaseModel]) -> View:
    return {
        "requestBody": {
            "content": {"application/json": {"schema": model.model_json_schema()}},
            "required": True,
        }
    }
