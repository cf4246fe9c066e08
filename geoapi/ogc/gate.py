"""The one gate of the OGC API: who calls is proved, and what it reads is read, in one round trip to the database.

The transaction acts for whose token it is, or for nobody; the statements that follow see only that one's rows, and what
they gave is thrown away when the caller turns out not to be who it says. It can change nothing. A caller without a token
is nobody, and sees what everybody sees.

Calls are counted in this process, not in the database as elsewhere: a map calls for a hundred tiles at once, which would
wait for each other. That a token is used is told to the database once a minute.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from fastapi import Request
from psycopg.rows import namedtuple_row
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from geoapi.auth import ACTING_FOR, LONGEST_CVR, Credential, find_credential
from geoapi.ogc.counts import Counts
from geoapi.ogc.statement import Statement
from geoapi.problems import ProblemException
from ler.db.engine import transaction
from ler.domain.roles import known_roles, known_scopes, permitted_by_mandate
from ler.errors import RefusedError, UnavailableError
from ler.services.principals import Principal, TokenRefusedError, mandated, principal_of
from ler.services.token_format import digest, parse_secret

_OPEN: Final = (
    "SELECT * FROM ler.open_reading(%(prefix)s, %(sha256)s, %(kinds)s, %(cvr)s, %(pinned)s),"
    " set_config('statement_timeout', %(timeout)s, true) AS timeout,"
    " set_config('plan_cache_mode', 'force_generic_plan', true) AS planning,"
    " set_config('max_parallel_workers_per_gather', '0', true) AS helpers"
)
"""Plans are made once for each kind of question, by one process each: making one takes longer than most answers, and
starting a helper takes 50 ms."""
_NOBODYS: Final[dict[str, Any]] = {"prefix": "", "sha256": "", "kinds": [], "cvr": None}
_TOUCH: Final = text("SELECT ler.touch_token(:token)")


type _Rows = tuple[Any, tuple[list[Any], ...]]


@dataclass(frozen=True, slots=True)
class Read:
    """Who read, and what the statements gave: the rows of each."""

    caller: Principal | None
    rows: tuple[list[Any], ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets callers read; one for the application."""

    engine: Engine
    writes: Engine
    """For what is told of reading."""
    counts: Counts
    timeout_s: float

    def read(self, request: Request, *statements: Statement, pinned: int | None = None) -> Read:
        """Return what the statements give to who calls; `pinned`: the version of its own network that is read.

        TokenRefusedError; RefusedError `mandate-missing`; a problem `rate-limited` or `query-too-heavy`;
        UnavailableError. Whether the caller has the scope is for who asked to see.
        """
        given = find_credential(request)
        values = {**_proof(given, request), "pinned": pinned, "timeout": str(round(self.timeout_s * 1000))}
        # Counted before the database is asked, wherever it is known whose call it is.
        address = request.client.host if request.client else "nobody"
        who = address if given is None else self.counts.whose(values["sha256"])
        if who is not None:
            request.state.rate_headers = self.counts.count(who)
        row, rows = self._run(values, statements)
        if given is None:
            return Read(None, rows)
        if row is None:
            raise TokenRefusedError
        caller = principal_of(row)
        request.state.caller, request.state.token_id = caller, caller.token_id
        if who is None:
            self.counts.remember(values["sha256"], str(caller.calling_id))
            request.state.rate_headers = self.counts.count(str(caller.calling_id))
        if values["cvr"] is not None:
            caller = request.state.caller = _acting(caller, row, values["cvr"])
        if self.counts.is_news(caller.token_id):
            with transaction(self.writes, None) as connection:
                connection.execute(_TOUCH, {"token": caller.token_id})
        return Read(caller, rows)

    def _run(self, values: dict[str, Any], statements: Sequence[Statement]) -> _Rows:
        try:
            return self._run_once(values, statements)
        except UnavailableError:
            # The connection may have died while nobody used it; a new one tells whether the database has.
            return self._run_once(values, statements)

    def _run_once(self, values: dict[str, Any], statements: Sequence[Statement]) -> _Rows:
        try:
            with self._connection() as connection:
                with connection.pipeline():
                    connection.execute("BEGIN READ ONLY")
                    opened = _execute(connection, Statement(_OPEN, values))
                    found = [_execute(connection, one) for one in statements]
                    connection.execute("COMMIT")
                return opened.fetchone(), tuple(cursor.fetchall() for cursor in found)
        except psycopg.errors.QueryCanceled:
            raise ProblemException("query-too-heavy", f"it took more than {self.timeout_s:g} s") from None

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            pooled = self.engine.raw_connection()
        except (DBAPIError, PoolTimeoutError) as error:
            raise UnavailableError("The database does not answer, or is too busy.") from error
        connection = pooled.driver_connection
        if not isinstance(connection, psycopg.Connection):
            raise TypeError("the database is reached by another driver")
        try:
            yield connection
        except psycopg.Error as error:
            if connection.closed:
                pooled.invalidate()
            else:
                connection.rollback()
            if isinstance(error, psycopg.OperationalError) and not isinstance(
                error, psycopg.errors.QueryCanceled
            ):
                raise UnavailableError("The database does not answer.") from error
            raise
        finally:
            pooled.close()


def _acting(caller: Principal, row: Any, cvr: str) -> Principal:  # noqa: ANN401 - a row of ler.open_reading
    if row.acting is None:
        raise RefusedError("mandate-missing", "there is no mandate by which you act for that organisation")
    named = permitted_by_mandate(known_scopes(row.named), known_roles(row.roles_of_giver))
    return mandated(caller, row.acting, named, cvr)


def _execute(connection: psycopg.Connection[Any], one: Statement) -> psycopg.Cursor[Any]:
    return connection.cursor(row_factory=namedtuple_row).execute(one.sql, one.values, prepare=True)


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
