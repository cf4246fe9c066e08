"""An owner's SQLite database, opened so that nothing in it can act: read-only, without triggers, views, extensions.

The file is not locked and nothing beside it is read or made (`immutable`). Statements are ours; an authorizer refuses
every other kind of action, should a schema smuggle one in, and a clock stops a statement that does not end.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ler.errors import RefusedError

MAX_CELL_BYTES: Final = 64 << 20
"""Largest value in a row; a geometry of the most vertices with heights and measures takes 3 MB."""

_STEPS_BETWEEN_LOOKS: Final = 20_000
_PRAGMAS: Final = frozenset({"quick_check", "table_xinfo", "application_id", "trusted_schema", "query_only", "cell_size_check"})  # fmt: skip
_ALLOWED_ACTIONS: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ})
_FUNCTIONS: Final = frozenset({"count", "sum", "typeof", "date", "strftime", "length", "lower", "coalesce", "rtreecheck"})  # fmt: skip


@contextmanager
def open_sqlite(path: Path, seconds: float) -> Iterator[sqlite3.Connection]:
    """Open the file for so many seconds of work. RefusedError `gpkg-corrupt` for what SQLite cannot read in it."""
    until = time.monotonic() + seconds
    try:
        address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            _tame(connection, until)
            yield connection
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)  # Python's own have none
        if code == sqlite3.SQLITE_INTERRUPT and time.monotonic() >= until:
            raise RefusedError(
                "gpkg-corrupt",
                f"the GeoPackage could not be checked within {seconds:g} s: export it again, or split it",
            ) from None
        if code == sqlite3.SQLITE_TOOBIG:
            raise RefusedError(
                "geometry-limit",
                f"a value of the GeoPackage is larger than {MAX_CELL_BYTES >> 20} MiB: split it",
            ) from None
        if "UTF-8" in str(error):
            raise RefusedError("encoding-invalid", "the GeoPackage holds text that is not UTF-8") from None
        raise RefusedError("gpkg-corrupt", "the GeoPackage is damaged: export it again") from None


def quoted(name: str) -> str:
    """A name as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _tame(connection: sqlite3.Connection, until: float) -> None:
    for setting, on in (
        (sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True),
        (sqlite3.SQLITE_DBCONFIG_TRUSTED_SCHEMA, False),
        (sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, False),
        (sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW, False),
        (sqlite3.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, False),
    ):
        connection.setconfig(setting, on)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
    connection.set_progress_handler(lambda: time.monotonic() >= until, _STEPS_BETWEEN_LOOKS)
    for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.set_authorizer(_authorize)


def _authorize(
    action: int, first: str | None, second: str | None, _database: str | None, _by: str | None
) -> int:
    if action in _ALLOWED_ACTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second in _FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
