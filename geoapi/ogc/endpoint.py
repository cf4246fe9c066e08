"""A route of the OGC API: an answer that is made in a thread, for it waits for the database."""

from collections.abc import Callable, Collection
from typing import Final

from anyio.to_thread import run_sync
from fastapi import Request, Response
from starlette.routing import Route

from geoapi.ogc.query import check_known

READS: Final = ("GET", "HEAD")
PAGE: Final = frozenset({"f", "lang"})
"""The parameters of what describes."""


def route(
    path: str,
    answer: Callable[[Request], Response],
    *,
    known: frozenset[str] | None = None,
    methods: Collection[str] = READS,
) -> Route:
    """Return a route; `known` are all the parameters that it has, None where the answer itself looks at them."""

    async def endpoint(request: Request) -> Response:
        if known is not None:
            check_known(request.query_params, known)
        return await run_sync(answer, request)

    return Route(path, endpoint, methods=[*methods])
