"""What objects of a file of IMKL other objects point to: kept on disk while the file is read, so that memory does not grow.

The database is private to the process and gone when it is closed.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE object (id TEXT PRIMARY KEY, kind TEXT, line INTEGER, content TEXT, shape BLOB, used INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE TABLE extra (target TEXT, owner TEXT);
CREATE INDEX extra_target ON extra (target);
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """One object: its class, its line, what is kept of it."""

    kind: str
    line: int
    content: dict[str, Any]
    shape: BaseGeometry | None


class Store:
    """Objects by their `gml:id`."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript(_TABLES)

    def add(
        self,
        gml_id: str,
        kind: str,
        line: int,
        content: dict[str, Any] | None = None,
        shape: BaseGeometry | None = None,
    ) -> bool:
        """Keep an object; False where another has its identifier."""
        row = (
            gml_id,
            kind,
            line,
            json.dumps(content or {}),
            None if shape is None else shapely.to_wkb(shape),
        )
        done = self._base.execute(
            "INSERT INTO object (id, kind, line, content, shape) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            row,
        )
        return done.rowcount == 1

    def find(self, gml_id: str, *, use: bool = True) -> Stored | None:
        """Return an object, and take note that it was needed."""
        found = self._base.execute(
            "SELECT kind, line, content, shape FROM object WHERE id = ?", (gml_id,)
        ).fetchone()
        if found is None:
            return None
        if use:
            self._base.execute("UPDATE object SET used = 1 WHERE id = ? AND used = 0", (gml_id,))
        kind, line, content, shape = found
        return Stored(kind, line, json.loads(content), None if shape is None else shapely.from_wkb(shape))

    def add_extra(self, target: str, owner: str) -> None:
        """Take note that an object points to extra information."""
        self._base.execute("INSERT INTO extra VALUES (?, ?)", (target, owner))

    def owner_of(self, target: str) -> str | None:
        """Return the first object that points to extra information."""
        found = self._base.execute("SELECT owner FROM extra WHERE target = ? LIMIT 1", (target,)).fetchone()
        return None if found is None else str(found[0])

    def unused(self, kinds: tuple[str, ...]) -> Iterator[tuple[str, str, int]]:
        """Every object of these classes that was never needed: identifier, class, line."""
        yield from self._base.execute(
            "SELECT id, kind, line FROM object WHERE used = 0 AND kind IN (SELECT value FROM json_each(?)) ORDER BY line",
            (json.dumps(kinds),),
        )

    def close(self) -> None:
        """Let go of it."""
        self._base.close()
