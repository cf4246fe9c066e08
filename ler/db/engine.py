"""Connections: how long they may wait, and for whom a transaction acts.

Whom it acts for is set for one transaction only: a setting of the session would stay on the pooled connection for
the next caller. Outside `transaction` nobody acts, and nobody sees no row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ler.db.reading import ReadPool
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

# A server that vanished without a word is noticed within a minute; the system's own patience is two hours.
_KEPT_ALIVE: Final = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


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
) -> Engine:
    """Return an engine for one of the roles that may log in; it connects when it is first used.

    `role` is taken on when connecting, for a login that has been granted it. Times are seconds; 0 means for ever. Uploads of large networks need a longer `statement_timeout_s`.
    """
    limits = {
        "statement_timeout": statement_timeout_s,
        "lock_timeout": lock_timeout_s,
        "idle_in_transaction_session_timeout": idle_in_transaction_timeout_s,
    }
    options = _options(role, **{name: str(round(seconds * 1000)) for name, seconds in limits.items()})
    return sa.create_engine(
        url,
        connect_args={
            "connect_timeout": connect_timeout_s,
            "options": options,
            "application_name": application_name,
            **_KEPT_ALIVE,
        },
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=pool_timeout_s,
        pool_pre_ping=True,
        # An exception's text would otherwise hold the row that was refused, which may be somebody's line.
        hide_parameters=True,
    )


def create_read_pool(
    url: str,
    *,
    role: str | None = None,
    size: int = 8,
    usual: int | None = None,
    statement_timeout_s: float = 60.0,
) -> ReadPool:
    """Return connections for reading only; plans are made once for each kind of question, by one process each.

    Making a plan takes longer than most answers, and starting a helper takes 50 ms.
    """
    options = _options(
        role,
        statement_timeout=str(round(statement_timeout_s * 1000)),
        default_transaction_read_only="on",
        plan_cache_mode="force_generic_plan",
        max_parallel_workers_per_gather="0",
    )
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    conninfo = make_conninfo(plain, options=options, connect_timeout=5, application_name="ler", **_KEPT_ALIVE)
    return ReadPool(conninfo, size=size, usual=usual)


def _options(role: str | None, **settings: str) -> str:
    taken = {**settings, **({"role": role} if role else {}), "jit": "off", "timezone": "UTC"}
    return " ".join(f"-c {name}={value}" for name, value in taken.items())


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
