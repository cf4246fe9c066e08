"""Depth of cover against terrain that was made for it: every number here was worked out by hand."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from ler.model import Feature
from ler.packages import cover as cover_module
from ler.packages import terrain as terrain_module
from ler.packages.cover import Cover, Covers, covers_of
from ler.packages.terrain import open_terrain
from ler.packages.terrain_cells import cut
from tests.terrains import NORTH, WEST, plane, write_terrain

HERE = Affine.translation(WEST, NORTH - 10)
"""From metres east and north of the model's corner in the south-west."""


def placed(*points: tuple[float, float, float]) -> list[tuple[float, float, float]]:
    return [(*(HERE @ (x, y)), z) for x, y, z in points]


def pipe(*points: tuple[float, float, float], **attributes: Any) -> Feature:  # noqa: ANN401 - of a feature
    return Feature("Vandledning", "v", attributes, geometry=shapely.LineString(placed(*points)))


def covers(path: Path, *features: Feature, accuracy_m: float | None = None, is_dvr90: bool = False) -> Covers:
    return covers_of(features, open_terrain(path, is_dvr90=is_dvr90), accuracy_m)


def cover(path: Path, feature: Feature, **options: Any) -> Cover:  # noqa: ANN401 - as above
    return covers(path, feature, **options).each[0]


def ends(found: Cover) -> tuple[float | None, float | None, str | None]:
    return found.min_m, found.max_m, found.unknown


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_terrain(tmp_path_factory.mktemp("terrain") / "dtm.tif", plane(), nodata=-9999)


LEVEL = pipe((0.5, 5.5, 1.0), (9.5, 5.5, 1.0))


def test_below_a_plane(model: Path) -> None:
    # 2.0 m above 1.0 m in the first cell, 2.9 m in the last.
    assert ends(cover(model, LEVEL)) == (1.0, 1.9, None)


def test_the_top_runs_straight_between_vertices_while_the_terrain_goes_in_steps(model: Path) -> None:
    # Where it enters cell c it is at 0.95 + 0.1 c, and where it leaves at 1.05 + 0.1 c, below 2.0 + 0.1 c.
    assert ends(cover(model, pipe((0.5, 5.5, 1.0), (9.5, 5.5, 1.9)))) == (0.95, 1.05, None)
    # Nine metres down within one cell: vertices count too.
    assert ends(cover(model, pipe((3.5, 5.5, 2.0), (3.5, 5.5, -7.0)))) == (0.3, 9.3, None)


def test_a_step_is_met_on_both_sides(tmp_path: Path) -> None:
    path = write_terrain(tmp_path / "step.tif", [[5.0] * 5 + [3.0] * 5] * 10)
    assert ends(cover(path, pipe((2.5, 2.5, 1.0), (7.5, 7.5, 3.0)))) == (0.0, 4.0, None)


def test_a_narrow_ditch_between_vertices_is_seen(tmp_path: Path) -> None:
    path = write_terrain(tmp_path / "ditch.tif", [[4.0] * 6 + [2.5] + [4.0] * 3] * 10)
    assert ends(cover(path, LEVEL)) == (1.5, 3.0, None)


@pytest.mark.parametrize("hole", [-9999.0, np.nan, -32767.0], ids=["declared", "NaN", "not declared"])
def test_a_hole_gives_no_number(tmp_path: Path, hole: float) -> None:
    heights = plane()
    heights[4, 6] = hole
    path = write_terrain(tmp_path / "hole.tif", heights, nodata=-9999)
    over, beside = covers(path, LEVEL, pipe((0.5, 4.5, 1.0), (9.5, 4.5, 1.0))).each
    assert ends(over) == (None, None, "terrain-nodata")
    assert ends(beside) == (1.0, 1.9, None)
    assert over.words("da") == "jorddækning ukendt: hul i terrænmodellen"


