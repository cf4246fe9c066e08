"""Connections: how long they may wait, and for whom a transaction acts.

Whom it acts for is set for one transaction only: a setting of the session would stay on the pooled connection for
the next caller. Outside `transaction` nobody acts, and nobody sees no row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ler.errors import UnavailableError

_NOT_MIGRATED: Final = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.InvalidSchemaName,
)
_ACT: Final = text(
    "SELECT set_config('ler.principal', :principal, true), set_config('ler.request', :request, true),"
    " set_config('ler.account', :account, true), set_config('ler.provider', :provider, true)"
)


def create_engine(
    url: str,
    *,
    role: str | None = None,
    pool_size: int = 5,
    max_overflow: int = 5,
    pool_timeout_s: float = 2.0,
    connect_timeout_s: int = 5,
    statement_timeout_s: float = 60.0,
    lock_timeout_s: float = 5.0,
    idle_in_transaction_timeout_s: float = 60.0,
    application_name: str = "ler",
    only_reads: bool = False,
) -> Engine:
    """Return an engine for one of the roles that may log in; it connects when it is first used.

    `role` is taken on when connecting, for a login that has been granted it. Times are seconds; 0 means for ever. Uploads of large networks need a longer `statement_timeout_s`.

    `only_reads`: for who begins and ends transactions itself in the pipeline of a driver's connection, and asks anew when
    one has died meanwhile, instead of asking each time whether it lives.
    """
    limits = {
        "statement_timeout": statement_timeout_s,
        "lock_timeout": lock_timeout_s,
        "idle_in_transaction_session_timeout": idle_in_transaction_timeout_s,
    }
    options = " ".join(f"-c {name}={round(seconds * 1000)}" for name, seconds in limits.items())
    if role:
        options += f" -c role={role}"
    arguments: dict[str, Any] = {
        "connect_timeout": connect_timeout_s,
        "options": f"{options} -c jit=off -c timezone=UTC",
        "application_name": application_name,
        # A server that vanished without a word is noticed within a minute; the system's own patience is two hours.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
    return sa.create_engine(
        url,
        connect_args=arguments,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=pool_timeout_s,
        pool_pre_ping=not only_reads,
        **({"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None} if only_reads else {}),
        # An exception's text would otherwise hold the row that was refused, which may be somebody's line.
        hide_parameters=True,
    )


@contextmanager
def transaction(
    engine: Engine,
    principal: UUID | None,
    request: UUID | None = None,
    *,
    account: UUID | None = None,
    provider: UUID | None = None,
) -> Iterator[Connection]:
    """Open a transaction in which `principal` acts, or in which a worker's job about `request` runs.

    `account` is the person that acts for the principal, `provider` the organisation that does so by its mandate; both
    are for the record only and give no right. Commits at the end, rolls back on an exception. Raises UnavailableError when no connection can be had.
    """
    try:
        connection = engine.connect()
    except (OperationalError, PoolTimeoutError) as error:
        raise UnavailableError(
            "The database does not answer, is too busy, or does not know the platform's roles."
            " Is it running, and has `ler db migrate` been run on it?"
        ) from error
    with connection, _told_plainly(), connection.begin():
        acting = {"principal": principal, "request": request, "account": account, "provider": provider}
        connection.execute(_ACT, {name: str(who or "") for name, who in acting.items()})
        yield connection


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except ProgrammingError as error:
        if isinstance(error.orig, _NOT_MIGRATED):
            raise UnavailableError(
                "The database has no tables of the platform, or older ones. Run `ler db migrate` on it."
            ) from error
        raise


def sqlstate(error: DBAPIError) -> str | None:
    """Return the five-character code of a database error; codes that begin with LE are our own."""
    return error.orig.sqlstate if isinstance(error.orig, psycopg.Error) else None
