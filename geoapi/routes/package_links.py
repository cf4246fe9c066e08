"""Links to a package for who has no token: made and ended by who may have it, used by whoever was given one."""

from datetime import UTC, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from geoapi.routes.packages import PACKAGE, hand_out
from ler.db.engine import transaction
from ler.domain.access import Scope
from ler.services.package_links import (
    DOWNLOAD,
    PackageLink,
    end_package_link,
    find_package_link,
    list_package_links,
    make_package_link,
)
from ler.services.packages import get_package
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.REQUEST_READ))]
type Maker = Annotated[Principal, Depends(May(Scope.REQUEST_WRITE))]

LINKS: Final = f"{PACKAGE}/links"
LINK: Final = f"{LINKS}/{{link_id}}"
PATH: Final = f"{DOWNLOAD}/{{secret}}"


class LinkRequest(BaseModel):
    """What a new link is to be."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[
        int | None,
        Field(strict=True, ge=1, le=366, description="How long it can be used; else as long as it may."),
    ] = None


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    schema = {"content": {"application/json": {"schema": LinkRequest.model_json_schema()}}, "required": True}
    app.add_api_route(LINKS, links, methods=["GET"], summary="Links to a package that can be used")
    app.add_api_route(
        LINKS,
        make,
        methods=["POST"],
        status_code=201,
        summary="Make a link by which a package is fetched without a token",
        openapi_extra={"requestBody": schema},
    )
    app.add_api_route(LINK, end, methods=["DELETE"], status_code=204, summary="End a link")
    app.add_api_route(
        PATH, download, methods=["GET", "HEAD"], summary="A package's file, by a link", response_model=None
    )


def links(request: Request, caller: Reader, package_id: UUID) -> Response:
    """List them, without the secrets, which nobody has but who was given them."""
    with caller_transaction(request, caller) as connection:
        get_package(connection, package_id)
        found = list_package_links(connection, package_id)
    return JSONResponse({"links": [_view(one) for one in found]})


def make(
    request: Request, caller: Maker, package_id: UUID, body: Annotated[bytes, Depends(body_of)]
) -> Response:
    """Make a link; the answer shows it, this once."""
    wanted = read_json(LinkRequest, body)
    platform = platform_of(request)
    most = platform.settings.package_link_days
    if wanted.days is not None and wanted.days > most:
        raise ProblemException("field-invalid", f"a link lives {most} days at most")
    with caller_transaction(request, caller) as connection:
        made, path = make_package_link(connection, caller, package_id, timedelta(days=wanted.days or most))
    return JSONResponse(_view(made) | {"url": f"{platform.origin}{path}"}, HTTPStatus.CREATED)


def end(request: Request, caller: Maker, package_id: UUID, link_id: UUID) -> Response:
    """End a link at once."""
    with caller_transaction(request, caller) as connection:
        end_package_link(connection, caller.organisation_id, package_id, link_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def download(request: Request, secret: str) -> Response:
    """Give the file, or a part of it, to whoever has the link; it is recorded as a download by that link."""
    databases = platform_of(request).databases
    with transaction(databases.app, None) as connection:
        link = find_package_link(connection, secret)
    acting = partial(transaction, databases.app, link.organisation_id)
    with acting() as connection:
        stored = get_package(connection, link.package_id)
    return hand_out(request, acting, link.organisation_id, stored, link.id)


def _view(link: PackageLink) -> dict[str, Any]:
    return {
        "id": str(link.id),
        "created_at": link.created_at.astimezone(UTC).isoformat(),
        "expires_at": link.expires_at.astimezone(UTC).isoformat(),
    }
