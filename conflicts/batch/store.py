"""Conflicts of planned works in the database: an owner's are replaced in one transaction, in which the owner acts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from psycopg import sql
from pyarrow import parquet
from sqlalchemy import delete
from sqlalchemy.engine import Connection

from conflicts.batch.rows import CONFLICTS, GEOMETRY
from ler.db.tables import SRID, line_conflict
from ler.errors import UnavailableError

# PostgreSQL refuses COPY into a table with row-level security: rows go by way of a temporary one.
_NAMES: Final = [name for name in CONFLICTS.names if name != GEOMETRY]
_COLUMNS: Final = sql.SQL(", ").join(sql.Identifier(name) for name in _NAMES)
_CREATE: Final = sql.SQL(
    "CREATE TEMPORARY TABLE ler_batch ON COMMIT DROP AS SELECT {}, ''::bytea AS place FROM ler.line_conflict WITH NO DATA"
).format(_COLUMNS)
_COPY: Final = sql.SQL("COPY pg_temp.ler_batch ({}, place) FROM STDIN").format(_COLUMNS)
_INSERT: Final = sql.SQL(
    "INSERT INTO ler.line_conflict ({}, geom) SELECT {}, ST_GeomFromWKB(place, {}) FROM pg_temp.ler_batch"
).format(_COLUMNS, _COLUMNS, sql.Literal(SRID))


def replace_line_conflicts(
    connection: Connection, owner_id: UUID, works: Sequence[UUID] | None, files: Sequence[Path]
) -> None:
    """Let the rows of files take the place of what is kept of the acting owner: of these works, or of all (None)."""
    kept = line_conflict.c
    gone = delete(line_conflict).where(kept.owner_id == owner_id)
    connection.execute(gone if works is None else gone.where(kept.work_id.in_(works)))
    driver = connection.connection.driver_connection
    if driver is None:
        raise UnavailableError("The connection to the database was lost.")
    with driver.cursor() as cursor:
        cursor.execute(_CREATE)
        with cursor.copy(_COPY) as copy:
            for path in files:
                for rows in parquet.ParquetFile(path).iter_batches():
                    columns = [rows.column(name).to_pylist() for name in (*_NAMES, GEOMETRY)]
                    for row in zip(*columns, strict=True):
                        copy.write_row(row)
        cursor.execute(_INSERT)
