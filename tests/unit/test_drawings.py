"""Drawings: what was at a place is there afterwards, in its colour, whatever system, turn and depth it came in."""

import hashlib
import json
import math
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import shapely
from affine import Affine
from pyproj import Transformer
from rasterio.errors import NotGeoreferencedWarning
from rasterio.features import shapes

from ingest.drawings.placing import KNOWN_EPSG
from tests.drawings import (
    EAST,
    HEIGHT,
    MARKS,
    NORTH,
    NORTH_UP,
    WIDTH,
    colour_at,
    ground,
    make,
    mark_offset,
    marked,
    noise,
    refusal,
    warned,
    write_geotiff,
    write_raster,
    write_world_file,
)

PIXEL_M = 0.1


def turned(degrees: float) -> Affine:
    return Affine.translation(EAST, NORTH) @ Affine.rotation(degrees) @ Affine.scale(PIXEL_M, -PIXEL_M)


def placed_in(epsg: int) -> Affine:
    """North up in another system, with pixels of about the usual size."""
    back = Transformer.from_crs(25832, epsg, always_xy=True)
    (west, east), (north, south) = back.transform(
        [EAST, EAST + WIDTH * PIXEL_M], [NORTH, NORTH - HEIGHT * PIXEL_M]
    )
    return Affine((east - west) / WIDTH, 0, west, 0, (south - north) / HEIGHT, north)


PLACES = {
    "north up": (25832, NORTH_UP),
    "turned": (25832, turned(30)),
    "turned far": (25832, turned(-137)),
    "sheared": (25832, turned(5) @ Affine.shear(12, 0)),
    "bottom up": (25832, Affine(PIXEL_M, 0, EAST, 0, PIXEL_M, NORTH)),
    "oblong pixels": (25832, Affine(PIXEL_M, 0, EAST, 0, -2 * PIXEL_M, NORTH)),
    **{f"EPSG:{epsg}": (epsg, placed_in(epsg)) for epsg in KNOWN_EPSG if epsg != 25832},
}


@pytest.mark.parametrize(("epsg", "transform"), PLACES.values(), ids=PLACES)
def test_a_mark_stays_where_it_is_and_keeps_its_colour(tmp_path: Path, epsg: int, transform: Affine) -> None:
    path = write_geotiff(tmp_path / "a.tif", crs=f"EPSG:{epsg}", transform=transform)
    drawing = make(path)
    assert drawing.source_epsg == epsg
    assert drawing.resampled == (drawing.resolution_m != PIXEL_M)
    assert ("drawing-resampled" in warned(drawing)) == drawing.resampled
    for (column, row), colour in MARKS.items():
        place = ground(transform, epsg, column + 0.5, row + 0.5)
        assert colour_at(drawing.cog, *place)[:3] == colour
        assert mark_offset(drawing.cog, colour, place) <= PIXEL_M / 2
    border = [
        ground(transform, epsg, *corner) for corner in ((0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT))
    ]
    outline = shapely.Polygon(border)
    assert drawing.footprint.buffer(0.01).covers(outline)
    assert drawing.footprint.area < outline.area * 1.05


@pytest.mark.parametrize(
    ("suffix", "world", "driver"),
    [(".png", ".pgw", "PNG"), (".jpg", ".jgw", "JPEG"), (".tif", ".tfw", "GTiff")],
)
def test_a_picture_is_placed_by_its_world_file(tmp_path: Path, suffix: str, world: str, driver: str) -> None:
    path = write_raster(tmp_path / f"plan{suffix}", marked(), driver=driver)
    write_world_file(tmp_path / f"plan{world}", turned(30))
    drawing = make(path, crs="EPSG:25832")
    assert warned(drawing).keys() == {"drawing-resampled"}
    for (column, row), colour in MARKS.items():
        place = ground(turned(30), 25832, column + 0.5, row + 0.5)
        assert mark_offset(drawing.cog, colour, place) <= PIXEL_M / 2


def test_a_world_file_can_be_named_and_counts_from_the_middle_of_the_first_pixel(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "plan.png", marked(), driver="PNG")
    world = tmp_path / "elsewhere.txt"
    world.write_text(f"0.1\n0\n0\n-0,1\n{EAST}\n{NORTH}\n", encoding="ascii")
    assert make(path, crs="25832", world_file=world).bounds == pytest.approx(
        (EAST - 0.05, NORTH + 0.05 - 48, EAST + 63.95, NORTH + 0.05)
    )


