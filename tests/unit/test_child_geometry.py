"""Geometry as bytes: whatever they are, the judgement is a plain geometry that shapely reads, or a fault by name."""

import math
import struct
from typing import Literal, get_args

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.child.arcs import TOLERANCE_M, segment_arcs
from ingest.child.geometry import GeometryFaultError, bounds, judge
from ingest.child.judge_batch import judge_batch
from ingest.child.wkt import wkt_to_wkb

TEXTS = [
    "POINT (1 2)", "POINT Z (1 2 3)", "LINESTRING (0 0, 1 1, 2 0)", "LINESTRING Z (0 0 1, 1 1 2)",
    "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 1, 2 1, 2 2, 1 1))", "POLYGON Z ((0 0 1, 4 0 1, 4 4 1, 0 0 1))",
    "MULTIPOINT ((0 0), (1 1))", "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
    "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)), ((5 0, 6 0, 6 1, 5 0)))",
]  # fmt: skip
type Flavor = Literal["iso", "extended"]

UNWRAPPED = {
    "GEOMETRYCOLLECTION (POINT (1 2))": "POINT (1 2)",
    "GEOMETRYCOLLECTION (GEOMETRYCOLLECTION (MULTIPOINT ((1 2))))": "POINT (1 2)",
    "GEOMETRYCOLLECTION (POINT (1 2), POINT (3 4))": "MULTIPOINT (1 2, 3 4)",
    "MULTILINESTRING ((0 0, 1 1))": "LINESTRING (0 0, 1 1)",
    "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)))": "POLYGON ((0 0, 4 0, 4 4, 0 0))",
}
FAULTS = {
    "LINESTRING (0 0)": "geometry-degenerate", "LINESTRING (0 0, nan 1)": "coordinate-not-finite",
    "LINESTRING (0 0, inf 1)": "coordinate-not-finite", "POLYGON ((0 0, 1 1, 0 0))": "geometry-invalid",
    "POLYGON ((0 0, 1 0, 1 1, 0 1))": "geometry-invalid", "GEOMETRYCOLLECTION (POINT (1 1), LINESTRING (0 0, 1 1))": "geometry-type",
    "MULTIPOINT ((0 0), (nan nan))": "geometry-empty", "CIRCULARSTRING (0 0, 1 1)": "geometry-malformed",
    "COMPOUNDCURVE ((0 0, 1 1), (2 2, 3 3))": "geometry-invalid", "TIN (((0 0, 1 1, 1 0, 0 0)))": "geometry-type",
    "POINT (1)": "geometry-malformed", "POINT (1 2 3 4 5)": "geometry-malformed", "POINT 1 2": "geometry-malformed",
    "POINT (1 2) x": "geometry-malformed", "": "geometry-malformed", "LINESTRING (1 2, 3 4 5)": "geometry-malformed",
    "LINESTRING (1 2": "geometry-malformed", "SRID=25832;POINT (1 2)": "geometry-header", "POINT EMPTY": "geometry-empty",
    "CIRCLE (1 2)": "geometry-malformed",
}  # fmt: skip


def of_text(text: str) -> shapely.Geometry | str | None:
    try:
        judged = judge(wkt_to_wkb(text))
    except GeometryFaultError as fault:
        return fault.code
    return judged.fault if judged.wkb is None else shapely.from_wkb(judged.wkb)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("flavor", get_args(Flavor.__value__))
def test_every_way_of_writing_is_read(text: str, order: int, flavor: Flavor) -> None:
    shape = shapely.from_wkt(text)
    judged = judge(shapely.to_wkb(shape, byte_order=order, flavor=flavor))
    assert judged.wkb == shapely.to_wkb(shape, byte_order=1, flavor="iso")
    assert bounds(judged.wkb) == shape.bounds
    assert wkt_to_wkb(text) == judged.wkb


def test_a_number_of_a_system_is_passed_over() -> None:
    shape = shapely.set_srid(shapely.Point(1, 2), 25832)
    assert judge(shapely.to_wkb(shape, include_srid=True)).wkb == shapely.to_wkb(shape, flavor="iso")


