"""What an organisation is told: as a list to be read on from a place, as a stream, as a feed, and as a calendar.

Whoever goes on from the last place it has seen misses nothing, whatever became of webhooks and mails.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction, still_may
from geoapi.delivery.feeds import atom_feed, deadline_calendar
from geoapi.negotiation import language_of
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ler.domain.access import Scope
from ler.services.calendars import list_dig_periods, list_due_dates
from ler.services.notices import Notice, list_newest_notices, list_notices
from ler.services.tokens import Principal, TokenRefusedError

type Reader = Annotated[Principal, Depends(May(Scope.NOTICE_READ))]

NOTICES: Final = "/api/v1/notices"
EVENTS: Final = "/api/v1/events"
ATOM: Final = "/api/v1/feeds/notices.atom"
CALENDAR: Final = "/api/v1/feeds/deadlines.ics"

_LARGEST: Final = 2**63 - 1
_POLL_S: Final = 1.0
_PING_S: Final = 15.0
_PAGE: Final = 100
_STREAMS: Final = 5
"""Streams that an organisation may have open in one process."""


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.state.notice_streams = {}
    for path, route, summary in (
        (NOTICES, listing, "What you were told, from a place on"),
        (EVENTS, stream, "What you are told, as it happens"),
        (ATOM, feed, "What you were told lately, for a feed reader"),
        (CALENDAR, calendar, "What is due, for a calendar"),
    ):
        app.add_api_route(path, route, methods=["GET"], summary=summary, response_model=None)


def listing(
    request: Request,
    caller: Reader,
    after: Annotated[int, Query(ge=0, le=_LARGEST, description="The last place that you have seen.")] = 0,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = _PAGE,
) -> Response:
    """List notices in the order of their places; `next` leads on, and is asked again when there is nothing yet."""
    with caller_transaction(request, caller) as connection:
        found = list_notices(connection, after=after, limit=limit)
    last = found[-1].position if found else after
    page = {
        "notices": [notice_view(one) for one in found],
        "next": f"{NOTICES}?after={last}&limit={limit}",
    }
    return JSONResponse(page, headers={"Cache-Control": "no-store"})


def stream(
    request: Request,
    caller: Reader,
    after: Annotated[int | None, Query(ge=0, le=_LARGEST)] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=_LARGEST)] = None,
) -> Response:
    """Give notices as they come, from the place after the last one that was seen; without one, from now on."""
    start = last_event_id if last_event_id is not None else after
    if start is None:
        with caller_transaction(request, caller) as connection:
            newest = list_newest_notices(connection, limit=1)
        start = newest[0].position if newest else 0
    open_streams: dict[Any, int] = request.app.state.notice_streams
    if open_streams.get(caller.organisation_id, 0) >= _STREAMS:
        raise ProblemException("streams-too-many")
    return EventSourceResponse(_stream(request, caller, start), headers={"X-Accel-Buffering": "no"})


async def _stream(request: Request, caller: Principal, after: int) -> AsyncIterator[bytes]:
    """Every notice once and in order, until the token ends or the stream is old enough to be taken up anew."""

    def look(after: int) -> list[Notice]:
        with caller_transaction(request, caller) as connection:
            # Asked each time: whoever lost the token or the right is told nothing more. Not counted as a call.
            if not still_may(connection, caller, Scope.NOTICE_READ):
                raise TokenRefusedError
            return list_notices(connection, after=after, limit=_PAGE)

    open_streams: dict[Any, int] = request.app.state.notice_streams
    open_streams[caller.organisation_id] = open_streams.get(caller.organisation_id, 0) + 1
    loop = asyncio.get_running_loop()
    began = pinged = loop.time()
    try:
        yield format_sse_event(comment="notices", retry=2000)
        while loop.time() - began < platform_of(request).settings.longest_stream_s:
            try:
                found = await run_in_threadpool(look, after)
            except Exception:  # noqa: BLE001 - the caller comes again, and is then told why not
                return
            for one in found:
                after = one.position
                data = json.dumps(notice_view(one), ensure_ascii=False)
                yield format_sse_event(data_str=data, event=one.kind, id=str(one.position))
            if loop.time() - pinged > _PING_S:
                pinged = loop.time()
                yield format_sse_event(comment="ping")
            if len(found) < _PAGE:
                await asyncio.sleep(_POLL_S)
    finally:
        open_streams[caller.organisation_id] -= 1
        if not open_streams[caller.organisation_id]:
            del open_streams[caller.organisation_id]


def feed(request: Request, caller: Reader) -> Response:
    """Give the last hundred notices as an Atom feed (RFC 4287)."""
    language = language_of(request.headers.get("accept-language"))
    address = platform_of(request).settings.public_address
    with caller_transaction(request, caller) as connection:
        found = list_newest_notices(connection, limit=_PAGE)
    content = atom_feed(found, caller.organisation_id, address + ATOM, language)
    headers = {"Cache-Control": "private, no-cache", "Content-Language": language}
    return Response(content, media_type="application/atom+xml", headers=headers)


def calendar(request: Request, caller: Reader) -> Response:
    """Give answers that are owed, by you or to you, and your own digs as a calendar (RFC 5545)."""
    language = language_of(request.headers.get("accept-language"))
    with caller_transaction(request, caller) as connection:
        due = list_due_dates(connection, caller.organisation_id, limit=500)
        digs = list_dig_periods(connection, caller.organisation_id, limit=500)
    headers = {"Cache-Control": "private, no-cache", "Content-Language": language}
    return Response(deadline_calendar(due, digs, language), media_type="text/calendar", headers=headers)


def notice_view(notice: Notice) -> dict[str, Any]:
    """Return a notice as its audience sees it."""
    return {
        "id": str(notice.id),
        "position": notice.position,
        "at": notice.at.isoformat(),
        "type": notice.kind,
        "request_id": str(notice.request_id) if notice.request_id else None,
        "number": notice.number,
        "owner_id": str(notice.owner_id) if notice.owner_id else None,
        "data": {name: value for name, value in notice.data.items() if name != "quiet"},
    }
