"""What a program's signature proves, and what it does not."""

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from geoapi.assertions import (
    ALGORITHMS,
    AssertionRefusedError,
    check_public_key,
    claimed_client,
    read_assertion,
)
from ler.errors import RefusedError

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
US = ("https://ler.example/oauth/token", "https://ler.example")
CLIENT = UUID("6e0b2d3a-0f5d-4c55-9b7e-0d2f0a4b1c11")
KEY = ECKey.generate_key("P-256")


def claims(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - claims
    said = {
        "iss": str(CLIENT),
        "sub": str(CLIENT),
        "aud": US[0],
        "jti": uuid4().hex,
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(minutes=2)).timestamp()),
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


def signed(said: dict[str, Any], key: Key = KEY, **header: Any) -> str:  # noqa: ANN401 - of a header
    head = {"alg": "ES256", "kid": "k1"} | header
    return jwt.encode(
        {name: value for name, value in head.items() if value}, said, key, algorithms=ALGORITHMS
    )


def read(assertion: str, key: Key = KEY) -> Any:  # noqa: ANN401 - an Assertion
    keys = {"k1": check_public_key(key.as_dict(private=False))}
    return read_assertion(assertion, keys, audiences=US, now=NOW)


def test_what_a_client_signs_for_us_now_is_its_own() -> None:
    said = claims()
    assertion = signed(said)
    assert claimed_client(assertion) == CLIENT
    found = read(assertion)
    assert (found.client_id, found.jti, found.kid) == (CLIENT, said["jti"], "k1")
    assert found.expires_at == NOW + timedelta(minutes=2)
    for aud in (US[1], [US[0]]):
        assert read(signed(claims(aud=aud))).client_id == CLIENT


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("ES384", ECKey.generate_key("P-384")),
        ("Ed25519", OKPKey.generate_key("Ed25519")),
        ("PS256", RSAKey.generate_key(2048)),
        ("RS256", RSAKey.generate_key(2048)),
    ],
)
def test_every_algorithm_that_is_taken_works(algorithm: str, key: Key) -> None:
    assert read(signed(claims(), key, alg=algorithm), key).client_id == CLIENT


def moment(**of: float) -> float:
    return (NOW + timedelta(**of)).timestamp()


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": str(uuid4())},
        {"iss": None},
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"aud": []},
        {"aud": [*US]},
        {"aud": [US[0], "https://elsewhere.example"]},
        {"aud": US[0] + "/"},
        {"aud": 1},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 256},
        {"jti": "a\x00"},
        {"exp": None},
        {"exp": "2030-01-01"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": -1},
        {"exp": moment(seconds=-61)},
        {"exp": moment(minutes=62)},
        {"iat": moment(minutes=2)},
        {"nbf": moment(minutes=2)},
        {"nbf": "now"},
    ],
)
def test_claims_that_are_not_for_us_now_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(AssertionRefusedError):
        read(signed(claims() | changes if None not in changes.values() else claims(**changes)))


def test_clocks_may_differ_by_a_minute() -> None:
    assert read(signed(claims(exp=moment(seconds=-59))))
    assert read(signed(claims(iat=moment(seconds=59), nbf=moment(seconds=59))))


def encoded(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def by_hand(header: dict[str, Any], secret: bytes) -> str:
    """An assertion with an HMAC for its signature, which the library would not make."""
    body = f"{encoded(header)}.{encoded(claims())}"
    return f"{body}.{urlsafe_b64encode(hmac.digest(secret, body.encode(), 'sha256')).decode().rstrip('=')}"


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_signatures_that_prove_nothing_are_refused() -> None:
    other = ECKey.generate_key("P-256")
    good = signed(claims())
    public = KEY.as_pem(private=False)
    forged = {
        "alg none": jwt.encode({"alg": "none"}, claims(), OctKey.generate_key(), algorithms=["none"]),
        "alg None by hand": f"{encoded({'alg': 'None', 'kid': 'k1'})}.{encoded(claims())}.",
        "no alg": f"{encoded({'kid': 'k1'})}.{encoded(claims())}.x",
        "public key as secret": by_hand({"alg": "HS256", "kid": "k1"}, public),
        "public key as secret, no kid": by_hand({"alg": "HS256"}, public),
        "another key": signed(claims(), other),
        "its own key": signed(claims(), other, jwk=other.as_dict(private=False)),
        "no kid": signed(claims(), kid=None),
        "unknown kid": signed(claims(), kid="k2"),
        "unknown crit": f"{encoded({'alg': 'ES256', 'kid': 'k1', 'crit': ['x'], 'x': 1})}.{good.split('.', 1)[1]}",
        "no signature": good.rpartition(".")[0] + ".",
        "changed claims": f"{good.split('.')[0]}.{encoded(claims())}.{good.split('.')[2]}",
        "two parts": good.rpartition(".")[0],
        "nothing": "",
        "no text of ours": "æ.ø.å",
    }
    for kind, assertion in forged.items():
        with pytest.raises(AssertionRefusedError):
            pytest.fail(f"{kind}: {read(assertion)}")


@pytest.mark.parametrize(
    "assertion",
    [
        "",
        "a.b.c",
        "x" * 9000,
        f"{encoded({'alg': 'ES256'})}.{encoded({'sub': 'nobody'})}.x",
        "[" * 5000 + ".e30.x",
    ],
)
def test_what_names_no_client_is_refused(assertion: str) -> None:
    with pytest.raises(AssertionRefusedError):
        claimed_client(assertion)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_registered_key_is_public_and_strong() -> None:
    kept = check_public_key(KEY.as_dict(private=False) | {"kid": "mine", "alg": "ES256", "x5u": "http://x"})
    assert {*kept} == {"kty", "crv", "x", "y", "kid"}
    assert kept["kid"] == "mine"
    assert check_public_key(KEY.as_dict(private=False))["kid"] == KEY.thumbprint()
    weak = RSAKey(rsa.generate_private_key(65537, 1024), None)  # noqa: S505 - to see it refused
    refused: list[dict[str, Any]] = [
        KEY.as_dict(private=True),
        OctKey.generate_key().as_dict(),
        weak.as_dict(private=False),
        ECKey.generate_key("secp256k1").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        {},
        {"kty": "EC"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": 1},
        KEY.as_dict(private=False) | {"kid": "x" * 101},
        KEY.as_dict(private=False) | {"kid": "a\x00"},
    ]
    for key in refused:
        with pytest.raises(RefusedError) as caught:
            pytest.fail(f"{key}: {check_public_key(key)}")
        assert caught.value.code == "key-invalid"
