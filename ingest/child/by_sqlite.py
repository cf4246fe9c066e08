"""GeoPackage, read as the SQLite database that it is.

Not through GDAL: its driver turns a value that does not fit its column into null or 0 without a word, gives no access
to the header of each geometry, which must agree with it, and follows views. SQLite reads what is there, and a column
with a single value that does not fit its declared type is handed on as text.
"""

import math
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from ingest.child.layers import FieldInfo, FieldType, LayerInfo, Note
from ingest.child.serve import ARROW_TYPES, Batch, Envelope
from ingest.gate.geopackage_layers import Column, FeatureTable, feature_tables
from ingest.gate.sqlite_file import open_sqlite, quoted

_FOREVER_S: Final = 1e9
"""The limits of the process end what does not end by itself."""

_BATCH_BYTES: Final = 32 << 20
_OWN_KEYS: Final = frozenset({"fid", "ogc_fid"})
"""Keys that programs number rows with; they are no attributes of an owner."""

_TYPES: Final[dict[str, FieldType]] = {
    "BOOLEAN": "boolean", "TINYINT": "integer", "SMALLINT": "integer", "MEDIUMINT": "integer", "INT": "integer",
    "INTEGER": "integer", "FLOAT": "real", "DOUBLE": "real", "REAL": "real", "DATE": "date", "DATETIME": "datetime",
}  # fmt: skip

_MISFITS: Final[dict[FieldType, str]] = {
    "boolean": "typeof({0}) NOT IN ('integer', 'null') OR {0} NOT IN (0, 1)",
    "integer": "typeof({0}) NOT IN ('integer', 'null')",
    "real": "typeof({0}) NOT IN ('real', 'integer', 'null')",
    "date": "{0} IS NOT NULL AND date({0}, '+0 days') IS NOT {0}",
    "datetime": "{0} IS NOT NULL AND strftime('%Y-%m-%dT%H:%M:%fZ', {0}, '+0 days') IS NOT {0}"
    " AND strftime('%Y-%m-%dT%H:%M:%SZ', {0}, '+0 days') IS NOT {0}",
}
"""What is true of a value that the type cannot hold. Adding no days lets SQLite count a 30th of February on to March."""

_ENVELOPES: Final = (0, 4, 6, 6, 8)
"""Numbers in the header of a geometry, by the kind of envelope."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before a geometry: `wkb` behind it, or None where the header is wrong."""

    wkb: bytes | None
    envelope: Envelope | None


class GeoPackageReader:
    """One GeoPackage that the gate let through."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tables: dict[str, FeatureTable] = {}

    def layers(self) -> tuple[list[LayerInfo], list[Note]]:
        """Every layer of features or attributes. RefusedError."""
        found = []
        with open_sqlite(self._path, _FOREVER_S) as connection:
            for table in feature_tables(connection):
                self._tables[table.name] = table
                features, fields = _measured(connection, table)
                geometry_type = table.geometry_type if table.geometry else None
                found.append(LayerInfo(table.name, features, table.crs, fields, geometry_type))
        return found, []

    def batches(self, layer: LayerInfo, rows: int) -> Iterator[Batch]:
        """The rows of a layer in the order of its key. RefusedError."""
        table = self._tables[layer.name]
        names = [quoted(field.name) for field in layer.fields] + (
            [quoted(table.geometry)] if table.geometry else []
        )
        with open_sqlite(self._path, _FOREVER_S) as connection:
            gathered: list[tuple[Any, ...]] = []
            size = 0
            for row in connection.execute(_select(names or ["NULL"], table)):
                gathered.append(row)
                size += len(row[-1]) if isinstance(row[-1], bytes) else 0
                if len(gathered) >= rows or size > _BATCH_BYTES:
                    yield _batch(layer, table, gathered)
                    gathered, size = [], 0
            if gathered:
                yield _batch(layer, table, gathered)


def _measured(connection: sqlite3.Connection, table: FeatureTable) -> tuple[int, tuple[FieldInfo, ...]]:
    """Rows of a table, and its columns in types that hold every value."""
    kept = _kept(table)
    misfits = [
        f"sum({_MISFITS[_declared(c)].format(quoted(c.name))})" for c in kept if _declared(c) != "text"
    ]
    features, *counts = connection.execute(_select(["count(*)", *misfits], table)).fetchone()
    left = iter(counts)
    fields = []
    for column in kept:
        declared = _declared(column)
        fits = declared == "text" or not next(left)
        fields.append(FieldInfo(column.name, declared if fits else "text"))
    return features, tuple(fields)


def _select(columns: list[str], table: FeatureTable) -> str:
    return f"SELECT {', '.join(columns)} FROM {quoted(table.name)}"  # noqa: S608 - expressions of ours, quoted names


def read_header(blob: object, srs_id: int) -> Header:
    """The header of a geometry, held against the system of its layer."""
    wrong = Header(None, None)
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:3] != b"GP\0":  # noqa: PLR2004 - the header's first part
        return wrong
    flags = blob[3]
    kind = flags >> 1 & 7
    if flags >> 5 or kind >= len(_ENVELOPES):
        return wrong
    order = "<" if flags & 1 else ">"
    end = 8 + 8 * _ENVELOPES[kind]
    if len(blob) < end or struct.unpack_from(f"{order}i", blob, 4)[0] != srs_id:
        return wrong
    if not kind:
        return Header(blob[end:], None)
    west, east, south, north = struct.unpack_from(f"{order}4d", blob, 8)
    return Header(blob[end:], None if flags >> 4 & 1 else (west, south, east, north))


def _batch(layer: LayerInfo, table: FeatureTable, rows: list[tuple[Any, ...]]) -> Batch:
    columns = list(zip(*rows, strict=True))
    arrays = [_array(column, field.type) for column, field in zip(columns, layer.fields, strict=False)]
    if not table.geometry:
        return Batch(arrays, [None] * len(rows))
    headers = [None if blob is None else read_header(blob, table.srs_id) for blob in columns[-1]]
    return Batch(
        arrays,
        [None if header is None else header.wkb for header in headers],
        faults=[
            "geometry-header" if header is not None and header.wkb is None else None for header in headers
        ],
        envelopes=[None if header is None else header.envelope for header in headers],
    )


def _array(values: tuple[Any, ...], kind: FieldType) -> pa.Array:
    if kind == "text":
        return pa.array([_as_text(value) for value in values], pa.string())
    if kind == "boolean":
        return pa.array([None if value is None else bool(value) for value in values], pa.bool_())
    if kind == "real":
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kind == "integer":
        return pa.array(values, pa.int64())
    return pa.array(values, pa.string()).cast(ARROW_TYPES[kind])


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return "(binary)"
    return repr(value) if not isinstance(value, float) or math.isfinite(value) else str(value)


def _kept(table: FeatureTable) -> list[Column]:
    return [
        column
        for column in table.columns
        if column.name.lower() != table.geometry.lower()
        and not (column.key and column.name.lower() in _OWN_KEYS)
    ]


def _declared(column: Column) -> FieldType:
    return _TYPES.get(column.declared.partition("(")[0].strip().upper(), "text")
