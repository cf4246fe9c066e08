"""Grants, by which an organisation has a role, and mandates, by which a provider acts for another."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.moments import Moment
from geoapi.parameters import body_of, read_json
from geoapi.register_http import API, View, area_of, area_view, make_once, moment, shown
from ler.domain.access import Scope
from ler.domain.roles import Role
from ler.services.grants import Grant, end_grant, get_grant, grant_role, list_grants
from ler.services.mandates import Mandate, end_mandate, get_mandate, give_mandate, list_mandates
from ler.services.register_acts import require_operator
from ler.services.registry import get_organisation
from ler.services.tokens import Principal

type Reader = Annotated[Principal, Depends(May(Scope.REGISTER_READ))]
type Writer = Annotated[Principal, Depends(May(Scope.REGISTER_WRITE))]
type Body = Annotated[bytes, Depends(body_of)]
type Key = Annotated[str | None, Header()]

GRANTS: Final = f"{API}/grants"
MANDATES: Final = f"{API}/mandates"


class NewGrant(BaseModel):
    """A role for an area and a time."""

    model_config = ConfigDict(extra="forbid", strict=True)

    organisation: Annotated[UUID, Field(strict=False)]
    role: Annotated[Role, Field(strict=False)]
    area: Annotated[
        dict[str, Any] | None, Field(description="GeoJSON with polygons; without it everywhere.")
    ] = None
    crs: Annotated[str | None, Field(max_length=100)] = None
    valid_from: Moment | None = None
    valid_to: Annotated[Moment | None, Field(description="The first moment at which it holds no longer.")] = (
        None
    )
    note: Annotated[
        str, Field(max_length=200, description="On what it rests, such as an authority's declaration.")
    ] = ""


class NewMandate(BaseModel):
    """What a provider is to do for the caller, and for how long."""

    model_config = ConfigDict(extra="forbid", strict=True)

    provider: Annotated[str, Field(pattern=r"^[0-9]{8}$", description="The provider's CVR number.")]
    scopes: Annotated[list[Annotated[Scope, Field(strict=False)]], Field(min_length=1)]
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    note: Annotated[str, Field(max_length=200)] = ""


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    grant = {"requestBody": {"content": {"application/json": {"schema": NewGrant.model_json_schema()}}}}
    mandate = {"requestBody": {"content": {"application/json": {"schema": NewMandate.model_json_schema()}}}}
    app.add_api_route(GRANTS, grants, methods=["GET"], summary="Roles that are or were granted")
    app.add_api_route(
        GRANTS, add_grant, methods=["POST"], status_code=201, summary="Grant a role", openapi_extra=grant
    )
    app.add_api_route(f"{GRANTS}/{{grant_id}}", show_grant, methods=["GET"], summary="One grant")
    app.add_api_route(f"{GRANTS}/{{grant_id}}", take_back, methods=["DELETE"], summary="End a grant")
    app.add_api_route(MANDATES, mandates, methods=["GET"], summary="Mandates that you gave or hold")
    app.add_api_route(
        MANDATES, give, methods=["POST"], status_code=201, summary="Give a mandate", openapi_extra=mandate
    )
    app.add_api_route(f"{MANDATES}/{{mandate_id}}", show_mandate, methods=["GET"], summary="One mandate")
    app.add_api_route(
        f"{MANDATES}/{{mandate_id}}", end, methods=["DELETE"], summary="Take a mandate back, or lay it down"
    )


def grants(request: Request, caller: Reader, organisation: UUID | None = None) -> Response:
    """List grants: the caller's own; the operator and auditors see all, or those of `organisation`."""
    with caller_transaction(request, caller) as connection:
        found = list_grants(connection, organisation)
    return JSONResponse({"grants": [grant_view(one) for one in found]})


def add_grant(request: Request, caller: Writer, body: Body, idempotency_key: Key = None) -> Response:
    """Grant a role; the operator's act."""
    require_operator(caller.organisation_id)
    given = read_json(NewGrant, body)
    area = area_of(request, given.area, given.crs) if given.area is not None else None

    def make(connection: Connection) -> View:
        get_organisation(connection, given.organisation)
        made = grant_role(
            connection,
            given.organisation,
            given.role,
            area=area,
            valid_from=given.valid_from,
            valid_to=given.valid_to,
            note=given.note,
        )
        return grant_view(get_grant(connection, made))

    return make_once(request, caller, GRANTS, make, key=idempotency_key, body=body)


def show_grant(request: Request, caller: Reader, grant_id: UUID) -> Response:
    """Show a grant, one that has ended too."""
    with caller_transaction(request, caller) as connection:
        return shown(grant_view(get_grant(connection, grant_id)))


def take_back(request: Request, caller: Writer, grant_id: UUID) -> Response:
    """End a grant at once; the operator's act."""
    with caller_transaction(request, caller) as connection:
        get_grant(connection, grant_id)
        require_operator(caller.organisation_id)
        end_grant(connection, grant_id)
        return shown(grant_view(get_grant(connection, grant_id)))


def mandates(request: Request, caller: Reader) -> Response:
    """List the mandates that the caller gave or holds, the newest first; the operator and auditors see all."""
    with caller_transaction(request, caller) as connection:
        found = list_mandates(connection)
    return JSONResponse({"mandates": [mandate_view(one) for one in found]})


def give(request: Request, caller: Writer, body: Body, idempotency_key: Key = None) -> Response:
    """Let a provider act for the caller, for the rights named; never for more than the caller may do itself."""
    given = read_json(NewMandate, body)

    def make(connection: Connection) -> View:
        made = give_mandate(
            connection,
            caller.organisation_id,
            given.provider,
            given.scopes,
            valid_from=given.valid_from,
            valid_to=given.valid_to,
            note=given.note,
        )
        return mandate_view(made)

    return make_once(request, caller, MANDATES, make, key=idempotency_key, body=body)


def show_mandate(request: Request, caller: Reader, mandate_id: UUID) -> Response:
    """Show a mandate that the caller gave or holds, one that has ended too."""
    with caller_transaction(request, caller) as connection:
        return shown(mandate_view(get_mandate(connection, mandate_id)))


def end(request: Request, caller: Writer, mandate_id: UUID) -> Response:
    """End a mandate at once: whoever gave it takes it back, whoever holds it lays it down."""
    with caller_transaction(request, caller) as connection:
        return shown(mandate_view(end_mandate(connection, caller.organisation_id, mandate_id)))


def grant_view(found: Grant) -> View:
    """Return a grant."""
    return {
        "id": str(found.id),
        "organisation": str(found.organisation_id),
        "role": found.role.value,
        "area": area_view(found.area) if found.area is not None else None,
        "valid_from": moment(found.valid_from),
        "valid_to": moment(found.valid_to),
        "note": found.note,
        "links": {"self": f"{GRANTS}/{found.id}"},
    }


def mandate_view(found: Mandate) -> View:
    """Return a mandate as both who are party to it see it."""
    return {
        "id": str(found.id),
        "giver": {"cvr": found.owner_cvr, "name": found.owner_name},
        "provider": {"cvr": found.provider_cvr, "name": found.provider_name},
        "scopes": list(found.scopes),
        "valid_from": moment(found.valid_from),
        "valid_to": moment(found.valid_to),
        "ended_at": moment(found.revoked_at),
        "note": found.note,
        "links": {"self": f"{MANDATES}/{found.id}"},
    }
