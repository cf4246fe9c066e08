"""Where the records of a mapped file lie: geometry, heights and coordinate systems, and what is wrong with each."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import shapely

from ingest.findings import Finding, Severity
from ler.errors import RefusedError
from ler.model import Feature
from tests.unit.test_crs import PLACES, PROJECTIONS, UTM32, transverse_mercator
from tests.unit.test_mapped_source import LINE, PIPES, codes, read, source_of, table


def placed(positions: Sequence[tuple[float, ...]], **kinds: Any) -> tuple[Feature, list[Finding]]:  # noqa: ANN401 - fields of any kind
    features, found = read(table([shapely.LineString(np.array(positions))], **kinds))
    return features[0], found


INSIDE = (575000.0, 6224000.0)
FAULTY: dict[str, tuple[list[tuple[float, ...]], str]] = {
    "NaN": ([(math.nan, 6224000, 1), (575010, 6224000, 1)], "coordinate-not-finite"),
    "infinite": ([(math.inf, 6224000, 1), (575010, 6224000, 1)], "coordinate-not-finite"),
    "infinite height": ([(575000, 6224000, math.inf), (575010, 6224000, 1)], "coordinate-not-finite"),
    "no length": ([(575000, 6224000, 1), (575000, 6224000, 1)], "geometry-degenerate"),
    "no length and no height": (
        [(575000, 6224000), (575000, 6224000), (575000, 6224000)],
        "geometry-degenerate",
    ),
    "degrees": ([(12.5, 55.7, 1), (12.6, 55.7, 1)], "crs-out-of-area"),
    "swapped": ([(6224000, 575000, 1), (6224010, 575000, 1)], "crs-axis-order"),
    "far away": ([(5_000_000, 5_000_000, 1), (5_000_010, 5_000_000, 1)], "crs-out-of-area"),
    "in space": ([(575000, 6224000, 5000), (575010, 6224000, 5000)], "height-impossible"),
    "below the sea": ([(575000, 6224000, -500), (575010, 6224000, -500)], "height-impossible"),
    "endless": ([(575000 + x / 100, 6224000, 1) for x in range(100_001)], "geometry-limit"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_a_line_that_cannot_lie_there_has_a_fault_and_no_place(case: str) -> None:
    positions, code = FAULTY[case]
    with np.errstate(invalid="ignore"):  # shapely warns of what this is about
        line = shapely.LineString(np.array(positions))
    features, found = read(table([LINE, line, LINE]))
    assert [finding for finding in codes(found) if finding[1] != "geometry-repeated-points"] == [(2, code)]
    assert [feature.geometry is None for feature in features] == [False, True, False]
    assert features[1].unread == {"geometri"}


def test_degrees_that_pose_as_metres_and_metres_as_degrees_are_called_so() -> None:
    _, found = read(table([shapely.LineString(np.array(FAULTY["degrees"][0]))]))
    assert found[0].found == "12.5 55.7; looks like degrees"
    _, found = read(table([LINE], crs="EPSG:4326"))
    assert [(f.code, f.found.partition("; ")[2]) for f in found if f.severity is Severity.ERROR] == [
        ("crs-out-of-area", "looks like metres")
    ]


def test_latitude_before_longitude_is_seen() -> None:
    swapped = shapely.LineString([(55.7, 12.5), (55.7, 12.6)])
    _, found = read(table([swapped], crs="EPSG:4326"))
    assert [f.code for f in found if f.severity is Severity.ERROR] == ["crs-axis-order"]


def test_repeated_points_are_told_and_kept() -> None:
    feature, found = placed([(575000, 6224000, 1), (575000, 6224000, 1), (575010, 6224000, 1)])
    assert [(f.code, f.severity, f.found) for f in found] == [
        ("geometry-repeated-points", Severity.WARNING, "1")
    ]
    assert shapely.get_num_points(feature.geometry) == 3


def test_a_line_that_crosses_itself_is_a_line() -> None:
    loop = [(575000, 6224000, 1), (575010, 6224010, 1), (575010, 6224000, 1), (575000, 6224010, 1)]
    assert placed(loop)[1] == []


KINDS: dict[str, tuple[Any, str, Any]] = {
    "a multiple of one line": (shapely.MultiLineString([LINE]), "Vandledning", LINE),
    "a collection of one line": (shapely.GeometryCollection([LINE]), "Vandledning", LINE),
    "a line for a trace": (LINE, "Ledningstrace", shapely.MultiLineString([LINE])),
    "two lines": (
        shapely.MultiLineString([LINE, shapely.transform(LINE, lambda xy: xy + 20)]),
        "Vandledning",
        None,
    ),
    "a point for a line": (shapely.Point(575000, 6224000, 1), "Vandledning", None),
    "an area for a line": (shapely.box(575000, 6224000, 575010, 6224010), "Vandledning", None),
}


@pytest.mark.parametrize("case", KINDS)
def test_the_kind_of_geometry_must_be_the_models(case: str) -> None:
    given, type_name, wanted = KINDS[case]
    mapping = PIPES.replace("type: Vandledning", f"type: {type_name}")
    if type_name == "Ledningstrace":
        mapping = mapping.replace("tvaersnitsform", "forsyningsart")
    features, found = read(table([given]), mapping)
    if wanted is None:
        assert codes(found) == [(1, "geometriDatatyperestriktion")]
        assert features[0].geometry is None
    else:
        assert found == []
        assert features[0].geometry is not None
        assert features[0].geometry.equals_exact(wanted, 0)


@pytest.mark.parametrize(
    "fault", ["geometry-malformed", "geometry-limit", "coordinate-not-finite", "geometry-type"]
)
def test_what_the_reader_of_files_found_is_told(fault: str) -> None:
    given = table([LINE, None])
    given.faults = [None, fault]
    features, found = read(given)
    assert len(features) == 2
    assert [finding.line for finding in found] == [2]
    assert features[1].unread == {"geometri"}


def test_a_component_without_a_place_is_told() -> None:
    mapping = """
