"""Files read as `VectorFile` reads them, but in this process and without a gate: for tests of what comes behind it."""

import csv
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyogrio.raw
import shapely

from ingest.mapped.vector import NoteLike
from ingest.mapping import CsvDialect

TYPES = {
    "string": "text",
    "large_string": "text",
    "int64": "integer",
    "int32": "integer",
    "double": "real",
    "bool": "boolean",
}


@dataclass(frozen=True)
class Field:
    name: str
    type: str


@dataclass(frozen=True)
class Layer:
    name: str
    feature_count: int
    crs: str | None
    fields: tuple[Field, ...]
    geometry_type: str | None


@dataclass
class Table:
    """One layer in memory: columns, and geometries as shapely or WKB."""

    name: str
    columns: dict[str, Any]
    geometries: Sequence[Any]
    crs: str | None = "EPSG:7416"
    faults: Sequence[str | None] = ()
    geometry_type: str | None = "Unknown"


@dataclass
class Tables:
    """A vector file of tables in memory, in batches of some rows."""

    tables: list[Table]
    rows: int = 4096
    reads: list[str] = field(default_factory=list)
    notes: tuple[NoteLike, ...] = ()

    def layers(self) -> tuple[Layer, ...]:
        return tuple(
            Layer(
                table.name,
                len(table.geometries),
                table.crs,
                tuple(
                    Field(name, TYPES.get(str(pa.array(cells).type), "text"))
                    for name, cells in table.columns.items()
                ),
                table.geometry_type,
            )
            for table in self.tables
        )

    def batches(self, layer: str) -> Iterator[pa.RecordBatch]:
        self.reads.append(layer)
        table = next(table for table in self.tables if table.name == layer)
        count = len(table.geometries)
        with np.errstate(invalid="ignore"):
            wkb = [
                g if isinstance(g, bytes) or g is None else shapely.to_wkb(g, flavor="iso")
                for g in table.geometries
            ]
        faults = list(table.faults) or [None if g else "geometry-empty" for g in wkb]
        whole = {
            **{name: pa.array(cells) for name, cells in table.columns.items()},
            "_record": pa.array(range(1, count + 1), pa.int64()),
            "_wkb": pa.array(wkb, pa.binary()),
            "_geometry_fault": pa.array(faults, pa.string()),
        }
        batch = pa.RecordBatch.from_pydict(whole)
        for start in range(0, count, self.rows):
            yield batch.slice(start, self.rows)


def open_file(path: Path, dialect: CsvDialect | None = None) -> Tables:
    """Read a file that a test wrote."""
    match path.suffix:
        case ".csv":
            return Tables([_csv(path, dialect or CsvDialect())])
        case ".parquet":
            return Tables([_parquet(path)])
        case ".zip":
            with zipfile.ZipFile(path) as archive:
                names = sorted(name for name in archive.namelist() if name.endswith(".shp"))
            return Tables([_gdal(f"/vsizip/{path}/{name}", name.removesuffix(".shp")) for name in names])
        case _:
            layers = [str(name) for name, _ in pyogrio.list_layers(path)]
            return Tables([_gdal(str(path), layer) for layer in layers])


def _gdal(path: str, layer: str) -> Table:
    # Without the second, GDAL's own Arrow of FlatGeobuf has wrong offsets behind a row without a geometry.
    pyogrio.set_gdal_config_options(
        {"DXF_INCLUDE_RAW_CODE_VALUES": "TRUE", "OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES"}
    )
    options = {"DATE_AS_STRING": "YES"} if path.endswith(".geojson") else {}
    metadata, table = pyogrio.raw.read_arrow(path, layer=layer, **options)
    geometry = metadata["geometry_name"] or "wkb_geometry"
    columns = {name: _plain(table.column(name)) for name in table.column_names if name != geometry}
    shapes = table.column(geometry).to_pylist() if geometry in table.column_names else [None] * table.num_rows
    return Table(layer, columns, [s or None for s in shapes], metadata["crs"] or None)


def _plain(column: pa.ChunkedArray) -> list[Any]:
    cells = column.to_pylist()
    return [json.dumps(cell) if isinstance(cell, list) else cell for cell in cells]


def _parquet(path: Path) -> Table:
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    crs = json.dumps(geo["columns"]["geometry"]["crs"])
    columns = {name: table.column(name).to_pylist() for name in table.column_names if name != "geometry"}
    return Table(path.stem, columns, table.column("geometry").to_pylist(), crs)


def _csv(path: Path, dialect: CsvDialect) -> Table:
    with path.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream, delimiter=dialect.separator or ",")
    columns = {name: [row[at] or None for row in rows] for at, name in enumerate(header)}
    shapes = [shapely.from_wkt(text) if text else None for text in columns.pop(dialect.geometry or "WKT")]
    return Table(path.stem, columns, shapes, None)
