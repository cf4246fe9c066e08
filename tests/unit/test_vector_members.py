"""The vector members of a package, read by GDAL: every feature, in its place, with what is known of it."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import ezdxf.filemanagement
import numpy as np
import pyogrio
import pytest
import shapely
import time_machine
from ezdxf.entities.text import Text
from shapely import Polygon

from ler.model import ANSWER, Feature
from ler.packages.cad import lines_of
from ler.packages.content import DELIVERED, Delivery, OwnerStatus, RequestInfo
from ler.packages.contents import Contents
from ler.packages.dxf import AREA_LAYER, TEXT_LAYER, write_dxf
from ler.packages.flatgeobuf import write_areas, write_lines, write_points
from ler.packages.geojson import write_geojson
from tests.networks import town_networks

type Writer = Callable[[Path, Contents], int]
WRITERS: dict[str, Writer] = {
    "consolidated.geojson": write_geojson,
    "consolidated.dxf": write_dxf,
    "consolidated-lines.fgb": write_lines,
    "consolidated-points.fgb": write_points,
    "consolidated-areas.fgb": write_areas,
}
HOLDS = {"lines": (None, "LineString", "MultiLineString"), "points": ("Point",), "areas": ("Polygon",)}
"""Kinds of geometry by what the names of the FlatGeobufs say."""

WEST, SOUTH = 574500, 6223500
REQUEST = RequestInfo(
    id=UUID(int=7),
    order_number=4711,
    area=Polygon(
        shapely.box(WEST, SOUTH, WEST + 300, SOUTH + 300).exterior,
        [shapely.box(WEST + 5, SOUTH + 5, WEST + 9, SOUTH + 9).exterior],
    ),
    clip_buffer_m=5,
    period_from=date(2026, 1, 5),
    period_to=date(2026, 2, 5),
    purpose="Kabel",
    description=None,
    created_at=datetime(2026, 1, 2, 9, tzinfo=UTC),
)


def owner(number: int, name: str, *features: Feature) -> OwnerStatus:
    delivery = Delivery(
        UUID(int=number), DELIVERED, 1, None, None, Feature(ANSWER, "h", {}), features, frozenset({"k-1"})
    )
    return OwnerStatus(UUID(int=100 + number), f"{number:08}", name, None, None, (), (delivery,))


@pytest.fixture(scope="module")
def town() -> Contents:
    networks = town_networks().items()
    return Contents(
        REQUEST, [owner(int(cvr), f'Æ/S "{cvr}" | Net', *features[::8]) for cvr, features in networks]
    )


def pipe(gml_id: str, *positions: tuple[float, float, float], **attributes: Any) -> Feature:  # noqa: ANN401
    return Feature("Vandledning", gml_id, attributes, {}, shapely.LineString(positions))


def awkward() -> Contents:
    nan = float("nan")
    far = pipe(
        "l-1", (WEST - 10, SOUTH, nan), (WEST - 10, SOUTH + 20, 1.25), sikkerhedshensyn='"^J%%c\nø' * 30
    )
    odd = Feature("Foeringsroer", "f-1", {"forsyningsart": "other: rørpost"}, {"fareklasse": "unknown"})
    odd.geometry = shapely.LineString(
        [(WEST + 1, SOUTH + 1, 2.0), (WEST + 2, SOUTH + 2, 2.0), (WEST, SOUTH, 2)]
    )
    note = Feature("TextAnnotation", "t-1", {"text": "Pas på ^ %%d"}, {}, shapely.Point(WEST, SOUTH, nan))
    long = pipe("l-2", (WEST, SOUTH, 1), (WEST + 1, SOUTH, 1), udvendigFarve=["æ" * 50] * 400)
    return Contents(REQUEST, [owner(1, "=\x1b'`;,", far, odd, note), owner(2, "B" * 300, long)])


def parts(contents: Contents) -> list[np.ndarray[Any, Any]]:
    """What a drawing must show, in its order: positions of each part, with -99 for unknown heights."""
    drawn = [feature.geometry for _, _, feature in contents.features() if feature.geometry is not None]
    return [
        np.nan_to_num(shapely.get_coordinates(line, include_z=True), nan=-99.0)
        for shape in drawn
        for line in lines_of(shape)
    ]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("given", ["town", "awkward", "nothing"])
def test_gdal_reads_every_feature_in_its_place(tmp_path: Path, town: Contents, name: str, given: str) -> None:
    contents = {"town": town, "awkward": awkward(), "nothing": Contents(REQUEST, [])}[given]
    path = tmp_path / name
    count = WRITERS[name](path, contents)
    opened = subprocess.run(
        ["ogrinfo", "-ro", "-so", "-al", path], capture_output=True, text=True, check=True
    )
    assert opened.stderr == ""
    _CHECKS[path.suffix](pyogrio.read_dataframe(path), contents, count, path.stem.rpartition("-")[2])


def check_drawing(found: Any, contents: Contents, count: int, _of: str) -> None:  # noqa: ANN401 - a frame
    expected = parts(contents)
    assert count == sum(feature.geometry is not None for _, _, feature in contents.features())
    shown = found[~found["Layer"].isin([AREA_LAYER, TEXT_LAYER]) & found["Text"].isna()]
    assert len(shown) == len(expected)
    for shape, positions in zip(shown.geometry, expected, strict=True):
        got = shapely.get_coordinates(shape, include_z=True)
        assert got.shape == positions.shape
        assert np.abs(got - positions).max() <= 0.00005 + 1e-9


def check_geojson(found: Any, contents: Contents, count: int, _of: str) -> None:  # noqa: ANN401 - a frame
    features = [feature for _, _, feature in contents.features()]
    assert count == len(found) == len(features)
    if not features:
        return
    assert found["gml_id"].tolist() == [feature.gml_id for feature in features]
    assert found.crs.to_epsg() == 4326
    for shape, feature in zip(found.geometry.to_crs("EPSG:25832"), features, strict=True):
        if shape is None or feature.geometry is None:
            assert shape is feature.geometry
            continue
        assert (shape.geom_type, shape.has_z) == (feature.geometry.geom_type, False)
        assert shapely.hausdorff_distance(shape, feature.geometry) <= 0.0002


def check_flatgeobuf(found: Any, contents: Contents, count: int, of: str) -> None:  # noqa: ANN401 - a frame
    features = [
        feature
        for _, _, feature in contents.features()
        if (None if feature.geometry is None else feature.geometry.geom_type) in HOLDS[of]
    ]
    assert count == len(found) == len(features)
    assert found["gml_id"].tolist() == [feature.gml_id for feature in features]
    assert found.crs.to_epsg() == 7416
    for shape, feature in zip(found.geometry, features, strict=True):
        if shape is None or feature.geometry is None:
            assert shape is feature.geometry
            continue
        heights = np.nan_to_num(shapely.get_coordinates(feature.geometry, include_z=True), nan=-99.0)
        assert (shapely.get_coordinates(shape, include_z=True) == heights).all()


_CHECKS = {".dxf": check_drawing, ".geojson": check_geojson, ".fgb": check_flatgeobuf}


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_contents_give_the_same_bytes_at_any_time(tmp_path: Path, name: str) -> None:
    one, two = tmp_path / "1" / name, tmp_path / "2" / name
    for path, moment in ((one, "2026-01-02T03:04:05Z"), (two, "2031-07-08T09:10:11Z")):
        path.parent.mkdir()
        with time_machine.travel(moment, tick=False):
            WRITERS[name](path, awkward())
    assert one.read_bytes() == two.read_bytes()


def test_geojson_is_rfc_7946_with_attributes_of_their_own_kind(tmp_path: Path) -> None:
    path = tmp_path / "consolidated.geojson"
    hole = Polygon(
        [(WEST, SOUTH), (WEST, SOUTH + 9), (WEST + 9, SOUTH + 9)],
        [[(WEST + 1, SOUTH + 3), (WEST + 3, SOUTH + 5), (WEST + 1, SOUTH + 5)]],
    )
    write_geojson(path, Contents(REQUEST, [owner(1, "Vand", Feature("Vandkomponent", "k-1", {}, {}, hole))]))
    document = json.loads(path.read_text(encoding="utf-8"))
    assert set(document) == {"type", "features"}
    (feature,) = document["features"]
    shell, inner = feature["geometry"]["coordinates"]
    assert shapely.LinearRing(shell).is_ccw
    assert not shapely.LinearRing(inner).is_ccw
    told = feature["properties"]
    assert (told["utility_type"], told["clipped"], told["in_dig_area"], told["owner_cvr"]) == (
        "vand",
        True,
        True,
        "00000001",
    )
    write_geojson(path, awkward())
    told = [one["properties"] for one in json.loads(path.read_text(encoding="utf-8"))["features"]]
    assert [one["utility_type"] for one in told if "utility_type" in one] == [
        "vand",
        "other: rørpost",
        "vand",
    ]
    assert told[0]["distance_m"] == 10
    assert told[1]["void"] == {"fareklasse": "unknown"}
    assert told[3]["udvendigFarve"] == ["æ" * 50] * 400


def test_the_drawing_is_clean_and_tells_by_letters_and_layers(tmp_path: Path, town: Contents) -> None:
    path = tmp_path / "consolidated.dxf"
    write_dxf(path, town)
    drawing = ezdxf.filemanagement.readfile(path)
    audit = drawing.audit()
    assert (audit.errors, audit.fixes) == ([], [])
    space = drawing.modelspace()
    names = {entity.dxf.layer for entity in space}
    assert all(name in drawing.layers for name in names)
    assert "LER El - 99000101 Æ-S -99000101- - Net - MEGET FARLIG" in names
    texts = {entity.dxf.text for entity in space if entity.dxftype() == "TEXT"}
    assert {"E", "E !!", "V", "T"} <= texts


def test_an_object_carries_what_is_known_of_it(tmp_path: Path) -> None:
    path = tmp_path / "consolidated.dxf"
    write_dxf(path, awkward())
    drawing = ezdxf.filemanagement.readfile(path)
    assert not drawing.audit().errors
    carried = {}
    for entity in drawing.modelspace():
        if entity.has_xdata("LER"):
            told = json.loads("".join(value for code, value in entity.get_xdata("LER") if code == 1000))
            carried[told["gml_id"]] = told
    assert carried["l-1"]["sikkerhedshensyn"] == '"^J%%c\nø' * 30
    assert carried["l-1"]["distance_m"] == 10
    assert carried["f-1"]["void"] == {"fareklasse": "unknown"}
    assert carried["l-2"]["left_out"] == ["udvendigFarve"]
    texts = [entity.plain_text() for entity in drawing.modelspace() if isinstance(entity, Text)]
    assert "Pas på ^ °" in texts
