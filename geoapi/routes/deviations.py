"""Deviations: what who digs has found otherwise than it was shown, its photographs, and lines that nobody has shown."""

import io
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.cursors import cursor_of, place_of
from geoapi.damage_views import DEVIATIONS, deviation_view
from geoapi.geojson import CrsField, GeometryBody, read_geometry
from geoapi.kept_answers import kept_response
from geoapi.parameters import Day, body_of, read_json
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from geoapi.stores import blob_store
from ingest.photographs import without_traces
from ler.blobs import BlobStore
from ler.domain.access import Scope
from ler.domain.deviations import LARGEST_PHOTO, MOST_PHOTOS, DeviationEvent, DeviationKind, DeviationState
from ler.domain.legal_time import legal_day
from ler.errors import NotFoundError
from ler.services.deviations import (
    NewDeviation,
    add_photo,
    answer_claim,
    get_deviation,
    list_deviations,
    move_deviation,
    report_deviation,
)
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.DAMAGE_READ))]
type Writer = Annotated[Principal, Depends(May(Scope.DAMAGE_WRITE))]
type Number = Annotated[int, Path(ge=1, le=MOST_PHOTOS)]
type Line = Annotated[str, Field(max_length=1000)]

PATH: Final = DEVIATIONS
_ONE: Final = f"{PATH}/{{deviation_id}}"
_PHOTO: Final = f"{_ONE}/photos/{{number}}/content"
_MAGIC: Final = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}


class DeviationBody(BaseModel):
    """What was found; the geometry as measured, with heights (DVR90) where they were."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Annotated[DeviationKind, Field(strict=False)]
    geometry: GeometryBody
    crs: CrsField = "EPSG:25832"
    measured_on: Day
    owner_id: Annotated[
        UUID | None, Field(strict=False, description="Whose line it is; not of an unknown one.")
    ] = None
    request_id: Annotated[
        UUID | None, Field(strict=False, description="The request by which the line was shown.")
    ] = None
    gml_id: Annotated[Line | None, Field(description="The line as it was shown.")] = None
    accuracy_m: Annotated[float | None, Field(description="How far off the measurement may be.")] = None
    depth_m: Annotated[float | None, Field(description="Below the ground.")] = None
    utility_type: Line | None = None
    description: Line | None = None


class NoteBody(BaseModel):
    """The owner's words."""

    model_config = ConfigDict(extra="forbid", strict=True)

    note: Line | None = None


class CorrectionBody(NoteBody):
    """The published version of the network that has the correction."""

    version: Annotated[int, Field(ge=1, lt=2**31)]


class ClaimBody(BaseModel):
    """Whether the line is the caller's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mine: bool


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(
        PATH,
        report,
        methods=["POST"],
        status_code=201,
        summary="Report what was found otherwise than it was shown",
        openapi_extra=_taking(DeviationBody),
    )
    app.add_api_route(
        PATH, listing, methods=["GET"], summary="Reports that concern the caller, the newest first"
    )
    app.add_api_route(_ONE, show, methods=["GET"], summary="One report")
    for event, summary in (
        (DeviationEvent.ACKNOWLEDGE, "Say that a report was seen"),
        (DeviationEvent.ACCEPT, "Say that the data will be corrected"),
        (DeviationEvent.REJECT, "Say that the data are right"),
    ):
        move, extra = _moving(event), _taking(NoteBody)
        app.add_api_route(f"{_ONE}/{event}", move, methods=["POST"], summary=summary, openapi_extra=extra)
    app.add_api_route(
        f"{_ONE}/correct",
        correct,
        methods=["POST"],
        summary="Name the version that has the correction",
        openapi_extra=_taking(CorrectionBody),
    )
    app.add_api_route(f"{_ONE}/withdraw", withdraw, methods=["POST"], summary="Take an own report back")
    app.add_api_route(
        f"{_ONE}/claim",
        claim,
        methods=["POST"],
        summary="Say whether a line that nobody has shown is one's own",
        openapi_extra=_taking(ClaimBody),
    )
    photo = {
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _MAGIC},
        }
    }
    app.add_api_route(
        _PHOTO, put_photo, methods=["PUT"], status_code=201, summary="Add a photograph", openapi_extra=photo
    )
    app.add_api_route(_PHOTO, get_photo, methods=["GET"], summary="A photograph")


def report(
    request: Request,
    caller: Writer,
    body: Annotated[bytes, Depends(body_of)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Enter a report about a line that the caller was shown, an own line, or one that nobody has shown."""
    key = check_key(idempotency_key)
    given = read_json(DeviationBody, body)
    coverage = platform_of(request).settings.coverage
    geometry = read_geometry(given.geometry, given.crs, coverage, "/geometry", kinds=("Point", "LineString"))
    values = given.model_dump(exclude={"geometry", "crs"})
    wanted = NewDeviation(geometry=geometry, **values)
    with caller_transaction(request, caller) as connection:

        def work() -> KeptAnswer:
            today = legal_day(datetime.now(UTC))
            made = report_deviation(connection, caller.organisation_id, wanted, today=today)
            view = deviation_view(get_deviation(connection, made))
            return KeptAnswer(HTTPStatus.CREATED, {"Location": f"{PATH}/{made}"}, view)

        answer = answer_once(
            connection, caller.organisation_id, route=f"POST {PATH}", key=key, body=body, work=work
        )
    return kept_response(answer)


