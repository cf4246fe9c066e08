"""Packages: what there is of a request, and their files; what happens to a request, as it happens."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from datetime import UTC
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, format_sse_event
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction, still_may
from geoapi.kept_files import KeptFile, entity_tag, is_known, range_of, unchanged
from geoapi.negotiation import media_type_of
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from geoapi.streams import StreamLimit
from ler.domain.access import Scope
from ler.errors import BlobDamagedError
from ler.services.packages import (
    Download,
    StoredPackage,
    call_for_mending,
    find_owners_package,
    get_package,
    get_packing_state,
    list_downloads,
    list_packages,
    record_download,
)
from ler.services.request_events import RequestEvent, list_request_events
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.REQUEST_READ))]
type Owner = Annotated[Principal, Depends(May(Scope.ANSWER_READ))]

REQUEST: Final = "/api/v1/requests/{request_id}"
PACKAGE: Final = "/api/v1/packages/{package_id}"
OWNERS_PACKAGE: Final = "/api/v1/owner-requests/{owner_request_id}/package"

_POLL_S: Final = 0.5
_PING_S: Final = 15.0
_LOOK_AT_TOKEN_S: Final = 5.0
_MOST_EVENTS: Final = 500
_EVENTS: Final = ("application/json", "text/event-stream")


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.state.streams = StreamLimit(platform_streams(app))
    app.add_api_route(
        f"{REQUEST}/packages", packages, methods=["GET"], summary="Packages of a request, the newest first"
    )
    app.add_api_route(
        f"{REQUEST}/events",
        events,
        methods=["GET"],
        summary="What happens to a request, as it happens",
        response_model=None,
    )
    app.add_api_route(
        PACKAGE, package, methods=["GET", "HEAD"], summary="A package's file", response_model=None
    )
    app.add_api_route(f"{PACKAGE}/manifest", manifest, methods=["GET"], summary="What a package is made of")
    app.add_api_route(f"{PACKAGE}/downloads", downloads, methods=["GET"], summary="Who fetched a package")
    app.add_api_route(
        f"{OWNERS_PACKAGE}/downloads",
        owners_downloads,
        methods=["GET"],
        summary="Who fetched packages with one's own answers",
    )
    app.add_api_route(
        OWNERS_PACKAGE,
        owners_package,
        methods=["GET", "HEAD"],
        summary="The newest package of one's own answers",
        response_model=None,
    )


def platform_streams(app: FastAPI) -> int:
    """Return how many streams an organisation may have open."""
    return int(app.state.platform.settings.streams_per_organisation)


def packages(request: Request, caller: Reader, request_id: UUID) -> Response:
    """List the packages; `being_made` says that a newer one is under way."""
    with caller_transaction(request, caller) as connection:
        state = get_packing_state(connection, request_id)
        found = list_packages(connection, request_id)
    return JSONResponse(
        {
            "request_id": str(request_id),
            "state": str(state.state),
            "revision": state.revision,
            "being_made": state.left_to_make,
            "packages": [_view(one) for one in found],
        }
    )


def package(request: Request, caller: Reader, package_id: UUID) -> Response:
    """Give a package's file, or a part of it; every time is recorded."""
    with caller_transaction(request, caller) as connection:
        stored = get_package(connection, package_id)
    return hand_out(request, partial(caller_transaction, request, caller), caller.organisation_id, stored)


def manifest(request: Request, caller: Reader, package_id: UUID) -> Response:
    """Give the manifest that is in a package, without the package."""
    with caller_transaction(request, caller) as connection:
        stored = get_package(connection, package_id)
    tag = entity_tag(f"{stored.sha256}.manifest")
    if is_known(request, tag):
        return unchanged({"ETag": tag})
    return JSONResponse(stored.manifest, headers={"ETag": tag})