@pytest.mark.parametrize("text", UNWRAPPED)
def test_collections_are_unwrapped(text: str) -> None:
    assert of_text(text) == shapely.from_wkt(UNWRAPPED[text])


@pytest.mark.parametrize("text", FAULTS)
def test_faults_have_names(text: str) -> None:
    assert of_text(text) == FAULTS[text]


def test_an_unknown_height_stays_and_an_infinite_one_does_not() -> None:
    assert judge(struct.pack("<BI3d", 1, 1001, 1, 2, math.nan)).fault is None
    assert judge(struct.pack("<BI3d", 1, 1001, 1, 2, math.inf)).fault == "coordinate-not-finite"


@pytest.mark.parametrize("text", ["POINT M (1 2 7)", "POINT ZM (1 2 3 7)", "LINESTRING M (1 2 7, 3 4 8)"])
def test_measures_are_dropped_and_noted(text: str) -> None:
    judged = judge(wkt_to_wkb(text))
    assert judged.note == "geometry-dimension"
    assert judged.wkb is not None
    shape = shapely.from_wkb(judged.wkb)
    assert not shapely.has_m(shape)
    assert shapely.has_z(shape) == ("ZM" in text)


def apart(angles: tuple[float, ...]) -> bool:
    first, middle, last = sorted(angles)
    return min(middle - first, last - middle, first + math.tau - last) > 0.01


@given(angles=st.tuples(*[st.floats(0, math.tau)] * 3).filter(apart), radius=st.floats(0.01, 5_000))
@settings(deadline=None, derandomize=True)
def test_no_segment_leaves_its_arc_by_more_than_a_centimetre(
    angles: tuple[float, float, float], radius: float
) -> None:
    first, middle, last = sorted(angles)
    given_points = np.array(
        [[radius * math.cos(a) + 575000, radius * math.sin(a) + 6224000] for a in (first, middle, last)]
    )
    line = segment_arcs(given_points)
    from_centre = np.hypot(line[:, 0] - 575000, line[:, 1] - 6224000)
    halfway = (line[1:] + line[:-1]) / 2
    assert np.abs(from_centre - radius).max() < TOLERANCE_M / 10
    assert (
        np.abs(np.hypot(halfway[:, 0] - 575000, halfway[:, 1] - 6224000) - radius).max() < TOLERANCE_M * 1.1
    )
    assert np.array_equal(line[0], given_points[0])
    assert np.array_equal(line[-1], given_points[-1])
    assert (line == given_points[1]).all(axis=1).any()


WKBS = [shapely.to_wkb(shapely.from_wkt(text), flavor="iso") for text in TEXTS]
changes = st.lists(st.tuples(st.integers(0, 200), st.binary(min_size=1, max_size=4)), max_size=3)


@given(st.lists(st.tuples(st.sampled_from([*WKBS, b"", b"\x01"]), changes), max_size=6))
@settings(deadline=None, max_examples=400, derandomize=True)
def test_any_bytes_are_judged_alone_as_together(
    given_bytes: list[tuple[bytes, list[tuple[int, bytes]]]],
) -> None:
    spoiled: list[bytes | None] = []
    for wkb, changed in given_bytes:
        content: bytes = wkb
        for at, piece in changed:
            content = content[:at] + piece + content[at + len(piece) :]
        spoiled.append(content)
    together = judge_batch(spoiled)
    for row, either in enumerate(spoiled):
        alone = judge(either)
        assert (together.wkb[row], together.faults[row], together.notes[row]) == (
            alone.wkb,
            alone.fault,
            alone.note,
        )
        assert (alone.wkb is None) == (alone.fault is not None)
        if alone.wkb is not None:
            shapely.from_wkb(alone.wkb)
            assert tuple(together.bounds[row]) == bounds(alone.wkb)


@given(st.text(alphabet="POINTLESRGMUZ()0123456789,. e-", max_size=60))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_any_text_is_read_or_has_a_fault(text: str) -> None:
    of_text(text)
