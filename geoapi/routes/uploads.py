"""Uploads: announced, looked at, listed, taken back; their events as a stream or a list."""

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction, still_may
from geoapi.cursors import cursor_of, place_of
from geoapi.kept_answers import kept_response
from geoapi.negotiation import language_of, media_type_of
from geoapi.parameters import body_of, read_json
from geoapi.platform import Platform, platform_of
from geoapi.problems import ProblemException
from geoapi.views import PATH, etag, event_view, upload_headers, upload_view
from ingest.mapping import parse_mapping
from ler.db.engine import transaction
from ler.domain.access import Scope
from ler.domain.uploads import Actor, Event
from ler.faults import point
from ler.services.idempotency import KeptAnswer, answer_once, check_key
from ler.services.tokens import Principal
from ler.services.uploads import (
    NewUpload,
    UploadEvent,
    create_upload,
    get_upload,
    list_events,
    list_uploads,
    move,
)

type Reader = Annotated[Principal, Depends(May(Scope.NETWORK_READ))]
type Uploader = Annotated[Principal, Depends(May(Scope.NETWORK_UPLOAD))]

_POLL_S: Final = 0.5
_PING_S: Final = 15.0
_EVENTS: Final = ("application/json", "text/event-stream")
_FILE_NAME: Final = r"^[^/\\\x00-\x1f\x7f]+$"


class UploadRequest(BaseModel):
    """What an owner says of a file before sending it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    file_name: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_FILE_NAME)]
    size: Annotated[int, Field(gt=0, description="Bytes of the whole file.")]
    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    mode: Literal["full", "delta"] = "full"
    deletes: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=255)]],
        Field(description="gml:ids that a delta takes away."),
    ] = []
    crs: Annotated[
        str | None,
        Field(pattern=r"^EPSG:[0-9]{4,6}(\+[0-9]{4,6})?$", description="When the file does not say."),
    ] = None
    mapping: Annotated[
        str | None, Field(max_length=200_000, description="YAML: from the file's columns to the LER model.")
    ] = None
    auto_approve: Annotated[
        bool, Field(description="Publish without asking when nothing looks suspicious.")
    ] = False
    confirm: Annotated[
        Literal["empty"] | None, Field(description="`empty`: the file may take the whole network away.")
    ] = None

    @model_validator(mode="after")
    def _only_deltas_delete(self) -> "UploadRequest":
        if self.deletes and self.mode != "delta":
            raise ValueError("only a delta has deletes; a full upload takes away what it leaves out")
        return self


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    schema = {
        "content": {"application/json": {"schema": UploadRequest.model_json_schema()}},
        "required": True,
    }
    app.add_api_route(
        PATH,
        announce,
        methods=["POST"],
        status_code=201,
        summary="Announce an upload",
        openapi_extra={"requestBody": schema},
    )
    app.add_api_route(PATH, listing, methods=["GET"], summary="List uploads, the newest first")
    app.add_api_route(f"{PATH}/{{upload_id}}", show, methods=["GET"], summary="One upload")
    app.add_api_route(f"{PATH}/{{upload_id}}", discard, methods=["DELETE"], summary="Take an upload back")
    app.add_api_route(
        f"{PATH}/{{upload_id}}/events",
        events,
        methods=["GET"],
        summary="What happens to an upload, as it happens",
        response_model=None,
    )


def announce(
    request: Request,
    caller: Uploader,
    body: Annotated[bytes, Depends(body_of)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Announce a file; the answer says where its parts go, and how large they may be."""
    platform = platform_of(request)
    key = check_key(idempotency_key)
    wanted = _wanted(read_json(UploadRequest, body), platform)

    with caller_transaction(request, caller) as connection:

        def work() -> KeptAnswer:
            made = create_upload(connection, caller.organisation_id, wanted, platform.patience)
            headers = {"Location": f"{PATH}/{made.id}", "ETag": etag(made), **upload_headers(made, platform)}
            return KeptAnswer(HTTPStatus.CREATED, headers, upload_view(made, "en"))

        answer = answer_once(
            connection, caller.organisation_id, route=f"POST {PATH}", key=key, body=body, work=work
        )
        point("upload.create.before-commit")
    point("upload.create.after-commit")
    return kept_response(answer)


