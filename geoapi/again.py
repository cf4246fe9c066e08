"""Calls that the database broke off for no fault of theirs, made again before anybody is told.

Of two transactions that wait for each other the database ends one, and of two that cannot be put in an order too. What
was ended left nothing, so the route runs again on the same request. After a few times it is left to the caller: 503.
"""

import asyncio
from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from random import uniform
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError

from ler.db.engine import sqlstate

MOST_TIMES: Final = 4
"""The first time, and three more."""

_PASSING: Final = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock."""
_FIRST_PAUSE_S: Final = 0.02


class RepeatingRoute(APIRoute):
    """A route that runs again when the database has ended its transaction in favour of another."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        handle = super().get_route_handler()
        # A body that is read as it comes cannot be read again.
        if iscoroutinefunction(self.endpoint):
            return handle

        async def handle_again(request: Request) -> Response:
            for times in range(1, MOST_TIMES):
                try:
                    return await handle(request)
                except DBAPIError as error:
                    if sqlstate(error) not in _PASSING or _is_form(request):
                        raise
                    # By chance, or both would meet again.
                    await asyncio.sleep(uniform(0.5, 1.5) * _FIRST_PAUSE_S * 4**times)  # noqa: S311 - no secret
            return await handle(request)

        return handle_again


def _is_form(request: Request) -> bool:
    """Whether the body is a form, whose files are gone once it was read."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in {"multipart/form-data", "application/x-www-form-urlencoded"}
