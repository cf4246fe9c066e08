"""A GeoPackage 1.3 as a file: its own tables, layers with geometries and their R-tree, tables without.

Written by SQLite itself in one transaction, because GDAL takes ten times as long for a file of many small layers: what
GDAL would keep up - contents, extents, index and its triggers - is kept up here. Nothing is appended to a file that is
there. The same layers give the same bytes.

Rules: OGC 12-128r17; the R-tree is its annex F.3. Version 1.3 is what GDAL 3.6 (Debian 12) and QGIS 3.22 read without a
warning.
"""

import sqlite3
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

_TABLES: Final = """
PRAGMA page_size = 4096;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA application_id = 0x47504B47;
PRAGMA user_version = 10300;
BEGIN;
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
INSERT INTO gpkg_spatial_ref_sys VALUES
  ('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', 'undefined Cartesian coordinate reference system'),
  ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', 'undefined geographic coordinate reference system');
"""

_TRIGGERS: Final = {
    "insert": "AFTER INSERT ON {table} WHEN {placed} BEGIN {enter}; END",
    "update1": "AFTER UPDATE OF geom ON {table} WHEN OLD.fid = NEW.fid AND {placed} BEGIN {enter}; END",
    "update2": "AFTER UPDATE OF geom ON {table} WHEN OLD.fid = NEW.fid AND {lost} BEGIN {remove} = OLD.fid; END",
    "update3": "AFTER UPDATE ON {table} WHEN OLD.fid != NEW.fid AND {placed} BEGIN {remove} = OLD.fid; {enter}; END",
    "update4": "AFTER UPDATE ON {table} WHEN OLD.fid != NEW.fid AND {lost} BEGIN {remove} IN (OLD.fid, NEW.fid); END",
    "delete": "AFTER DELETE ON {table} WHEN OLD.geom NOT NULL BEGIN {remove} = OLD.fid; END",
}
"""Of the R-tree's annex; made after the rows, since SQLite by itself has no ST_MinX."""
_PLACED: Final = "(NEW.geom NOT NULL AND NOT ST_IsEmpty(NEW.geom))"
_LOST: Final = "(NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))"
_BOX: Final = "(NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom))"
_RTREE_DEFINITION: Final = "http://www.geopackage.org/spec120/#extension_rtree"

_MULTIPLE: Final[Mapping[str, tuple[int, Callable[..., Any]]]] = {
    "MULTILINESTRING": (shapely.GeometryType.LINESTRING, shapely.multilinestrings),
    "MULTIPOLYGON": (shapely.GeometryType.POLYGON, shapely.multipolygons),
}
_ENVELOPE: Final = struct.Struct("<2sBBi4d")
_PLAIN: Final = struct.Struct("<2sBBi")
_LITTLE_ENDIAN: Final = 0b0000_0001
_WITH_ENVELOPE: Final = 0b0000_0010


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a layer with its values, one a row."""

    name: str
    type: str
    """TEXT, INTEGER, REAL or BOOLEAN."""
    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Geometries:
    """The geometries of a layer, one a row; None where there is none."""

    type: str
    """As GeoPackage names it, without Z: GEOMETRY, POINT, MULTILINESTRING, ...; lines become what the layer holds."""
    srs_id: int
    """EPSG."""
    values: Sequence[shapely.geometry.base.BaseGeometry | None]
    z: int = 1
    """0: without heights, 1: with, 2: with or without."""


@contextmanager
def new_geopackage(path: Path, changed_at: datetime) -> Iterator["GeoPackageFile"]:
    """Give a file to write layers into; it must not exist. `changed_at`, aware, is the date of every layer."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(_TABLES)
        yield GeoPackageFile(connection, changed_at)
        connection.execute("COMMIT")