def test_tiles_are_one_model_and_a_missing_one_gives_no_number(tmp_path: Path) -> None:
    write_terrain(tmp_path / "b.tif", [[3.0] * 10] * 10, west=WEST + 10)
    write_terrain(tmp_path / "a.tif", plane())
    across = pipe((5.5, 5.5, 1.0), (14.5, 5.5, 1.0))
    edge = pipe((10.0, 2.5, 1.0), (10.0, 8.5, 1.0))
    out = pipe((15.5, 5.5, 1.0), (20.5, 5.5, 1.0))
    elsewhere = pipe((50.5, 5.5, 1.0), (51.5, 5.5, 1.0))
    found = covers(tmp_path, across, edge, out, elsewhere)
    assert [ends(one) for one in found.each] == [
        (1.5, 2.0, None),
        (2.0, 2.0, None),
        (None, None, "terrain-missing"),
        (None, None, "terrain-missing"),
    ]
    assert found.document() == {
        "name": tmp_path.name,
        "sha256": found.sha256,
        "accuracy_m": None,
        "cover_known": 2,
        "cover_unknown": {"terrain-missing": 2},
    }


def test_where_tiles_overlap_both_count_and_a_gap_between_them_is_a_gap(tmp_path: Path) -> None:
    write_terrain(tmp_path / "a.tif", plane(), cell=1.0)
    write_terrain(tmp_path / "b.tif", [[2.2] * 30] * 40, west=WEST + 8.1, cell=0.25)
    assert ends(cover(tmp_path, pipe((5.5, 5.5, 1.0), (12.5, 5.5, 1.0)))) == (1.2, 1.9, None)
    write_terrain(tmp_path / "b.tif", [[2.2] * 30] * 40, west=WEST + 10.05, cell=0.25)
    assert cover(tmp_path, pipe((5.5, 5.5, 1.0), (12.5, 5.5, 1.0))).unknown == "terrain-missing"


@pytest.mark.parametrize(
    ("crs", "unit", "why"),
    [
        ("EPSG:25833", None, "terrain-crs"),
        ("EPSG:4258", None, "terrain-crs"),
        (None, None, "terrain-crs"),
        ("EPSG:25832+8228", None, "terrain-crs"),
        ("EPSG:25832", "ft", "terrain-heights"),
        ("EPSG:25832", "something", "terrain-heights"),
    ],
)
def test_other_reference_systems_and_units_give_no_number(
    tmp_path: Path, crs: str | None, unit: str | None, why: str
) -> None:
    path = write_terrain(tmp_path / "dtm.tif", plane(), crs=crs, unit=unit)
    assert ends(cover(path, LEVEL, is_dvr90=True)) == (None, None, why)


def test_heights_of_which_nothing_is_said_are_used_when_the_operator_says_what_they_are(
    tmp_path: Path,
) -> None:
    path = write_terrain(tmp_path / "dtm.tif", plane(), crs="EPSG:25832", unit="metre")
    assert ends(cover(path, LEVEL)) == (None, None, "terrain-heights")
    assert ends(cover(path, LEVEL, is_dvr90=True)) == (1.0, 1.9, None)


def test_a_turned_grid_and_whole_centimetres(tmp_path: Path) -> None:
    place = Affine.translation(WEST, NORTH) @ Affine.rotation(30) @ Affine.scale(0.5, -0.5)
    path = write_terrain(tmp_path / "turned.tif", plane() * 100, place=place, dtype="int16", scale=0.01)
    along = [(*(place @ (column, 5.5)), 1.0) for column in (0.5, 9.5)]
    assert ends(cover(path, Feature("Vandledning", "v", geometry=shapely.LineString(along)))) == (
        1.0,
        1.9,
        None,
    )


def test_what_may_be_off_is_the_class_and_the_terrain_together(model: Path) -> None:
    known = pipe((0.5, 5.5, 1.0), (0.5, 6.5, 1.0), noejagtighedsklasseVertikal="<= 0.25 m")
    found = cover(model, known, accuracy_m=0.05)
    assert (found.min_m, found.uncertainty_m) == (1.0, 0.3)
    assert found.words("da") == "jorddækning 1,00 m, usikkerhed ± 0,30 m"
    assert found.words("en") == "cover 1.00 m, uncertainty ± 0.30 m"
    unbounded = pipe((0.5, 5.5, 1.0), (0.5, 6.5, 1.0), noejagtighedsklasseVertikal="> 2.00 m")
    assert [
        cover(model, one, accuracy_m=off).uncertainty_m for one, off in ((unbounded, 0.05), (known, None))
    ] == [
        None,
        None,
    ]


