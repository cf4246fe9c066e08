"""Files as other programs write them are read back equal, row by row, whatever the format."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest
import shapely
from ezdxf.filemanagement import new as new_drawing

from ingest.child.limits import ChildLimits
from ingest.child.options import ReadOptions
from ingest.gate.formats import Format
from ingest.gate.gate import gate_file
from ingest.readers.vector import FAULT, NOTE, RECORD, WKB, FieldInfo, LayerInfo, open_vector
from ler.errors import RefusedError
from tests.hostile import samples

SHAPES: Final = [
    *samples.LINES,
    shapely.from_wkt(
        "MULTILINESTRING Z ((575000 6224000 1, 575001 6224000 1), (575002 6224000 1, 575003 6224000 1))"
    ),
]
NOTHING_DECLARED: Final = ReadOptions()
FIELDS: Final = (FieldInfo("nr", "integer"), FieldInfo("navn", "text"))


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


def read(
    path: Path, options: ReadOptions = NOTHING_DECLARED
) -> tuple[tuple[LayerInfo, ...], list[dict[str, Any]]]:
    with open_vector(gate_file(path), options=options) as vector:
        layers = vector.layers()
        rows = [row for layer in layers for batch in vector.batches(layer.name) for row in batch.to_pylist()]
    return layers, rows


def put(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


WRITERS: Final[dict[str, tuple[str, Callable[[], bytes], Format, str]]] = {
    "GeoPackage": ("ledninger.gpkg", lambda: samples.geopackage(SHAPES), Format.GEOPACKAGE, "net"),
    "shapefile": ("ledninger.zip", lambda: samples.zipped_shapefile(SHAPES), Format.SHAPEFILE, "net"),
    "GeoJSON": ("ledninger.geojson", lambda: samples.written("geojson", SHAPES), Format.GEOJSON, "a"),
    "FlatGeobuf": ("ledninger.fgb", lambda: samples.written("fgb", SHAPES, SPATIAL_INDEX="NO"), Format.FLATGEOBUF, "a"),
    "GeoParquet": ("ledninger.parquet", lambda: samples.parquet(SHAPES), Format.GEOPARQUET, "ledninger"),
    "GeoPackage in a ZIP": ("alt.zip", lambda: samples.zipped({"mappe/a.gpkg": samples.geopackage(SHAPES), "mappe/læs.txt": "x"}), Format.GEOPACKAGE, "net"),
    "GeoJSON in a ZIP": ("alt.zip", lambda: samples.zipped({"a.json": samples.written("geojson", SHAPES)}), Format.GEOJSON, "a"),
}  # fmt: skip


@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_written_is_read(tmp_path: Path, writer: str) -> None:
    name, write, format_, layer_name = WRITERS[writer]
    path = put(tmp_path, name, write())
    assert gate_file(path).format is format_
    (layer,), rows = read(path)
    assert (layer.name, layer.feature_count, layer.crs, layer.fields) == (layer_name, 3, "EPSG:25832", FIELDS)
    assert [row["nr"] for row in rows] == [1, 2, 3]
    assert [row["navn"] for row in rows] == ["ledning æ1", "ledning æ2", "ledning æ3"]
    assert [row[RECORD] for row in rows] == [1, 2, 3]
    assert [shapely.from_wkb(row[WKB]) for row in rows] == SHAPES
    assert {(row[FAULT], row[NOTE]) for row in rows} == {(None, None)}


def test_csv_with_wkt(tmp_path: Path) -> None:
    text = samples.csv_text(
        *(f'{number};"æ ""x""";{shape.wkt}' for number, shape in enumerate(SHAPES)), header="nr;navn;wkt"
    )
    (layer,), rows = read(put(tmp_path, "net.csv", text))
    assert (layer.crs, layer.fields) == (None, (FieldInfo("nr", "text"), FieldInfo("navn", "text")))
    assert [(row["nr"], row["navn"]) for row in rows] == [("0", 'æ "x"'), ("1", 'æ "x"'), ("2", 'æ "x"')]
    assert [shapely.from_wkb(row[WKB]) for row in rows] == SHAPES


def test_csv_as_declared(tmp_path: Path) -> None:
    text = 'nr;na,vn;form\r\n1;"æ\r\nø";POINT (575000 6224000)\r\n\r\n2;b;POINT Z (1 2 3)\r\n'
    path = put(tmp_path, "net.csv", text.encode("latin-1"))
    options = ReadOptions(encoding="iso-8859-1", delimiter=";", line_breaks=True, geometry="form")
    _, rows = read(path, options)
    assert [row["na,vn"] for row in rows] == ["æ\r\nø", "b"]
    assert [shapely.from_wkb(row[WKB]).wkt for row in rows] == ["POINT (575000 6224000)", "POINT Z (1 2 3)"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (ReadOptions(encoding="utf-7"), "encoding-unsupported"),
        (ReadOptions(encoding="nonsense"), "encoding-unsupported"),
        (ReadOptions(geometry="nowhere"), "field-mapping"),
    ],
)
def test_declarations_that_cannot_be(tmp_path: Path, options: ReadOptions, code: str) -> None:
    path = put(tmp_path, "net.csv", samples.csv_text("1,a,POINT (1 1)"))
    with pytest.raises(RefusedError) as refused:
        read(path, options)
    assert refused.value.code == code


def test_a_shapefile_in_the_encoding_that_is_declared(tmp_path: Path) -> None:
    path = put(tmp_path, "net.zip", samples.shapefile(cpg=b"1252"))
    _, rows = read(path, ReadOptions(encoding="UTF-8"))
    assert [row["navn"] for row in rows] == ["ledning æ1", "ledning æ2"]


