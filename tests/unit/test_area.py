"""Dig areas: what is accepted, and one clear answer for each kind of bad one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from shapely import LineString, MultiLineString, Point, Polygon, box

from ingest.area_file import read_area_file
from ler.domain.dig_area import MAX_VERTICES, AreaLimits, dig_area
from ler.errors import RefusedError
from ler.rules_in_force import area_limits
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


WEST, SOUTH = 575000, 6224000


def corridor(*points: tuple[float, float], width_m: float = 2.0) -> Polygon:
    line = LineString([(WEST + x, SOUTH + y) for x, y in points])
    return dig_area([line], coverage=COVERAGE, corridor_width_m=width_m)


def test_a_corridor_is_as_long_as_its_line_and_as_wide_as_said() -> None:
    assert corridor((0, 0), (100, 0)).equals(box(WEST, SOUTH - 1, WEST + 100, SOUTH + 1))


def test_a_bend_of_a_corridor_is_rounded_outside() -> None:
    # Two arms of 100 m2 and the square they share at the bend, once; outside a quarter of a circle of 1 m.
    assert corridor((0, 0), (50, 0), (50, 50)).area == pytest.approx(200 - 1 + 3.1416 / 4, abs=0.01)


def test_a_corridor_back_to_its_start_leaves_the_middle_out() -> None:
    area = corridor((0, 0), (50, 0), (50, 50), (0, 50), (0, 0))
    assert len(area.interiors) == 1
    assert not area.contains(Point(WEST + 25, SOUTH + 25))


def test_lines_that_meet_and_a_polygon_make_one_area() -> None:
    lines = MultiLineString(
        [[(WEST, SOUTH), (WEST + 50, SOUTH)], [(WEST + 25, SOUTH - 20), (WEST + 25, SOUTH + 20)]]
    )
    pit = box(WEST + 49, SOUTH - 5, WEST + 59, SOUTH + 5)
    area = dig_area([lines, pit], coverage=COVERAGE, corridor_width_m=2)
    assert area.area == pytest.approx(100 + 80 - 4 + 100 - 2)


@pytest.mark.parametrize("width_m", [0.0, -1.0, 60.1, float("nan"), float("inf")])
def test_a_width_that_no_corridor_has_is_refused(width_m: float) -> None:
    with pytest.raises(RefusedError) as refused:
        corridor((0, 0), (100, 0), width_m=width_m)
    assert refused.value.code == "corridor-width"


def test_the_widest_corridor_is_allowed() -> None:
    assert corridor((0, 0), (100, 0), width_m=60.0).area == pytest.approx(6000)


def refusal(*parts: object, width_m: float | None = None, limits: AreaLimits | None = None) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        dig_area(parts, coverage=COVERAGE, corridor_width_m=width_m, limits=limits or AreaLimits())  # type: ignore[arg-type]
    return refused.value


def test_lines_without_width_or_length_are_refused() -> None:
    line = LineString([(WEST, SOUTH), (WEST + 10, SOUTH)])
    assert refusal(line).code == "geometry-type"
    assert "width" in str(refusal(line))
    point = LineString([(WEST, SOUTH), (WEST, SOUTH)])
    assert refusal(point, width_m=2.0).code == "geometry-invalid"
    assert refusal(LineString(), width_m=2.0).code == "geometry-empty"
    assert refusal(Point(WEST, SOUTH), width_m=2.0).code == "geometry-type"


def test_a_corridor_that_leaves_the_coverage_at_its_side_is_refused() -> None:
    west = COVERAGE[0]
    edge = LineString([(west + 0.5, SOUTH), (west + 0.5, SOUTH + 100)])
    assert refusal(edge, width_m=2.0).code == "area-outside-coverage"


def squares(count: int, step: float = 5) -> list[Polygon]:
    return [box(WEST + n * step, SOUTH, WEST + n * step + 10, SOUTH + 10) for n in range(count)]


def test_the_part_that_stands_apart_is_named() -> None:
    refused = refusal(*squares(3), box(WEST + 500, SOUTH, WEST + 510, SOUTH + 10))
    assert refused.code == "area-not-one-polygon"
    assert "number 4" in str(refused)


def test_polygons_that_touch_in_a_corner_only_are_not_one() -> None:
    refused = refusal(
        box(WEST, SOUTH, WEST + 10, SOUTH + 10), box(WEST + 10, SOUTH + 10, WEST + 20, SOUTH + 20)
    )
    assert refused.code == "area-not-one-polygon"
    touching = squares(2, step=10)
    assert dig_area(touching, coverage=COVERAGE).area == pytest.approx(200)


def test_the_number_of_parts_is_limited() -> None:
    assert dig_area(squares(100), coverage=COVERAGE).area == pytest.approx(505 * 10)
    assert refusal(*squares(101)).code == "area-too-many-parts"


def test_vertices_are_counted_over_all_parts() -> None:
    round_ones = [Point(WEST + 30 * n, SOUTH).buffer(20, quad_segs=MAX_VERTICES // 16) for n in range(5)]
    assert dig_area(round_ones[:3], coverage=COVERAGE).area > 0
    assert refusal(*round_ones).code == "area-size"


@pytest.mark.parametrize(("side", "fits"), [(0.999, False), (1.0, True), (500.0, True), (500.1, False)])
def test_the_size_has_both_its_ends(side: float, *, fits: bool) -> None:
    square = box(WEST, SOUTH, WEST + side, SOUTH + side)
    if fits:
        assert dig_area([square], coverage=COVERAGE).area == pytest.approx(side**2)
    else:
        assert refusal(square).code == "area-size"


def test_the_settings_are_the_default_limits() -> None:
    assert area_limits(Settings()) == AreaLimits()
