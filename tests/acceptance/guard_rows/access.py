"""Routes of tokens, programs and logins."""

from typing import Any
from uuid import UUID, uuid4

from joserfc.jwk import ECKey

from geoapi.routes import clients, tokens
from geoapi.routes.login import LOGOUT
from tests.acceptance.guard_rows.row import Row
from tests.service import Service


def a_key(kid: str = "first") -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256").as_dict(private=False)) | {"kid": kid}


def a_token(service: Service, _: UUID, token: str) -> dict[str, str]:
    answer = service.client(token).http.post(tokens.PATH, json={"scopes": ["register:read"], "hours": 1})
    assert answer.status_code == 201, answer.text
    return {"token_id": answer.json()["id"]}


def a_client(service: Service, _: UUID, token: str, kid: str = "first") -> dict[str, str]:
    body = {"name": "program", "scopes": ["register:read"], "keys": [a_key(kid)]}
    answer = service.client(token).http.post(clients.PATH, json=body)
    assert answer.status_code == 201, answer.text
    return {"client_id": answer.json()["id"]}


def a_client_and_its_key(service: Service, owner: UUID, token: str) -> dict[str, str]:
    kid = str(uuid4())
    return a_client(service, owner, token, kid) | {"kid": kid}


ONE_CLIENT = clients.PATH + "/{client_id}"
ROWS = {
    ("GET", tokens.ME): Row(200),
    ("POST", LOGOUT): Row(409),
    ("GET", tokens.PATH): Row(200),
    ("POST", tokens.PATH): Row(201, json={"scopes": ["register:read"], "hours": 1}),
    ("GET", tokens.PATH + "/{token_id}"): Row(200, make=a_token),
    ("DELETE", tokens.PATH + "/{token_id}"): Row(204, make=a_token),
    ("GET", clients.PATH): Row(200),
    ("POST", clients.PATH): Row(
        201, json={"name": "program", "scopes": ["register:read"], "keys": [a_key()]}
    ),
    ("GET", ONE_CLIENT): Row(200, make=a_client),
    ("DELETE", ONE_CLIENT): Row(204, make=a_client),
    ("POST", ONE_CLIENT + "/keys"): Row(201, json={"key": a_key() | {"kid": "second"}}, make=a_client),
    ("DELETE", ONE_CLIENT + "/keys/{kid}"): Row(204, make=a_client_and_its_key),
}