def test_a_world_file_that_says_what_the_file_says_is_harmless(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "a.tif")
    write_world_file(tmp_path / "a.tfw", NORTH_UP)
    assert make(path).bounds == (EAST, NORTH - 48, EAST + 64, NORTH)
    other = write_geotiff(tmp_path / "b.tif")
    write_world_file(tmp_path / "b.tfw", NORTH_UP @ Affine.translation(1, 0))
    assert refusal(other) == {"drawing-georeference-mixed"}


def test_a_drawing_in_its_grid_is_kept_pixel_by_pixel(tmp_path: Path) -> None:
    drawing = make(write_geotiff(tmp_path / "a.tif"))
    with rasterio.open(drawing.cog) as cog:
        assert cog.crs.to_epsg() == 25832
        assert cog.transform == NORTH_UP
        assert (cog.read() == marked()).all()
    assert drawing.compression == "deflate"
    assert drawing.accuracy_m == 0
    assert drawing.footprint.equals(shapely.box(EAST, NORTH - 48, EAST + 64, NORTH))


@pytest.mark.parametrize("degrees", [17, 30, 45, 73])
def test_a_line_of_one_pixel_does_not_break_when_it_is_turned(tmp_path: Path, degrees: float) -> None:
    picture = np.full((1, 200, 300), 255, np.uint8)
    picture[0, 100, 20:280] = 0
    drawing = make(write_geotiff(tmp_path / "a.tif", picture, transform=turned(degrees)))
    with rasterio.open(drawing.cog) as cog:
        values, alpha = cog.read()
    line = (values < 128) & (alpha > 0)
    assert line.any()
    pieces = [g for g, _ in shapes(line.astype("uint8"), mask=line, connectivity=8)]
    assert len(pieces) == 1


def test_the_accuracy_of_the_conversion_is_told(tmp_path: Path) -> None:
    accuracies = {}
    for epsg in KNOWN_EPSG:
        path = write_geotiff(
            tmp_path / f"{epsg}.tif",
            crs=f"EPSG:{epsg}",
            transform=PLACES.get(f"EPSG:{epsg}", (0, NORTH_UP))[1],
        )
        accuracies[epsg] = make(path).accuracy_m
    assert accuracies == {25832: 0, 25833: 0, 4258: 0, 4326: 1, 3857: 1}


def test_what_is_not_valid_is_transparent_and_not_in_the_footprint(tmp_path: Path) -> None:
    left = marked()
    left[:, :, 320:] = 7
    mask = np.full((HEIGHT, WIDTH), 255, np.uint8)
    mask[:, 320:] = 0
    alpha = np.concatenate([marked(), mask[None]])
    for name, picture, more in (
        ("nodata", left, {"nodata": 7}),
        ("mask", marked(), {"mask": mask}),
        ("alpha", alpha, {"photometric": "RGB", "alpha": "YES"}),
    ):
        drawing = make(write_geotiff(tmp_path / f"{name}.tif", picture, **more))
        half = shapely.box(EAST, NORTH - 48, EAST + 32, NORTH)
        assert drawing.footprint.covers(half), name
        assert drawing.footprint.area < half.area * 1.05, name
        assert colour_at(drawing.cog, EAST + 4.05, NORTH - 3.05) == (200, 0, 0, 255), name
        # The marks that were there cannot be seen any more.
        assert colour_at(drawing.cog, EAST + 60.05, NORTH - 3.05) == (255, 255, 255, 0), name


@pytest.mark.parametrize("photometric", ["MINISBLACK", "MINISWHITE"])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_scans_of_few_bits_are_black_on_white(tmp_path: Path, photometric: str, bits: int) -> None:
    full = 2**bits - 1
    ink, paper = (full, 0) if photometric == "MINISWHITE" else (0, full)
    picture = np.full((1, HEIGHT, WIDTH), paper, np.uint8)
    picture[0, 100:110, 50:600] = ink
    more = {"nbits": bits} if bits < 8 else {}
    drawing = make(write_geotiff(tmp_path / "a.tif", picture, photometric=photometric, **more))
    assert colour_at(drawing.cog, EAST + 30, NORTH - 10.55) == (0,)
    assert colour_at(drawing.cog, EAST + 30, NORTH - 20) == (255,)
    assert drawing.compression == "deflate"


