"""What is believed of an issuer of logins, over real HTTP against one that can be told to lie."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from geoapi.dev_issuer import DevIssuer, Person
from geoapi.oidc import (
    LoginAttempt,
    LoginRefusedError,
    Registration,
    RelyingParty,
    SecondFactor,
    check_issuer_address,
)
from ler.errors import InputError, RefusedError, UnavailableError
from tests.issuer import FalseIssuer, listening, open_issuer

SECRET = "a secret of thirty-two characters"  # noqa: S105 - of nothing but these tests
CALLBACK = "http://127.0.0.1:1/login/callback"
ANNA = Person("anna@example.dk", "Anna Andersen", subject="a-1")
BENT = Person("bent@example.dk", "Bent", amr=("pwd",))
CARL = Person("carl@example.dk", "Carl", email_verified=False, amr=(), acr="high")


@pytest.fixture(scope="module")
def running() -> Iterator[FalseIssuer]:
    with open_issuer([ANNA, BENT, CARL], CALLBACK, client_secret=SECRET) as made:
        yield made


@pytest.fixture
def issuer(running: FalseIssuer) -> Iterator[FalseIssuer]:
    yield running
    running.change = running.signature = None


def party(of: DevIssuer, **changes: Any) -> RelyingParty:  # noqa: ANN401 - fields of the registration
    registration = Registration(
        of.issuer, "ler", SECRET, CALLBACK, SecondFactor(acr_values=("high",), amr_values=("mfa",))
    )
    return RelyingParty(replace(registration, **changes))


def come_back(address: str) -> dict[str, str]:
    """Follow the browser to the issuer; return what it brings back."""
    answer = httpx.get(address)
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def log_in(us: RelyingParty, person: Person = ANNA) -> Any:  # noqa: ANN401 - an Identity
    attempt = LoginAttempt.new()
    brought = come_back(us.address(attempt, login_hint=person.email))
    assert brought["state"] == attempt.state
    return us.identity(attempt, brought["code"])


def test_a_person_is_who_the_issuer_says(issuer: FalseIssuer) -> None:
    found = log_in(party(issuer))
    assert (found.issuer, found.subject, found.email) == (issuer.issuer, "a-1", "anna@example.dk")
    assert (found.name, found.acr, found.amr) == ("Anna Andersen", None, ("pwd", "otp", "mfa"))


def test_an_address_that_the_issuer_did_not_verify_is_nobodys(issuer: FalseIssuer) -> None:
    assert log_in(party(issuer), CARL).email is None


def test_a_second_factor_is_a_level_or_a_method_of_the_settings(issuer: FalseIssuer) -> None:
    assert log_in(party(issuer), CARL).acr == "high"
    with pytest.raises(RefusedError) as caught:
        log_in(party(issuer), BENT)
    assert caught.value.code == "second-factor-missing"
    assert log_in(party(issuer, second_factor=SecondFactor(needed=False)), BENT).amr == ("pwd",)


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


def saying(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:  # noqa: ANN401 - claims
    return lambda claims: claims | values


@pytest.mark.parametrize(
    "change",
    [
        saying(iss="https://elsewhere.example"),
        saying(aud="another program"),
        saying(aud=["another program"]),
        saying(aud=["ler", "another program"]),
        saying(azp="another program"),
        saying(nonce="of another login"),
        saying(exp=int(time.time()) - 3600),
        saying(exp="soon"),
        saying(iat=int(time.time()) + 3600),
        saying(nbf=int(time.time()) + 3600),
        saying(at_hash="x" * 22),
        *(without(name) for name in ("iss", "aud", "exp", "iat", "nonce", "sub")),
    ],
)
def test_claims_that_are_not_for_us_now_are_refused(
    issuer: FalseIssuer, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    issuer.change = change
    with pytest.raises(LoginRefusedError):
        log_in(party(issuer))


def encoded(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _unsigned(_issuer: DevIssuer, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "none"}, claims, OctKey.generate_key(), algorithms=["none"])


def _by_public_key_as_secret(issuer: DevIssuer, claims: dict[str, Any]) -> str:
    # By hand: the library does not sign with what looks like a public key.
    head, body = (encoded(part) for part in ({"alg": "HS256", "kid": issuer.key.kid}, claims))
    signed = hmac.digest(issuer.key.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{urlsafe_b64encode(signed).decode().rstrip('=')}"


def _by_client_secret(issuer: DevIssuer, claims: dict[str, Any]) -> str:
    secret = OctKey.import_key(SECRET.encode())
    return jwt.encode({"alg": "HS256", "kid": issuer.key.kid}, claims, secret, algorithms=["HS256"])


def _by_another_key(issuer: DevIssuer, claims: dict[str, Any]) -> str:
    other = ECKey.generate_key("P-256", {"kid": str(issuer.key.kid)})
    return jwt.encode({"alg": "ES256", "kid": issuer.key.kid}, claims, other)


def _by_key_in_header(_issuer: DevIssuer, claims: dict[str, Any]) -> str:
    other = RSAKey.generate_key(2048)
    return jwt.encode({"alg": "RS256", "jwk": other.as_dict(private=False)}, claims, other)


def _cut(issuer: DevIssuer, claims: dict[str, Any]) -> str:
    return DevIssuer.sign(issuer, claims).rpartition(".")[0] + "."


@pytest.mark.parametrize(
    "signature",
    [
        _unsigned,
        _by_public_key_as_secret,
        _by_client_secret,
        _by_another_key,
        _by_key_in_header,
        _cut,
        lambda _issuer, _claims: "no token",
    ],
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_signatures_that_are_not_the_issuers_are_refused(
    issuer: FalseIssuer, signature: Callable[[DevIssuer, dict[str, Any]], str]
) -> None:
    issuer.signature = signature
    with pytest.raises(LoginRefusedError):
        log_in(party(issuer))


def test_a_new_key_of_the_issuer_is_fetched(issuer: FalseIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geoapi.oidc._KEYS_ASKED_AGAIN_S", 0.0)
    us = party(issuer)
    log_in(us)
    issuer.key = ECKey.generate_key("P-256", {"kid": "new"})
    assert log_in(us).subject == "a-1"


def test_a_code_is_good_once_and_for_who_began(issuer: FalseIssuer) -> None:
    us, attempt = party(issuer), LoginAttempt.new()
    code = come_back(us.address(attempt, login_hint=ANNA.email))["code"]
    other = replace(attempt, verifier=LoginAttempt.new().verifier)
    with pytest.raises(LoginRefusedError):
        us.identity(other, code)
    with pytest.raises(LoginRefusedError):
        us.identity(attempt, code)
    attempt = LoginAttempt.new()
    code = come_back(us.address(attempt, login_hint=ANNA.email))["code"]
    with pytest.raises(LoginRefusedError):
        party(issuer, client_secret=SECRET[::-1]).identity(attempt, code)


def test_the_issuer_that_calls_itself_otherwise_is_not_ours(issuer: FalseIssuer) -> None:
    with pytest.raises(UnavailableError):
        party(issuer, issuer=issuer.issuer + "/").address(LoginAttempt.new())


def _always(answer: Response, _request: Request) -> Response:
    return answer


def _same(app: ASGIApp, _address: str) -> ASGIApp:
    return app


def test_an_issuer_that_sends_elsewhere_or_says_too_much_is_not_followed(issuer: FalseIssuer) -> None:
    well_known = "/.well-known/openid-configuration"
    answers = [
        RedirectResponse(issuer.issuer + well_known),
        PlainTextResponse('{"a": "' + "x" * (2 << 20) + '"}'),
        PlainTextResponse("[]"),
        PlainTextResponse("<html>"),
    ]
    for answer in answers:
        app = Starlette(routes=[Route(well_known, partial(_always, answer))])
        with listening(partial(_same, app)) as address, pytest.raises(UnavailableError):
            party(issuer, issuer=address).address(LoginAttempt.new())
    with pytest.raises(UnavailableError):
        party(issuer, issuer="http://127.0.0.1:1").address(LoginAttempt.new())


@pytest.mark.parametrize(
    "address",
    ["http://issuer.example", "ftp://127.0.0.1", "https://", "file:///etc/passwd", "http://127.0.0.1.evil"],
)
def test_an_issuer_in_the_clear_is_refused(address: str) -> None:
    with pytest.raises(InputError):
        check_issuer_address(address)