mapping: 1
layers:
  - layer: rør
    type: Vandkomponent
    id: {column: NR, prefix: k-}
    ignore: [STATUS, AAR]
    attributes: {type: {constant: ventil}}
"""
    assert codes(read(table([None]), mapping)[1]) == [(1, "geometry-empty")]


# heights


@pytest.mark.parametrize("code", [-99.0, -9999.0, 0.0])
def test_heights_that_mean_unknown_are_unknown_and_told(code: float) -> None:
    given = table([shapely.LineString([(*INSIDE, code), (575010, 6224000, code)])])
    features, found = read(given, PIPES.replace("heights: {unknown: [-99]}\n", ""))
    assert [(f.code, f.severity, f.found) for f in found] == [
        ("height-unknown", Severity.WARNING, f"{code:g}")
    ]
    assert math.isnan(shapely.get_coordinates(features[0].geometry, include_z=True)[0, 2])


def test_a_line_that_touches_zero_keeps_it() -> None:
    given = table([shapely.LineString([(*INSIDE, 0.0), (575010, 6224000, 1.5)])])
    features, found = read(given, PIPES.replace("heights: {unknown: [-99]}\n", ""))
    assert found == []
    assert shapely.get_coordinates(features[0].geometry, include_z=True)[0, 2] == 0.0


def test_heights_that_the_mapping_states_are_not_told_of() -> None:
    feature, found = placed([(*INSIDE, -99), (575010, 6224000, 0)])
    assert found == []
    heights = shapely.get_coordinates(feature.geometry, include_z=True)[:, 2]
    assert math.isnan(heights[0])
    assert heights[1] == 0.0


def test_a_line_without_heights_has_unknown_ones() -> None:
    feature, found = placed([INSIDE, (575010, 6224000)])
    assert found == []
    assert feature.geometry is not None
    assert feature.geometry.has_z
    assert all(math.isnan(z) for _, _, z in feature.geometry.coords)


def test_a_height_may_stand_in_a_column() -> None:
    mapping = PIPES.replace("{unknown: [-99]}", "{unknown: [-99], column: KOTE}")
    flat = shapely.LineString([INSIDE, (575010, 6224000)])
    features, found = read(table([flat] * 3, KOTE=["1.5", "-99", "x"]), mapping)
    heights = [shapely.get_coordinates(feature.geometry, include_z=True)[0, 2] for feature in features]
    assert heights[0] == 1.5
    assert math.isnan(heights[1])
    assert codes(found) == [(3, "attribute-value")]


# coordinate systems


@pytest.mark.parametrize("epsg", PROJECTIONS)
def test_a_network_in_another_projection_lies_where_it_should(epsg: int) -> None:
    """Bornholm in EPSG:25833 among them."""
    place = PLACES["Rønne"] if epsg in {25833, 2198, 4096} else PLACES["Aarhus"]
    x, y = transverse_mercator(*place, PROJECTIONS[epsg])
    given = table([shapely.LineString([(x, y, 3.5), (x + 10, y, -99)])], crs=f"EPSG:{epsg}")
    features, found = read(given)
    wanted = transverse_mercator(*place, UTM32)
    assert shapely.get_coordinates(features[0].geometry)[0].tolist() == pytest.approx(wanted, abs=0.001)
    heights = shapely.get_coordinates(features[0].geometry, include_z=True)[:, 2]
    assert heights[0] == 3.5
    assert math.isnan(heights[1])
    assert codes(found) == [(0, "crs-height-assumed")]


def test_a_less_accurate_system_is_told_with_its_accuracy() -> None:
    lon, lat = PLACES["Aarhus"]
    source = source_of(table([shapely.LineString([(lon, lat), (lon, lat + 0.001)])], crs="EPSG:4326"))
    features = list(source)
    assert [(f.code, f.layer, f.wanted) for f in source.findings.kept] == [("crs-accuracy", "rør", "1")]
    assert source.transformations["rør"].accuracy_m == 1.0
    assert source.findings.errors == 0
    assert features[0].geometry is not None


def test_heights_above_another_zero_are_lost_and_told() -> None:
    features, found = read(table([LINE], crs="EPSG:25832+5733"))
    assert [f.code for f in found] == ["crs-height-lost"]
    assert math.isnan(shapely.get_coordinates(features[0].geometry, include_z=True)[0, 2])


@pytest.mark.parametrize(
    ("stated", "told", "code"),
    [
        (None, None, "crs-missing"),
        ("EPSG:25832", "EPSG:25833", "crs-mixed"),
        ("EPSG:999999", None, "crs-unsupported"),
    ],
)
def test_a_file_whose_system_is_not_known_is_refused(stated: str | None, told: str | None, code: str) -> None:
    with pytest.raises(RefusedError, match="rør") as refused:
        source_of(table([LINE], crs=stated), crs=told)
    assert refused.value.code == code


def test_the_system_may_be_said_outside_or_in_the_mapping() -> None:
    for mapping, crs in ((PIPES, "EPSG:7416"), (PIPES.replace("layers:", "crs: EPSG:7416\nlayers:"), None)):
        assert read(table([LINE], crs=None), mapping, crs)[1] == []
