"""Archives, GeoPackages, shapefiles, drawings, tables and geometry made to harm: rows 18-48, 53, 58, 62-67 and 72 of the
catalogue of hostile input, each with the code that it must get."""

import gzip
import io
import json
import struct
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from tests.hostile import samples
from tests.hostile.samples import (
    csv_text,
    dxf,
    dxf_block,
    dxf_insert,
    geojson,
    gpkg_blob,
    shapefile,
    shapefile_parts,
    spoiled_geopackage,
    zipped,
)
from tests.hostile.xml_cases import CASES as XML_CASES
from tests.hostile.zips import Entry, make_zip

ACCEPTED: Final = ""


@dataclass(frozen=True)
class Case:
    """One hostile file."""

    id: str
    """The row of the catalogue and what it is."""
    name: str
    make: Callable[[str], str | bytes]
    """The content, given the address of somebody who listens."""
    code: str
    """What it must get: a refusal, a fault of its geometry, a note; `ACCEPTED` for nothing at all."""
    limit_s: float = 1.0
    """Processor time of the gate; of what it lets through, that of the parent."""
    memory: bool = False
    """Whether the peak of the gate is measured, in a process of its own."""
    beside: tuple[str, ...] = ()
    """Endings of files that lie beside it."""


def gpkg_geometry(wkb: bytes) -> Callable[[str], bytes]:
    return lambda _: spoiled_geopackage(blob=gpkg_blob(wkb))


def iso(text: str) -> bytes:
    return shapely.to_wkb(shapely.from_wkt(text), flavor="iso", output_dimension=4)


def nested(depth: int) -> bytes:
    return struct.pack("<BII", 1, 7, 1) * depth + iso("POINT (1 1)")


def line_of(count: int) -> bytes:
    return struct.pack("<BII", 1, 2, count) + np.zeros(count * 2).tobytes()


def with_geometry(geometry: object) -> Callable[[str], str]:
    return lambda _: geojson(geometry=geometry)


def spoiled(part: str, at: int, value: bytes) -> Callable[[str], bytes]:
    def make(_: str) -> bytes:
        content = bytearray(shapefile_parts()[part])
        content[at : at + len(value)] = value
        return samples.zipped(
            {f"net.{ending}": kept for ending, kept in (shapefile_parts() | {part: bytes(content)}).items()}
        )

    return make


def same_columns(_: str) -> bytes:
    table = shapefile_parts(udvendigDi=1, udvendigBr=2)["dbf"]
    return shapefile(dbf=table.replace(b"udvendigBr", b"udvendigDi"))


def dated() -> bytes:
    """A table with a date and a number."""
    fields = [(b"dato", b"D", 8), (b"tal", b"N", 8)]
    described = b"".join(
        name.ljust(11, b"\0") + kind + bytes(4) + bytes([width]) + bytes(15) for name, kind, width in fields
    )
    head = struct.pack("<4B I 2H", 3, 126, 1, 1, 2, 32 + len(described) + 1, 17) + bytes(20)
    return head + described + b"\r" + b" 20260203     1.5" + b" 00000000        " + b"\x1a"


def utf_8_as_cp1252(_: str) -> bytes:
    return shapefile(cpg=b"1252")


