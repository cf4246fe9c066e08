"""Connections: limits in time, and for whom a transaction acts."""

from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from ler.db.engine import create_engine, sqlstate, transaction
from ler.errors import UnavailableError
from tests.databases import Database


def fail_after(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
    raise ZeroDivisionError


def test_a_transaction_acts_for_its_principal_and_request(database: Database) -> None:
    engine = create_engine(database.url("ler_app"))
    principal, request = uuid4(), uuid4()
    query = text("SELECT ler.principal(), ler.request_scope()")
    with transaction(engine, principal, request) as connection:
        assert connection.execute(query).one() == (principal, request)
    with transaction(engine, None) as connection:
        assert connection.execute(query).one() == (None, None)
    engine.dispose()


def test_what_fails_is_rolled_back(database: Database) -> None:
    engine = create_engine(database.url())
    with pytest.raises(ZeroDivisionError), transaction(engine, None) as connection:
        fail_after(connection, "INSERT INTO ler.organisation (name) VALUES ('x')")
    with transaction(engine, None) as connection:
        count = text("SELECT count(*) FROM ler.organisation WHERE name = 'x'")
        assert connection.execute(count).scalar_one() == 0
    engine.dispose()


def test_nothing_waits_for_ever(database: Database) -> None:
    engine = create_engine(database.url(), statement_timeout_s=0.2, lock_timeout_s=0.1)
    with pytest.raises(OperationalError) as slow, transaction(engine, None) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    assert sqlstate(slow.value) == psycopg.errors.QueryCanceled.sqlstate
    with database.connect() as other, other.transaction():
        other.execute("LOCK TABLE ler.package")
        with pytest.raises(OperationalError) as locked, transaction(engine, None) as connection:
            connection.execute(text("LOCK TABLE ler.package"))
    assert sqlstate(locked.value) == psycopg.errors.LockNotAvailable.sqlstate
    engine.dispose()


def test_an_error_does_not_carry_the_values_of_the_row(database: Database) -> None:
    engine = create_engine(database.url())
    with pytest.raises(DBAPIError) as caught, transaction(engine, None) as connection:
        connection.execute(text("SELECT 1 / :zero, :secret"), {"zero": 0, "secret": "a line of somebody"})
    assert "somebody" not in str(caught.value)
    engine.dispose()


def test_no_connection_is_told_plainly(database: Database) -> None:
    nowhere = create_engine("postgresql+psycopg://ler_app@/ler?host=/nowhere")
    with pytest.raises(UnavailableError), transaction(nowhere, None):
        pass
    busy = create_engine(database.url(), pool_size=1, max_overflow=0, pool_timeout_s=0.1)
    with transaction(busy, None), pytest.raises(UnavailableError), transaction(busy, None):
        pass
    busy.dispose()
