"""Connections for reading: what they give, what they refuse, and that one that died is not told to who asks."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from ler.db.engine import create_read_pool
from ler.db.reading import ReadPool, Statement
from ler.errors import UnavailableError
from tests.databases import Database


def _with_pool[Given](
    database: Database, work: Callable[[ReadPool], Awaitable[Given]], **wanted: float
) -> Given:
    async def worked() -> Given:
        pool = create_read_pool(database.url("ler_app"), **wanted)  # type: ignore[arg-type]
        try:
            return await work(pool)
        finally:
            pool.close()

    return asyncio.run(worked())


def _one(sql: str, **values: object) -> Statement:
    return Statement(f"SELECT {sql} AS it", values)


def test_values_come_back_as_they_were_given(database: Database) -> None:
    given = {
        "text": "æ%(x)s %% 'quoted'",
        "whole": 2**40,
        "number": 0.1,
        "none": None,
        "texts": ["a", None],
        "bytes": bytes(range(256)),
        "time": datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
        "id": UUID(int=7),
        "long": "x" * 3_000_000,
    }
    told = ", ".join(f"%({name})s::{kind} AS {name}" for name, kind in _KINDS.items())
    statement = Statement(f"SELECT {told}, '5 %%' AS percent", given)

    rows = _with_pool(database, lambda pool: pool.read(statement, statement))

    assert len(rows) == 2
    for [row] in rows:
        assert row._asdict() == {**given, "percent": "5 %"}


_KINDS = {
    "text": "text",
    "whole": "bigint",
    "number": "float8",
    "none": "text",
    "texts": "text[]",
    "bytes": "bytea",
    "time": "timestamptz",
    "id": "uuid",
    "long": "text",
}


def test_what_is_sent_together_is_one_transaction_and_nothing_stays_of_it(database: Database) -> None:
    def named(pool: ReadPool) -> Awaitable[list[list[object]]]:
        return pool.read(_one("set_config('ler.principal', 'me', true)"), _one(_WHO))

    async def work(pool: ReadPool) -> tuple[object, object]:
        return (await named(pool))[1][0][0], (await pool.read(_one(_WHO)))[0][0][0]  # type: ignore[index]

    assert _with_pool(database, work, size=1) == ("me", "")


_WHO = "coalesce(current_setting('ler.principal', true), '')"


def test_nothing_can_be_changed(database: Database) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        _with_pool(database, lambda pool: pool.read(Statement("CREATE TABLE t ()", {})))


def test_a_statement_that_fails_spoils_no_other(database: Database) -> None:
    async def work(pool: ReadPool) -> list[object]:
        found: list[object] = []
        for divisor in (1, 0, 2, 0, 4):
            with suppress(psycopg.errors.DivisionByZero):
                rows = await pool.read(_one("1"), _one("8 / %(by)s::int", by=divisor), _one("2"))
                found.append(rows[1][0].it)
        with pytest.raises(psycopg.errors.UndefinedColumn):
            await pool.read(_one("nothing"))
        return [*found, (await pool.read(_one("3")))[0][0].it]

    assert _with_pool(database, work, size=1) == [8, 4, 2, 3]


def test_a_connection_that_died_unused_is_replaced_unseen(database: Database) -> None:
    async def work(pool: ReadPool) -> bool:
        [[before]] = await pool.read(_one("pg_backend_pid()"))
        with database.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [before.it])
        [[after]] = await pool.read(_one("pg_backend_pid()"))
        return bool(after.it != before.it)

    assert _with_pool(database, work, size=1)


def test_a_table_that_was_changed_meanwhile_is_read_as_it_is_now(database: Database) -> None:
    async def work(pool: ReadPool) -> list[object]:
        found: list[object] = []
        with database.connect() as connection:
            connection.execute(
                "CREATE TABLE ler.thing AS SELECT 1 AS one; GRANT SELECT ON ler.thing TO ler_app"
            )
            for change in ("SELECT", "ALTER TABLE ler.thing ADD COLUMN two integer DEFAULT 2"):
                connection.execute(change)
                [[row]] = await pool.read(Statement("SELECT * FROM ler.thing", {}))
                found.append(tuple(row))
        return found

    assert _with_pool(database, work, size=1) == [(1,), (1, 2)]


def test_one_that_dies_at_work_and_a_database_that_is_not_there_are_unavailable(database: Database) -> None:
    with pytest.raises(UnavailableError):
        _with_pool(database, lambda pool: pool.read(_one("pg_terminate_backend(pg_backend_pid())")), size=1)
    with pytest.raises(UnavailableError):
        asyncio.run(create_read_pool("postgresql://ler_app@/x?host=/nowhere").read(_one("1")))


def test_who_stops_waiting_gives_the_place_back(database: Database) -> None:
    async def work(pool: ReadPool) -> int:
        waits = asyncio.create_task(pool.read(_one("pg_sleep(60)")))
        await asyncio.sleep(0.1)
        waits.cancel()
        with suppress(asyncio.CancelledError):
            await waits
        return int((await pool.read(_one("7")))[0][0].it)

    assert _with_pool(database, work, size=1) == 7


def test_many_at_once_wait_for_their_turn_and_too_long_a_wait_is_told(database: Database) -> None:
    async def work(pool: ReadPool) -> list[int]:
        found = await asyncio.gather(*(pool.read(_one("%(n)s::int", n=number)) for number in range(50)))
        busy = asyncio.create_task(pool.read(_one("pg_sleep(3)")))
        await asyncio.sleep(0.05)
        with pytest.raises(UnavailableError, match="busy"):
            await pool.read(_one("1"))
        busy.cancel()
        with suppress(asyncio.CancelledError):
            await busy
        return [rows[0][0].it for rows in found]

    assert _with_pool(database, work, size=1) == [*range(50)]


def test_what_was_begun_goes_on_as_one_transaction(database: Database) -> None:
    async def work(pool: ReadPool) -> object:
        assert pool.begin(_one("1")) is None, "there is no connection yet, and to make one is to wait"
        await pool.read(_one("1"))
        begun = pool.begin(_one("set_config('ler.principal', %(who)s, true)", who="me"))
        assert begun is not None
        assert pool.begin(_one("1")) is None, "the only turn is taken"
        rows = await pool.finish(begun, _one(_WHO), _one("2"))
        return [*(row[0].it for row in rows), (await pool.read(_one(_WHO)))[0][0].it]

    assert _with_pool(database, work, size=1) == ["me", "me", 2, ""]


def test_what_was_begun_on_a_connection_that_dies_is_asked_anew_and_what_is_dropped_is_gone(
    database: Database,
) -> None:
    async def work(pool: ReadPool) -> list[object]:
        [[before]] = await pool.read(_one("pg_backend_pid()"))
        begun = pool.begin(_one("'first'"))
        assert begun is not None
        with database.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [before.it])
        [[first], [after]] = await pool.finish(begun, _one("pg_backend_pid()"))
        assert after.it != before.it
        dropped = pool.begin(_one("'dropped'"))
        assert dropped is not None
        pool.drop(dropped)
        return [first.it, (await pool.read(_one("3")))[0][0].it]

    assert _with_pool(database, work, size=1) == ["first", 3]


def test_a_statement_that_fails_after_what_was_begun_spoils_no_other(database: Database) -> None:
    async def work(pool: ReadPool) -> object:
        await pool.read(_one("1"))
        begun = pool.begin(_one("1 / %(by)s::int", by=0))
        assert begun is not None
        with pytest.raises(psycopg.errors.DivisionByZero):
            await pool.finish(begun, _one("2"))
        return (await pool.read(_one("1 / %(by)s::int", by=1)))[0][0].it

    assert _with_pool(database, work, size=1) == 1


def test_what_takes_too_long_is_ended(database: Database) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        _with_pool(database, lambda pool: pool.read(_one("pg_sleep(5)")), statement_timeout_s=0.1)


def test_more_kinds_of_statements_than_are_kept_are_answered(database: Database) -> None:
    async def work(pool: ReadPool) -> int:
        return sum([(await pool.read(_one(str(number))))[0][0].it for number in range(450)])

    assert _with_pool(database, work, size=1) == sum(range(450))
