"""The plan as others see it: poppler reads and renders it, GDAL lays it in place."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.transform import from_origin
from shapely import Polygon, box

from ler.packages.contents import Contents, PackageOptions
from ler.packages.map_canvas import Box
from ler.packages.map_sheet import Layout
from ler.packages.plan import write_plan
from ler.packages.plan_sheets import A1, A3, A4, MOST_SHEETS, Paper, choose_sheets
from tests.package_samples import SOUTH, WEST, sample

PER_MM = 10  # pixels of a rendered sheet
OPTIONS = PackageOptions(public_url="https://ler.example.dk", verification_secret=b"s" * 32)
SCALE = re.compile(r"Målestok / Scale 1:(\d[\d ]*\d)")


@cache
def contents(count: int) -> Contents:
    request, owners = sample(count)
    return Contents(request, owners, options=OPTIONS)


@pytest.fixture(scope="module")
def plan_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    folder = tmp_path_factory.mktemp("plans")

    @cache
    def made(count: int) -> Path:
        path = folder / f"{count}.pdf"
        assert write_plan(path, contents(count)) == count
        return path

    return made


def told(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def words(path: Path, page: int | None = None) -> str:
    pages = [] if page is None else ["-f", str(page), "-l", str(page)]
    return told("pdftotext", "-layout", *pages, path, "-")


def denominator_of(text: str) -> int:
    (found,) = SCALE.findall(text)
    return int(found.replace(" ", ""))


def sizes_mm(path: Path) -> list[tuple[int, int]]:
    found = re.findall(r"size:\s+([\d.]+) x ([\d.]+)", told("pdfinfo", "-l", "99", path))
    return [(round(float(width) / 72 * 25.4), round(float(height) / 72 * 25.4)) for width, height in found]


def rendered(path: Path, page: int, folder: Path) -> NDArray[np.uint8]:
    """Grey values (rows, columns) of a page, ten pixels a millimetre."""
    stem = folder / "page"
    told(
        "pdftoppm",
        "-gray",
        "-r",
        str(25.4 * PER_MM),
        "-f",
        str(page),
        "-l",
        str(page),
        "-singlefile",
        path,
        stem,
    )
    header, size, _, pixels = stem.with_suffix(".pgm").read_bytes().split(b"\n", 3)
    assert header == b"P5"
    width, height = (int(side) for side in size.split())
    return np.frombuffer(pixels, dtype=np.uint8).reshape(height, width)


def longest_dark_run(pixels: NDArray[np.uint8]) -> int:
    dark = np.pad(pixels < 128, ((0, 0), (1, 1)))
    changes = np.diff(dark.astype(np.int8), axis=1)
    begins, ends = np.nonzero(changes == 1), np.nonzero(changes == -1)
    return int((ends[1] - begins[1]).max())


def test_the_same_contents_give_the_same_bytes(plan_of: Callable[[int], Path], tmp_path: Path) -> None:
    again = replace(contents(200))
    write_plan(tmp_path / "again.pdf", again)
    assert (tmp_path / "again.pdf").read_bytes() == plan_of(200).read_bytes()
    assert "CreationDate:    Mon Nov  2 14:30:15 2026" in told("pdfinfo", plan_of(200)).replace(
        "15:30", "14:30"
    )


@pytest.mark.parametrize(
    ("count", "papers"),
    [(0, [A4, A4]), (1, [A4, A4]), (200, [A3, A3, A3, A4])],
)
def test_poppler_finds_the_sheets_with_their_fonts_within(
    plan_of: Callable[[int], Path], count: int, papers: list[Paper]
) -> None:
    path = plan_of(count)
    lists = sizes_mm(path)[len(papers) - 1 :]
    assert sizes_mm(path)[: len(papers)] == [(paper.width_mm, paper.height_mm) for paper in papers]
    assert set(lists) == {(A4.width_mm, A4.height_mm)}
    fonts = told("pdffonts", path).splitlines()[2:]
    assert fonts
    assert all("+DejaVuSans" in font and " yes yes yes " in font for font in fonts)


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (200, 3)])
def test_the_scale_bar_of_each_sheet_has_its_true_length(
    plan_of: Callable[[int], Path], tmp_path: Path, count: int, pages: int
) -> None:
    path = plan_of(count)
    for page in range(1, pages + 1):
        text = words(path, page)
        denominator = denominator_of(text)
        metres = int(re.findall(r"0\s+(\d+) m\b", text)[-1])
        pixels = rendered(path, page, tmp_path)
        panel = pixels[-25 * PER_MM :, -76 * PER_MM :]  # where scale and arrow stand, right of the frame
        assert longest_dark_run(panel) / PER_MM == pytest.approx(metres * 1000 / denominator, abs=0.35)


def test_what_must_be_known_is_text_on_every_sheet(plan_of: Callable[[int], Path]) -> None:
    path = plan_of(200)
    for page in (1, 2, 3):
        text = words(path, page)
        assert "GRAV IKKE: 1 af 11 ledningsejere mangler at svare." in text
        assert "DO NOT DIG: 1 owner missing of 11." in text
        assert "Tavs Å A/S (tavs@example.dk): skal svare senest 2026-11-03 10:30 CET" in text
    assert "Påvises på stedet" in words(path, 3)
    assert "Påvises på stedet" not in words(path, 2)
    assert [re.findall(r"Blad \d(?: af \d)? / Sheet \d", words(path, page)) for page in (1, 2, 3)] == [
        [],
        ["Blad 1 af 2 / Sheet 1", "Blad 2 / Sheet 2"],
        ["Blad 2 af 2 / Sheet 2", "Blad 1 / Sheet 1"],
    ]
    owners = words(path, 4) + words(path, 5)
    assert "https://ler.example.dk/verify/" in owners
    assert all(owner.name in owners for owner in contents(200).owners)
    assert "FRISTEN ER OVERSKREDET" in owners


def test_a_request_without_lines_says_so(plan_of: Callable[[int], Path]) -> None:
    assert "Ingen ledninger oplyst i området" in words(plan_of(0), 1)


@pytest.mark.parametrize(("count", "page"), [(1, 1), (200, 3)])
def test_gdal_lays_each_sheet_in_place(plan_of: Callable[[int], Path], count: int, page: int) -> None:
    path = plan_of(count)
    found = json.loads(told("gdalinfo", "-json", f"PDF:{page}:{path}"))
    assert (
        'ID["EPSG",25832]' in found["coordinateSystem"]["wkt"]
        or "UTM zone 32N" in found["coordinateSystem"]["wkt"]
    )
    west, pixel_m, turn, north, _, down_m = found["geoTransform"]
    denominator = denominator_of(words(path, page))
    width, height = sizes_mm(path)[page - 1]
    assert pixel_m == pytest.approx(-down_m, rel=1e-3)  # whole pixels
    assert abs(turn) < 1e-9
    assert pixel_m * found["size"][0] == pytest.approx(width / 1000 * denominator, abs=0.05)
    middle = west + pixel_m * found["size"][0] / 2, north + down_m * found["size"][1] / 2
    sheet = box(west, north + down_m * found["size"][1], west + pixel_m * found["size"][0], north)
    assert sheet.intersects(contents(count).request.area)
    assert abs(middle[0] - WEST) < 200
    assert abs(middle[1] - SOUTH) < 200
    assert height > 0


def layout_of(paper: Paper) -> Layout:
    frame = Box(11, 30, paper.width_mm - 92, paper.height_mm - 40)
    return Layout(paper.box, (), Box(0, 0, 0, 0), (), frame, Box(0, 0, 70, 100))


def street(length_m: float) -> Polygon:
    return box(0, 0, length_m, 8)


@pytest.mark.parametrize(
    ("area", "paper", "denominator", "sheets"),
    [
        (box(0, 0, 10, 10), A4, 100, 1),
        (box(0, 0, 60, 30), A4, 500, 1),
        (box(0, 0, 110, 80), A3, 500, 1),
        (street(600), A3, 500, 4),
        (box(0, 0, 360, 260), A1, 500, 1),
        (box(0, 0, 500, 500), A1, 500, 4),
        (street(20_000), A1, 1000, 28),
    ],
)
def test_paper_scale_and_number_follow_the_rule(
    area: Polygon, paper: Paper, denominator: int, sheets: int
) -> None:
    chosen = choose_sheets(area, layout_of)
    assert (chosen.paper, len(chosen.sheets)) == (paper, sheets)
    assert {sheet.frame.denominator for sheet in chosen.sheets} == {denominator}
    assert (chosen.index is not None) == (sheets > 1)
    frames = [box(*sheet.frame.bounds) for sheet in chosen.sheets]
    assert shapely.union_all(frames).covers(area)
    assert len(frames) <= MOST_SHEETS
    for sheet in chosen.sheets:
        for side, number in sheet.neighbours.items():
            back = {"north": "south", "south": "north", "east": "west", "west": "east"}[side]
            assert {**chosen.sheets[number - 1].neighbours}[back] == sheet.number  # type: ignore[index]


@pytest.fixture
def around() -> Polygon:
    return contents(1).request.area.buffer(200, join_style="mitre")


def with_map(path: Path) -> Contents:
    one = contents(1)
    return Contents(one.request, one.owners, options=replace(OPTIONS, base_map=path))


def vector(path: Path, shape: Polygon, crs: str = "EPSG:25832") -> Path:
    geopandas.GeoSeries([shape], crs=crs).to_file(path, driver="GPKG", layer="veje", engine="pyogrio")
    return path


def picture(path: Path, around: Polygon) -> Path:
    west, _, _, north = around.bounds
    pixels = np.full((3, 200, 200), 40, dtype=np.uint8)
    with rasterio.open(
        path, "w", driver="GTiff", width=200, height=200, count=3, dtype="uint8", crs="EPSG:25832",
        transform=from_origin(west, north, 5, 5),
    ) as target:  # fmt: skip
        target.write(pixels)
    return path


@pytest.mark.parametrize("kind", ["drawing", "picture"])
def test_a_base_map_lies_pale_below(
    plan_of: Callable[[int], Path], tmp_path: Path, around: Polygon, kind: str
) -> None:
    made = with_map(
        vector(tmp_path / "map.gpkg", around) if kind == "drawing" else picture(tmp_path / "map.tif", around)
    )
    plans = [tmp_path / name for name in ("one.pdf", "two.pdf")]
    for path in plans:
        write_plan(path, made)
    assert plans[0].read_bytes() == plans[1].read_bytes()
    corner = (
        slice(100 * PER_MM, 110 * PER_MM),
        slice(20 * PER_MM, 25 * PER_MM),
    )  # in the frame, outside the area
    plain = np.median(rendered(plan_of(1), 1, tmp_path)[corner])
    covered = np.median(rendered(plans[0], 1, tmp_path)[corner])
    assert plain * 0.5 < covered < plain - 5
    assert "Baggrundskort / Base map" in words(plans[0], 1)
    entry = made.base_map.entry()
    assert entry is not None
    assert (entry["drawn"], entry["problem"], len(entry["sha256"])) == (True, None, 64)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("missing", "Baggrundskortet findes ikke"),
        ("unreadable", "Baggrundskortet kan ikke læses"),
        ("foreign-crs", "Baggrundskortet er ikke i EPSG:25832"),
        ("elsewhere", "Baggrundskortet dækker ikke graveområdet"),
        ("partly", "Baggrundskortet dækker kun en del af"),
    ],
)
def test_no_fault_of_the_base_map_keeps_a_plan_from_being_made(tmp_path: Path, fault: str, said: str) -> None:
    path = tmp_path / "map.gpkg"
    area = contents(1).request.area
    if fault == "unreadable":
        path.write_bytes(b"no map")
    elif fault == "foreign-crs":
        vector(path, area, "EPSG:25833")
    elif fault == "elsewhere":
        vector(path, shapely.affinity.translate(area, 5000, 0))
    elif fault == "partly":
        vector(path, shapely.affinity.translate(area, 5, 0))
    made = with_map(path)
    write_plan(tmp_path / "plan.pdf", made)
    assert said in words(tmp_path / "plan.pdf", 1)
    entry = made.base_map.entry()
    assert entry is not None
    assert entry["drawn"] == (fault == "partly")
    assert entry["problem"]["code"] == f"base-map-{fault}"
