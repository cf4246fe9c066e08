"""What a GeoPackage says of its layers: the tables of its standard, read from a connection that cannot act."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from ingest.gate.sqlite_file import quoted
from ler.errors import RefusedError

_KINDS: Final = {"features", "attributes"}
_EPSG: Final = "EPSG"
_UNKNOWN_SYSTEMS: Final = frozenset({-1, 0})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    declared: str
    key: bool
    computed: bool


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """One layer; `geometry` is empty for a table without."""

    name: str
    geometry: str
    geometry_type: str
    srs_id: int
    crs: str | None
    columns: tuple[Column, ...]


def feature_tables(connection: sqlite3.Connection) -> list[FeatureTable]:
    """Every layer in the order of its name. RefusedError where the GeoPackage's own tables are not sound."""
    try:
        contents = connection.execute(
            "SELECT table_name, lower(data_type) FROM gpkg_contents ORDER BY 1"
        ).fetchall()
        placed = (
            {
                str(table).lower(): (str(column), str(kind), int(srs), bool(z))
                for table, column, kind, srs, z in connection.execute(
                    "SELECT table_name, column_name, geometry_type_name, srs_id, z FROM gpkg_geometry_columns"
                )
            }
            if _has(connection, "gpkg_geometry_columns")
            else {}
        )
    except (TypeError, ValueError):
        raise _unsound("its tables of contents hold impossible values") from None
    return [
        _table(connection, str(name), placed.get(str(name).lower()))
        for name, kind in contents
        if kind in _KINDS
    ]


def _table(
    connection: sqlite3.Connection, name: str, placed: tuple[str, str, int, bool] | None
) -> FeatureTable:
    found = connection.execute(
        "SELECT type, name FROM sqlite_master WHERE lower(name) = lower(?) AND type IN ('table', 'view')",
        (name,),
    ).fetchone()
    if found is None:
        raise _unsound(f"its contents name a table {name!r} that is not there")
    if found[0] != "table":
        raise RefusedError(
            "gpkg-layer-not-table", f"the layer {name!r} is a {found[0]}: export it as a table"
        )
    columns = tuple(
        Column(str(row[1]), str(row[2]), bool(row[5]), row[6] != 0)
        for row in connection.execute(f"PRAGMA table_xinfo({quoted(found[1])})")
    )
    geometry, kind, srs_id, z = placed or ("", "", 0, False)
    if placed and geometry.lower() not in {column.name.lower() for column in columns}:
        raise _unsound(f"the layer {name!r} has no column {geometry!r}")
    words = kind.title().replace("string", "String").replace("Multil", "MultiL").replace("Multip", "MultiP")
    return FeatureTable(
        str(found[1]),
        geometry,
        f"{words} Z" if z else words,
        srs_id,
        _system(connection, srs_id) if placed else None,
        columns,
    )


def _system(connection: sqlite3.Connection, srs_id: int) -> str | None:
    if srs_id in _UNKNOWN_SYSTEMS:
        return None
    row = connection.execute(
        "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?",
        (srs_id,),
    ).fetchone()
    if row is None:
        raise RefusedError(
            "crs-unsupported", f"the GeoPackage does not say what its coordinate system {srs_id} is"
        )
    organization, number, definition = row
    if str(organization).upper() == _EPSG and isinstance(number, int):
        return f"{_EPSG}:{number}"
    return str(definition)


def _has(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def _unsound(why: str) -> RefusedError:
    return RefusedError("gpkg-corrupt", f"the GeoPackage is not sound, since {why}: export it again")
