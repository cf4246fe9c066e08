"""The HTTP service, built from settings and databases; importing it makes nothing.

Every route says which scope a caller needs, or stands in `PUBLIC`; an application with a route that says neither is not
made. Answers that are no success are problem documents (`geoapi.problems`).
"""

from http import HTTPStatus
from typing import Final

from anyio import CapacityLimiter
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from geoapi.auth import scope_of
from geoapi.database import Databases
from geoapi.middleware import BodyLimit, Surroundings
from geoapi.parameters import only_known_parameters
from geoapi.platform import Platform, upload_files
from geoapi.problems import Problem, ProblemError, ProblemException, problem_of, problem_response
from geoapi.routes import about, content, decisions, endpoints, features, networks, notices, reports, uploads
from ler.errors import LerError
from ler.settings import Settings

PUBLIC: Final = frozenset({"/healthz", "/problems", "/problems/{slug}"})
"""Routes without a token, besides the description of the API."""

DESCRIPTION: Final = "/api/v1/openapi.json"
LARGEST_BODY: Final = 1 << 20
"""Bytes of a body that is no file."""


def create_app(settings: Settings, databases: Databases) -> FastAPI:
    """Return the application; the caller closes the databases after it."""
    platform = Platform(settings, databases, upload_files(settings))
    app = FastAPI(
        title="ler",
        summary="Exchange of data about buried cables and pipes",
        version="1",
        openapi_url=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(only_known_parameters)],
        middleware=[
            Middleware(Surroundings),
            Middleware(
                BodyLimit,
                most_bytes=LARGEST_BODY,
                largest_file=platform.largest_bytes,
                timeout_s=settings.body_timeout_s,
            ),
        ],
    )
    app.state.platform = platform
    app.state.health_pool = databases.app.pool.recreate()
    app.state.health_threads = CapacityLimiter(2)
    for routes in (about, uploads, content, decisions, reports, networks, features, notices, endpoints):
        routes.add_routes(app)
    for error in (LerError, ProblemException, DBAPIError):
        app.add_exception_handler(error, _answer)
    app.add_exception_handler(RequestValidationError, _answer_unreadable)
    app.add_exception_handler(HTTPException, _answer_unrouted)
    _check_guarded(app)
    return app


def routes_of(app: FastAPI) -> list[APIRoute]:
    """Return our routes, in the order in which they are tried."""
    return [route for route in app.routes if isinstance(route, APIRoute)]


def _check_guarded(app: FastAPI) -> None:
    for route in routes_of(app):
        if (scope_of(route.dependant) is None) != (route.path in PUBLIC):
            raise TypeError(f"the route {route.path} must need a scope or stand in PUBLIC")
    known = {DESCRIPTION, *(route.path for route in routes_of(app))}
    others = [str(getattr(route, "path", route)) for route in app.routes]
    if set(others) - known:
        raise TypeError(f"routes that nobody guards: {set(others) - known}")


def _answer(request: Request, error: Exception) -> Response:
    return problem_response(request, problem_of(error))


def _answer_unreadable(request: Request, error: Exception) -> Response:
    """Parameters that the framework cannot read. An id that is none names nothing: 404, as any other unknown id."""
    if not isinstance(error, RequestValidationError):
        raise error
    places = [one["loc"] for one in error.errors()]
    if any(place[0] == "path" for place in places):
        return problem_response(request, Problem("not-found"))
    kind = "header" if all(place[0] == "header" for place in places) else "parameter"
    errors = tuple(
        ProblemError(f"{kind}-invalid", one["msg"], "/".join(str(part) for part in one["loc"]))
        for one in error.errors()
    )
    return problem_response(request, Problem(f"{kind}-invalid", errors=errors))


def _answer_unrouted(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return problem_response(request, Problem("method-not-allowed", headers=dict(error.headers or {})))
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(request, Problem("not-found"))
    return problem_response(request, Problem("refused", str(error.detail)))