def listing(
    request: Request,
    caller: Reader,
    *,
    state: DeviationState | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """List own reports, those of own lines, and lines that may be one's own. `next` leads on."""
    before = place_of(cursor) if cursor else None
    with caller_transaction(request, caller) as connection:
        found = list_deviations(connection, limit=limit + 1, state=state, before=before)
    page: dict[str, Any] = {"deviations": [deviation_view(one) for one in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1]
        narrowed = f"&state={state}" if state else ""
        page["next"] = f"{PATH}?limit={limit}{narrowed}&cursor={cursor_of(last.created_at, last.id)}"
    return JSONResponse(page)


def show(request: Request, caller: Reader, deviation_id: UUID) -> Response:
    """Show one report."""
    with caller_transaction(request, caller) as connection:
        return JSONResponse(deviation_view(get_deviation(connection, deviation_id)))


def _moving(event: DeviationEvent) -> Any:  # noqa: ANN401 - a route, whose signature the framework reads
    def move(
        request: Request, caller: Writer, deviation_id: UUID, body: Annotated[bytes, Depends(body_of)]
    ) -> Response:
        note = read_json(NoteBody, body).note
        with caller_transaction(request, caller) as connection:
            return JSONResponse(deviation_view(move_deviation(connection, deviation_id, event, note=note)))

    move.__name__ = str(event)
    return move


def correct(
    request: Request, caller: Writer, deviation_id: UUID, body: Annotated[bytes, Depends(body_of)]
) -> Response:
    """Say which published version has the correction; the reporter sees it."""
    given = read_json(CorrectionBody, body)
    with caller_transaction(request, caller) as connection:
        found = move_deviation(
            connection, deviation_id, DeviationEvent.CORRECT, note=given.note, version=given.version
        )
    return JSONResponse(deviation_view(found))


def withdraw(request: Request, caller: Writer, deviation_id: UUID) -> Response:
    """Take an own report back that its owner has not judged."""
    with caller_transaction(request, caller) as connection:
        found = move_deviation(connection, deviation_id, DeviationEvent.WITHDRAW)
    return JSONResponse(deviation_view(found))


def claim(
    request: Request, caller: Writer, deviation_id: UUID, body: Annotated[bytes, Depends(body_of)]
) -> Response:
    """Claim or deny a line. When all who were asked have denied it, it is an orphan, and may be claimed still."""
    mine = read_json(ClaimBody, body).mine
    with caller_transaction(request, caller) as connection:
        state = answer_claim(connection, deviation_id, claims=mine)
    return JSONResponse({"id": str(deviation_id), "state": str(state)})


async def photo_of(request: Request) -> tuple[str, bytes]:
    """Return media type and bytes of a photograph, which must be what it says and not too large."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _MAGIC:
        raise ProblemException("format-not-supported", f"a photograph is {' or '.join(_MAGIC)}")
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > LARGEST_PHOTO:
            raise ProblemException("body-too-large", f"a photograph has at most {LARGEST_PHOTO} bytes")
    if not content.startswith(_MAGIC[kind]):
        raise ProblemException("format-not-supported", f"the bytes are not {kind}")
    return kind, bytes(content)


def put_photo(
    request: Request,
    caller: Writer,
    deviation_id: UUID,
    number: Number,
    photo: Annotated[tuple[str, bytes], Depends(photo_of)],
) -> Response:
    """Keep a photograph without what the camera wrote into it but which way is up; the same one again changes nothing."""
    with caller_transaction(request, caller) as connection:
        if get_deviation(connection, deviation_id).reporter_id != caller.organisation_id:
            raise NotFoundError
    kind, content = photo[0], without_traces(photo[1], photo[0])
    # Before the row that names it: a file without a row is swept, a row without a file would be a loss.
    blob = _store(request).put(io.BytesIO(content))
    with caller_transaction(request, caller) as connection:
        add_photo(connection, caller.organisation_id, deviation_id, number, blob, media_type=kind)
    return JSONResponse(
        {"number": number, "sha256": blob.sha256, "size": blob.size_bytes}, HTTPStatus.CREATED
    )


def get_photo(request: Request, caller: Reader, deviation_id: UUID, number: Number) -> Response:
    """Give a photograph to who may see the report."""
    with caller_transaction(request, caller) as connection:
        photos = get_deviation(connection, deviation_id).photos
    found = next((one for one in photos if one.number == number), None)
    if found is None:
        raise NotFoundError
    with _store(request).open(found.sha256, verify=True) as stream:
        content = stream.read()
    name = f"{deviation_id}-{number}.{found.media_type.partition('/')[2]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "ETag": f'"{found.sha256}"'}
    return Response(content, media_type=found.media_type, headers=headers)


def _taking(model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"content": content, "required": True}}


def _store(request: Request) -> BlobStore:
    return blob_store(platform_of(request).settings)