def test_a_drawing(tmp_path: Path) -> None:
    """Lines, an arc within 1 cm of itself, and a block in its place; a drawing never says where on earth it lies."""
    drawing = new_drawing()
    space = drawing.modelspace()
    space.add_line((575000, 6224000, 1), (575010, 6224000, 1), {"layer": "VAND"})
    space.add_arc((575000, 6224000), 100, 0, 180, dxfattribs={"layer": "GAS"})
    drawing.blocks.new("DÆKSEL").add_circle((0, 0), 0.5)
    space.add_blockref("DÆKSEL", (575100, 6224000), {"layer": "KLOAK"})
    path = tmp_path / "net.dxf"
    drawing.saveas(path)
    (layer,), rows = read(path)
    assert (layer.name, layer.crs) == ("entities", None)
    line, arc, cover = (shapely.from_wkb(row[WKB]) for row in rows)
    assert [row["Layer"] for row in rows][:2] == ["VAND", "GAS"]
    assert line.wkt == "LINESTRING Z (575000 6224000 1, 575010 6224000 1)"
    assert (
        arc.hausdorff_distance(shapely.Point(575000, 6224000).buffer(100, 4096).boundary) > 100
    )  # half of it
    middles = shapely.line_interpolate_point(arc, [arc.length * share / 1000 for share in range(1001)])
    assert max(abs(shapely.distance(shapely.Point(575000, 6224000), middles) - 100)) < 0.01
    assert cover.bounds == pytest.approx((575099.5, 6223999.5, 575100.5, 6224000.5), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("CIRCULARSTRING (575000 6224000, 575100 6224100, 575200 6224000)", 314.159),
        (
            "COMPOUNDCURVE ((574990 6224000, 575000 6224000), CIRCULARSTRING (575000 6224000, 575100 6224100, 575200 6224000))",
            324.159,
        ),
        ("CURVEPOLYGON (CIRCULARSTRING (575000 6224000, 575200 6224000, 575000 6224000))", 628.318),
        ("MULTICURVE (CIRCULARSTRING Z (575000 6224000 1, 575100 6224100 2, 575200 6224000 3))", 314.159),
    ],
)
def test_curves_are_segmented_within_a_centimetre(tmp_path: Path, text: str, length: float) -> None:
    """Row 63 of the catalogue of hostile input."""
    _, rows = read(put(tmp_path, "net.csv", f'nr,wkt\n1,"{text}"\n'))
    shape = shapely.from_wkb(rows[0][WKB])
    assert shape.length == pytest.approx(length, abs=0.05)
    points = shapely.get_coordinates(shape)
    on_arc = points[points[:, 0] >= 575000]
    assert abs(np.hypot(on_arc[:, 0] - 575100, on_arc[:, 1] - 6224000) - 100).max() < 1e-6
    assert rows[0][NOTE] is None


def test_values_that_do_not_fit_their_column_stay_as_text(tmp_path: Path) -> None:
    content = samples.spoiled_geopackage(
        "ALTER TABLE net ADD COLUMN dato DATE", "ALTER TABLE net ADD COLUMN tid DATETIME", "ALTER TABLE net ADD COLUMN ja BOOLEAN",
        "UPDATE net SET dato = '2026-02-30', tid = '2026-02-03T04:05:06.000Z', ja = 1",
        "UPDATE net SET nr = 'abc' WHERE fid = 2",
    )  # fmt: skip
    (layer,), rows = read(put(tmp_path, "net.gpkg", content))
    assert {field.name: field.type for field in layer.fields} == {
        "nr": "text", "navn": "text", "dato": "text", "tid": "datetime", "ja": "boolean",
    }  # fmt: skip
    assert [(row["nr"], row["dato"], row["ja"]) for row in rows] == [
        ("1", "2026-02-30", True),
        ("abc", "2026-02-30", True),
    ]
    assert rows[0]["tid"].isoformat() == "2026-02-03T04:05:06+00:00"


def test_a_layer_without_geometry(tmp_path: Path) -> None:
    content = samples.spoiled_geopackage(
        "CREATE TABLE koder (fid INTEGER PRIMARY KEY, kode TEXT)",
        "INSERT INTO koder (kode) VALUES ('a'), ('b')",
        "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('koder', 'attributes', 'koder')",
    )
    layers, rows = read(put(tmp_path, "net.gpkg", content))
    assert [(layer.name, layer.geometry_type) for layer in layers] == [
        ("koder", None),
        ("net", "LineString Z"),
    ]
    assert [(row["kode"], row[WKB], row[FAULT]) for row in rows[:2]] == [("a", None, None), ("b", None, None)]


def test_batches_have_the_schema_of_their_layer(tmp_path: Path) -> None:
    with open_vector(gate_file(put(tmp_path, "net.gpkg", samples.geopackage()))) as vector:
        (batch,) = vector.batches("net")
        assert batch.schema == pa.schema(
            [
                ("nr", pa.int64()), ("navn", pa.string()),
                (RECORD, pa.int64()), (WKB, pa.binary()), (FAULT, pa.string()), (NOTE, pa.string()),
            ]
        )  # fmt: skip
        with pytest.raises(RefusedError, match="no layer"):
            vector.batches("/vsicurl/http://127.0.0.1")


def test_too_many_features_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "net.gpkg", samples.geopackage())
    with (
        open_vector(gate_file(path), limits=ChildLimits(max_features=1)) as vector,
        pytest.raises(RefusedError) as refused,
    ):
        vector.layers()
    assert refused.value.code == "feature-limit"
