"""Logging in by an issuer, and out. Between leaving and coming back the browser keeps what it began, as a cookie.

So nothing of a login that is never finished is kept here, a login that one browser began cannot be finished by another,
and whoever comes back with a code that was meant for somebody else is refused. Where a login leads to is a path on this
site and nothing else.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Query, Request, Response
from starlette.responses import RedirectResponse

from geoapi.auth import May, caller_transaction
from geoapi.cookies import LOGIN_PATH, login_cookie, session_cookie, set_cookie, take_cookie
from geoapi.oidc import (
    LoginAttempt,
    LoginRefusedError,
    Registration,
    RelyingParty,
    SecondFactor,
    check_issuer_address,
)
from geoapi.platform import Platform, platform_of
from geoapi.problems import ProblemException
from ler.db.engine import transaction
from ler.services.principals import Principal, TokenRefusedError, verify_token
from ler.services.sessions import Login, SeveralMembershipsError, begin_session, find_membership
from ler.services.token_format import Kind
from ler.services.tokens import end_token

CALLBACK: Final = f"{LOGIN_PATH}/callback"
LOGOUT: Final = "/logout"

_ATTEMPT_S: Final = 600
_LONGEST_PATH: Final = 500
_HOME: Final = "/api/v1/me"

type Known = Annotated[Principal, Depends(May(None))]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(LOGIN_PATH, login, methods=["GET"], status_code=303, summary="Log in by the issuer")
    app.add_api_route(CALLBACK, callback, methods=["GET"], status_code=303, summary="Back from the issuer")
    app.add_api_route(LOGOUT, logout, methods=["POST"], status_code=204, summary="End the browser's session")


def relying_party(platform: Platform) -> RelyingParty | None:
    """Return us as the issuer of the settings knows us; None when there is none. InputError for one in the clear."""
    settings = platform.settings
    if settings.oidc_issuer is None:
        return None
    check_issuer_address(settings.oidc_issuer)
    secret = settings.oidc_client_secret
    return RelyingParty(
        Registration(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            redirect_uri=platform.origin + CALLBACK,
            second_factor=SecondFactor(
                settings.oidc_second_factor, settings.oidc_acr_values, settings.oidc_amr_values
            ),
        )
    )


def login(
    request: Request,
    return_to: Annotated[str, Query(alias="return", max_length=_LONGEST_PATH)] = _HOME,
    organisation: Annotated[str | None, Query(pattern=r"^[0-9]{8}$")] = None,
    login_hint: Annotated[str | None, Query(max_length=254)] = None,
) -> Response:
    """Send the browser to the issuer; `return` is where it goes in the end, a path on this site."""
    platform, party = platform_of(request), _party(request)
    attempt = LoginAttempt.new()
    answer = _sent_to(party.address(attempt, login_hint=login_hint))
    kept = {
        "state": attempt.state,
        "nonce": attempt.nonce,
        "verifier": attempt.verifier,
        "return": local_path(return_to),
        "organisation": organisation,
    }
    packed = urlsafe_b64encode(json.dumps(kept).encode()).decode()
    set_cookie(answer, platform, login_cookie(platform), packed, seconds=_ATTEMPT_S)
    return answer


def callback(
    request: Request,
    *,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4096)] = "",
    iss: Annotated[str | None, Query(max_length=_LONGEST_PATH)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
    error_description: Annotated[str | None, Query(max_length=2000)] = None,
    error_uri: Annotated[str | None, Query(max_length=2000)] = None,
    session_state: Annotated[str | None, Query(max_length=2000)] = None,
    scope: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Take who comes back from the issuer: begin a session of its own, and end the one that the browser had."""
    del error_description, error_uri, session_state, scope  # what issuers send along, and nobody here needs
    platform, party = platform_of(request), _party(request)
    kept = _kept(request.cookies.get(login_cookie(platform)))
    if not state or not compare_digest(state.encode(), str(kept["state"]).encode()):
        raise LoginRefusedError("state")
    if iss is not None and iss != party.registration.issuer:
        raise LoginRefusedError("issuer")
    if error is not None or not code:
        raise LoginRefusedError("issuer-refused")
    found = party.identity(LoginAttempt(kept["state"], kept["nonce"], kept["verifier"]), code)
    person = Login(found.issuer, found.subject, found.email, found.acr, found.amr)
    settings = platform.settings
    try:
        with transaction(platform.databases.app, None) as connection:
            session = begin_session(
                connection,
                find_membership(connection, person, kept["organisation"]),
                person,
                life=timedelta(hours=settings.session_hours),
                idle=timedelta(minutes=settings.session_idle_minutes),
            )
    except SeveralMembershipsError as several:
        named = [{"cvr": one.cvr, "name": one.name} for one in several.memberships]
        raise ProblemException(several.code, str(several), members={"organisations": named}) from several
    _end_former_session(request, platform)
    answer = _sent_to(local_path(kept["return"]))
    # The name under which the session is known is new with every login: one that somebody planted is worth nothing.
    set_cookie(
        answer, platform, session_cookie(platform), session, seconds=round(settings.session_hours * 3600)
    )
    take_cookie(answer, platform, login_cookie(platform))
    return answer


def logout(request: Request, caller: Known) -> Response:
    """End the session of the browser, at once and not only there."""
    if caller.kind is not Kind.SESSION:
        raise ProblemException("session-missing")
    with caller_transaction(request, caller) as connection:
        end_token(connection, caller.calling_id, caller.token_id)
    platform = platform_of(request)
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    take_cookie(answer, platform, session_cookie(platform))
    return answer


def local_path(wanted: object) -> str:
    """Return where a login leads to: a path on this site. Anything else, of any trickery, is our own first page."""
    if not isinstance(wanted, str) or not wanted.startswith("/") or len(wanted) > _LONGEST_PATH:
        return _HOME
    # Browsers take a backslash for a slash, leave out control characters, and read `//host` as another site.
    if wanted.startswith("//") or "\\" in wanted or not wanted.isascii() or not wanted.isprintable():
        return _HOME
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return _HOME
    return _HOME if parts.scheme or parts.netloc else wanted


def _party(request: Request) -> RelyingParty:
    found = request.app.state.relying_party
    if not isinstance(found, RelyingParty):
        raise ProblemException("login-unavailable")
    return found


def _kept(cookie: str | None) -> dict[str, Any]:
    """What the browser kept; LoginRefusedError when it is not what we gave it."""
    try:
        kept: dict[str, Any] = json.loads(urlsafe_b64decode((cookie or "").encode("ascii")))
        if all(isinstance(kept[name], str) for name in ("state", "nonce", "verifier")):
            return {"organisation": None, "return": _HOME} | kept
    except (ValueError, TypeError, KeyError):
        pass
    raise LoginRefusedError("cookie")


def _end_former_session(request: Request, platform: Platform) -> None:
    former = request.cookies.get(session_cookie(platform))
    if former is None:
        return
    try:
        with transaction(platform.databases.app, None) as connection:
            caller = verify_token(connection, former, frozenset({Kind.SESSION}))
    except TokenRefusedError:
        return
    with transaction(platform.databases.app, caller.organisation_id, account=caller.account_id) as connection:
        end_token(connection, caller.organisation_id, caller.token_id)


def _sent_to(address: str) -> Response:
    return RedirectResponse(address, HTTPStatus.SEE_OTHER, headers={"Cache-Control": "no-store"})
