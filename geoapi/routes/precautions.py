"""What an owner asks for near its lines: its table of precautions, read and set as a whole.

A table is changed by who has read the one that holds: without its tag, or with that of another, nothing is set. Nobody sees
another's table.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

import shapely
from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from shapely.geometry.base import BaseGeometry
from starlette.responses import JSONResponse

from conflicts.owner_tables import KeptTable, end_table, find_table, read_table, set_table
from geoapi.auth import May, caller_transaction
from geoapi.geojson import CrsField, GeometryBody, geometry_view, read_geometry
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.register_http import API, View, check_unchanged, moment, shown, tag
from ler.domain.access import Scope
from ler.domain.dig_area import Coverage
from ler.domain.faults import Fault, FaultsError
from ler.domain.precaution_tables import MOST_AREAS, row_document
from ler.errors import NotFoundError, RefusedError
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.NETWORK_READ))]
type Setter = Annotated[Principal, Depends(May(Scope.NETWORK_APPROVE))]
type IfMatch = Annotated[str | None, Header()]

PATH: Final = f"{API}/precautions"


class NamedArea(BaseModel):
    """A polygon of an area; several of one name are one area."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    geometry: GeometryBody


class NewTable(BaseModel):
    """A table, as `docs/reference/precautions.md` has it, and the areas that its rows name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    table: Annotated[dict[str, Any], Field(description="`row`: the rows; `valid_from`, `areas` for all.")]
    areas: Annotated[list[NamedArea], Field(max_length=5 * MOST_AREAS)] = []
    crs: CrsField = "EPSG:25832"


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    schema = {"content": {"application/json": {"schema": NewTable.model_json_schema()}}, "required": True}
    app.add_api_route(PATH, show, methods=["GET"], summary="The own table of precautions that holds")
    app.add_api_route(
        PATH,
        set_,
        methods=["PUT"],
        summary="Set the own table of precautions, in the place of the one that holds",
        openapi_extra={"requestBody": schema},
    )
    app.add_api_route(PATH, end, methods=["DELETE"], status_code=204, summary="End the own precautions")


def show(request: Request, caller: Reader) -> Response:
    """Show the caller's table that holds, as it can be set again."""
    with caller_transaction(request, caller) as connection:
        found = find_table(connection, caller.organisation_id)
    if found is None:
        raise NotFoundError
    return shown(_table_view(found))


def set_(
    request: Request, caller: Setter, body: Annotated[bytes, Depends(body_of)], if_match: IfMatch = None
) -> Response:
    """Let a table hold from the next package on; a bad one changes nothing, and all that is wrong with it is told."""
    wanted = read_json(NewTable, body)
    areas = _areas(wanted, platform_of(request).settings.coverage)
    try:
        rows = read_table(wanted.table, areas)
    except FaultsError as error:
        raise FaultsError(_in_body(error.faults)) from None
    owner = caller.organisation_id
    with caller_transaction(request, caller) as connection:
        before = find_table(connection, owner)
        _check_seen(if_match, before)
        set_table(connection, owner, rows, areas)
        view = _table_view(_kept(find_table(connection, owner)))
    status = HTTPStatus.CREATED if before is None else HTTPStatus.OK
    return JSONResponse(view, status, headers={"ETag": tag(view)})


def end(request: Request, caller: Setter, if_match: IfMatch = None) -> Response:
    """End the caller's table at once; packages that were made stay as they are."""
    with caller_transaction(request, caller) as connection:
        found = find_table(connection, caller.organisation_id)
        if found is None:
            raise NotFoundError
        _check_seen(if_match, found)
        end_table(connection, caller.organisation_id)
    return Response(status_code=204)


def _areas(wanted: NewTable, coverage: Coverage) -> dict[str, BaseGeometry]:
    parts: dict[str, list[BaseGeometry]] = {}
    for number, one in enumerate(wanted.areas):
        pointer = f"/areas/{number}/geometry"
        area = read_geometry(one.geometry, wanted.crs, coverage, pointer, kinds=("Polygon",))
        parts.setdefault(one.name, []).append(shapely.force_2d(area))
    return {name: shapely.union_all(some) for name, some in parts.items()}


def _check_seen(if_match: str | None, found: KeptTable | None) -> None:
    """The first table needs no tag; who has read one that holds no longer is told."""
    if found is not None:
        check_unchanged(if_match, _table_view(found))
    elif if_match is not None:
        raise RefusedError("precondition-failed", "you have no precautions any more")


def _kept(found: KeptTable | None) -> KeptTable:
    if found is None:
        raise TypeError("a table that was set is there")
    return found


def _in_body(faults: Sequence[Fault]) -> list[Fault]:
    """Point into the body: to the table, or to the areas beside it."""
    return [
        Fault(
            one.code, one.pointer if one.pointer.startswith("/areas") else f"/table{one.pointer}", one.message
        )
        for one in faults
    ]


def _table_view(found: KeptTable) -> View:
    return {
        "table": {"row": [row_document(row) for row in found.rows]},
        "areas": [
            {"name": name, "geometry": geometry_view(part)}
            for name, area in found.areas.items()
            for part in shapely.get_parts(area)
        ],
        "crs": "EPSG:25832",
        "set_at": moment(found.created_at),
        "links": {"self": PATH},
    }
