"""A GeoPackage, judged as the database it is: whole, its layers tables, and nothing in it that could act."""

import re
import sqlite3
from pathlib import Path
from typing import Final

from ingest.gate.geopackage_layers import feature_tables
from ingest.gate.limits import MIB, GateLimits
from ingest.gate.sqlite_file import open_sqlite
from ler.errors import RefusedError

APPLICATION_IDS: Final = frozenset({b"GPKG", b"GP10", b"GP11"})
_ID_AT: Final = 68
_FOR_EACH: Final = 64 * MIB

_BESIDE: Final = ("-wal", "-journal", "-shm")
_TRIGGERS: Final = re.compile(
    r"(rtree_.+_(insert|delete|update[1-7]?)"
    r"|trigger_(insert|delete)_feature_count_.+"
    r"|gpkg_(tile_matrix|metadata|metadata_reference|extensions|contents|data_columns)_.+"
    r"|.+_(zoom|zoom_insert|zoom_update|tile_column_insert|tile_column_update|tile_row_insert|tile_row_update))",
    re.IGNORECASE | re.DOTALL,
)
"""Triggers of the standard and of its extensions, which GDAL and QGIS write."""
_TRIGGER_CALLS: Final = frozenset({
    "st_isempty", "st_minx", "st_maxx", "st_miny", "st_maxy", "raise", "lower", "values", "count", "when", "and", "or",
    "not", "in", "where", "select", "exists", "from", "into", "strftime", "max", "min", "coalesce", "typeof",
})  # fmt: skip
_CALL: Final = re.compile(r"([A-Za-z_]\w*)\s*\(")
_QUOTED: Final = re.compile(r"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\[[^\]]*\]|`[^`]*`")
_VIEWS: Final = frozenset(
    {"spatial_ref_sys", "st_spatial_ref_sys", "geometry_columns", "st_geometry_columns"}
)
"""Views of the standard's first version; nobody reads them here."""
_RTREE: Final = re.compile(
    r"CREATE\s+VIRTUAL\s+TABLE\s+.+\s+USING\s+\"?rtree\"?\s*\(", re.IGNORECASE | re.DOTALL
)
_VIRTUAL: Final = re.compile(r"\s*CREATE\s+VIRTUAL\b", re.IGNORECASE)


def check_geopackage(path: Path, limits: GateLimits) -> None:
    """Refuse what is no GeoPackage, what is damaged, what is not a table, and what would act when it is used."""
    with path.open("rb") as stream:
        stream.seek(_ID_AT)
        if stream.read(4) not in APPLICATION_IDS:
            raise RefusedError("format-not-supported", "the file is an SQLite database and no GeoPackage")
    for ending in _BESIDE:
        if path.with_name(path.name + ending).exists():
            raise RefusedError(
                "gpkg-corrupt",
                f"beside the GeoPackage lies {path.name}{ending}: it is open in a program, or was not closed; close it first",
            )
    seconds = limits.sqlite_s * (1 + path.stat().st_size // _FOR_EACH)
    with open_sqlite(path, seconds) as connection:
        _check_objects(connection)
        _check_layers(connection, limits)
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise RefusedError("gpkg-corrupt", "the GeoPackage is damaged: export it again")


def _check_layers(connection: sqlite3.Connection, limits: GateLimits) -> None:
    tables = feature_tables(connection)
    if not tables:
        raise RefusedError("format-not-supported", "the GeoPackage holds no layer of features")
    if len(tables) > limits.max_layers:
        raise RefusedError("gpkg-corrupt", f"the GeoPackage has more than {limits.max_layers} layers")
    for table in tables:
        if len(table.columns) > limits.max_fields:
            raise RefusedError(
                "field-mapping", f"the layer {table.name!r} has more than {limits.max_fields:,} columns"
            )
        for column in table.columns:
            if column.computed:
                raise _forbidden(f"the computed column {column.name!r} of {table.name!r}")


def _check_objects(connection: sqlite3.Connection) -> None:
    layers = {str(name).lower() for (name,) in connection.execute("SELECT table_name FROM gpkg_contents")}
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master"):
        if kind == "trigger":
            if not _TRIGGERS.fullmatch(name) or not _harmless(sql):
                raise _forbidden(f"the trigger {name!r}")
        elif kind == "view":
            if name.lower() in layers:
                raise RefusedError(
                    "gpkg-layer-not-table", f"the layer {name!r} is a view: export it as a table"
                )
            if name.lower() not in _VIEWS:
                raise _forbidden(f"the view {name!r}")
        elif kind == "table" and sql and _VIRTUAL.match(sql) and not _RTREE.match(sql):
            raise _forbidden(f"the virtual table {name!r}")


def _harmless(sql: str) -> bool:
    """Whether a trigger calls only what the standard's triggers call; none is ever run here."""
    calls = _CALL.findall(_QUOTED.sub(" q ", sql))
    return all(call.lower() in _TRIGGER_CALLS | {"q"} for call in calls)


def _forbidden(what: str) -> RefusedError:
    return RefusedError(
        "gpkg-object-forbidden", f"the GeoPackage holds {what}, which is not part of the standard: remove it"
    )
