"""An area in every format, and what is refused; read as the service reads it, in processes of its own."""

from pathlib import Path

import pytest
import shapely
from shapely import Polygon, box

from ingest.area_apart import read_area_apart
from ingest.area_file import read_area_wkt
from ler.domain.dig_area import dig_area
from ler.errors import RefusedError
from ler.settings import Settings
from tests.area_files import FILES, kml

AREA = box(575000, 6224000, 575020, 6224020)
COVERAGE = Settings().coverage


@pytest.mark.parametrize("format_", FILES)
def test_the_same_area_comes_from_every_format(format_: str, tmp_path: Path) -> None:
    path = FILES[format_](tmp_path, AREA)
    found = dig_area(read_area_apart(path), coverage=COVERAGE)
    assert shapely.hausdorff_distance(found, AREA) < 0.001
    assert found.area == pytest.approx(400, abs=0.05)


def refused(path: Path, crs: str | None = None) -> str:
    with pytest.raises(RefusedError) as error:
        read_area_apart(path, crs)
    assert str(error.value)
    return error.value.code


def test_what_is_no_area_is_refused_by_name(tmp_path: Path) -> None:
    def saved(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    assert refused(saved("a.gpkg", b"SQLite format 3\0" + b"\0" * 200)) == "format-not-supported"
    assert refused(saved("a.zip", b"PK\x03\x04 and no more")) == "archive-malformed"
    assert refused(saved("a.kml", b"<kml><Document><Placemark></kml>")) == "file-malformed"
    doctype = b'<!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]><kml>&a;</kml>'
    assert refused(saved("b.kml", doctype)) == "xml-doctype-forbidden"
    assert refused(saved("a.pdf", b"%PDF-1.7")) == "format-not-supported"
    assert refused(saved("a.wkt", b"POLYGON((1 2, 3 4")) == "geometry-malformed"
    assert refused(saved("b.wkt", b"POINT(575000 6224000)")) == "geometry-type"
    assert refused(saved("empty.wkt", b"")) == "geometry-empty"
    assert refused(kml(tmp_path, AREA), "EPSG:25832") == "crs-mixed"


def test_points_beside_the_area_are_refused_and_not_passed_over(tmp_path: Path) -> None:
    path = kml(tmp_path, AREA)
    pin = "<Placemark><Point><coordinates>9.5,56.1</coordinates></Point></Placemark></Document>"
    path.write_text(path.read_text(encoding="utf-8").replace("</Document>", pin), encoding="utf-8")
    assert refused(path) == "geometry-type"


def test_wkt_may_be_a_list_and_may_name_its_system() -> None:
    both = [AREA.wkt, shapely.affinity.translate(AREA, 10).wkt]
    assert dig_area(read_area_wkt(both), coverage=COVERAGE).area == pytest.approx(600)
    assert read_area_wkt([f"SRID=25832;{AREA.wkt}"])[0].equals(AREA)
    for texts, code in (
        ([f"SRID=25833;{AREA.wkt}"], "crs-out-of-area"),
        ([f"SRID=25832;{AREA.wkt}", AREA.wkt], "crs-mixed"),
        (["LINESTRING(0 0, 1 1)"], "geometry-type"),
        (["CIRCLE(0 0, 1)"], "geometry-malformed"),
    ):
        with pytest.raises(RefusedError) as error:
            read_area_wkt(texts)
        assert error.value.code == code


def test_a_curved_area_is_read_with_its_arc() -> None:
    arc = "CIRCULARSTRING(575000 6224000, 575010 6224010, 575020 6224000)"
    text = f"CURVEPOLYGON(COMPOUNDCURVE({arc}, (575020 6224000, 575000 6224000)))"
    (found,) = read_area_wkt([text])
    assert isinstance(found, Polygon)
    assert found.area == pytest.approx(157.08, abs=0.3)  # half a circle of 10 m
