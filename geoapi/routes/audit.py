"""The audit trail: one's own acts; for who audits all of them, the chain and its checkpoints; who has seen a line."""

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from shapely import Polygon
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, StreamingResponse

from geoapi.audit_views import audit_event_view, viewers_view
from geoapi.auth import May, caller_transaction
from geoapi.geojson import Crs, CrsField, GeometryBody, read_geometry
from geoapi.moments import Moment
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.records import checkpoint_folder
from ler.domain.access import Scope
from ler.services.audit import (
    Wanted,
    audits,
    count_waiting,
    export_trail,
    get_head,
    list_audit_events,
)
from ler.services.registry import get_owner
from ler.services.tokens import Principal
from ler.services.viewers import MOST_LINES, Question, find_viewers
from ler.signing import public_pem

type Reader = Annotated[Principal, Depends(May(Scope.AUDIT_READ))]

PATH: Final = "/api/v1/audit"
JSON_LINES: Final = "application/x-ndjson"
_PIECE: Final = 1 << 18


class ViewersBody(BaseModel):
    """Which lines, or where; and when."""

    model_config = ConfigDict(extra="forbid", strict=True)

    owner: Annotated[
        str | None,
        Field(pattern=r"^[0-9]{8}$", description="CVR number, for who audits; else one's own lines."),
    ] = None
    gml_ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=255)]], Field(max_length=MOST_LINES)
    ] = []
    area: GeometryBody | None = None
    crs: CrsField = "EPSG:25832"
    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(PATH, events, methods=["GET"], summary="What was done, the newest first")
    app.add_api_route(
        f"{PATH}/chain", chain, methods=["GET"], summary="Head of the chain, and its checkpoints"
    )
    app.add_api_route(
        f"{PATH}/export",
        export,
        methods=["GET"],
        summary="The chain as lines of JSON, to be verified elsewhere",
        response_model=None,
    )
    schema = {"content": {"application/json": {"schema": ViewersBody.model_json_schema()}}, "required": True}
    app.add_api_route(
        f"{PATH}/viewers",
        viewers,
        methods=["POST"],
        summary="Who has seen these lines, or this area",
        openapi_extra={"requestBody": schema},
    )


def events(
    request: Request,
    caller: Reader,
    *,
    action: Annotated[
        str | None,
        Query(
            pattern=r"^[a-z_]+:([a-z_]+:([a-z_]+)?)?$",
            max_length=100,
            description="Or its beginning: `owner:`.",
        ),
    ] = None,
    object_id: Annotated[UUID | None, Query(alias="object")] = None,
    actor: UUID | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: UUID | None = None,
) -> Response:
    """Give what the caller did, or somebody for it; who audits sees what everybody did. `next` leads on."""
    wanted = Wanted(action=action, object_id=object_id, actor=actor, since=since, until=until)
    with caller_transaction(request, caller) as connection:
        found = list_audit_events(connection, wanted, limit=limit + 1, before=before)
    page: dict[str, Any] = {"events": [audit_event_view(one) for one in found[:limit]]}
    if len(found) > limit:
        asked = {**request.query_params, "before": str(found[limit - 1].key)}
        page["next"] = f"{PATH}?{urlencode(asked)}"
    return JSONResponse(page)


def chain(request: Request, caller: Reader) -> Response:
    """Give where the chain ends, and every signed checkpoint: keep them where the register's own people cannot write."""
    with caller_transaction(request, caller) as connection:
        head, waiting = get_head(connection), count_waiting(connection)
    folder = checkpoint_folder(platform_of(request).settings)
    told = {
        "number": head.number,
        "hash": head.digest.hex(),
        "waiting": waiting,
        "checkpoints": [one.document() for one in folder.verified()],
        "public_keys": [public_pem(key).decode() for key in folder.public_keys()],
    }
    return JSONResponse(told)


def export(
    request: Request, caller: Reader, after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0
) -> Response:
    """Give the links after a number, each with its event, letter by letter as they were sealed."""
    # Written to its end before the first byte is sent, and without a name by then: nothing is left of it.
    with tempfile.TemporaryDirectory(prefix="ler-audit-") as folder:
        path = Path(folder) / "audit.jsonl"
        with (
            path.open("x", encoding="utf-8", newline="\n") as stream,
            caller_transaction(request, caller) as connection,
        ):
            export_trail(connection, stream, after=after)
        content = path.open("rb")
    headers = {
        "Content-Length": str(os.fstat(content.fileno()).st_size),
        "Content-Disposition": f'attachment; filename="audit-after-{after}.jsonl"',
    }
    pieces = iter(partial(content.read, _PIECE), b"")
    return StreamingResponse(
        pieces, media_type=JSON_LINES, headers=headers, background=BackgroundTask(content.close)
    )


def viewers(request: Request, caller: Reader, body: Annotated[bytes, Depends(body_of)]) -> Response:
    """Tell to whom lines were delivered, what they fetched, and who read the owner's own network. It is recorded."""
    given = read_json(ViewersBody, body)
    area = _area(given.area, given.crs, request) if given.area else None
    with caller_transaction(request, caller) as connection:
        owner_id: UUID | None = None if audits(connection) else caller.organisation_id
        if given.owner is not None:
            owner_id = get_owner(connection, given.owner).id
        question = Question(owner_id, given.gml_ids, area, given.since, given.until)
        found = find_viewers(connection, caller.organisation_id, question, most=given.limit)
    return JSONResponse(viewers_view(found))


def _area(given: GeometryBody, crs: Crs, request: Request) -> Polygon:
    coverage = platform_of(request).settings.coverage
    shape = read_geometry(given, crs, coverage, "/area", kinds=("Polygon",))
    if not isinstance(shape, Polygon):
        raise TypeError("a polygon was asked for")
    return shape
