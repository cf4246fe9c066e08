"""The one gate of the OGC API: who calls is proved, and what it reads is read, in one round trip to the database.

The transaction acts for whose token it is, or for nobody; the statements that follow see only that one's rows, and what
they gave is thrown away when the caller turns out not to be who it says. It can change nothing. A caller without a token
is nobody, and sees what everybody sees.

Calls are counted in this process, not in the database as elsewhere: a map calls for a hundred tiles at once, which would
wait for each other. That a token is used is told to the database once a minute.
"""

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from anyio import from_thread, to_thread
from fastapi import Request
from sqlalchemy import Engine, text

from geoapi.auth import ACTING_FOR, LONGEST_CVR, Credential, find_credential
from geoapi.ogc.counts import Counts
from geoapi.problems import ProblemException
from ler.db.engine import transaction
from ler.db.reading import ReadPool, Statement
from ler.domain.roles import known_roles, known_scopes, permitted_by_mandate
from ler.errors import RefusedError
from ler.services.principals import Principal, TokenRefusedError, mandated, principal_of
from ler.services.token_format import digest, parse_secret

_OPEN: Final = "SELECT * FROM ler.open_reading(%(prefix)s, %(sha256)s, %(kinds)s, %(cvr)s, %(pinned)s)"
_NOBODYS: Final[dict[str, Any]] = {"prefix": "", "sha256": "", "kinds": [], "cvr": None}
_TOUCH: Final = text("SELECT ler.touch_token(:token)")


@dataclass(frozen=True, slots=True)
class Read:
    """Who read, and what the statements gave: the rows of each."""

    caller: Principal | None
    rows: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets callers read; one for the application."""

    reads: ReadPool
    writes: Engine
    """For what is told of reading."""
    counts: Counts
    timeout_s: float

    def read(self, request: Request, *statements: Statement) -> Read:
        """Do the same as `ask` for an answer that is made in a thread."""
        return from_thread.run(self.ask, request, *statements)

    async def ask(self, request: Request, *statements: Statement, pinned: int | None = None) -> Read:
        """Return what the statements give to who calls; `pinned`: the version of its own network that is read.

        TokenRefusedError; RefusedError `mandate-missing`; a problem `rate-limited` or `query-too-heavy`;
        UnavailableError. Whether the caller has the scope is for who asked to see.
        """
        given = find_credential(request)
        values = {**_proof(given, request), "pinned": pinned}
        # Counted before the database is asked, wherever it is known whose call it is.
        address = request.client.host if request.client else "nobody"
        who = address if given is None else self.counts.whose(values["sha256"])
        if who is not None:
            request.state.rate_headers = self.counts.count(who)
        try:
            opened, *rows = await self.reads.read(Statement(_OPEN, values), *statements)
        except psycopg.errors.QueryCanceled:
            raise ProblemException("query-too-heavy", f"it took more than {self.timeout_s:g} s") from None
        if given is None:
            return Read(None, rows)
        [proved] = opened
        if proved.id is None:
            raise TokenRefusedError
        caller = principal_of(proved)
        request.state.caller, request.state.token_id = caller, caller.token_id
        if who is None:
            self.counts.remember(values["sha256"], str(caller.calling_id))
            request.state.rate_headers = self.counts.count(str(caller.calling_id))
        if values["cvr"] is not None:
            caller = request.state.caller = _acting(caller, proved, values["cvr"])
        if self.counts.is_news(caller.token_id):
            await to_thread.run_sync(self._tell_of_use, caller)
        return Read(caller, rows)

    def _tell_of_use(self, caller: Principal) -> None:
        with transaction(self.writes, None) as connection:
            connection.execute(_TOUCH, {"token": caller.token_id})


def _acting(caller: Principal, row: Any, cvr: str) -> Principal:  # noqa: ANN401 - a row of ler.open_reading
    if row.acting is None:
        raise RefusedError("mandate-missing", "there is no mandate by which you act for that organisation")
    named = permitted_by_mandate(known_scopes(row.named), known_roles(row.roles_of_giver))
    return mandated(caller, row.acting, named, cvr)


def _proof(given: Credential | None, request: Request) -> dict[str, Any]:
    secret = parse_secret(given.token) if given else None
    if given is None:
        return _NOBODYS
    if secret is None or secret.kind not in given.kinds:
        raise TokenRefusedError
    return {
        "prefix": secret.prefix,
        "sha256": digest(secret.secret),
        "kinds": [*given.kinds],
        "cvr": request.headers.get(ACTING_FOR, "")[:LONGEST_CVR] or None,
    }
