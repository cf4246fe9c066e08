"""Logging people in by an issuer of theirs (OpenID Connect): code flow with PKCE, and an ID token read strictly.

The issuer's address is the operator's setting and never a caller's. It must be https, unless it is on this machine.
What comes from the issuer is limited in time and size; redirects of its answers are not followed.
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ler.errors import InputError, RefusedError, UnavailableError

ALGORITHMS: Final = ("ES256", "ES384", "PS256", "RS256", "Ed25519", "EdDSA")
"""Signatures that are taken, all with a private key: `none` and the HS family, whose key would be our own secret, are
not among them."""

LEEWAY_S: Final = 60
_SCOPE: Final = "openid email profile"
_MOST_BYTES: Final = 1 << 20
_KNOWN_FOR_S: Final = 3600.0
_KEYS_ASKED_AGAIN_S: Final = 30.0
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What counts as a login with a second factor; `needed` False takes any login."""

    needed: bool = True
    acr_values: tuple[str, ...] = ()
    amr_values: tuple[str, ...] = ("mfa",)

    def check(self, acr: str | None, amr: tuple[str, ...]) -> None:
        """RefusedError `second-factor-missing` when neither the level nor a method is one that counts."""
        if self.needed and acr not in self.acr_values and not {*amr} & {*self.amr_values}:
            raise RefusedError("second-factor-missing", "the login was made without a second factor")


@dataclass(frozen=True, slots=True)
class Registration:
    """How we are known to the issuer."""

    issuer: str
    client_id: str
    client_secret: str | None
    """None: a public client, which PKCE alone protects."""
    redirect_uri: str
    second_factor: SecondFactor


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What the browser keeps between leaving for the issuer and coming back."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "LoginAttempt":
        """Draw one at random, 256 bits each."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is by the word of the issuer."""

    issuer: str
    subject: str
    email: str | None
    """None unless the issuer has made sure of it."""
    name: str | None
    acr: str | None
    amr: tuple[str, ...]


class LoginRefusedError(RefusedError):
    """The issuer's answer cannot be believed, or the person did not log in."""

    def __init__(self, reason: str) -> None:
        super().__init__("login-refused", "The login was not completed. Begin again.")
        self.reason = reason
        """For the audit trail and the log; the caller is not told."""


