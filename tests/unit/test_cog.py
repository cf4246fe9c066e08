"""The part of a drawing that is delivered: every pixel that the area touches, no other, in its place and colour."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from shapely import MultiPolygon, Point, Polygon

from ler.packages.cog import write_clipped, write_cog
from tests.drawings import EAST, NORTH, Array, noise, write_geotiff

PIXEL_M = 0.1
SIDE = 200
"""Pixels."""


def at(*points: tuple[float, float]) -> Polygon:
    """A polygon given in pixels from the upper left corner."""
    return Polygon([(EAST + column * PIXEL_M, NORTH - row * PIXEL_M) for column, row in points])


AREAS: dict[str, Polygon | MultiPolygon] = {
    "a slanted area": at((20.3, 30.2), (150.7, 44.9), (99.4, 180.1), (31.8, 120.6)),
    "one with a hole": Polygon(
        at((10.3, 10.1), (150.4, 10.1), (150.4, 150.2), (10.3, 150.2)).exterior,
        [at((50.3, 50.1), (90.4, 50.1), (90.4, 90.2), (50.3, 90.2)).exterior],
    ),
    "a strip thinner than a pixel": at((10.2, 10.3), (170.6, 90.4), (170.6, 90.6), (10.2, 10.5)),
    "two parts": MultiPolygon(
        [at((5, 5), (9, 5), (9, 9)), at((150.5, 150.5), (190.5, 150.5), (160.5, 190.5))]
    ),
    "across the border": at((-50, -50), (60.5, -50), (60.5, 40.5), (-50, 40.5)),
    "all of it": at((-50, -50), (500, -50), (500, 500), (-50, 500)),
    "within one pixel": at((70.4, 70.4), (70.6, 70.4), (70.6, 70.6)),
}


def colourful(bands: int = 3) -> Array:
    return noise(bands, SIDE)


def cog(folder: Path, picture: Array, *, lossless: bool = True, **more: object) -> Path:
    path = folder / "whole.tif"
    write_cog(write_geotiff(folder / "picture.tif", picture, **more), path, lossless=lossless)
    return path


def touched(area: Polygon | MultiPolygon, margin_px: float) -> Array:
    """Which pixels the area comes nearer to than `margin_px`, asked of each by shapely."""
    columns, rows = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    squares = shapely.box(
        EAST + (columns - margin_px) * PIXEL_M,
        NORTH - (rows + 1 + margin_px) * PIXEL_M,
        EAST + (columns + 1 + margin_px) * PIXEL_M,
        NORTH - (rows - margin_px) * PIXEL_M,
    )
    return shapely.intersects(squares, area)


@pytest.mark.parametrize("area", AREAS.values(), ids=AREAS)
def test_every_pixel_that_the_area_touches_is_shown_and_no_other(
    tmp_path: Path, area: Polygon | MultiPolygon
) -> None:
    picture = colourful()
    part = write_clipped(cog(tmp_path, picture), area, tmp_path / "part.tif")
    assert part is not None
    with rasterio.open(tmp_path / "part.tif") as clipped:
        assert clipped.crs.to_epsg() == 25832
        place, pixels, mask = clipped.transform, clipped.read([1, 2, 3]), clipped.read(4)
    assert (place.a, place.e) == (PIXEL_M, -PIXEL_M)
    left, top = round((place.c - EAST) / PIXEL_M), round((NORTH - place.f) / PIXEL_M)
    shown = np.zeros((SIDE, SIDE), bool)
    shown[top : top + part.rows, left : left + part.columns] = mask == 255
    assert set(np.unique(mask)) <= {0, 255}
    assert part.valid == shown.sum()
    # What lies within a millionth of a pixel of an edge may count or not.
    assert not (touched(area, -1e-6) & ~shown).any()
    assert not (shown & ~touched(area, 1e-6)).any()
    seen = picture[:, top : top + part.rows, left : left + part.columns]
    assert (pixels == np.where(mask > 0, seen, 255)).all()


@pytest.mark.parametrize(
    "kind", ["grey", "grey with alpha", "colours with alpha", "photograph", "masked photograph"]
)
def test_it_is_packed_as_the_whole_is_and_shows_nothing_beneath(tmp_path: Path, kind: str) -> None:
    lossless, colours = "photo" not in kind, 1 if "grey" in kind else 3
    picture = colourful(colours)
    more: dict[str, object] = {}
    if "alpha" in kind or "masked" in kind:
        alpha = np.full((1, SIDE, SIDE), 255, np.uint8)
        alpha[0, :, :50] = 0
        picture = np.concatenate([picture, alpha])
        more = {"alpha": "YES"}
    if colours == 3:
        more["photometric"] = "RGB"
    whole = cog(tmp_path, picture, lossless=lossless, **more)
    assert write_clipped(whole, AREAS["a slanted area"], tmp_path / "part.tif")
    with rasterio.open(tmp_path / "part.tif") as clipped, rasterio.open(whole) as source:
        assert clipped.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert clipped.compression == source.compression
        mask = clipped.dataset_mask()
        pixels = clipped.read(list(range(1, colours + 1)))
        window = rasterio.windows.from_bounds(*clipped.bounds, source.transform).round()
        seen = source.read(list(range(1, colours + 1)), window=window)
        valid = source.dataset_mask(window=window) > 0
    assert mask.any()
    assert not (mask[~valid] > 0).any()
    hidden = pixels[:, mask == 0]
    difference = np.abs(pixels.astype(int) - seen)[:, mask > 0]
    if lossless:
        assert (hidden == 255).all()
        assert difference.max() == 0
    else:
        # Noise is the worst that can be packed; what is hidden is white but for ripples at the edge.
        assert difference.mean() < 8
        assert np.percentile(hidden, 5) > 200


def test_overviews_show_nothing_of_what_is_cut_away(tmp_path: Path) -> None:
    picture = np.zeros((3, 2000, 2000), np.uint8)
    whole = cog(tmp_path, picture)
    assert write_clipped(whole, at((600, 600), (1900, 600), (600, 1900)), tmp_path / "part.tif")
    with rasterio.open(tmp_path / "part.tif", overview_level=0) as smaller:
        colours, mask = smaller.read([1, 2, 3]), smaller.read(4)
    assert (colours[:, mask == 0] == 255).all() | (colours[:, mask == 0] == 0).all()
    assert 0 < (mask > 0).mean() < 0.6


def test_where_nothing_is_to_be_seen_no_file_is_written(tmp_path: Path) -> None:
    alpha = np.full((2, SIDE, SIDE), 255, np.uint8)
    alpha[1, :, :100] = 0
    whole = cog(tmp_path, alpha, alpha="YES")
    for area in (
        at((-90, 5), (-50, 5), (-50, 9)),
        at((300, 5), (310, 5), (310, 9)),
        at((5, 5), (90, 5), (90, 90)),
    ):
        assert write_clipped(whole, area, tmp_path / "part.tif") is None
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["picture.tif", "whole.tif"]


@pytest.mark.parametrize("lossless", [True, False])
def test_the_same_part_has_the_same_bytes(tmp_path: Path, lossless: bool) -> None:  # noqa: FBT001 - a table of values
    whole = cog(tmp_path, colourful(), lossless=lossless, photometric="RGB")
    area = Point(EAST + 9, NORTH - 9).buffer(7)
    parts = [tmp_path / "first.tif", tmp_path / "second.tif"]
    assert all(write_clipped(whole, area, part) for part in parts)
    assert parts[0].read_bytes() == parts[1].read_bytes()


def test_memory_is_that_of_the_part(tmp_path: Path) -> None:
    """A part of 1000 x 1000 pixels of a drawing of 400 million, in 300 MB more than the libraries take."""
    whole = tmp_path / "whole.tif"
    place = Affine(PIXEL_M, 0, EAST, 0, -PIXEL_M, NORTH)
    options = {
        "driver": "GTiff",
        "width": 20_000,
        "height": 20_000,
        "count": 3,
        "dtype": "uint8",
        "tiled": True,
    }
    with rasterio.open(
        whole, "w", crs="EPSG:25832", transform=place, blockxsize=512, blockysize=512, compress="DEFLATE",
        sparse_ok=True, **options,
    ):  # fmt: skip
        pass
    program = """
import resource, sys
from pathlib import Path
from shapely import box
from ler.packages.cog import write_clipped
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
part = write_clipped(Path(sys.argv[1]), box(576000, 6222900, 576100, 6223000), Path(sys.argv[2]))
assert part and part.valid >= 1_000_000, part
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    command = [sys.executable, "-c", program, str(whole), str(tmp_path / "part.tif")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert int(done.stdout) < 300_000
