"""Who calls, and whether it may.

A token comes as `Authorization: Bearer`, or as the password of Basic authentication from programs that know no other;
never in an address, which ends up in logs. A route says which scope it needs, or the application is not made.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from fastapi.dependencies.models import Dependant
from sqlalchemy.engine import Connection

from geoapi.platform import platform_of
from geoapi.problems import ProblemException
from ler.db.engine import transaction
from ler.domain.access import Scope
from ler.services.tokens import Principal, TokenRefusedError, verify_token


class May:
    """A dependency: the caller has a valid token with this scope, and is handed to the route."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> Principal:
        """Return the caller. TokenRefusedError, or a problem when there is no token or it lacks the scope."""
        with transaction(platform_of(request).databases.app, None) as connection:
            principal = verify_token(connection, _token(request))
        request.state.token_id = principal.token_id
        if self.scope not in principal.scopes:
            raise ProblemException("scope-missing", f"the token lacks the scope {self.scope}")
        return principal


@contextmanager
def caller_transaction(request: Request, caller: Principal) -> Iterator[Connection]:
    """Open a transaction in which the caller acts, with all that is recorded of who acts for whom."""
    with transaction(platform_of(request).databases.app, caller.organisation_id) as connection:
        yield connection


def scope_of(dependant: Dependant) -> Scope | None:
    """Return the scope that a route needs; None when it lets everybody in."""
    for one in dependant.dependencies:
        found = one.call.scope if isinstance(one.call, May) else scope_of(one)
        if found:
            return found
    return None


def _token(request: Request) -> str:
    header = request.headers.get("authorization")
    if header is None:
        raise ProblemException("token-missing")
    scheme, _, value = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _password(value)
        case _:
            raise TokenRefusedError


def _password(value: str) -> str:
    try:
        user_and_password = b64decode(value.strip(), validate=True).decode("utf-8")
    except (Base64Error, UnicodeDecodeError):
        raise TokenRefusedError from None
    return user_and_password.partition(":")[2]