@dataclass
class RelyingParty:
    """Us, as one issuer knows us. Its metadata and keys are fetched when needed and kept for an hour."""

    registration: Registration
    clock: Callable[[], float] = time.time
    """Seconds since 1970, for the times in ID tokens."""
    timeout_s: float = 5.0
    _lock: Lock = field(default_factory=Lock)
    _metadata: tuple[float, Mapping[str, Any]] | None = None
    _keys: tuple[float, KeySet] | None = None

    def address(self, attempt: LoginAttempt, *, login_hint: str | None = None) -> str:
        """Return where to send the browser; UnavailableError when the issuer does not answer."""
        registration = self.registration
        values = {"acr_values": " ".join(registration.second_factor.acr_values) or None}
        return str(
            prepare_grant_uri(
                self._endpoint("authorization_endpoint"),
                registration.client_id,
                "code",
                registration.redirect_uri,
                _SCOPE,
                attempt.state,
                nonce=attempt.nonce,
                code_challenge=create_s256_code_challenge(attempt.verifier),
                code_challenge_method="S256",
                login_hint=login_hint,
                **values,
            )
        )

    def identity(self, attempt: LoginAttempt, code: str) -> Identity:
        """Exchange the code and return who logged in.

        LoginRefusedError for anything that is wrong with the issuer's answer, RefusedError `second-factor-missing`,
        UnavailableError when the issuer does not answer.
        """
        given = self._exchange(attempt, code)
        token = given.get("id_token")
        if not isinstance(token, str):
            raise LoginRefusedError("no-id-token")
        return self._identity(token, attempt, given.get("access_token"))

    def _exchange(self, attempt: LoginAttempt, code: str) -> Mapping[str, Any]:
        registration = self.registration
        fields = {"code": code, "code_verifier": attempt.verifier, "client_id": registration.client_id}
        body = prepare_token_request("authorization_code", redirect_uri=registration.redirect_uri, **fields)
        secret = registration.client_secret
        auth = httpx.BasicAuth(registration.client_id, secret) if secret else None
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        status, answer = self._fetch(
            "POST", self._endpoint("token_endpoint"), content=body, headers=headers, auth=auth
        )
        if status != httpx.codes.OK:
            raise LoginRefusedError("code-refused")
        return answer

    def _identity(self, token: str, attempt: LoginAttempt, access_token: object) -> Identity:
        registration = self.registration
        try:
            read = self._decode(token)
            claims = CodeIDToken(
                read.claims,
                read.header,
                options={
                    "iss": {"essential": True, "value": registration.issuer},
                    "aud": {"essential": True, "value": registration.client_id},
                    "nonce": {"essential": True, "value": attempt.nonce},
                    "sub": {"essential": True},
                },
                params={
                    "client_id": registration.client_id,
                    "nonce": attempt.nonce,
                    "access_token": access_token if isinstance(access_token, str) else None,
                },
            )
            claims.validate(now=int(self.clock()), leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise LoginRefusedError(f"id-token: {type(error).__name__}") from error
        amr = tuple(str(one) for one in claims.get("amr") or ())
        acr = claims.get("acr")
        found = Identity(
            issuer=registration.issuer,
            subject=str(claims["sub"])[:255],
            email=_text(claims.get("email")) if claims.get("email_verified") is True else None,
            name=_text(claims.get("name")),
            acr=acr if isinstance(acr, str) else None,
            amr=amr,
        )
        registration.second_factor.check(found.acr, found.amr)
        return found

    def _decode(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._key_set(fresh=False), algorithms=ALGORITHMS)
        except JoseError:
            # The issuer may have changed its keys; asked again at most twice a minute, whoever calls.
            return jwt.decode(token, self._key_set(fresh=True), algorithms=ALGORITHMS)

    def _key_set(self, *, fresh: bool) -> KeySet:
        with self._lock:
            known = self._keys
            age = time.monotonic() - known[0] if known else _KNOWN_FOR_S
            if known and age < (_KEYS_ASKED_AGAIN_S if fresh else _KNOWN_FOR_S):
                return known[1]
            status, answer = self._fetch("GET", self._endpoint("jwks_uri"))
            if status != httpx.codes.OK:
                raise UnavailableError("The issuer of logins does not give its keys.")
            # A secret among the public keys would make everybody who knows it an issuer.
            usable = [key for key in answer.get("keys", ()) if key.get("kty") != "oct"]
            keys = KeySet.import_key_set({"keys": usable})
            self._keys = time.monotonic(), keys
            return keys

    def _endpoint(self, name: str) -> str:
        found = self._describe().get(name)
        if not isinstance(found, str):
            raise UnavailableError(f"The issuer of logins does not say its {name}.")
        check_issuer_address(found)
        return found

    def _describe(self) -> Mapping[str, Any]:
        issuer = self.registration.issuer
        if self._metadata and time.monotonic() - self._metadata[0] < _KNOWN_FOR_S:
            return self._metadata[1]
        status, answer = self._fetch("GET", issuer.rstrip("/") + _WELL_KNOWN)
        if status != httpx.codes.OK or answer.get("issuer") != issuer:
            raise UnavailableError(
                "The issuer of logins does not describe itself, or calls itself otherwise."
            )
        self._metadata = time.monotonic(), answer
        return answer

    def _fetch(self, method: str, address: str, **more: Any) -> tuple[int, Mapping[str, Any]]:  # noqa: ANN401 - as httpx takes them
        try:
            with (
                httpx.Client(timeout=self.timeout_s, follow_redirects=False) as client,
                client.stream(method, address, **more) as answer,
            ):
                content = b""
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > _MOST_BYTES:
                        raise UnavailableError("The issuer of logins answers with too much.")
            document = json.loads(content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnavailableError("The issuer of logins does not answer.") from error
        except ValueError as error:
            raise UnavailableError("The issuer of logins does not answer with JSON.") from error
        if not isinstance(document, dict):
            raise UnavailableError("The issuer of logins does not answer with a JSON object.")
        return answer.status_code, document


def check_issuer_address(address: str) -> None:
    """InputError for an address that is not https, unless it is on this machine."""
    parts = urlsplit(address)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise InputError(f"the issuer's address must be https, or http on this machine: {address[:200]}")


def _text(value: object) -> str | None:
    return value[:254] if isinstance(value, str) and value.isprintable() and value else None
