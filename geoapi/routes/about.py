"""Where people find its pages, whether the service lives, and what its problems mean."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import anyio
import anyio.to_thread
import psycopg
from fastapi import FastAPI, Request, Response
from sqlalchemy import Pool
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, RedirectResponse

from geoapi.clocks import look_at_clocks
from geoapi.ogc.site import ROOT
from geoapi.problems import PROBLEMS_PATH, problem_page, problem_types

_HEALTH_S: Final = 3.0
"""Seconds after which a database that says nothing counts as one that does not answer."""


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route("/", front, methods=["GET"], include_in_schema=False)
    app.add_api_route("/healthz", health, methods=["GET"], summary="Whether the service lives")
    app.add_api_route(PROBLEMS_PATH, problems, methods=["GET"], summary="Every kind of problem")
    app.add_api_route(f"{PROBLEMS_PATH}/{{slug}}", problem, methods=["GET"], summary="One kind of problem")


def front() -> Response:
    """Lead a person who knows no more than the service's name to its pages."""
    return RedirectResponse(f"{ROOT}/", HTTPStatus.SEE_OTHER)


async def health(request: Request) -> Response:
    """Answer whether the database answers, over connections and threads of its own: those of the work may all be taken."""
    state = request.app.state
    answers = False
    with anyio.move_on_after(_HEALTH_S):
        answers = await anyio.to_thread.run_sync(
            # A thread that waits for a broken network is left to it.
            _answers,
            state.health_pool,
            limiter=state.health_threads,
            abandon_on_cancel=True,
        )
    told = {"status": "ok" if answers else "unavailable", "database": "ok" if answers else "unavailable"}
    status = HTTPStatus.OK if answers else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(told, status, headers={} if answers else {"Retry-After": "5"})


def problems() -> dict[str, Any]:
    """List every kind of problem with its status and titles."""
    kinds = problem_types().values()
    return {
        "problems": [
            {"type": f"{PROBLEMS_PATH}/{kind.slug}", "status": kind.status, "title": dict(kind.titles)}
            for kind in kinds
        ]
    }


def problem(request: Request, slug: str) -> Response:
    """Tell of one kind of problem what it means and what to do, as a page or as JSON."""
    return problem_page(request, slug)


def _answers(pool: Pool) -> bool:
    try:
        connection = pool.connect()
    except (psycopg.Error, SQLAlchemyError):
        return False
    try:
        cursor = connection.cursor()
        look_at_clocks(lambda: _time_by(cursor))
        cursor.close()
    except (psycopg.Error, SQLAlchemyError):
        connection.invalidate()
        return False
    finally:
        connection.close()
    return True


def _time_by(cursor: DBAPICursor) -> datetime:
    cursor.execute("SELECT clock_timestamp()")
    ((found,),) = cursor.fetchall()
    moment: datetime = found
    return moment
