"""Gates in a test's database at which a transaction waits until the test lets it through, so that nothing is left to chance.

A gate is an advisory lock that the test holds. It stands where a trigger or a step of a function is made to ask for that
lock; that somebody has come to it is seen in the server's own list of locks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.databases import Database
from tests.service import eventually

_KEY = 20_260_004
_WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
_MAKE = """
    CREATE FUNCTION ler.pass_gate() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_lock_shared({key});
        PERFORM pg_advisory_unlock_shared({key});
    END $$;
    CREATE FUNCTION ler.pass_gate_by_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_NARGS = 0 OR current_setting(TG_ARGV[0], true) = 'on' THEN
            PERFORM ler.pass_gate();
        END IF;
        RETURN NULL;
    END $$
"""


@dataclass
class Gate:
    """A gate that is closed."""

    connection: psycopg.Connection

    def await_arrival(self, count: int = 1) -> None:
        """Wait until so many transactions wait, at the gate or behind one that does."""
        await_waiting(self.connection, count)

    def open(self) -> None:
        """Let everybody through, now and later."""
        self.connection.execute("SELECT pg_advisory_unlock_all()")


def await_waiting(connection: psycopg.Connection, count: int) -> None:
    """Wait until so many transactions of this database wait for locks."""

    def there() -> bool:
        row = connection.execute(_WAITING).fetchone()
        return row is not None and row[0] >= count

    eventually(there)


@contextmanager
def closed_gate(database: Database) -> Iterator[Gate]:
    """Close a gate, which `at_function` and `at_trigger` put somewhere; it opens at the end at the latest."""
    with database.connect() as connection:
        if connection.execute("SELECT to_regproc('ler.pass_gate') IS NULL").fetchone() == (True,):
            connection.execute(sql.SQL(_MAKE).format(key=sql.Literal(_KEY)))
        connection.execute("SELECT pg_advisory_lock(%s)", [_KEY])
        gate = Gate(connection)
        try:
            yield gate
        finally:
            gate.open()


def at_function(database: Database, name: str) -> None:
    """Put the gate before a function of ler that returns nothing and has no namesake."""
    with database.connect() as connection:
        row = connection.execute(
            "SELECT pg_get_function_arguments(oid), pg_get_function_identity_arguments(oid), pronargs"
            " FROM pg_proc WHERE pronamespace = 'ler'::regnamespace AND proname = %s AND prorettype = 'void'::regtype",
            [name],
        ).fetchone()
        assert row is not None, f"no such step: {name}"
        arguments, identity, count = row
        given = ", ".join(f"${number}" for number in range(1, count + 1))
        connection.execute(
            sql.SQL(
                "ALTER FUNCTION ler.{name}({identity}) RENAME TO {behind};"
                "CREATE FUNCTION ler.{name}({arguments}) RETURNS void LANGUAGE plpgsql AS $$"
                " BEGIN PERFORM ler.pass_gate(); PERFORM ler.{behind}({given}); END $$"
            ).format(
                name=sql.Identifier(name),
                behind=sql.Identifier(f"{name}_behind_gate"),
                identity=sql.SQL(identity),
                arguments=sql.SQL(arguments),
                given=sql.SQL(given),
            )
        )


def at_trigger(database: Database, table: str, event: str, *, only_for: str = "") -> None:
    """Put the gate before an event on a table of ler; `only_for` transactions that have that setting on."""
    with database.connect() as connection:
        connection.execute(
            sql.SQL(
                "CREATE TRIGGER aaa_gate BEFORE {event} ON ler.{table} FOR EACH STATEMENT"
                " EXECUTE FUNCTION ler.pass_gate_by_trigger({given})"
            ).format(
                event=sql.SQL(event),
                table=sql.Identifier(table),
                given=sql.Literal(only_for) if only_for else sql.SQL(""),
            )
        )


@contextmanager
def held_row(database: Database, query: str, *values: object) -> Iterator[psycopg.Connection]:
    """Hold the rows that a query locks, so that others wait for them; yields another connection, in which to look."""
    with database.connect() as holder, database.connect() as looking, holder.transaction():
        holder.execute(sql.SQL(query), values)
        yield looking
