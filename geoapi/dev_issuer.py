"""An issuer of logins for development and tests: it believes everybody. Never to be reached by anybody else.

It speaks what `geoapi.oidc` needs of OpenID Connect - description, keys, code flow with PKCE - over a key that is made
at start. Who it knows is given when it is made; its page asks who one would like to be.
"""

import secrets
import time
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

ALGORITHM: Final = "ES256"
_CODE_LIVES_S: Final = 60.0
_TOKEN_LIVES_S: Final = 300


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be logged in."""

    email: str
    name: str
    subject: str = ""
    """What the issuer calls the person; the e-mail address when empty."""
    email_verified: bool = True
    amr: tuple[str, ...] = ("pwd", "otp", "mfa")
    acr: str | None = None


@dataclass(frozen=True, slots=True)
class _Code:
    person: Person
    redirect_uri: str
    nonce: str
    challenge: str
    made_at: float


@dataclass
class DevIssuer:
    """The issuer. `issuer` is its own address; only `redirect_uris` are sent to."""

    issuer: str
    people: Sequence[Person]
    redirect_uris: Sequence[str]
    client_id: str = "ler"
    client_secret: str | None = None
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": secrets.token_hex(8)}))
    _codes: dict[str, _Code] = field(default_factory=dict)

    def app(self) -> Starlette:
        """Return the application."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/jwks", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    def claims(self, person: Person, nonce: str) -> dict[str, Any]:
        """What is said of somebody who logged in."""
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": person.subject or person.email,
            "aud": self.client_id,
            "iat": now,
            "exp": now + _TOKEN_LIVES_S,
            "nonce": nonce,
            "email": person.email,
            "email_verified": person.email_verified,
            "name": person.name,
            "amr": list(person.amr),
        } | ({"acr": person.acr} if person.acr else {})

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the ID token."""
        return jwt.encode({"alg": ALGORITHM, "kid": self.key.kid}, claims, self.key)

    def _describe(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        wanted = {"response_type": "code", "client_id": self.client_id, "code_challenge_method": "S256"}
        if any(asked.get(name) != value for name, value in wanted.items()):
            return _told_refused("invalid_request")
        if asked.get("redirect_uri") not in self.redirect_uris or not asked.get("code_challenge"):
            return _told_refused("invalid_request")
        person = next((one for one in self.people if one.email == asked.get("login_hint")), None)
        if person is None:
            return self._choice(asked)
        code = secrets.token_urlsafe(32)
        self._codes[code] = _Code(
            person, asked["redirect_uri"], asked.get("nonce", ""), asked["code_challenge"], time.monotonic()
        )
        back = urlencode({"code": code, "state": asked.get("state", ""), "iss": self.issuer})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", HTTPStatus.SEE_OTHER)

    def _choice(self, asked: dict[str, str]) -> Response:
        links = "".join(
            f'<li><a href="?{escape(urlencode(asked | {"login_hint": one.email}))}">{escape(one.name)}'
            f" &lt;{escape(one.email)}&gt;</a></li>"
            for one in self.people
        )
        return HTMLResponse(
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Who are you?</title></head>\n'
            f"<body><main><h1>Who are you?</h1><ul>{links}</ul></main></body></html>\n"
        )

    async def _token(self, request: Request) -> Response:
        given = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if self.client_secret is not None and not self._is_client(request.headers.get("authorization", "")):
            return _told_refused("invalid_client", HTTPStatus.UNAUTHORIZED)
        # Taken away whatever comes of it: a code is good for one try.
        code = self._codes.pop(given.get("code", ""), None)
        if (
            code is None
            or time.monotonic() - code.made_at > _CODE_LIVES_S
            or given.get("grant_type") != "authorization_code"
            or given.get("redirect_uri") != code.redirect_uri
            or create_s256_code_challenge(given.get("code_verifier", "")) != code.challenge
        ):
            return _told_refused("invalid_grant")
        token = self.sign(self.claims(code.person, code.nonce))
        answer = {"access_token": secrets.token_urlsafe(32), "token_type": "Bearer", "expires_in": 300}
        return JSONResponse(answer | {"id_token": token}, headers={"Cache-Control": "no-store"})

    def _is_client(self, header: str) -> bool:
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "basic":
            return False
        return b64decode(value).decode() == f"{self.client_id}:{self.client_secret}"


def _told_refused(error: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Response:
    return JSONResponse({"error": error}, status)
