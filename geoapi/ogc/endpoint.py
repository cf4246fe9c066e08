"""A route of the OGC API: an application of its own, with nothing between it and the server that it does not need.

Answers that wait for more than the database, or that take long to write, are made in threads.
"""

from collections.abc import Awaitable, Callable, Collection
from gzip import compress
from inspect import iscoroutinefunction
from typing import Final

from anyio.to_thread import run_sync
from fastapi import Request, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from geoapi.ogc.query import check_known

READS: Final = ("GET", "HEAD")
PAGE: Final = frozenset({"f", "lang"})
"""The parameters of what describes."""
_COMPRESSED_FROM: Final = 1000
_IN_A_THREAD_FROM: Final = 50_000
_COMPRESSION: Final = 4
"""Of nine: a page of 1,000 lines shrinks to a sixth in a third of the time that it takes to make."""

type Answering = Callable[[Request], Awaitable[Response]]


class _Endpoint:
    """Answers what a route is called for, and compresses it for who takes it so."""

    def __init__(self, answer: Answering, known: frozenset[str] | None) -> None:
        self._answer = answer
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        if self._known is not None:
            check_known(request.query_params, self._known)
        answer = await self._answer(request)
        if "gzip" in request.headers.get("accept-encoding", ""):
            await _shrink(answer)
        await answer(scope, receive, send)


def route(
    path: str,
    answer: Answering | Callable[[Request], Response],
    *,
    known: frozenset[str] | None = None,
    methods: Collection[str] = READS,
) -> Route:
    """Return a route; `known` are all the parameters that it has, None where the answer itself looks at them.

    An answer that is no coroutine is made in a thread.
    """
    waits: Answering = answer if iscoroutinefunction(answer) else _threaded(answer)  # type: ignore[arg-type]
    return Route(path, _Endpoint(waits, known), methods=[*methods])


def _threaded(answer: Callable[[Request], Response]) -> Answering:
    async def answered(request: Request) -> Response:
        return await run_sync(answer, request)

    return answered


async def _shrink(answer: Response) -> None:
    """Compress an answer that is whole, is worth it, and is not compressed yet."""
    body = bytes(getattr(answer, "body", b""))
    if len(body) < _COMPRESSED_FROM or "content-encoding" in answer.headers:
        return
    small = len(body) < _IN_A_THREAD_FROM
    # Without a time in it: equal answers are equal bytes.
    answer.body = (
        compress(body, _COMPRESSION, mtime=0)
        if small
        else await run_sync(lambda: compress(body, _COMPRESSION, mtime=0))
    )
    answer.headers["content-encoding"] = "gzip"
    answer.headers["content-length"] = str(len(answer.body))
    answer.headers.add_vary_header("Accept-Encoding")
