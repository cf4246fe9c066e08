"""Programs that prove who they are by a key, over HTTP: what they get, what nobody else gets, and how it ends."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import time
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from geoapi.routes import clients, oauth, tokens
from ler.domain.access import Scope
from tests.service import Service, eventually

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Program:
    """A program of a new owner, with a key of its own."""

    def __init__(self, service: Service, *scopes: Scope, owner: UUID | None = None) -> None:
        self.service = service
        self.owner = owner or service.owner()
        self.maker = service.client(service.token(self.owner)).http
        self.key = ECKey.generate_key("P-256")
        body = {
            "name": "robot",
            "scopes": [*(scopes or (Scope.NETWORK_READ, Scope.TOKEN_WRITE))],
            "keys": [dict(self.key.as_dict(private=False)) | {"kid": "first"}],
        }
        answer = self.maker.post(clients.PATH, json=body)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]

    def assertion(self, *, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:  # noqa: ANN401 - keys and claims
        now = int(time())
        said = {
            "iss": self.id,
            "sub": self.id,
            "aud": self.service.url + oauth.PATH,
            "jti": uuid4().hex,
            "iat": now,
            "exp": now + 60,
        }
        head = {"alg": "ES256", "kid": "first"} | (header or {})
        return jwt.encode(head, said | claims, key or self.key, algorithms=["ES256", "HS256", "none"])

    def ask(self, assertion: str, **fields: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": TYPE,
            "client_assertion": assertion,
        }
        return httpx.post(self.service.url + oauth.PATH, data=form | fields, timeout=30)

    def token(self, **fields: str) -> str:
        answer = self.ask(self.assertion(), **fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


def refusals(service: Service, organisation: UUID) -> list[dict[str, Any]]:
    with service.world.database.connect() as connection:
        rows = connection.execute(
            "SELECT details FROM ler.audit_event WHERE actor = %s AND action LIKE 'auth:%%:refuse'",
            [organisation],
        ).fetchall()
    return [row[0] for row in rows]


def test_a_program_gets_a_token_for_an_hour(service: Service) -> None:
    program = Program(service)
    answer = program.ask(program.assertion())
    told = answer.json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 3600)
    assert told["scope"] == "network:read token:write"
    assert answer.headers["cache-control"] == "no-store"
    client = service.client(told["access_token"]).http
    me = client.get(tokens.ME).json()
    assert me["token"]["kind"] == "client"
    assert me["organisation"]["id"] == str(program.owner)
    assert client.get("/api/v1/network/versions").status_code == 200
    assert client.get("/api/v1/audit").status_code in {403, 404}
    assert client.post(clients.PATH, json={}).status_code == 400
    fewer = program.token(scope="network:read")
    assert service.client(fewer).http.get(tokens.ME).json()["scopes"] == ["network:read"]


def test_a_well_kept_library_gets_one_too(service: Service) -> None:
    program = Program(service)
    described = httpx.get(service.url + oauth.METADATA).json()
    assert described["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assertion = private_key_jwt_sign(
        program.key, program.id, described["token_endpoint"], alg="ES256", header={"kid": "first"}
    )
    assert program.ask(assertion).status_code == 200


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_what_proves_nothing_gets_nothing_and_is_recorded(service: Service) -> None:
    program, other = Program(service), Program(service)
    now = int(time())
    good = program.assertion()
    refused = {
        "another's key": program.assertion(key=other.key),
        "another's name": other.assertion(iss=program.id, sub=program.id),
        "alg none": program.assertion(key=OctKey.generate_key(), header={"alg": "none"}),
        "HS256": program.assertion(key=OctKey.generate_key(), header={"alg": "HS256"}),
        "wrong audience": program.assertion(aud="https://other.example/oauth/token"),
        "two audiences": program.assertion(aud=[service.url + oauth.PATH, "https://other.example"]),
        "expired": program.assertion(exp=now - 61),
        "for ever": program.assertion(exp=now + 7200),
        "not yet": program.assertion(nbf=now + 120),
        "no jti": program.assertion(jti=None),
        "unknown kid": program.assertion(header={"kid": "second"}),
        "cut": good[:-4],
    }
    for kind, assertion in refused.items():
        answer = program.ask(assertion)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/client-invalid"), kind
        assert answer.json()["error"] == "invalid_client"
        assert answer.json().get("detail") == "The client is unknown or its assertion is not valid."
    for assertion in ("", "x", program.assertion(sub=str(uuid4()), iss=str(uuid4()))):
        assert program.ask(assertion).status_code == 401
    assert program.ask(good, client_id=other.id).status_code == 401
    assert program.ask(good, client_assertion_type="jwt").status_code == 401
    for fields in ({"grant_type": "password"}, {"grant_type": "authorization_code"}):
        assert program.ask(good, **fields).json()["error"] == "unsupported_grant_type"
    assert program.ask(good, scope="network:upload").json()["error"] == "invalid_scope"
    assert program.ask(good, scope="everything").json()["error"] == "invalid_scope"
    assert program.ask(good).status_code == 200, "what was refused has used nothing up"
    reasons = {one["reason"] for one in refusals(service, program.owner) if one["code"] == "client-invalid"}
    assert {"audience", "expired", "lives too long", "jti"} <= reasons
    assert good not in json.dumps(refusals(service, program.owner))


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff=\xfe", "application/x-www-form-urlencoded"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % number for number in range(50)), "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"", ""),
    ],
)
def test_forms_that_are_none_are_refused(service: Service, content: bytes, media_type: str) -> None:
    answer = httpx.post(service.url + oauth.PATH, content=content, headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/field-invalid")
    assert answer.json()["error"] == "invalid_request"


def test_an_assertion_is_good_once_also_at_once(service: Service) -> None:
    program = Program(service)
    assertion, together = program.assertion(), Barrier(8)

    def play(_: int) -> int:
        together.wait(10)
        return program.ask(assertion).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(play, range(8))) == [200] + [401] * 7
    assert program.ask(assertion).status_code == 401
    assert [one["reason"] for one in refusals(service, program.owner)] == ["replayed"] * 8


def test_keys_change_without_a_pause_and_end_at_once(service: Service) -> None:
    program = Program(service)
    token = program.token()
    second = ECKey.generate_key("P-256")
    one = f"{clients.PATH}/{program.id}"
    answer = program.maker.post(
        f"{one}/keys", json={"key": dict(second.as_dict(private=False)) | {"kid": "second"}}
    )
    assert [key["kid"] for key in answer.json()["keys"]] == ["first", "second"]
    assert program.ask(program.assertion(key=second, header={"kid": "second"})).status_code == 200
    assert service.client(token).http.get(tokens.ME).status_code == 200
    assert program.maker.delete(f"{one}/keys/first").status_code == 204
    assert service.client(token).http.get(tokens.ME).status_code == 401
    assert program.ask(program.assertion()).status_code == 401
    fresh = program.ask(program.assertion(key=second, header={"kid": "second"})).json()["access_token"]
    assert program.maker.delete(one).status_code == 204
    assert service.client(fresh).http.get(tokens.ME).status_code == 401
    assert program.maker.delete(one).status_code == 404


def test_keys_that_are_weak_or_secret_are_refused(service: Service) -> None:
    program = Program(service)
    keys: list[dict[str, Any]] = [
        dict(program.key.as_dict(private=True)),
        dict(OctKey.generate_key().as_dict()),
        dict(ECKey.generate_key("secp256k1").as_dict(private=False)),
        {},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    ]
    for key in keys:
        body = {"name": "x", "scopes": ["network:read"], "keys": [key]}
        answer = program.maker.post(clients.PATH, json=body)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/key-invalid"), key
    stored = program.maker.get(f"{clients.PATH}/{program.id}").json()["keys"]
    assert len(stored) == 1
    assert all({*key["jwk"]} == {"kty", "crv", "x", "y", "kid"} for key in stored)


def test_a_program_makes_tokens_within_its_own_hour_and_registers_none(service: Service) -> None:
    program = Program(service)
    robot = service.client(program.token()).http
    made = robot.post(tokens.PATH, json={"scopes": ["network:read"]})
    assert made.status_code == 201
    long = robot.post(tokens.PATH, json={"scopes": ["network:read"], "days": 30})
    assert long.json()["type"] == "/problems/expiry-invalid"
    more = robot.post(tokens.PATH, json={"scopes": ["network:upload"]})
    assert more.json()["type"] == "/problems/scope-exceeded"
    body = {"name": "x", "scopes": ["network:read"], "keys": [dict(program.key.as_dict(private=False))]}
    assert robot.post(clients.PATH, json=body).json()["type"] == "/problems/scope-exceeded"
    codes = [one["code"] for one in refusals(service, program.owner)]
    assert codes == ["scope-exceeded", "scope-exceeded"]


def test_a_stream_ends_with_the_token_that_opened_it(service: Service) -> None:
    owner = service.owner()
    maker = service.client(service.token(owner))
    address = maker.announce(b"x" * 9).headers["Location"]
    made = maker.http.post(tokens.PATH, json={"scopes": ["network:read"]}).json()
    reader = service.client(made["token"]).http
    with reader.stream("GET", f"{address}/events", headers={"Accept": "text/event-stream"}) as stream:
        parts = stream.iter_bytes()
        assert next(parts)
        assert maker.http.delete(f"{tokens.PATH}/{made['id']}").status_code == 204
        began = time()
        for _ in parts:
            pass
    assert time() - began < 5, "and not after ten minutes"
    eventually(lambda: maker.http.get(address).json()["state"] == "receiving")
