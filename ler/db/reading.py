"""Connections over which questions go together: statements of one transaction in one round trip, without a thread.

For what is called hundreds of times a second. It speaks libpq's pipeline through psycopg's own wrapper of it, since a
cursor for each statement takes three times as long as all the rest of such a call. What is sent together is one
transaction, which can change nothing and ends with the answer: a setting made in it for it alone is gone afterwards.
"""

import asyncio
import re
from collections import namedtuple
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format

from ler.db.turns import Turns
from ler.errors import UnavailableError

_NAMED: Final = re.compile(r"%\((\w+)\)s|%%")
_OUTDATED: Final = (psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidSqlStatementName)
_MOST_PREPARED: Final = 200
"""Statements that a connection keeps the plans of; then it is given up, and its plans with it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its values, which stand in it as `%(name)s`, and `%%` for a percent sign."""

    sql: str
    values: dict[str, Any]
    binary: bool = False
    """Whether its rows come in the database's own form: for bytes, which take half the room so."""


class ReadPool:
    """Connections of one event loop, made when they are needed and kept until `close`.

    `usual` are in use at a time, up to `size` when some are slow (`ler.db.turns`).
    """

    def __init__(
        self, conninfo: str, *, size: int, usual: int | None = None, patience_s: float = 2.0
    ) -> None:
        self._conninfo = conninfo
        self._new_turns = partial(Turns, usual or size, size, patience_s=patience_s)
        self._turns = self._new_turns()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: list[_Line] = []

    async def read(self, *statements: Statement) -> list[list[Any]]:
        """Return the rows of each statement, as named tuples.

        psycopg's error of the statement that fails; UnavailableError when the database does not answer.
        """
        turn = await self._turns_here().take()
        try:
            return await self._answered(self._kept(), statements, statements)
        finally:
            self._turns.give(turn)

    def begin(self, first: Statement) -> "Begun | None":
        """Send a statement at once, of which `finish` gives the rows and those of more; None when it would have to wait."""
        turn = self._turns_here().take_free()
        if turn is None:
            return None
        begun = None
        try:
            while begun is None and (line := self._kept()) is not None:
                if line.begin(first):
                    begun = Begun(line, turn, first)
                else:
                    line.close()
        finally:
            if begun is None:
                self._turns.give(turn)
        return begun

    async def finish(self, begun: "Begun", *statements: Statement) -> list[list[Any]]:
        """Return the rows of the statement that was begun, and of those that follow it in its transaction; raises as `read`."""
        try:
            return await self._answered(begun.line, statements, (begun.first, *statements))
        finally:
            self._turns.give(begun.turn)

    def drop(self, begun: "Begun") -> None:
        """Give up what was begun."""
        begun.line.close()
        self._turns.give(begun.turn)

    def close(self) -> None:
        """Close those that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _turns_here(self) -> Turns:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self.close()
            self._loop, self._turns = loop, self._new_turns()
        return self._turns

    def _kept(self) -> "_Line | None":
        while self._idle:
            line = self._idle.pop()
            if line.is_alive:
                return line
            line.close()
        return None

    async def _answered(
        self, kept: "_Line | None", rest: Sequence[Statement], whole: Sequence[Statement]
    ) -> list[list[Any]]:
        """Ask a connection that was kept for the rest, or a new one for the whole."""
        if kept is not None:
            # It may have died while nobody used it; a new one tells whether the database has.
            with suppress(UnavailableError):
                return await self._ask(kept, rest)
        return await self._ask(await self._open(), whole)

    async def _open(self) -> "_Line":
        try:
            return _Line(await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True))
        except psycopg.OperationalError as error:
            raise UnavailableError("The database does not answer, or is too busy.") from error

    async def _ask(self, line: "_Line", statements: Sequence[Statement]) -> list[list[Any]]:
        try:
            return await line.ask(statements)
        except psycopg.OperationalError as error:
            if isinstance(error, psycopg.errors.QueryCanceled):
                raise
            raise UnavailableError("The database does not answer.") from error
        finally:
            if line.is_alive:
                self._idle.append(line)
            else:
                line.close()


@dataclass(frozen=True, slots=True)
class Begun:
    """A transaction of which the first statement was sent."""

    line: "_Line"
    turn: int
    first: Statement


class _Line:
    """One connection, for good in libpq's pipeline mode; alive as long as it can be asked again."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._adapt = Transformer(connection)
        self._prepared: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        self._made = 0
        self._known = 0
        """How many were prepared before what is asked now."""
        self._waiting: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._socket = self._pg.socket
        self.is_alive = True
        self._pg.enter_pipeline_mode()
        # For good, and not for each answer: telling the system of it takes as long as reading one.
        self._loop.add_reader(self._socket, self._came)

    def begin(self, first: Statement) -> bool:
        """Send what `ask` goes on from; whether all of it could be sent at once."""
        self._start()
        try:
            self._send(first)
            return self._pg.flush() == 0
        except psycopg.OperationalError:
            return False

    async def ask(self, statements: Sequence[Statement]) -> list[list[Any]]:
        """Return the rows of each; alive afterwards unless it was interrupted or lost."""
        if self.is_alive:
            self._start()
        for one in statements:
            self._send(one)
        self._pg.pipeline_sync()
        while self._pg.flush():
            await self._room()
        results, failed = await self._results()
        if isinstance(failed, _OUTDATED):
            raise psycopg.OperationalError("its plans are of tables that were changed") from failed
        self.is_alive = True
        if failed is not None:
            # What was prepared with it may not be there.
            for key in [*self._prepared][self._known :]:
                del self._prepared[key]
            raise failed
        self.is_alive = len(self._prepared) < _MOST_PREPARED
        return [self._rows(result) for result in results]

    def close(self) -> None:
        """Close it, at once."""
        self.is_alive = False
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
        self._pg.finish()

    def _start(self) -> None:
        self.is_alive = False
        self._known = len(self._prepared)

    def _send(self, one: Statement) -> None:
        sql, names = _numbered(one.sql)
        given = [one.values[name] for name in names]
        values = self._adapt.dump_sequence(given, [PyFormat.AUTO] * len(given))
        types, formats = self._adapt.types or (), self._adapt.formats
        name = self._prepared.get((sql, types))
        if name is None:
            self._made += 1
            name = self._prepared[sql, types] = f"r{self._made}".encode()
            self._pg.send_prepare(name, sql, types)
        self._pg.send_query_prepared(name, values, formats, Format.BINARY if one.binary else Format.TEXT)

    async def _results(self) -> tuple[list[Any], Exception | None]:
        found: list[Any] = []
        failed: Exception | None = None
        gaps = 0
        while True:
            while self._pg.is_busy():
                self._waiting = self._loop.create_future()
                await self._waiting
                if self._pg.status != ConnStatus.OK:
                    raise psycopg.OperationalError("the connection was lost")
            result = self._pg.get_result()
            if result is None:  # between two answers
                gaps += 1
                if gaps > 1:
                    raise psycopg.OperationalError("the connection was lost")
                continue
            gaps = 0
            match result.status:
                case ExecStatus.PIPELINE_SYNC:
                    return found, failed
                case ExecStatus.TUPLES_OK:
                    found.append(result)
                case ExecStatus.FATAL_ERROR if failed is None:
                    failed = psycopg.errors.error_from_result(result, encoding="utf-8")

    def _rows(self, result: Any) -> list[Any]:  # noqa: ANN401 - a result of libpq
        self._adapt.set_pgresult(result)
        names = tuple(result.fname(place).decode() for place in range(result.nfields))
        return self._adapt.load_rows(0, result.ntuples, _row(names))

    def _came(self) -> None:
        with suppress(psycopg.OperationalError):
            self._pg.consume_input()
        is_lost = self._pg.status != ConnStatus.OK
        if is_lost:
            self._loop.remove_reader(self._socket)
            self.is_alive = False
        # A long answer comes in many pieces; who waits for it is woken by the last.
        if self._waiting is not None and not self._waiting.done() and (is_lost or not self._pg.is_busy()):
            self._waiting.set_result(None)

    async def _room(self) -> None:
        room = self._loop.create_future()
        self._loop.add_writer(self._socket, room.set_result, None)
        try:
            await room
        finally:
            self._loop.remove_writer(self._socket)


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """A statement as the database takes it, `$1` for the first value, and the names of its values in their order."""
    places: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"${places.setdefault(found[1], len(places) + 1)}" if found[1] else "%"

    numbered = _NAMED.sub(number, sql)
    return numbered.encode(), tuple(places)


@lru_cache(maxsize=256)
def _row(names: tuple[str, ...]) -> Any:  # noqa: ANN401 - what makes a row
    made: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024 - of a query's columns
    return made._make  # - of namedtuple