@pytest.mark.parametrize(("brightest", "told"), [(65535, "0 – 65535"), (4095, "0 – 4095"), (900, "0 – 1023")])
def test_sixteen_bits_become_eight_by_the_bits_that_are_used(
    tmp_path: Path, brightest: int, told: str
) -> None:
    picture = np.full((1, 100, 100), brightest // 2, np.uint16)
    picture[0, :10] = brightest
    drawing = make(write_geotiff(tmp_path / "a.tif", picture))
    assert warned(drawing) == {"drawing-depth-reduced": told}
    full = int(told.rpartition(" ")[2])
    assert colour_at(drawing.cog, EAST + 5, NORTH - 5) == (round(brightest // 2 * 255 / full),)


def test_a_colour_table_becomes_its_colours(tmp_path: Path) -> None:
    picture = np.zeros((1, 100, 100), np.uint8)
    picture[0, 50:] = 1
    picture[0, :, 90:] = 2
    table = {0: (10, 20, 30, 255), 1: (200, 100, 0, 255), 2: (1, 2, 3, 0)}
    tif = make(write_geotiff(tmp_path / "a.tif", picture, colormap=table, photometric="PALETTE"))
    assert colour_at(tif.cog, EAST + 1, NORTH - 1)[:3] == (10, 20, 30)
    png = write_raster(tmp_path / "b.png", picture, driver="PNG", colormap=table)
    write_world_file(tmp_path / "b.pgw", NORTH_UP)
    drawing = make(png, crs="EPSG:25832")
    assert colour_at(drawing.cog, EAST + 1, NORTH - 6) == (200, 100, 0, 255)
    assert colour_at(drawing.cog, EAST + 9.5, NORTH - 6) == (255, 255, 255, 0)


def test_a_photograph_is_packed_as_jpeg_and_a_drawing_without_loss(tmp_path: Path) -> None:
    photograph = make(write_geotiff(tmp_path / "a.tif", noise()))
    assert photograph.compression == "jpeg"
    with rasterio.open(photograph.cog) as cog:
        assert cog.compression.value == "JPEG"
    assert make(write_geotiff(tmp_path / "b.tif")).compression == "deflate"


def test_a_turned_scan_is_judged_by_its_own_noise(tmp_path: Path) -> None:
    paper = np.clip(np.random.default_rng(5).normal(245, 4, (3, 700, 700)), 0, 255).astype(np.uint8)
    assert make(write_geotiff(tmp_path / "a.tif", paper)).compression == "jpeg"
    assert make(write_geotiff(tmp_path / "b.tif", paper, transform=turned(20))).compression == "jpeg"


def test_colours_without_a_meaning_are_refused(tmp_path: Path) -> None:
    jpeg = write_raster(tmp_path / "cmyk.jpg", noise(4, 64), driver="JPEG")
    write_world_file(tmp_path / "cmyk.jgw", NORTH_UP)
    assert refusal(jpeg, crs="EPSG:25832") == {"drawing-colours"}
    assert refusal(write_geotiff(tmp_path / "cmyk.tif", noise(4, 64), photometric="CMYK")) == {
        "drawing-colours"
    }
    assert refusal(write_geotiff(tmp_path / "lab.tif", noise(3, 64), photometric="CIELAB")) == {
        "drawing-colours"
    }
    for dtype in ("float32", "int16", "complex64"):
        picture = np.zeros((1, 64, 64), dtype)
        assert refusal(write_geotiff(tmp_path / f"{dtype}.tif", picture)) == {"drawing-pixel-type"}


def test_bands_beyond_the_colours_are_left_out_and_told(tmp_path: Path) -> None:
    picture = np.concatenate([marked(), np.full((1, HEIGHT, WIDTH), 3, np.uint8)])
    drawing = make(write_geotiff(tmp_path / "a.tif", picture, photometric="RGB", alpha="UNSPECIFIED"))
    assert warned(drawing) == {"drawing-bands-dropped": "undefined"}
    assert colour_at(drawing.cog, EAST + 4.05, NORTH - 3.05) == (200, 0, 0)


def test_the_same_file_gives_the_same_bytes_and_another_name_does_too(tmp_path: Path) -> None:
    digests = set()
    for name in ("a.tif", "b.tif"):
        drawing = make(
            write_geotiff(
                tmp_path / name, np.where(noise() > 5, noise(), 0).astype(np.uint8), transform=turned(3)
            )
        )
        digests.add(
            tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in (drawing.cog, drawing.preview))
        )
    assert len(digests) == 1


def test_nothing_of_the_owners_tags_is_delivered(tmp_path: Path) -> None:
    tags = {
        "": {
            "TIFFTAG_ARTIST": "Secret Person",
            "TIFFTAG_DATETIME": "2020:01:01 00:00:00",
            "NOTE": "Secret Note",
        },
        "xml:XMP": {"xml:XMP": "<x>Secret XMP</x>"},
    }
    path = write_geotiff(tmp_path / "a.tif", tags=tags)
    assert b"Secret Person" in path.read_bytes()
    drawing = make(path)
    for made in (drawing.cog, drawing.preview):
        assert b"Secret" not in made.read_bytes()
        assert b"2020" not in made.read_bytes()
    with rasterio.open(drawing.cog) as cog:
        assert cog.tags() == {"AREA_OR_POINT": "Area"}
    assert drawing.original.read_bytes() == path.read_bytes()


def directories(path: Path) -> list[dict[int, tuple[int, ...]]]:
    """The directories of a little-endian TIFF in their order, each with its place as tag 0."""
    data = path.read_bytes()
    assert data[:4] == b"II*\x00"
    (place,) = struct.unpack_from("<I", data, 4)
    found = []
    while place:
        (count,) = struct.unpack_from("<H", data, place)
        tags: dict[int, tuple[int, ...]] = {0: (place,)}
        for number in range(count):
            tag, kind, length, value = struct.unpack_from("<HHII", data, place + 2 + 12 * number)
            if kind in {3, 4}:
                code = {3: "H", 4: "I"}[kind]
                size = struct.calcsize(code) * length
                at = place + 10 + 12 * number if size <= 4 else value
                tags[tag] = struct.unpack_from(f"<{length}{code}", data, at)
        found.append(tags)
        (place,) = struct.unpack_from("<I", data, place + 2 + 12 * count)
    return found


@pytest.mark.parametrize("kind", ["drawing", "photograph", "turned photograph"])
def test_the_cog_is_one(tmp_path: Path, kind: str) -> None:
    picture = noise(3, 1500) if "photo" in kind else np.tile(marked(), (1, 3, 3))
    transform = turned(10) if "turned" in kind else NORTH_UP
    drawing = make(write_geotiff(tmp_path / "a.tif", picture, transform=transform))
    found = directories(drawing.cog)
    first_data = min(min(tags[324]) for tags in found)
    assert all(tags[322] == tags[323] == (512,) for tags in found), "tiled"
    assert [tags[0] for tags in found] == sorted(tags[0] for tags in found), "in order"
    assert all(tags[0][0] < first_data for tags in found), "directories before data"
    pictures = [tags for tags in found if not tags.get(254, (0,))[0] & 4]
    widths = [tags[256][0] for tags in pictures]
    assert len(widths) >= 3, "overviews"
    assert all(larger == pytest.approx(2 * smaller, abs=2) for larger, smaller in pairwise(widths))
    # The smallest overview lies first, so that a viewer has something to show at once.
    starts = [min(tags[324]) for tags in pictures]
    assert starts == sorted(starts, reverse=True)
    assert b"LAYOUT=IFDS_BEFORE_DATA" in drawing.cog.read_bytes()[:300]


def test_debians_gdal_sees_the_same_corners(tmp_path: Path) -> None:
    drawing = make(write_geotiff(tmp_path / "a.tif", transform=turned(30)))
    done = subprocess.run(["gdalinfo", "-json", str(drawing.cog)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    told = rasterio.json.loads(done.stdout) if hasattr(rasterio, "json") else json.loads(done.stdout)
    west, south, east, north = drawing.bounds
    corners = told["cornerCoordinates"]
    assert corners["upperLeft"] == pytest.approx([west, north], abs=0.001)
    assert corners["lowerRight"] == pytest.approx([east, south], abs=0.001)
    assert told["size"] == [drawing.columns, drawing.rows]
    assert told["metadata"]["IMAGE_STRUCTURE"]["LAYOUT"] == "COG"
    assert 'ID["EPSG",25832]' in told["coordinateSystem"]["wkt"]


def test_the_preview_shows_the_whole_drawing(tmp_path: Path) -> None:
    drawing = make(write_geotiff(tmp_path / "a.tif", np.tile(marked(), (1, 4, 4))))
    with pytest.warns(NotGeoreferencedWarning):
        preview = rasterio.open(drawing.preview)
    with preview:
        assert (preview.driver, preview.width, preview.height, preview.count) == ("PNG", 1024, 768, 4)
        scale = 1024 / (4 * WIDTH)
        values = preview.read()[:, round(30 * scale), round(40 * scale)]
    assert math.dist(values.tolist(), (200, 0, 0, 255)) < 60


def test_only_the_first_page_is_used_and_that_is_told(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "a.tif")
    second = write_geotiff(tmp_path / "b.tif", np.zeros((1, 50, 50), np.uint8))
    rasterio.shutil.copy(second, path, driver="GTiff", APPEND_SUBDATASET="YES")
    drawing = make(path)
    assert warned(drawing) == {"drawing-pages-dropped": "2"}
    assert (drawing.columns, drawing.rows) == (WIDTH, HEIGHT)