def corrupt_page(_: str) -> bytes:
    content = bytearray(samples.geopackage())
    size = struct.unpack_from(">H", content, 16)[0]
    for page in range(2, len(content) // size):
        content[page * size : page * size + 64] = b"\xff" * 64
    return bytes(content)


def tar(_: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.gpkg"))
    return stream.getvalue()


def chained_blocks(depth: int, copies: int = 1) -> str:
    inner = "".join(dxf_block(f"B{n}", dxf_insert(f"B{n + 1}") * copies) for n in range(depth))
    last = dxf_block(f"B{depth}", "0\nPOINT\n8\n0\n10\n0\n20\n0\n")
    return dxf(dxf_insert("B0"), inner + last)


def small_zip(**changes: object) -> Callable[[str], bytes]:
    options = {key: changes.pop(key) for key in ("after", "before_directory", "shift") if key in changes}
    members = [Entry(b"a.geojson", geojson().encode()), Entry(b"LIESMICH.txt")]

    def make(_: str) -> bytes:
        return make_zip([members[0], Entry(**{"name": b"readme.txt", **changes})], **options)  # type: ignore[arg-type]

    return make


SYMLINK, DEVICE = 0o120777 << 16, 0o020666 << 16
RECURSIVE: Final = "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS fid, NULL AS geom FROM n"
REGISTER: Final = (
    "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('endless', 'features', 'endless', 25832)",
    "INSERT INTO gpkg_geometry_columns VALUES ('endless', 'geom', 'POINT', 25832, 0, 0)",
)
GOOD: Final = "1,a,POINT (575000 6224000)"

ARCHIVES: Final = [
    Case("19 bomb", "a.zip", lambda _: make_zip([Entry(b"a.csv", b"\0" * 200_000_000)]), "archive-limit", memory=True),
    Case("19 many members of a bomb", "a.zip", lambda _: make_zip([Entry(b"%d.csv" % n, b" " * 2_000_000) for n in range(20)]), "archive-limit"),
    Case("20 false small size", "a.zip", lambda _: make_zip([Entry(b"a.csv", b"a,b\n" + b" " * 50_000_000, size=100)]), "archive-limit", memory=True),
    Case("20 false small size, locally", "a.zip", lambda _: make_zip([Entry(b"a.csv", b" " * 900_000, local_size=100)]), "archive-malformed"),
    Case("21 100,001 members", "a.zip", lambda _: make_zip([Entry(b"%d.txt" % n, deflate=False) for n in range(100_001)]), "archive-limit"),
    Case("21 1,001 members", "a.zip", lambda _: make_zip([Entry(b"%d.txt" % n) for n in range(1_001)]), "archive-limit"),
    Case("22 ZIP in ZIP", "a.zip", lambda _: zipped({"a.txt": zipped({"a.csv": csv_text(GOOD)})}), "archive-nested"),
    Case("22 gzip in ZIP", "a.zip", lambda _: zipped({"a.csv": gzip.compress(b"a,b")}), "archive-nested"),
    Case("22 tar in ZIP", "a.zip", lambda _: zipped({"a.csv": tar("")}), "archive-nested"),
    Case("23 up", "a.zip", small_zip(name=b"../a.txt"), "archive-path"),
    Case("23 up in the middle", "a.zip", small_zip(name=b"a/../../a.txt"), "archive-path"),
    Case("23 absolute", "a.zip", small_zip(name=b"/etc/passwd"), "archive-path"),
    Case("23 drive letter", "a.zip", small_zip(name=b"C:a.txt"), "archive-path"),
    Case("23 backslash", "a.zip", small_zip(name=b"..\\a.txt"), "archive-path"),
    Case("23 zero byte", "a.zip", small_zip(name=b"a.txt\0.csv"), "archive-path"),
    Case("23 no UTF-8", "a.zip", small_zip(name=b"\xff.txt", flags=0x800), "archive-path"),
    Case("23 long", "a.zip", small_zip(name=b"a" * 5000), "archive-path"),
    Case("24 symbolic link", "a.zip", small_zip(content=b"/etc/passwd", system=3, attributes=SYMLINK), "archive-member-type"),
    Case("24 device", "a.zip", small_zip(system=3, attributes=DEVICE), "archive-member-type"),
    Case("24 encrypted", "a.zip", small_zip(flags=1), "archive-member-type"),
    Case("24 belongs to nothing", "a.zip", small_zip(name=b"setup.exe"), "archive-member-type"),
    Case("25 twice", "a.zip", small_zip(name=b"a.geojson"), "archive-duplicate-name"),
    Case("25 but for capitals", "a.zip", small_zip(name=b"A.GeoJSON"), "archive-duplicate-name"),
    Case("25 composed and not", "a.zip", lambda _: make_zip([Entry("å.txt".encode(), flags=0x800), Entry("a\u030a.txt".encode(), flags=0x800)]), "archive-duplicate-name"),
    Case("26 other name locally", "a.zip", small_zip(local_name=b"a.geojson2"), "archive-malformed"),
    Case("26 overlapping", "a.zip", small_zip(shift=-5), "archive-malformed"),
    Case("26 data after the end", "a.zip", small_zip(after=b"MZ"), "archive-malformed"),
    Case("26 a second ZIP after the end", "a.zip", small_zip(after=zipped({"b.csv": csv_text(GOOD)})), "archive-malformed"),
    Case("26 data between", "a.zip", small_zip(before_directory=b"hidden"), "archive-malformed"),
    Case("26 data before", "a.zip", lambda _: b"PK\3\4 MZ" + zipped({"a.csv": csv_text(GOOD)}), "archive-malformed"),
    Case("26 two names", "a.zip", small_zip(extra=struct.pack("<HHBI", 0x7075, 10, 1, 0) + b"b.csv"), "archive-malformed"),
    Case("26 damaged", "a.zip", lambda _: zipped({"a.csv": csv_text(*[GOOD] * 99)}).replace(b"\x01\x02", b"\x01\x02", 1)[:-40], "archive-malformed"),
    Case("27 two datasets", "a.zip", lambda _: zipped({"a.csv": csv_text(GOOD), "b.csv": csv_text(GOOD)}), "archive-ambiguous"),
    Case("27 two shapefiles", "a.zip", lambda _: zipped({f"{n}.{e}": c for n in "ab" for e, c in shapefile_parts().items()}), "archive-ambiguous"),
    Case("27 nothing", "a.zip", lambda _: zipped({"a.txt": "x"}), "format-not-supported"),
    Case("27 empty", "a.zip", lambda _: zipped({}), "format-not-supported"),
    Case("28 gzip", "a.zip", lambda _: gzip.compress(b"a"), "format-not-supported"),
    Case("28 7z", "a.zip", lambda _: b"7z\xbc\xaf\x27\x1c" + b"\0" * 100, "format-not-supported"),
    Case("28 RAR", "a.zip", lambda _: b"Rar!\x1a\x07\x01\0" + b"\0" * 100, "format-not-supported"),
    Case("28 tar", "a.zip", tar, "format-not-supported"),
    Case("28 ZIP called otherwise", "a.gpkg", lambda _: zipped({"a.csv": csv_text(GOOD)}), "format-not-supported"),
]  # fmt: skip

GEOPACKAGES: Final = [
    Case("29 endless view as layer", "a.gpkg", lambda _: spoiled_geopackage(RECURSIVE, *REGISTER), "gpkg-layer-not-table"),
    Case("29 view", "a.gpkg", lambda _: spoiled_geopackage(RECURSIVE), "gpkg-object-forbidden"),
    Case("29 computed column", "a.gpkg", lambda _: spoiled_geopackage("ALTER TABLE net ADD COLUMN bomb AS (zeroblob(900000000))"), "gpkg-object-forbidden"),
    Case("29 virtual table", "a.gpkg", lambda _: spoiled_geopackage("CREATE VIRTUAL TABLE words USING fts5(a)"), "gpkg-object-forbidden"),
    Case("30 trigger that loads", "a.gpkg", lambda _: spoiled_geopackage("CREATE TRIGGER t AFTER INSERT ON net BEGIN SELECT load_extension('/tmp/x.so'); END"), "gpkg-object-forbidden"),
    Case("30 trigger that writes, under a good name", "a.gpkg", lambda _: spoiled_geopackage("CREATE TRIGGER rtree_net_geom_update AFTER INSERT ON net BEGIN SELECT writefile('/tmp/x', 'x'); END"), "gpkg-object-forbidden"),
    Case("31 no GeoPackage", "a.gpkg", lambda _: spoiled_geopackage("PRAGMA application_id = 1"), "format-not-supported"),
    Case("31 SQLite without layers", "a.gpkg", lambda _: spoiled_geopackage("DELETE FROM gpkg_contents"), "format-not-supported"),
    Case("32 corrupt pages", "a.gpkg", corrupt_page, "gpkg-corrupt"),
    Case("32 cut off", "a.gpkg", lambda _: samples.geopackage()[:50_000], "gpkg-corrupt"),
    Case("32 log beside it", "a.gpkg", lambda _: samples.geopackage(), "gpkg-corrupt", beside=("-wal",)),
    Case("32 journal beside it", "a.gpkg", lambda _: samples.geopackage(), "gpkg-corrupt", beside=("-journal",)),
    Case("33 wrong system in a row", "a.gpkg", lambda _: spoiled_geopackage(blob=gpkg_blob(iso("LINESTRING (575000 6224000, 575010 6224000)"), srs=4326)), "geometry-header"),
    Case("33 wrong envelope", "a.gpkg", lambda _: spoiled_geopackage(blob=gpkg_blob(iso("POINT (575000 6224000)"), envelope=(0.0, 1.0, 0.0, 1.0))), "geometry-header"),
    Case("33 envelope of no numbers", "a.gpkg", lambda _: spoiled_geopackage(blob=gpkg_blob(iso("POINT (575000 6224000)"), envelope=(float("nan"),) * 4)), "geometry-header"),
    Case("33 no header", "a.gpkg", lambda _: spoiled_geopackage(blob=iso("POINT (1 1)")), "geometry-header"),
    Case("33 header cut off", "a.gpkg", lambda _: spoiled_geopackage(blob=b"GP\0\x03"), "geometry-header"),
    Case("34 layer with quotes", "a.gpkg", lambda _: spoiled_geopackage(
        'ALTER TABLE net RENAME TO "a""; drop table net;--\'"',
        "UPDATE gpkg_contents SET table_name = 'a\"; drop table net;--'''",
        "UPDATE gpkg_geometry_columns SET table_name = 'a\"; drop table net;--'''",
    ), ACCEPTED),
    Case("58 system not described", "a.gpkg", lambda _: spoiled_geopackage("UPDATE gpkg_geometry_columns SET srs_id = 77"), "crs-unsupported"),
]  # fmt: skip

OTHERS: Final = [
    Case("35 no shx", "a.zip", lambda _: shapefile(without="shx"), "shapefile-incomplete"),
    Case("35 no dbf", "a.zip", lambda _: shapefile(without="dbf"), "shapefile-incomplete"),
    Case("35 no prj", "a.zip", lambda _: shapefile(without="prj"), "shapefile-incomplete"),
    Case("35 no shp", "a.zip", lambda _: shapefile(without="shp"), "shapefile-incomplete"),
    Case("35 alone", "a.shp", lambda _: shapefile_parts()["shp"], "shapefile-incomplete"),
    Case("36 fewer records", "a.zip", spoiled("dbf", 4, struct.pack("<I", 1)), "shapefile-inconsistent"),
    Case("36 more records than bytes", "a.zip", spoiled("dbf", 4, struct.pack("<I", 0xFFFFFFFF)), "shapefile-inconsistent"),
    Case("36 other length", "a.zip", spoiled("shp", 24, struct.pack(">i", 7)), "shapefile-inconsistent"),
    Case("36 negative length", "a.zip", spoiled("shx", 24, struct.pack(">i", -1)), "shapefile-inconsistent"),
    Case("37 UTF-8 said to be cp1252", "a.zip", utf_8_as_cp1252, "encoding-doubtful"),
    Case("73 no date in a shapefile", "a.zip", lambda _: shapefile(dbf=dated().replace(b"20260203", b"20260230")), "date-invalid"),
    Case("83 no number in a shapefile", "a.zip", lambda _: shapefile(dbf=dated().replace(b"     1.5", b"     abc")), "attribute-value"),
    Case("83 infinite number in a shapefile", "a.zip", lambda _: shapefile(dbf=dated().replace(b"     1.5", b"   1e999")), "attribute-value"),
    Case("83 number that was too long", "a.zip", lambda _: shapefile(dbf=dated().replace(b"     1.5", b"********")), ACCEPTED),
    Case("38 names clash", "a.zip", same_columns, "field-mapping"),
    Case("40 a block in itself", "a.dxf", lambda _: dxf(dxf_insert("A"), dxf_block("A", dxf_insert("A"))), "dxf-limit"),
    Case("40 two blocks in each other", "a.dxf", lambda _: dxf(dxf_insert("A"), dxf_block("A", dxf_insert("b")) + dxf_block("B", dxf_insert("A"))), "dxf-limit"),
    Case("40 1,000 deep", "a.dxf", lambda _: chained_blocks(1000), "dxf-limit"),
    Case("40 ten to the tenth", "a.dxf", lambda _: chained_blocks(10, copies=10), "dxf-limit"),
    Case("40 ten to the ninth in rows", "a.dxf", lambda _: dxf(dxf_insert("A", "70\n32000\n71\n32000\n"), dxf_block("A", "0\nPOINT\n8\n0\n10\n0\n20\n0\n")), "dxf-limit"),
    Case("40 long line", "a.dxf", lambda _: dxf("0\nTEXT\n1\n" + "a" * 5_000_000 + "\n"), "dxf-limit"),
    Case("41 binary DXF", "a.dxf", lambda _: b"AutoCAD Binary DXF\r\n\x1a\0" + b"\0" * 100, "format-not-supported"),
    Case("41 DWG", "a.dxf", lambda _: b"AC1032" + b"\0" * 100, "format-not-supported"),
    Case("42 formulas", "a.csv", lambda _: csv_text(GOOD, *(f'{cell},"{cell}",POINT (1 1)' for cell in ("=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(1)", "\t=1"))), ACCEPTED),
    Case("43 decimal comma", "a.csv", lambda _: csv_text(GOOD, "1,5,a,POINT (1 1)"), "csv-dialect"),
    Case("43 two delimiters", "a.csv", lambda _: csv_text("1;a,b;POINT (1 1)", header="nr;na,vn;wkt"), "csv-dialect"),
    Case("43 quote not closed", "a.csv", lambda _: csv_text(GOOD, '2,"b,POINT (1 1)', GOOD), "csv-dialect"),
    Case("43 quotes over lines", "a.csv", lambda _: csv_text('2,"b\nc",POINT (1 1)', GOOD), "csv-dialect"),
    Case("43 a million columns", "a.csv", lambda _: ",".join(map(str, range(1_000_000))), "csv-limit"),
    Case("44 100 MB line", "a.csv", lambda _: b"a,wkt\n" + b"x" * 100_000_000, "csv-limit", memory=True),
    Case("45 NaN in CSV", "a.csv", lambda _: csv_text("1,a,POINT (NaN 1)"), "coordinate-not-finite"),
    Case("45 NaN in GeoPackage", "a.gpkg", gpkg_geometry(struct.pack("<BII4d", 1, 2, 2, 1, float("nan"), 1, 1)), "coordinate-not-finite"),
    Case("46 infinite in GeoPackage", "a.gpkg", gpkg_geometry(struct.pack("<BI3d", 1, 1001, 1, 1, float("-inf"))), "coordinate-not-finite"),
    Case("46 1e400 in GeoJSON", "a.geojson", lambda _: geojson().replace("575000", "1e400"), "coordinate-not-finite"),
    Case("46 1e400 in CSV", "a.csv", lambda _: csv_text("1,a,POINT (1e400 1)"), "coordinate-not-finite"),
    Case("46 1e400 in a property", "a.geojson", lambda _: geojson(properties={"x": 7}).replace("7}", "1e400}"), "json-invalid"),
    Case("47 NaN", "a.geojson", lambda _: geojson().replace("575000", "NaN"), "json-invalid"),
    Case("47 Infinity in a property", "a.geojson", lambda _: geojson(properties={"x": float("inf")}), "json-invalid"),
    Case("47 text after the collection", "a.geojson", lambda _: geojson() + "{}", "json-invalid"),
    Case("47 a member twice", "a.geojson", lambda _: geojson()[:-1] + ', "features": []}', "json-invalid"),
    Case("47 cut off", "a.geojson", lambda _: geojson()[:-5], "json-invalid"),
    Case("47 no collection", "a.geojson", lambda _: '{"type": "Point", "coordinates": [1, 1]}', "json-invalid"),
    Case("48 null in GeoJSON", "a.geojson", with_geometry(None), "geometry-empty"),
    Case("48 empty in GeoJSON", "a.geojson", with_geometry({"type": "LineString", "coordinates": []}), "geometry-empty"),
    Case("48 empty in CSV", "a.csv", lambda _: csv_text("1,a,LINESTRING EMPTY"), "geometry-empty"),
    Case("48 nothing in CSV", "a.csv", lambda _: csv_text("1,a,"), "geometry-empty"),
    Case("48 null in GeoPackage", "a.gpkg", lambda _: samples.geopackage([samples.LINES[0], None]), "geometry-empty"),
    Case("48 empty in GeoPackage", "a.gpkg", gpkg_geometry(iso("POINT EMPTY")), "geometry-empty"),
    Case("48 null in a shapefile", "a.zip", lambda _: samples.zipped_shapefile([samples.LINES[0], None]), "geometry-empty"),
    Case("53 ten million vertices in GeoPackage", "a.gpkg", gpkg_geometry(line_of(10_000_000)), "geometry-limit"),
    Case("53 200,000 vertices in GeoPackage", "a.gpkg", gpkg_geometry(line_of(200_000)), "geometry-limit"),
    Case("53 ten million vertices in GeoJSON", "a.geojson", lambda _: geojson().replace("[575000, 6224000]", f"[{'[575000,6224000],' * 10_000_000}[1,1]]"), "geometry-limit", memory=True),
    Case("53 200,000 vertices in CSV", "a.csv", lambda _: csv_text(f'1,a,"LINESTRING ({"1 1," * 200_000}2 2)"'), "geometry-limit"),
    Case("58 urn:x", "a.geojson", lambda _: geojson(crs={"type": "name", "properties": {"name": "urn:x"}}), "crs-unsupported"),
    Case("58 EPSG:999999", "a.geojson", lambda _: geojson(crs={"type": "name", "properties": {"name": "EPSG:999999"}}), "crs-unsupported"),
    Case("62 measures in GeoPackage", "a.gpkg", gpkg_geometry(iso("LINESTRING ZM (575000 6224000 1 7, 575010 6224000 1 8)")), "geometry-dimension"),
    Case("62 four numbers in GeoJSON", "a.geojson", with_geometry({"type": "Point", "coordinates": [1, 2, 3, 4]}), "geometry-dimension"),
    Case("64 TIN", "a.gpkg", gpkg_geometry(struct.pack("<BII", 1, 1016, 0)), "geometry-type"),
    Case("64 polyhedral surface", "a.csv", lambda _: csv_text('1,a,"POLYHEDRALSURFACE (((0 0, 1 1, 1 0, 0 0)))"'), "geometry-type"),
    Case("64 MultiPatch", "a.zip", spoiled("shp", 32, struct.pack("<i", 31)), "geometry-type"),
    Case("65 mixed collection", "a.csv", lambda _: csv_text('1,a,"GEOMETRYCOLLECTION (POINT (1 1), LINESTRING (1 1, 2 2))"'), "geometry-type"),
    Case("66 nested WKB in GeoPackage", "a.gpkg", gpkg_geometry(nested(100_000)), "geometry-limit"),
    Case("66 nested WKB in GeoParquet", "a.parquet", lambda _: samples.parquet_of_wkb(nested(100_000)), "geometry-limit"),
    Case("66 nested WKT", "a.csv", lambda _: csv_text(f'1,a,"{"GEOMETRYCOLLECTION (" * 100_000}POINT (1 1){")" * 100_000}"'), "geometry-limit"),
    Case("66 nested GeoJSON", "a.geojson", lambda _: geojson().replace('{"type": "Point", "coordinates": [575000, 6224000]}', '{"type": "GeometryCollection", "geometries": [' * 100_000), "json-limit"),
    Case("66 40 nested GeoJSON", "a.geojson", lambda _: geojson().replace('{"type": "Point", "coordinates": [575000, 6224000]}', '{"type": "GeometryCollection", "geometries": [' * 40 + "]}" * 40), "geometry-limit"),
    Case("67 count of four billion", "a.gpkg", gpkg_geometry(struct.pack("<BII", 1, 2, 0xFFFFFFFF)), "geometry-malformed"),
    Case("67 parts of four billion", "a.parquet", lambda _: samples.parquet_of_wkb(struct.pack("<BII", 1, 5, 0xFFFFFFFF)), "geometry-malformed"),
    Case("67 bytes that follow", "a.gpkg", gpkg_geometry(iso("POINT (1 1)") + b"x"), "geometry-malformed"),
    Case("72 half a character", "a.geojson", lambda _: geojson(properties={"a": "X"}).replace('"X"', r'"\ud800"'), "text-invalid"),
    Case("72 zero byte", "a.geojson", lambda _: geojson(properties={"a": "\0"}), "text-invalid"),
    Case("72 Latin-1 in CSV", "a.csv", lambda _: csv_text("1,æ,POINT (1 1)").encode("latin-1"), "encoding-invalid"),
    Case("72 Latin-1 in GeoJSON", "a.geojson", lambda _: json.dumps({"type": "FeatureCollection", "æ": 1}, ensure_ascii=False).encode("latin-1"), "encoding-invalid"),
    Case("72 Latin-1 in GeoPackage", "a.gpkg", lambda _: spoiled_geopackage("UPDATE net SET navn = CAST(X'e6' AS TEXT)"), "encoding-invalid"),
    Case("18 words of GDAL", "a.csv", lambda url: csv_text(f'/vsicurl/{url},"WFS:{url}",POINT (1 1)', f"{url},PG:host=127.0.0.1,POINT (1 1)"), ACCEPTED),
    Case("0 empty file", "a.gpkg", lambda _: b"", "format-not-supported"),
    Case("0 other content than its name", "a.gpkg", lambda _: geojson(), "format-not-supported"),
    Case("0 GDAL's VRT in a ZIP", "a.zip", lambda url: zipped({"a.gml": f"<OGRVRTDataSource><SrcDataSource>/vsicurl/{url}</SrcDataSource></OGRVRTDataSource>"}), "format-not-supported"),
    Case("0 OAPIF", "a.json", lambda url: f"<OGROAPIFDataSource><URL>{url}</URL></OGROAPIFDataSource>", "format-not-supported"),
    Case("0 cut off FlatGeobuf", "a.fgb", lambda _: samples.written("fgb")[:100], "file-malformed"),
    Case("0 cut off Parquet", "a.parquet", lambda _: samples.parquet()[:-20], "file-malformed"),
    Case("0 damaged Parquet", "a.parquet", lambda _: b"PAR1" + b"\xff" * 300 + samples.parquet()[304:], "file-malformed"),
    Case("0 Parquet without geometry", "a.parquet", lambda _: samples.plain_parquet(), "format-not-supported"),
]  # fmt: skip

XML: Final = [Case(id_, "a.gml", make, code) for id_, (make, code) in XML_CASES.items()]
CASES: Final = [*XML, *ARCHIVES, *GEOPACKAGES, *OTHERS]
