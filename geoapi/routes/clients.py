"""Programs that prove who they are by a key: registered, shown, given other keys, ended."""

from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from geoapi.assertions import check_public_key
from geoapi.auth import May, caller_transaction
from geoapi.granted_area import AREA_FIELD, area_of
from geoapi.parameters import body_of, read_json
from geoapi.platform import platform_of
from ler.domain.access import Scope
from ler.services.clients import (
    MOST_KEYS,
    Client,
    add_key,
    end_client,
    end_key,
    get_client,
    list_clients,
    register_client,
)
from ler.services.tokens import Principal

PATH: Final = "/api/v1/clients"

type Maker = Annotated[Principal, Depends(May(Scope.TOKEN_WRITE))]
type Jwk = Annotated[dict[str, Any], Field(description="A public key (RFC 7517).", max_length=20)]


class ClientRequest(BaseModel):
    """What a program is to be known by."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    keys: Annotated[list[Jwk], Field(min_length=1, max_length=MOST_KEYS)]
    area: AREA_FIELD = None


class KeyRequest(BaseModel):
    """One more key."""

    model_config = ConfigDict(extra="forbid")

    key: Jwk


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    one = f"{PATH}/{{client_id}}"
    app.add_api_route(PATH, listing, methods=["GET"], summary="Programs of the own organisation")
    app.add_api_route(
        PATH,
        register,
        methods=["POST"],
        status_code=201,
        summary="Register a program with its public keys",
        openapi_extra={"requestBody": _body(ClientRequest)},
    )
    app.add_api_route(one, show, methods=["GET"], summary="One program")
    app.add_api_route(one, end, methods=["DELETE"], status_code=204, summary="End a program and its tokens")
    app.add_api_route(
        f"{one}/keys",
        give_key,
        methods=["POST"],
        status_code=201,
        summary="Add a public key",
        openapi_extra={"requestBody": _body(KeyRequest)},
    )
    app.add_api_route(
        f"{one}/keys/{{kid}}",
        take_key,
        methods=["DELETE"],
        status_code=204,
        summary="End a key, and the tokens of its program",
    )


def listing(request: Request, caller: Maker) -> Response:
    """List programs, the newest first."""
    with caller_transaction(request, caller) as connection:
        found = list_clients(connection, caller.organisation_id)
    return JSONResponse({"clients": [_view(one) for one in found]})


def register(request: Request, caller: Maker, body: Annotated[bytes, Depends(body_of)]) -> Response:
    """Register a program: its tokens may do what `scopes` say and its organisation may, and nothing more."""
    wanted = read_json(ClientRequest, body)
    keys = [check_public_key(key) for key in wanted.keys]
    area = area_of(wanted.area, platform_of(request).settings.coverage)
    with caller_transaction(request, caller) as connection:
        client_id = register_client(
            connection, caller, name=wanted.name, scopes=wanted.scopes, keys=keys, area=area
        )
        made = get_client(connection, caller.organisation_id, client_id)
    headers = {"Location": f"{PATH}/{client_id}"}
    return JSONResponse(_view(made), HTTPStatus.CREATED, headers=headers)


def show(request: Request, caller: Maker, client_id: UUID) -> Response:
    """Show a program and its keys."""
    with caller_transaction(request, caller) as connection:
        return JSONResponse(_view(get_client(connection, caller.organisation_id, client_id)))


def end(request: Request, caller: Maker, client_id: UUID) -> Response:
    """End a program and all tokens that it has, at once."""
    with caller_transaction(request, caller) as connection:
        end_client(connection, caller.organisation_id, client_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def give_key(
    request: Request, caller: Maker, client_id: UUID, body: Annotated[bytes, Depends(body_of)]
) -> Response:
    """Add a key, so that the program can change over to it before the old one ends."""
    key = check_public_key(read_json(KeyRequest, body).key)
    with caller_transaction(request, caller) as connection:
        add_key(connection, caller.organisation_id, client_id, key)
        found = get_client(connection, caller.organisation_id, client_id)
    return JSONResponse(_view(found), HTTPStatus.CREATED)


def take_key(request: Request, caller: Maker, client_id: UUID, kid: str) -> Response:
    """End a key; what its program got by it ends too, and another key gets it new tokens."""
    with caller_transaction(request, caller) as connection:
        end_key(connection, caller.organisation_id, client_id, kid)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _body(model: type[BaseModel]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": model.model_json_schema()}}, "required": True}


def _view(client: Client) -> dict[str, Any]:
    return {
        "id": str(client.id),
        "name": client.name,
        "scopes": list(client.scopes),
        "bounded": client.bounded,
        "created_at": client.created_at.isoformat(),
        "revoked_at": client.revoked_at.isoformat() if client.revoked_at else None,
        "keys": [
            {
                "kid": key.kid,
                "jwk": dict(key.jwk),
                "created_at": key.created_at.isoformat(),
                "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
            }
            for key in client.keys
        ],
    }