class GeoPackageFile:
    """A GeoPackage while it is written."""

    def __init__(self, connection: sqlite3.Connection, changed_at: datetime) -> None:
        self.connection = connection
        self._changed_at = f"{changed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
        self._systems: set[int] = set()
        self._add_system(4326)

    def add_layer(self, name: str, columns: Sequence[Column], geometries: Geometries | None) -> None:
        """Write a layer; a table without geometries where they are None."""
        names = [_quoted(column.name) for column in columns]
        declared = [f"{quoted} {column.type}" for quoted, column in zip(names, columns, strict=True)]
        values = [column.values for column in columns]
        if geometries:
            self._add_system(geometries.srs_id)
            shapes = _as_told(geometries)
            bounds = shapely.bounds(shapes)
            names.insert(0, "geom")
            declared.insert(0, f"geom {geometries.type}")
            values.insert(0, _blobs(shapes, bounds, geometries.srs_id))
        declared.insert(0, "fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL")
        execute = self.connection.execute
        execute(f"CREATE TABLE {_quoted(name)} ({', '.join(declared)})")
        self.connection.executemany(
            f"INSERT INTO {_quoted(name)} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",  # noqa: S608 - quoted
            zip(*values, strict=True),
        )
        if geometries:
            self._enter(name, "features", geometries.srs_id, _extent(bounds))
            execute(
                "INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, 0)",
                (name, "geom", geometries.type, geometries.srs_id, geometries.z),
            )
            self._index(name, bounds)
        else:
            self._enter(name, "attributes", 0, (None,) * 4)

    def _enter(self, name: str, kind: str, srs_id: int, extent: Sequence[float | None]) -> None:
        self.connection.execute(
            "INSERT INTO gpkg_contents VALUES (?, ?, ?, '', ?, ?, ?, ?, ?, ?)",
            (name, kind, name, self._changed_at, *extent, srs_id),
        )

    def _index(self, name: str, bounds: NDArray[np.float64]) -> None:
        table, tree = _quoted(name), _quoted(f"rtree_{name}_geom")
        execute = self.connection.execute
        execute(f"CREATE VIRTUAL TABLE {tree} USING rtree(id, minx, maxx, miny, maxy)")
        (placed,) = np.nonzero(~np.isnan(bounds[:, 0]))
        boxes = bounds[placed][:, [0, 2, 1, 3]].tolist()
        self.connection.executemany(
            f"INSERT INTO {tree} VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - quoted
            ((row, *box) for row, box in zip((placed + 1).tolist(), boxes, strict=True)),
        )
        words = {
            "table": table,
            "placed": _PLACED,
            "lost": _LOST,
            "enter": f"INSERT OR REPLACE INTO {tree} VALUES {_BOX}",  # noqa: S608 - quoted
            "remove": f"DELETE FROM {tree} WHERE id",  # noqa: S608 - quoted
        }
        for kind, rule in _TRIGGERS.items():
            execute(f"CREATE TRIGGER {_quoted(f'rtree_{name}_geom_{kind}')} {rule.format(**words)}")
        execute(
            "INSERT INTO gpkg_extensions VALUES (?, 'geom', 'gpkg_rtree_index', ?, 'write-only')",
            (name, _RTREE_DEFINITION),
        )

    def _add_system(self, srs_id: int) -> None:
        if srs_id not in self._systems:
            self._systems.add(srs_id)
            self.connection.execute(
                "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, 'EPSG', ?, ?, NULL)",
                (_system(srs_id)[0], srs_id, srs_id, _system(srs_id)[1]),
            )


@cache
def _system(srs_id: int) -> tuple[str, str]:
    """Name and definition of a reference system."""
    system = pyproj.CRS.from_epsg(srs_id)
    return system.name, system.to_wkt("WKT1_GDAL")


def _as_told(geometries: Geometries) -> NDArray[np.object_]:
    """The geometries, single ones as collections of one where the layer holds collections."""
    shapes = np.array(geometries.values, dtype=object)
    if geometries.type in _MULTIPLE:
        kind, collect = _MULTIPLE[geometries.type]
        (single,) = np.nonzero(shapely.get_type_id(shapes) == kind)
        if len(single):
            shapes[single] = collect(shapes[single], indices=np.arange(len(single)))
    return shapes


def _blobs(shapes: NDArray[np.object_], bounds: NDArray[np.float64], srs_id: int) -> list[bytes | None]:
    """GeoPackage binaries: a header with the extent, none for points, and ISO WKB."""
    points = (shapely.get_type_id(shapes) == shapely.GeometryType.POINT).tolist()
    plain = _PLAIN.pack(b"GP", 0, _LITTLE_ENDIAN, srs_id)
    flags = _LITTLE_ENDIAN | _WITH_ENVELOPE
    return [
        None
        if wkb is None
        else (plain if point else _ENVELOPE.pack(b"GP", 0, flags, srs_id, x0, x1, y0, y1)) + wkb
        for wkb, point, (x0, y0, x1, y1) in zip(
            shapely.to_wkb(shapes, byte_order=1, flavor="iso"), points, bounds.tolist(), strict=True
        )
    ]


def _extent(bounds: NDArray[np.float64]) -> Sequence[float | None]:
    """Of all geometries; None where there is none."""
    if np.isnan(bounds).all():
        return (None,) * 4
    return (*np.nanmin(bounds[:, :2], axis=0).tolist(), *np.nanmax(bounds[:, 2:], axis=0).tolist())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
