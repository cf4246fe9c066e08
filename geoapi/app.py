"""The HTTP service, built from settings and databases; importing it makes nothing.

Every route says which scope a caller needs, or stands in `PUBLIC`; an application with a route that says neither is not
made. Answers that are no success are problem documents (`geoapi.problems`).
"""

from functools import cache
from http import HTTPStatus
from typing import Final

from anyio import CapacityLimiter
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from geoapi import cookies
from geoapi.again import RepeatingRoute
from geoapi.auth import guard_of
from geoapi.database import Databases
from geoapi.description import describe
from geoapi.middleware import BodyLimit, Surroundings
from geoapi.ogc.html_problems import as_page
from geoapi.ogc.routes import OgcApi
from geoapi.ogc.site import ROOT as OGC
from geoapi.parameters import only_known_parameters
from geoapi.platform import Platform, upload_files
from geoapi.problems import Problem, ProblemError, ProblemException, problem_of, problem_response
from geoapi.refusals import record_refusal
from geoapi.request_views import PATH as REQUESTS
from geoapi.routes import (
    about,
    answer_page,
    answers,
    audit,
    clearances,
    clients,
    contacts,
    content,
    damages,
    decisions,
    deviations,
    dispensations,
    ducts,
    endpoints,
    features,
    interest_areas,
    limits,
    login,
    members,
    networks,
    notices,
    oauth,
    orders,
    organisations,
    owner_requests,
    package_changes,
    package_links,
    packages,
    precautions,
    reports,
    request_changes,
    requests,
    restrictions,
    rights,
    sensitivity,
    styles,
    tokens,
    uploads,
    verification,
    windows,
    works,
)
from ler.errors import LerError
from ler.services.answer_links import PAGE
from ler.settings import Settings

PUBLIC: Final = frozenset(
    {
        *("/healthz", "/problems", "/problems/{slug}", limits.PATH),
        *(cookies.LOGIN_PATH, login.CALLBACK, oauth.PATH, oauth.METADATA, damages.CODES, damages.STATISTICS),
        *(answer_page.PATH, answer_page.AREA_PATH, styles.PATH, styles.ONE),
        package_links.PATH,
        *(verification.KEYS, verification.PATH, verification.CODE),
    }
)
"""Routes without a token, besides the description of the API; the page of an answer has a secret in its address."""

DESCRIPTION: Final = "/api/v1/openapi.json"
_ROUTES: Final = (
    about,
    uploads,
    content,
    decisions,
    reports,
    networks,
    features,
    organisations,
    members,
    rights,
    interest_areas,
    contacts,
    limits,
    requests,
    request_changes,
    orders,
    owner_requests,
    answers,
    answer_page,
    sensitivity,
    login,
    oauth,
    tokens,
    clients,
    packages,
    package_changes,
    package_links,
    verification,
    audit,
    endpoints,
    notices,
    damages,
    deviations,
    dispensations,
    ducts,
    works,
    windows,
    restrictions,
    precautions,
    clearances,
    styles,
)
"""In the order in which they are tried."""

LARGEST_BODY: Final = 1 << 20
"""Bytes of a body that is no file."""
LARGEST_CALL: Final = 32 << 20
"""Bytes of a call of a process that takes a file; a larger file is uploaded and named by its id."""
LARGEST_FORM: Final = 10 << 20
"""Bytes of a form with files: of a dig area, 8 MiB each and all together."""


class Service(FastAPI):
    """The service, with the OGC API beside the framework's routes, surrounded like them."""

    ogc: ASGIApp

    def add_ogc(self, ogc: ASGIApp) -> None:
        """Let an application answer what is below the root of the OGC API."""
        self.ogc = ogc
        for middleware in reversed(self.user_middleware):
            self.ogc = middleware.cls(self.ogc, *middleware.args, **middleware.kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, or the server's when it begins and ends."""
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{OGC}/"):
            scope["app"] = self
            await self.ogc(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings, databases: Databases) -> FastAPI:
    """Return the application; the caller closes the databases after it."""
    platform = Platform(settings, databases, upload_files(settings))
    app = Service(
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
                file_routes={
                    "*/content": platform.largest_bytes,
                    REQUESTS: LARGEST_FORM,
                    f"{REQUESTS}/price": LARGEST_FORM,
                    f"{PAGE}/*": settings.max_answer_mb << 20,
                    "*/answers": settings.max_answer_mb << 20,
                    f"{OGC}/processes/check-network/execution": LARGEST_CALL,
                },
                timeout_s=settings.body_timeout_s,
            ),
        ],
    )
    app.state.platform = platform
    app.state.relying_party = login.relying_party(platform)
    app.state.health_pool = databases.app.pool.recreate()
    app.state.health_threads = CapacityLimiter(2)
    app.router.route_class = RepeatingRoute
    for routes in _ROUTES:
        routes.add_routes(app)
    app.add_ogc(OgcApi(app, platform, _answer_ogc))
    for error in (LerError, ProblemException, DBAPIError):
        app.add_exception_handler(error, _answer)
    app.add_exception_handler(RequestValidationError, _answer_unreadable)
    app.add_exception_handler(HTTPException, _answer_unrouted)
    _check_guarded(app)
    # Worked out when it is asked for, and kept.
    setattr(app, "openapi", cache(lambda: describe(app, PUBLIC)))  # noqa: B010 - a method, as FastAPI wants it
    return app


def routes_of(app: FastAPI) -> list[APIRoute]:
    """Return our routes, in the order in which they are tried."""
    return [route for route in app.routes if isinstance(route, APIRoute)]


def _check_guarded(app: FastAPI) -> None:
    for route in routes_of(app):
        if (guard_of(route.dependant) is None) != (route.path in PUBLIC):
            raise TypeError(f"the route {route.path} must be guarded by May or stand in PUBLIC")
    known = {DESCRIPTION, *(route.path for route in routes_of(app))}
    others = [str(getattr(route, "path", route)) for route in app.routes]
    if set(others) - known:
        raise TypeError(f"routes that nobody guards: {set(others) - known}")


def _told(request: Request, problem: Problem) -> Response:
    return as_page(request, problem_response(request, problem))


def _answer_ogc(request: Request, error: Exception) -> Response:
    return (_answer_unrouted if isinstance(error, HTTPException) else _answer)(request, error)


def _answer(request: Request, error: Exception) -> Response:
    return _told(request, record_refusal(request, problem_of(error), error))


def _answer_unreadable(request: Request, error: Exception) -> Response:
    """Parameters that the framework cannot read. An id that is none names nothing: 404, as any other unknown id."""
    if not isinstance(error, RequestValidationError):
        raise error
    places = [one["loc"] for one in error.errors()]
    if any(place[0] == "path" for place in places):
        return _told(request, Problem("not-found"))
    kind = "header" if all(place[0] == "header" for place in places) else "parameter"
    errors = tuple(
        ProblemError(f"{kind}-invalid", one["msg"], "/".join(str(part) for part in one["loc"]))
        for one in error.errors()
    )
    return _told(request, Problem(f"{kind}-invalid", errors=errors))


def _answer_unrouted(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _told(request, Problem("method-not-allowed", headers=dict(error.headers or {})))
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _told(request, Problem("not-found"))
    return _told(request, Problem("refused", str(error.detail)))
