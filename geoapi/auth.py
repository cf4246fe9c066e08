"""Who calls, and whether it may. Every way of proving who one is leads through this one gate.

A token comes as `Authorization: Bearer`, or as the password of Basic authentication from programs that know no other;
never in an address, which ends up in logs. The session of a person that logged in comes as a cookie, which a browser
sends along for whoever bids it: with a cookie or Basic, a call that changes something must come from our own pages.

Who acts for another organisation by its mandate names that one's CVR number in `Ler-Acting-For`. A route says which
scope it needs, or that it needs none, or the application is not made.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from sqlalchemy import text
from sqlalchemy.engine import Connection

from geoapi.cookies import session_cookie
from geoapi.platform import Platform, platform_of
from geoapi.problems import ProblemException
from geoapi.rates import count_call
from ler.db.engine import transaction
from ler.domain.access import Scope
from ler.errors import RefusedError
from ler.services.principals import (
    Principal,
    TokenRefusedError,
    acting_for,
    find_principal_now,
    verify_token,
)
from ler.services.token_format import Kind

ACTING_FOR: Final = "Ler-Acting-For"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_CVR: Final = 20
_BY_TOKEN: Final = text("SELECT set_config('ler.token', :token, true)")


class May:
    """A dependency: the caller is known and has this scope, and is handed to the route. None: it need only be known."""

    def __init__(self, scope: Scope | None) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> Principal:
        """Return the caller.

        TokenRefusedError; RefusedError `mandate-missing`; a problem when there is no token, it lacks the scope, a
        browser was bidden from elsewhere, or too much was called.
        """
        given = find_credential(request)
        if given is None:
            raise ProblemException("token-missing")
        caller, refusal = _admitted(request, given)
        request.state.token_id = caller.token_id
        request.state.caller = caller
        if refusal is not None:
            raise refusal
        if self.scope is not None and self.scope not in caller.scopes:
            raise ProblemException("scope-missing", f"the token lacks the scope {self.scope}")
        return caller


@dataclass(frozen=True, slots=True)
class Credential:
    """A token as it came, and the kinds of which it must be."""

    token: str
    kinds: frozenset[Kind]


@contextmanager
def caller_transaction(request: Request, caller: Principal) -> Iterator[Connection]:
    """Open a transaction in which the caller acts, with all that is recorded of who acts for whom."""
    with acting(platform_of(request), caller) as connection:
        yield connection


@contextmanager
def acting(platform: Platform, caller: Principal) -> Iterator[Connection]:
    """Open a transaction in which a caller acts that does not wait for the answer any more."""
    with transaction(
        platform.databases.app,
        caller.organisation_id,
        account=caller.account_id,
        provider=caller.provider_id,
    ) as connection:
        if caller.bounded:
            # By which the database keeps what is asked for within the token's area.
            connection.execute(_BY_TOKEN, {"token": str(caller.token_id)})
        yield connection


def still_may(connection: Connection, caller: Principal, scope: Scope) -> bool:
    """Whether a caller that was let in before would be let in now: asked again and again by what lasts, like streams."""
    now = find_principal_now(connection, caller)
    return now is not None and now.organisation_id == caller.organisation_id and scope in now.scopes


def guard_of(dependant: Dependant) -> May | None:
    """Return what guards a route; None when it lets everybody in."""
    for one in dependant.dependencies:
        found = one.call if isinstance(one.call, May) else guard_of(one)
        if found:
            return found
    return None


def scope_of(dependant: Dependant) -> Scope | None:
    """Return the scope that a route needs; None when it needs none, or lets everybody in."""
    guard = guard_of(dependant)
    return guard.scope if guard else None


def check_origin(request: Request, platform: Platform, *, needed: bool) -> None:
    """Refuse a call that a browser was bidden to make from pages that are not ours (CSRF).

    `needed`: also one of which the browser does not say from where.
    """
    origin = request.headers.get("origin")
    if origin is not None:
        if origin != platform.origin:
            raise ProblemException("origin-refused")
    elif needed and request.headers.get("sec-fetch-site") != "same-origin":
        raise ProblemException("origin-refused")


def _admitted(request: Request, given: Credential) -> tuple[Principal, Exception | None]:
    """The caller, and why it may not go on although it is known: told when its call has been counted."""
    with transaction(platform_of(request).databases.app, None) as connection:
        caller = verify_token(connection, given.token, given.kinds)
        refusal: Exception | None = count_call(connection, request, caller)
        cvr = request.headers.get(ACTING_FOR)
        if cvr is None or refusal is not None:
            return caller, refusal
        try:
            return acting_for(connection, caller, cvr[:LONGEST_CVR]), None
        except RefusedError as error:
            return caller, error


def find_credential(request: Request) -> Credential | None:
    """Return the token that came with a call, whatever it is worth; None when none came.

    TokenRefusedError for what is none; a problem when a browser was bidden from elsewhere.
    """
    platform = platform_of(request)
    safe = request.method in _SAFE
    header = request.headers.get("authorization")
    if header is None:
        session = request.cookies.get(session_cookie(platform))
        if session is None:
            return None
        if not safe:
            check_origin(request, platform, needed=True)
        return Credential(session, frozenset({Kind.SESSION}))
    scheme, _, value = header.partition(" ")
    kinds = frozenset({Kind.PERSONAL, Kind.CLIENT})
    match scheme.lower():
        case "bearer":
            return Credential(value.strip(), kinds)
        case "basic":
            if not safe:
                check_origin(request, platform, needed=False)
            return Credential(_password(value), kinds)
        case _:
            raise TokenRefusedError


def _password(value: str) -> str:
    try:
        user_and_password = b64decode(value.strip(), validate=True).decode("utf-8")
    except (Base64Error, UnicodeDecodeError):
        raise TokenRefusedError from None
    return user_and_password.partition(":")[2]
