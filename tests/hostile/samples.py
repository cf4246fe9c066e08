"""Honest small files of each format, for tests to read and to spoil."""

import io
import json
import sqlite3
import struct
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import geopandas
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

LINES: Final = [
    shapely.LineString([(575000, 6224000, 1), (575010, 6224000, 1.5)]),
    shapely.LineString([(575000, 6224000, 1), (575010, 6224100, 2)]),
]


def frame(lines: list[Any] = LINES, crs: int | str | None = 25832) -> geopandas.GeoDataFrame:
    """Two lines with attributes."""
    numbers = list(range(1, len(lines) + 1))
    names = [f"ledning æ{number}" for number in numbers]
    return geopandas.GeoDataFrame({"nr": numbers, "navn": names}, geometry=lines, crs=crs)


def geojson(**changes: object) -> str:
    """A collection of one feature; `changes` are members of it, `properties` and `geometry` of the feature."""
    feature = {
        "type": "Feature",
        "properties": changes.pop("properties", {"navn": "a"}),
        "geometry": changes.pop("geometry", {"type": "Point", "coordinates": [575000, 6224000]}),
    }
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    return json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature], **changes})


def geopackage(lines: list[Any] = LINES) -> bytes:
    """As GDAL writes it, with an index and its triggers; the layer is `net`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gpkg"
        frame(lines).to_file(path, layer="net")
        return path.read_bytes()


def spoiled_geopackage(*statements: str, blob: bytes | None = None) -> bytes:
    """A GeoPackage after statements of a hostile hand, or with a geometry of its own in row 1."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gpkg"
        path.write_bytes(geopackage())
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for function in (
                "ST_IsEmpty",
                "ST_MinX",
                "ST_MaxX",
                "ST_MinY",
                "ST_MaxY",
            ):  # of the index's triggers
                connection.create_function(function, 1, lambda _: 0)
            if blob is not None:
                connection.execute("UPDATE net SET geom = ? WHERE fid = 1", (blob,))
            for statement in statements:
                connection.execute(statement)
        return path.read_bytes()


def gpkg_blob(wkb: bytes, srs: int = 25832, envelope: tuple[float, ...] = (), flags: int = 1) -> bytes:
    """A geometry as GeoPackage keeps it."""
    kind = {0: 0, 4: 1}[len(envelope)]
    return (
        b"GP\0"
        + struct.pack("<Bi", flags | kind << 1, srs)
        + struct.pack(f"<{len(envelope)}d", *envelope)
        + wkb
    )


def shapefile_parts(**columns: object) -> dict[str, bytes]:
    """The parts of a shapefile by their endings."""
    with tempfile.TemporaryDirectory() as folder:
        made = frame().assign(**columns)
        made.to_file(Path(folder) / "net.shp")
        return {path.suffix[1:]: path.read_bytes() for path in Path(folder).iterdir()}


def zipped(files: dict[str, bytes | str]) -> bytes:
    """An ordinary ZIP."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def shapefile(without: str = "", **parts: bytes) -> bytes:
    """A shapefile in a ZIP, parts left out or replaced."""
    all_parts = shapefile_parts() | parts
    return zipped({f"net.{ending}": content for ending, content in all_parts.items() if ending != without})


def dxf(entities: str = "", blocks: str = "") -> str:
    """A drawing with a line and what is added."""
    line = "0\nLINE\n8\nVAND\n10\n575000\n20\n6224000\n30\n1\n11\n575010\n21\n6224000\n31\n1\n"
    return f"0\nSECTION\n2\nBLOCKS\n{blocks}0\nENDSEC\n0\nSECTION\n2\nENTITIES\n{line}{entities}0\nENDSEC\n0\nEOF\n"


def dxf_block(name: str, content: str) -> str:
    """A block of a drawing."""
    return f"0\nBLOCK\n8\n0\n2\n{name}\n70\n0\n10\n0\n20\n0\n30\n0\n{content}0\nENDBLK\n8\n0\n"


def dxf_insert(name: str, more: str = "") -> str:
    """A block put in its place."""
    return f"0\nINSERT\n8\n0\n2\n{name}\n10\n0\n20\n0\n30\n0\n{more}"


def parquet(lines: list[Any] = LINES) -> bytes:
    """GeoParquet as geopandas writes it."""
    stream = io.BytesIO()
    frame(lines).to_parquet(stream)
    return stream.getvalue()


def written(ending: str, lines: list[Any] = LINES, **options: object) -> bytes:
    """A file of one of GDAL's formats."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{ending}"
        made = frame(lines)
        (made[["geometry"]] if ending == "dxf" else made).to_file(path, **options)
        return path.read_bytes()


def csv_text(*rows: str, header: str = "nr,navn,wkt") -> str:
    """A CSV with WKT."""
    return "\n".join([header, *rows]) + "\n"


def zipped_shapefile(lines: list[Any]) -> bytes:
    """A shapefile of these lines in a ZIP."""
    with tempfile.TemporaryDirectory() as folder:
        frame(lines).to_file(Path(folder) / "net.shp")
        return zipped({path.name: path.read_bytes() for path in Path(folder).iterdir()})


def parquet_of_wkb(wkb: bytes) -> bytes:
    """GeoParquet with bytes as its geometry."""
    table = pq.read_table(io.BytesIO(parquet()))
    place = table.schema.get_field_index("geometry")
    spoiled = table.set_column(
        place, table.schema.field(place), pa.array([wkb] * table.num_rows, pa.binary())
    )
    stream = io.BytesIO()
    pq.write_table(spoiled, stream)
    return stream.getvalue()


def plain_parquet() -> bytes:
    """Parquet that knows of no geometry."""
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), stream)
    return stream.getvalue()