def point(feature_type: str, geometry: BaseGeometry, **attributes: Any) -> Feature:  # noqa: ANN401 - as above
    return Feature(feature_type, "c", attributes, geometry=geometry)


def test_what_has_no_known_top_gets_no_number(model: Path) -> None:
    valve = shapely.Point(*placed((4.5, 5.5, 0.3))[0])
    surface = shapely.Polygon(placed((1, 1, 0), (4, 1, 0), (4, 4, 0)))
    several = shapely.MultiLineString(
        [placed((0.5, 5.5, 1), (1.5, 5.5, 1)), placed((8.5, 1.5, 1), (9.5, 1.5, 1))]
    )
    cases = {
        (1.4, 1.4, None): point("Vandkomponent", valve, topkote=1.0),
        (None, None, "no-heights"): point("Vandkomponent", valve),
        (None, None, "drawn-as-surface"): point("Afloebskomponent", surface, topkote=1.0),
        (None, None, "not-buried"): point("TextAnnotation", valve),
        (None, None, "no-geometry"): Feature("Elledning", "e"),
        (1.0, 1.9, None): point("Ledningstrace", several),
    }
    assert [ends(one) for one in covers(model, *cases.values()).each] == list(cases)
    for unknown in (-99.0, np.nan):
        assert cover(model, pipe((0.5, 5.5, 1), (4.5, 5.5, unknown), (9.5, 5.5, 1))).unknown == "no-heights"
    assert cover(model, pipe((0.5, 5.5, 9), (9.5, 5.5, 9), niveau="over terræn")).unknown == "not-buried"
    flat = Feature("Vandledning", "v", geometry=shapely.force_2d(LEVEL.geometry))
    assert cover(model, flat).unknown == "no-heights"


def test_it_is_the_same_however_much_is_measured_at_a_time(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(3)
    pipes = [pipe(*(tuple(p) for p in chance.uniform((0, 0, 0), (10, 10, 2), (6, 3)))) for _ in range(20)]
    at_once = covers(model, *pipes, LEVEL)
    monkeypatch.setattr(cover_module, "_PIECES_AT_ONCE", 3000)
    assert covers(model, *pipes, LEVEL) == at_once
    assert at_once.each[-1].min_m == 1.0


def test_the_digest_is_of_the_heights_that_were_read(tmp_path: Path) -> None:
    far = plane(600, 10)
    first = covers(write_terrain(tmp_path / "dtm.tif", far), LEVEL)
    assert covers(tmp_path / "dtm.tif", LEVEL) == first
    far[0, 599] = 7.0  # in another block
    assert covers(write_terrain(tmp_path / "dtm.tif", far, compress="deflate", tiled=True), LEVEL) == first
    far[9, 0] = 7.0
    assert covers(write_terrain(tmp_path / "dtm.tif", far), LEVEL).sha256 != first.sha256


VRT = """<VRTDataset rasterXSize="20" rasterYSize="10"><SRS>EPSG:7416</SRS>
<GeoTransform>700000, 1, 0, 6200010, 0, -1</GeoTransform><VRTRasterBand dataType="Float64" band="1">
<ComplexSource><SourceFilename relativeToVRT="1">a.tif</SourceFilename><SourceBand>1</SourceBand>
<SrcRect xOff="0" yOff="0" xSize="10" ySize="10"/><DstRect xOff="0" yOff="0" xSize="10" ySize="10"/><NODATA>2.3</NODATA>
</ComplexSource><SimpleSource><SourceFilename relativeToVRT="1">b.tif</SourceFilename>
<DstRect xOff="10" yOff="0" xSize="10" ySize="10"/></SimpleSource></VRTRasterBand></VRTDataset>"""


def test_a_vrt_is_a_list_of_tiles(tmp_path: Path) -> None:
    write_terrain(tmp_path / "a.tif", np.round(plane(), 1))
    write_terrain(tmp_path / "b.tif", [[3.0] * 10] * 10, west=WEST + 10)
    path = tmp_path / "dtm.vrt"
    path.write_text(VRT, encoding="utf-8")
    found = covers(path, pipe((5.5, 5.5, 1.0), (14.5, 5.5, 1.0)), LEVEL).each
    assert [ends(one) for one in found] == [(1.5, 2.0, None), (None, None, "terrain-nodata")]
    write_terrain(tmp_path / "b.tif", [[3.0] * 10] * 10, west=WEST + 11)  # not where the VRT says
    assert cover(path, pipe((5.5, 5.5, 1.0), (14.5, 5.5, 1.0))).unknown == "terrain-unreadable"


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ('relativeToVRT="1">a.tif', ">/vsicurl/http://127.0.0.1:9/a.tif"),
        ('relativeToVRT="1">a.tif', ">http://127.0.0.1:9/a.tif"),
        ('band="1"', 'band="1" subClass="VRTDerivedRasterBand"'),
        ("<NODATA>2.3</NODATA>", "<ScaleRatio>3</ScaleRatio>"),
        ("<VRTDataset ", "<!DOCTYPE x [<!ENTITY e 'a'>]><VRTDataset "),
        ('xOff="10"', 'xOff="nan"'),
        ("</VRTDataset>", ""),
    ],
)
def test_a_vrt_that_does_more_is_refused(tmp_path: Path, said: str, instead: str) -> None:
    write_terrain(tmp_path / "a.tif", plane())
    write_terrain(tmp_path / "b.tif", [[3.0] * 10] * 10, west=WEST + 10)
    assert said in VRT
    (tmp_path / "dtm.vrt").write_text(VRT.replace(said, instead, 1), encoding="utf-8")
    assert ends(cover(tmp_path / "dtm.vrt", LEVEL)) == (None, None, "terrain-unreadable")


