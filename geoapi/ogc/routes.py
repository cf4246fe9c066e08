"""The paths of the OGC API, below `/ogc`. Each answers only through the gate (`geoapi.ogc.gate`)."""

from typing import Final

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount, Route

from geoapi.ogc import items, pages, qgis, styles, tiles, tilesets
from geoapi.ogc.counts import Counts
from geoapi.ogc.editing import routes as editing
from geoapi.ogc.endpoint import PAGE, READS, route
from geoapi.ogc.gate import Gate
from geoapi.ogc.processes import execution, jobs
from geoapi.ogc.processes import pages as process_pages
from geoapi.ogc.site import ROOT
from geoapi.platform import Platform

_COMPRESSED_FROM: Final = 1000
_COMPRESSION: Final = 4
"""Of nine: a page of 1,000 lines shrinks to a sixth in a third of the time that it takes to make."""


def add_routes(app: FastAPI, platform: Platform) -> None:
    """Add the OGC API to the application; first of all routes, for it is called most."""
    settings = platform.settings
    databases = platform.databases
    counts = Counts(settings.ogc_reads_per_minute)
    app.state.ogc_gate = Gate(databases.reads, databases.app, counts, settings.ogc_timeout_s)
    app.state.process_threads = CapacityLimiter(execution.AT_ONCE)
    app.router.routes[:0] = _mounted()


def _mounted() -> tuple[BaseRoute, ...]:
    """All below the root, and the root itself, with a slash at its end and without."""
    compressed = Middleware(GZipMiddleware, minimum_size=_COMPRESSED_FROM, compresslevel=_COMPRESSION)
    below = [
        *pages.ROUTES,
        *tilesets.ROUTES,
        *tiles.ROUTES,
        *styles.ROUTES,
        *qgis.ROUTES,
        *process_pages.ROUTES,
        *execution.ROUTES,
        *jobs.ROUTES,
        Route(editing.ITEMS, items.items, methods=READS),
        Route(editing.ITEM, items.item, methods=READS),
        *editing.ROUTES,
    ]
    return Mount(ROOT, routes=below, middleware=[compressed]), route(ROOT, pages.landing, known=PAGE)
