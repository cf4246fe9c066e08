"""Dig areas: what is accepted, and one clear answer for each kind of bad one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from shapely import Polygon, box

from ingest.area_file import read_area_file
from ler.domain.dig_area import dig_area
from ler.errors import RefusedError
from ler.settings import Settings

COVERAGE = Settings().coverage
SQUARE = [[575000, 6224000], [575020, 6224000], [575020, 6224020], [575000, 6224020], [575000, 6224000]]


def polygon(ring: Sequence[Sequence[object]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring]}


def save(folder: Path, document: object) -> Path:
    path = folder / "area.geojson"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def read(folder: Path, document: object, crs: str | None = None) -> Polygon:
    return dig_area(read_area_file(save(folder, document), crs), coverage=COVERAGE)


def test_a_polygon_in_metres_is_the_area(tmp_path: Path) -> None:
    assert read(tmp_path, polygon(SQUARE)).equals(box(575000, 6224000, 575020, 6224020))


def test_features_and_collections_are_read_and_overlapping_polygons_merged(tmp_path: Path) -> None:
    other = [[x + 10, y] for x, y in SQUARE]
    features = [{"type": "Feature", "properties": {}, "geometry": polygon(ring)} for ring in (SQUARE, other)]
    area = read(tmp_path, {"type": "FeatureCollection", "features": features})
    assert area.area == pytest.approx(600)


def test_degrees_are_converted_only_when_they_are_named(tmp_path: Path) -> None:
    ring = [[10.2, 56.15], [10.2003, 56.15], [10.2003, 56.1502], [10.2, 56.1502], [10.2, 56.15]]
    area = read(tmp_path, polygon(ring), "EPSG:4326")
    west, south, east, north = area.bounds
    # the corners as gdaltransform (PROJ 9.1) gives them
    assert (west, south) == pytest.approx((574548.79, 6223422.78), abs=0.5)
    assert (east, north) == pytest.approx((574567.82, 6223445.36), abs=0.5)
    assert area.area == pytest.approx(415, rel=0.02)


def test_a_hole_and_heights_are_allowed_and_heights_dropped(tmp_path: Path) -> None:
    ring = [[x, y, 3.0] for x, y in SQUARE]
    hole = [
        [575005, 6224005, 1],
        [575005, 6224010, 1],
        [575010, 6224010, 1],
        [575010, 6224005, 1],
        [575005, 6224005, 1],
    ]
    area = read(tmp_path, {"type": "Polygon", "coordinates": [ring, hole]})
    assert not area.has_z
    assert area.area == pytest.approx(375)


BOW_TIE = [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3], SQUARE[0]]
FAR = [[x + 40, y] for x, y in SQUARE]
BAD: dict[str, tuple[object, str]] = {
    "not JSON": ("{", "json-invalid"),
    "no GeoJSON": ("[1, 2]", "json-invalid"),
    "NaN": ('{"type":"Polygon","coordinates":[[[NaN,1],[2,2],[3,3],[1,1]]]}', "json-invalid"),
    "infinite": (
        '{"type":"Polygon","coordinates":[[[1e400,1],[2,2],[3,3],[1e400,1]]]}',
        "coordinate-not-finite",
    ),
    "a line": ({"type": "LineString", "coordinates": SQUARE}, "geometry-type"),
    "no geometry": ({"type": "Feature", "properties": {}, "geometry": None}, "geometry-type"),
    "empty collection": ({"type": "FeatureCollection", "features": []}, "geometry-empty"),
    "text for numbers": (polygon([["a", "b"], ["c", "d"], ["e", "f"], ["a", "b"]]), "geometry-malformed"),
    "two corners": (polygon([SQUARE[0], SQUARE[1], SQUARE[0]]), "geometry-invalid"),
    "bow-tie": (polygon(BOW_TIE), "geometry-invalid"),
    "degrees": (polygon([[10.2, 56.15], [10.21, 56.15], [10.21, 56.16], [10.2, 56.15]]), "crs-out-of-area"),
    "swapped axes": (polygon([[y, x] for x, y in SQUARE]), "crs-axis-order"),
    "outside the coverage": (polygon([[x - 500_000, y] for x, y in SQUARE]), "area-outside-coverage"),
    "far apart": (
        {"type": "MultiPolygon", "coordinates": [[SQUARE], [FAR]]},
        "area-not-one-polygon",
    ),
    "too large": (
        polygon([[575000, 6224000], [576000, 6224000], [576000, 6225000], [575000, 6224000]]),
        "area-size",
    ),
    "too small": (
        polygon([[575000, 6224000], [575000.1, 6224000], [575000.1, 6224000.1], [575000, 6224000]]),
        "area-size",
    ),
    "another system": ({**polygon(SQUARE), "crs": {"properties": {"name": "EPSG:2180"}}}, "crs-unsupported"),
    "nameless system": ({**polygon(SQUARE), "crs": {"type": "link"}}, "crs-unsupported"),
    "degrees by name": (
        {**polygon(SQUARE), "crs": {"properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}},
        "crs-out-of-area",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_areas_are_refused_by_name(tmp_path: Path, case: str) -> None:
    document, code = BAD[case]
    with pytest.raises(RefusedError) as refused:
        read(tmp_path, document)
    assert refused.value.code == code
    assert str(refused.value)


def test_a_bow_tie_is_refused_with_the_crossing_point(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"575010 6224010"):
        read(tmp_path, polygon(BOW_TIE))


def test_a_file_and_an_option_that_disagree_are_refused(tmp_path: Path) -> None:
    document = {**polygon(SQUARE), "crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}}
    with pytest.raises(RefusedError) as refused:
        read(tmp_path, document, "EPSG:25833")
    assert refused.value.code == "crs-mixed"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"gone\.geojson"):
        read_area_file(tmp_path / "gone.geojson")
