"""Tokens that callers make of their own, and what they are worth: never more than what made them."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import JSONResponse

from geoapi.auth import May, caller_transaction
from geoapi.granted_area import AREA_FIELD, area_of
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from geoapi.rates import CallClass, most_calls
from ler.domain.access import Scope
from ler.services.grants import roles_now
from ler.services.registry import get_organisation
from ler.services.tokens import Principal, Token, end_token, get_token, list_tokens, make_token

PATH: Final = "/api/v1/tokens"
ME: Final = "/api/v1/me"

type Known = Annotated[Principal, Depends(May(None))]
type Maker = Annotated[Principal, Depends(May(Scope.TOKEN_WRITE))]


class TokenRequest(BaseModel):
    """What a new token is to be."""

    model_config = ConfigDict(extra="forbid")

    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    days: Annotated[int | None, Field(strict=True, ge=1, le=366, description="How long it lives.")] = None
    hours: Annotated[
        int | None,
        Field(strict=True, ge=1, le=366 * 24, description="The same in hours; without both a day at most."),
    ] = None
    note: Annotated[str, Field(max_length=100, description="What it is for.")] = ""
    area: AREA_FIELD = None

    @model_validator(mode="after")
    def _one_life(self) -> "TokenRequest":
        if self.days is not None and self.hours is not None:
            raise ValueError("say how long it lives in days or in hours")
        return self

    @property
    def life(self) -> timedelta | None:
        """How long it lives; None: it was not said."""
        if self.days is None and self.hours is None:
            return None
        return timedelta(days=self.days or 0, hours=self.hours or 0)


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    schema = {"content": {"application/json": {"schema": TokenRequest.model_json_schema()}}, "required": True}
    app.add_api_route(ME, me, methods=["GET"], summary="Who calls, and what it may do now")
    app.add_api_route(PATH, listing, methods=["GET"], summary="Tokens and sessions of the own organisation")
    app.add_api_route(
        PATH,
        make,
        methods=["POST"],
        status_code=201,
        summary="Make a token, with no more than one has oneself",
        openapi_extra={"requestBody": schema},
    )
    app.add_api_route(f"{PATH}/{{token_id}}", show, methods=["GET"], summary="One token or session")
    app.add_api_route(
        f"{PATH}/{{token_id}}", end, methods=["DELETE"], status_code=204, summary="End a token or session"
    )


def me(request: Request, caller: Known) -> Response:
    """Tell the caller who it is to us, for whom it acts, and what it may do at this moment."""
    settings = platform_of(request).settings
    with caller_transaction(request, caller) as connection:
        organisation = get_organisation(connection, caller.organisation_id)
        roles = roles_now(connection, caller.organisation_id)
    told: dict[str, Any] = {
        "organisation": {"id": str(organisation.id), "cvr": organisation.cvr, "name": organisation.name},
        "account": str(caller.account_id) if caller.account_id else None,
        "provider": str(caller.provider_id) if caller.provider_id else None,
        "roles": sorted(roles),
        "scopes": sorted(caller.scopes),
        "token": {
            "id": str(caller.token_id),
            "kind": str(caller.kind),
            "expires_at": caller.expires_at.isoformat() if caller.expires_at else None,
            "bounded": caller.bounded,
        },
        "calls_per_minute": {str(kind): most_calls(settings, kind) for kind in CallClass},
    }
    return JSONResponse(told)


def listing(request: Request, caller: Maker) -> Response:
    """List tokens and sessions, the newest first; never the secrets, which nobody has."""
    with caller_transaction(request, caller) as connection:
        found = list_tokens(connection, caller.organisation_id)
    return JSONResponse({"tokens": [token_view(one) for one in found]})


def make(request: Request, caller: Maker, body: Annotated[bytes, Depends(body_of)]) -> Response:
    """Make a token; the answer shows it, this once."""
    wanted = read_json(TokenRequest, body)
    area = area_of(wanted.area, platform_of(request).settings.coverage)
    with caller_transaction(request, caller) as connection:
        token_id, token = make_token(
            connection, caller, scopes=wanted.scopes, life=wanted.life, note=wanted.note, area=area
        )
        made = get_token(connection, token_id)
    return JSONResponse(
        token_view(made) | {"token": token},
        HTTPStatus.CREATED,
        headers={"Location": f"{PATH}/{token_id}"},
    )


def show(request: Request, caller: Maker, token_id: UUID) -> Response:
    """Show a token or a session."""
    with caller_transaction(request, caller) as connection:
        return JSONResponse(token_view(get_token(connection, token_id)))


def end(request: Request, caller: Maker, token_id: UUID) -> Response:
    """End a token or session at once, and those that it made; streams that it opened end too."""
    with caller_transaction(request, caller) as connection:
        end_token(connection, caller.organisation_id, token_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def token_view(token: Token) -> dict[str, Any]:
    """Return what is shown of a token."""
    return {
        "id": str(token.id),
        "kind": str(token.kind),
        "begins_with": token.start,
        "scopes": list(token.scopes),
        "note": token.note,
        "account": str(token.account_id) if token.account_id else None,
        "bounded": token.bounded,
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
    }
