"""A plan of works sent at once: entered, or said anew by their references, all or none.

One work is entered, changed and ended as an item of the collection `planned-works` of the OGC API.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

import shapely
from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from geoapi.auth import May, caller_transaction
from geoapi.geojson import CrsField, GeometryBody, read_geometry
from geoapi.kept_answers import kept_response
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.register_http import API
from geoapi.works_desk import WorksDesk
from geoapi.works_file import Entered, RowFault, RowsRefusedError, enter_works_file, judge_works
from ler.domain.access import Scope
from ler.domain.faults import Fault, FaultsError
from ler.domain.legal_time import legal_day
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.tokens import Principal
from ler.services.works import MOST_AT_ONCE

type Planner = Annotated[Principal, Depends(May(Scope.WORK_WRITE))]

PATH: Final = f"{API}/works"
_KINDS: Final = ("Point", "LineString", "Polygon")


class PlannedPlace(BaseModel):
    """A work; its values are as in `docs/reference/planned-works.md`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    values: dict[str, Any]
    geometry: GeometryBody


class SentPlan(BaseModel):
    """Works; one whose `reference` names a work of the caller says that work anew."""

    model_config = ConfigDict(extra="forbid", strict=True)

    works: Annotated[list[PlannedPlace], Field(min_length=1, max_length=MOST_AT_ONCE)]
    crs: CrsField = "EPSG:25832"


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    schema = {"content": {"application/json": {"schema": SentPlan.model_json_schema()}}, "required": True}
    app.add_api_route(
        PATH,
        enter,
        methods=["POST"],
        status_code=201,
        summary="Enter a plan of works, all or none",
        openapi_extra={"requestBody": schema},
    )


def enter(
    request: Request,
    caller: Planner,
    body: Annotated[bytes, Depends(body_of)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Enter works; with one fault nothing is entered, and each fault is told with its place."""
    key = check_key(idempotency_key)
    wanted = read_json(SentPlan, body)
    owner = caller.organisation_id
    desk = WorksDesk(platform_of(request).settings, legal_day(datetime.now(UTC)))
    places = [
        shapely.force_2d(
            read_geometry(
                one.geometry, wanted.crs, desk.rules.coverage, f"/works/{number}/geometry", kinds=_KINDS
            )
        )
        for number, one in enumerate(wanted.works)
    ]
    given = [(one.values, place) for one, place in zip(wanted.works, places, strict=True)]
    judged = judge_works("HTTP", given, owner, desk)
    try:
        with caller_transaction(request, caller) as connection:

            def work() -> KeptAnswer:
                entered = enter_works_file(connection, owner, judged, desk)
                return KeptAnswer(HTTPStatus.CREATED, {}, _entered_view(entered))

            answer = answer_once(connection, owner, route=f"POST {PATH}", key=key, body=body, work=work)
    except RowsRefusedError as error:
        raise FaultsError([_in_body(row) for row in error.rows]) from None
    return kept_response(answer)


def _in_body(row: RowFault) -> Fault:
    inside = "" if row.fault.pointer.startswith("/geometry") else "/values"
    return Fault(row.fault.code, f"/works/{row.record - 1}{inside}{row.fault.pointer}", row.fault.message)


def _entered_view(entered: Entered) -> dict[str, Any]:
    conflicts = entered.conflicts
    return {
        "new": [str(one) for one in entered.new],
        "changed": [str(one) for one in entered.changed],
        "unchanged": entered.unchanged,
        "conflicts": {
            "new": len(conflicts.entered),
            "changed": len(conflicts.changed),
            "ended": len(conflicts.ended),
        },
    }