def downloads(
    request: Request, caller: Reader, package_id: UUID, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Response:
    """List the downloads of a package, the newest first."""
    with caller_transaction(request, caller) as connection:
        found = list_downloads(connection, package_id, most=limit)
    return JSONResponse({"downloads": [_download_view(one) for one in found]})


def owners_downloads(
    request: Request, caller: Owner, owner_request_id: UUID, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Response:
    """List the downloads of packages that hold the caller's own answers, the newest first."""
    with caller_transaction(request, caller) as connection:
        stored = find_owners_package(connection, owner_request_id, caller.organisation_id)
        found = list_downloads(connection, stored.id, most=limit) if stored else []
    return JSONResponse({"downloads": [_download_view(one) for one in found]})


def owners_package(
    request: Request,
    caller: Owner,
    owner_request_id: UUID,
    revision: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """Give what the requester was given of the caller's own answers: the newest, or that of a revision."""
    with caller_transaction(request, caller) as connection:
        stored = find_owners_package(connection, owner_request_id, caller.organisation_id, revision)
    if stored is None:
        raise ProblemException("package-not-made", headers={"Retry-After": "2"})
    return hand_out(request, partial(caller_transaction, request, caller), caller.organisation_id, stored)


def events(
    request: Request,
    caller: Reader,
    request_id: UUID,
    after: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**31 - 1)] = None,
) -> Response:
    """Give the events after a number: as they come (text/event-stream), or those that there are (JSON)."""
    start = last_event_id if last_event_id is not None else after or 0
    with caller_transaction(request, caller) as connection:
        found, _ = list_request_events(connection, request_id, after=start, limit=_MOST_EVENTS)
    wanted = media_type_of(request.headers.get("accept"), _EVENTS)
    if wanted is None:
        raise ProblemException("not-acceptable", f"there is {' and '.join(_EVENTS)}")
    if wanted == "application/json":
        return JSONResponse({"events": [_event_view(one) for one in found]})
    _streams_of(request).check(caller.organisation_id)
    stream = _stream(request, caller, request_id, start)
    return EventSourceResponse(stream, headers={"X-Accel-Buffering": "no"})


async def _stream(request: Request, caller: Principal, request_id: UUID, after: int) -> AsyncIterator[bytes]:
    """Every event once and in order, until the request is over, the caller may no longer listen, or the stream is old."""

    def look(after: int) -> tuple[list[RequestEvent], bool]:
        with caller_transaction(request, caller) as connection:
            return list_request_events(connection, request_id, after=after, limit=_MOST_EVENTS)

    loop = asyncio.get_running_loop()
    began = pinged = looked = loop.time()
    with _streams_of(request).opened(caller.organisation_id):
        yield format_sse_event(comment="events", retry=2000)
        while loop.time() - began < platform_of(request).settings.longest_stream_s:
            if loop.time() - looked > _LOOK_AT_TOKEN_S:
                looked = loop.time()
                if not await run_in_threadpool(_may_listen, request, caller):
                    return
            found, over = await run_in_threadpool(look, after)
            for one in found:
                after = one.number
                data = json.dumps(_event_view(one), ensure_ascii=False)
                yield format_sse_event(data_str=data, event=one.kind, id=str(one.number))
            if over and not found:
                return
            if loop.time() - pinged > _PING_S:
                pinged = loop.time()
                yield format_sse_event(comment="ping")
            await asyncio.sleep(_POLL_S)


def _may_listen(request: Request, caller: Principal) -> bool:
    with caller_transaction(request, caller) as connection:
        return still_may(connection, caller, Scope.REQUEST_READ)


def _streams_of(request: Request) -> StreamLimit:
    found = request.app.state.streams
    if not isinstance(found, StreamLimit):
        raise TypeError("the application was made without a limit of streams")
    return found


def hand_out(
    request: Request,
    acting: Callable[[], AbstractContextManager[Connection]],
    actor: UUID,
    stored: StoredPackage,
    link_id: UUID | None = None,
) -> Response:
    """Give a package's file, or the part that is asked for, and record it before its first byte."""
    tag = entity_tag(stored.sha256)
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Ler-Package-Revision": str(stored.revision),
    }
    if is_known(request, tag):
        return unchanged(headers)
    part = range_of(request, tag, stored.size_bytes)
    platform = platform_of(request)
    try:
        stream = platform.store.open(stored.sha256, verify=True)
    except BlobDamagedError:
        with acting() as connection:
            call_for_mending(connection, stored.id)
        raise ProblemException("package-damaged", headers={"Retry-After": "2"}) from None
    if request.method == "GET":
        # Before the first byte: what left the house and was not written down would never be known.
        with acting() as connection:
            record_download(connection, actor, stored, part, link_id)
    return KeptFile(
        stream, media_type="application/zip", filename=stored.file_name, headers=headers, part=part
    )


def _view(stored: StoredPackage) -> dict[str, Any]:
    address = PACKAGE.format(package_id=stored.id)
    owner = {"cvr": stored.owner_cvr, "name": stored.owner_name} if stored.owner_id else None
    return {
        "id": str(stored.id),
        "kind": "owner" if stored.owner_id else "consolidated",
        "owner": owner,
        "revision": stored.revision,
        "current": stored.current,
        "complete": stored.manifest.get("complete"),
        "notices": stored.manifest.get("notices", []),
        "file_name": stored.file_name,
        "size_bytes": stored.size_bytes,
        "sha256": stored.sha256,
        "feature_count": stored.feature_count,
        "verification_code": stored.manifest.get("verification_code"),
        "created_at": stored.created_at.astimezone(UTC).isoformat(),
        "file": address,
        "manifest": f"{address}/manifest",
        "changes": f"{address}/changes",
    }


def _download_view(download: Download) -> dict[str, Any]:
    told = {
        "at": download.at.astimezone(UTC).isoformat(),
        "package_id": str(download.package_id),
        "kind": "consolidated" if download.consolidated else "owner",
        "revision": download.revision,
        "range": download.part,
        "link": download.link_id,
    }
    who = {"actor": download.actor, "account": download.account_id, "provider": download.provider_id}
    return told | {name: str(value) if value else None for name, value in who.items()}


def _event_view(event: RequestEvent) -> dict[str, Any]:
    owner = {"cvr": event.owner_cvr, "name": event.owner_name} if event.owner_name else None
    return {
        "number": event.number,
        "at": event.at.astimezone(UTC).isoformat(),
        "kind": event.kind,
        "owner": owner,
        "data": event.data,
    }