def listing(
    request: Request,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """List the caller's uploads; `next` leads to the following page."""
    before = place_of(cursor) if cursor else None
    with caller_transaction(request, caller) as connection:
        found = list_uploads(connection, limit=limit + 1, before=before)
    language = language_of(request.headers.get("accept-language"))
    page: dict[str, Any] = {"uploads": [upload_view(one, language) for one in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1]
        page["next"] = f"{PATH}?limit={limit}&cursor={cursor_of(last.created_at, last.id)}"
    return JSONResponse(page)


def show(request: Request, caller: Reader, upload_id: UUID) -> Response:
    """Show an upload: its state, and when it was rejected why."""
    platform = platform_of(request)
    with caller_transaction(request, caller) as connection:
        found = get_upload(connection, upload_id)
    view = upload_view(found, language_of(request.headers.get("accept-language")))
    return JSONResponse(view, headers={"ETag": etag(found), **upload_headers(found, platform)})


def discard(request: Request, caller: Uploader, upload_id: UUID) -> Response:
    """Take an upload back that is not being worked on and has not ended."""
    platform = platform_of(request)
    with caller_transaction(request, caller) as connection:
        gone = move(connection, upload_id, Event.DISCARD, Actor.OWNER, patience=platform.patience)
    # Its file and what it staged are taken away by the next sweep, which does so for a lost call as well.
    return JSONResponse(upload_view(gone, language_of(request.headers.get("accept-language"))))


def events(
    request: Request,
    caller: Reader,
    upload_id: UUID,
    after: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**31 - 1)] = None,
) -> Response:
    """Give the events after a number: as they come (text/event-stream), or those that there are (JSON)."""
    platform = platform_of(request)
    start = last_event_id if last_event_id is not None else after or 0
    with caller_transaction(request, caller) as connection:
        get_upload(connection, upload_id)
        found = list_events(connection, upload_id, after=start)
    wanted = media_type_of(request.headers.get("accept"), _EVENTS)
    if wanted is None:
        raise ProblemException("not-acceptable", f"there is {' and '.join(_EVENTS)}")
    if wanted == "application/json":
        return JSONResponse({"events": [event_view(one) for one in found]})
    stream = _stream(platform, caller, upload_id, start)
    return EventSourceResponse(stream, headers={"X-Accel-Buffering": "no"})


async def _stream(platform: Platform, caller: Principal, upload_id: UUID, after: int) -> AsyncIterator[bytes]:
    """Every event once and in order, until the upload has ended or the stream is old enough to be taken up anew."""

    def look(after: int) -> tuple[list[UploadEvent], bool]:
        with transaction(platform.databases.app, caller.organisation_id) as connection:
            # A token that was ended ends what it opened, at once and not when the stream is taken up anew.
            if not still_may(connection, caller, Scope.NETWORK_READ):
                return [], True
            ended = get_upload(connection, upload_id).ended
            return list_events(connection, upload_id, after=after), ended

    loop = asyncio.get_running_loop()
    began = pinged = loop.time()
    yield format_sse_event(comment="events", retry=2000)
    while loop.time() - began < platform.settings.longest_stream_s:
        found, ended = await run_in_threadpool(look, after)
        for one in found:
            after = one.number
            data = json.dumps(event_view(one), ensure_ascii=False)
            yield format_sse_event(data_str=data, event=one.kind, id=str(one.number))
        # Asked in the same transaction: an upload that has ended has no event to come.
        if ended and not found:
            return
        if loop.time() - pinged > _PING_S:
            pinged = loop.time()
            yield format_sse_event(comment="ping")
        await asyncio.sleep(0 if ended else _POLL_S)


def _wanted(given: UploadRequest, platform: Platform) -> NewUpload:
    if given.size > platform.largest_bytes:
        raise ProblemException(
            "body-too-large", f"a file may have {platform.largest_bytes} bytes, not {given.size}"
        )
    if given.mapping is not None:
        parse_mapping(given.mapping)  # refused now, with its line, and not after the file has been sent
    return NewUpload(
        file_name=given.file_name,
        size_bytes=given.size,
        sha256=given.sha256,
        mode=given.mode,
        deletes=given.deletes,
        crs=given.crs,
        mapping=given.mapping,
        auto_approve=given.auto_approve,
        confirm_empty=given.confirm == "empty",
    )
