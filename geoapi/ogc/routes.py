"""The paths of the OGC API, below `/ogc`. Each answers only through the gate (`geoapi.ogc.gate`)."""

from collections.abc import Callable
from typing import Final

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Router
from starlette.types import Receive, Scope, Send

from geoapi.ogc import items, pages, qgis, styles, tiles, tilesets
from geoapi.ogc.counts import Counts
from geoapi.ogc.editing import routes as editing
from geoapi.ogc.endpoint import route
from geoapi.ogc.gate import Gate
from geoapi.ogc.processes import execution, jobs
from geoapi.ogc.processes import pages as process_pages
from geoapi.ogc.site import ROOT
from geoapi.platform import Platform
from geoapi.problems import ProblemException
from ler.errors import LerError

ROUTES: Final[tuple[BaseRoute, ...]] = (
    # What is called most is looked at first.
    route(editing.ITEMS, items.items),
    *tiles.ROUTES,
    route(editing.ITEM, items.item),
    *pages.ROUTES,
    *tilesets.ROUTES,
    *styles.ROUTES,
    *qgis.ROUTES,
    *process_pages.ROUTES,
    *execution.ROUTES,
    *jobs.ROUTES,
    *editing.ROUTES,
)
"""Below the root."""


class OgcApi:
    """The OGC API as an application beside the rest of the service, in whose name it answers.

    It is called hundreds of times a second, and so has none of the framework's layers, which take longer than its answers.
    """

    def __init__(
        self, app: FastAPI, platform: Platform, answer_error: Callable[[Request, Exception], Response]
    ) -> None:
        databases, settings = platform.databases, platform.settings
        counts = Counts(settings.ogc_reads_per_minute)
        app.state.ogc_gate = Gate(databases.reads, databases.app, counts, settings.ogc_timeout_s)
        app.state.process_threads = CapacityLimiter(execution.AT_ONCE)
        self._answer_error = answer_error
        self._router = Router([*ROUTES], redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["root_path"] = ROOT
        if scope["path"] == ROOT:
            scope["path"] = f"{ROOT}/"
        try:
            await self._router(scope, receive, send)
        except (LerError, ProblemException, DBAPIError, HTTPException) as error:
            # In a thread: what was refused is written down.
            answer = await run_sync(self._answer_error, Request(scope, receive), error)
            await answer(scope, receive, send)