def test_files_of_other_kinds_are_refused_and_said_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_terrain(tmp_path / "picture.tif", [[1] * 10] * 10, crs=None, dtype="uint8", driver="PNG")
    (tmp_path / "text.tif").write_text("no picture", encoding="utf-8")
    with caplog.at_level(logging.WARNING, logger="ler.worker"):
        for path in (
            tmp_path / "picture.tif",
            tmp_path / "text.tif",
            tmp_path / "gone.tif",
            Path("/vsimem/a.tif"),
        ):
            assert cover(path, LEVEL).unknown == "terrain-unreadable"
        assert cover(tmp_path, LEVEL).unknown == "terrain-unreadable"
    assert "terrain model text.tif: text.tif: terrain-unreadable" in caplog.messages
    monkeypatch.setattr(terrain_module, "_MOST_BLOCK_BYTES", 10)
    whole = write_terrain(tmp_path / "whole.tif", plane())
    assert cover(whole, LEVEL).unknown == "terrain-unreadable"


def test_what_lies_beside_a_file_is_not_read(tmp_path: Path) -> None:
    path = write_terrain(tmp_path / "dtm.tif", plane())
    beside = '<PAMDataset><PAMRasterBand band="1"><Scale>100</Scale><Offset>5</Offset></PAMRasterBand></PAMDataset>'
    Path(f"{path}.aux.xml").write_text(beside, encoding="utf-8")
    with rasterio.open(path) as source:
        assert source.scales == (100.0,)
    assert ends(cover(path, LEVEL)) == (1.0, 1.9, None)


def test_a_damaged_file_gives_no_number(tmp_path: Path) -> None:
    heights = np.random.default_rng(1).random((600, 600))
    path = write_terrain(tmp_path / "dtm.tif", heights, compress="deflate", north=NORTH + 590)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\0" * (len(content) - len(content) // 2))
    assert cover(path, LEVEL).unknown == "terrain-unreadable"


def test_pieces_are_what_sampling_finds() -> None:
    chance = np.random.default_rng(7)
    starts, finishes = chance.uniform(-5, 5, (60, 2)), chance.uniform(-5, 5, (60, 2))
    finishes[:5, 0] = starts[:5, 0]  # upright ones
    pieces = cut(starts, finishes)
    for segment in range(60):
        mine = pieces.segment == segment
        assert (pieces.start[mine][1:] == pieces.end[mine][:-1]).all()
        t = np.linspace(0, 1, 500)
        cells = np.floor(starts[segment] + t[:, None] * (finishes - starts)[segment])
        of = np.searchsorted(pieces.end[mine], t).clip(max=mine.sum() - 1)
        exact = np.isin(t, pieces.end[mine]) | (t == 0)
        assert (pieces.column[mine][of] == cells[:, 0])[~exact].all()
        assert (pieces.row[mine][of] == cells[:, 1])[~exact].all()
