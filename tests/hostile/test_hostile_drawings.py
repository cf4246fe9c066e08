"""Drawings that were made to harm: refused with a reason, in little time and memory, with nothing left behind."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from ingest.drawings.launcher import ALLOWED_DRIVERS, environment
from ingest.drawings.limits import DEFAULT_LIMITS, DrawingLimits
from ingest.rules.catalogue import load_rules
from ler.errors import RefusedError
from tests.drawings import (
    EAST,
    NORTH,
    NORTH_UP,
    colour_at,
    make,
    marked,
    noise,
    refusal,
    warned,
    write_geotiff,
    write_raster,
    write_world_file,
)


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port on this machine, and what was sent to it."""
    hits: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                hits.append(connection.recv(1000))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1], hits
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def png_bomb(path: Path, side: int) -> Path:
    """A valid PNG of side x side white pixels of one bit, packed to a thousandth."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = b"\x00" + b"\xff" * -(-side // 8)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )
    return path


def tiff_bomb(path: Path) -> Path:
    """A sparse TIFF of 100,000 x 100,000 pixels in a few kilobytes."""
    write_geotiff(path, np.zeros((1, 16, 16), np.uint8), transform=Affine(0.01, 0, EAST, 0, -0.01, NORTH))
    data = bytearray(path.read_bytes())
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    for number in range(count):
        at = directory + 2 + 12 * number
        if struct.unpack_from("<H", data, at)[0] in {256, 257, 278}:
            struct.pack_into("<HII", data, at + 2, 4, 1, 100_000)
    path.write_bytes(data)
    return path


def bomb_png(folder: Path) -> Path:
    write_world_file(folder / "bomb.pgw", Affine(0.01, 0, EAST, 0, -0.01, NORTH))
    path = png_bomb(folder / "bomb.png", 40_000)
    assert path.stat().st_size < 300_000
    return path


def cut_tif(folder: Path) -> Path:
    path = write_geotiff(folder / "cut.tif", noise())
    os.truncate(path, path.stat().st_size // 2)
    return path


def cut_header(folder: Path) -> Path:
    path = write_geotiff(folder / "cut.tif")
    path.write_bytes(path.read_bytes()[:9])
    return path


def damaged_png(folder: Path) -> Path:
    write_world_file(folder / "cut.pgw", NORTH_UP)
    path = write_raster(folder / "cut.png", noise(), driver="PNG")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    return path


def cut_jpeg(folder: Path) -> Path:
    write_world_file(folder / "cut.jgw", NORTH_UP)
    path = write_raster(folder / "cut.jpg", noise(), driver="JPEG")
    path.write_bytes(path.read_bytes()[:-20_000])
    return path


def other_overviews(folder: Path) -> Path:
    secret = write_geotiff(folder / "secret.tif")
    return write_geotiff(folder / "a.tif", tags={"OVERVIEWS": {"OVERVIEW_FILE": str(secret)}})


def metadata_with(text: str) -> Callable[[Path], Path]:
    return lambda folder: write_geotiff(folder / "a.tif", tags={"": {"NOTE": text}})


def placed(*numbers: float, crs: str = "EPSG:25832") -> Callable[[Path], Path]:
    return lambda folder: write_geotiff(folder / "a.tif", transform=Affine(*numbers), crs=crs)


def with_world(text: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        (folder / "a.pgw").write_text(text, encoding="latin-1")
        return write_raster(folder / "a.png", marked(), driver="PNG")

    return build


def no_place(folder: Path) -> Path:
    return write_raster(folder / "a.tif", marked(), crs="EPSG:25832")


def no_system(folder: Path) -> Path:
    return write_raster(folder / "a.tif", marked(), transform=NORTH_UP)


def masked_beside(folder: Path) -> Path:
    (folder / "a.tif.msk").write_bytes(b"II*\0")
    return write_geotiff(folder / "a.tif")


def all_invalid(folder: Path) -> Path:
    return write_geotiff(folder / "a.tif", np.full((1, 60, 60), 9, np.uint8), nodata=9)


def many_bands(folder: Path) -> Path:
    return write_geotiff(folder / "a.tif", np.zeros((40, 16, 16), np.uint8))


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "sparse TIFF of 10^10 pixels": (lambda folder: tiff_bomb(folder / "bomb.tif"), "drawing-size"),
    "PNG of 1.6 * 10^9 pixels": (bomb_png, "drawing-size"),
    "forty bands": (many_bands, "drawing-size"),
    "TIFF cut in the pixels": (cut_tif, "drawing-unreadable"),
    "TIFF cut in the header": (cut_header, "drawing-unreadable"),
    "PNG with a wrong byte": (damaged_png, "drawing-unreadable"),
    "JPEG cut short": (cut_jpeg, "drawing-unreadable"),
    "overviews in another file": (other_overviews, "drawing-external-reference"),
    "a virtual file system in the metadata": (
        metadata_with("/vsicurl/http://127.0.0.1/x"),
        "drawing-external-reference",
    ),
    "a virtual raster in the metadata": (metadata_with("<VRTDataset>"), "drawing-external-reference"),
    "a mask beside it": (masked_beside, "drawing-mask-beside"),
    "no valid pixel": (all_invalid, "drawing-empty"),
    "no place": (no_place, "drawing-georeference-missing"),
    "no reference system": (no_system, "drawing-crs-missing"),
    "a system we do not know": (
        placed(0.1, 0, EAST, 0, -0.1, NORTH, crs="EPSG:32633"),
        "drawing-crs-unsupported",
    ),
    "not a number in its place": (
        placed(float("nan"), 0, EAST, 0, -0.1, NORTH),
        "drawing-georeference-invalid",
    ),
    "an infinite place": (placed(0.1, 0, float("inf"), 0, -0.1, NORTH), "drawing-georeference-invalid"),
    "rows along columns": (placed(0.1, 0.1, EAST, 0.1, 0.1, NORTH), "drawing-georeference-invalid"),
    "in another country": (placed(0.1, 0, EAST, 0, -0.1, 4_000_000), "drawing-outside-coverage"),
    "degrees as metres": (placed(1e-6, 0, 12.5, 0, -1e-6, 55.7), "drawing-degrees"),
    "axes swapped": (placed(0, 0.1, NORTH, 0.1, 0, EAST), "drawing-axes-swapped"),
    "latitude first": (placed(1e-6, 0, 55.7, 0, -1e-6, 12.5, crs="EPSG:4326"), "drawing-axes-swapped"),
    "pixels of a kilometre": (placed(300, 0, 500_000, 0, -300, 6_300_000), "drawing-resolution"),
    "pixels of a micrometre": (placed(1e-6, 0, EAST, 0, -1e-6, NORTH), "drawing-resolution"),
    "a place of 1e300": (placed(1e300, 0, EAST, 0, -1e300, NORTH), "drawing-georeference-invalid"),
    "a world file with nan": (with_world("0.1\n0\n0\n-0.1\nnan\n6224000\n"), "drawing-world-file"),
    "a world file with zero scale": (with_world("0\n0\n0\n0\n575000\n6224000\n"), "drawing-world-file"),
    "a world file of five numbers": (with_world("0.1\n0\n0\n-0.1\n575000\n"), "drawing-world-file"),
    "a world file of words": (with_world("<VRTDataset>/etc/passwd</VRTDataset>"), "drawing-world-file"),
    "a world file of 1e400": (with_world("0.1\n0\n0\n-0.1\n1e400\n6224000\n"), "drawing-world-file"),
    "a world file of a megabyte": (with_world("0.1\n" * 250_000), "drawing-world-file"),
}


@pytest.mark.parametrize(("build", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_says_why_and_makes_nothing(
    tmp_path: Path, build: Callable[[Path], Path], code: str
) -> None:
    path = build(tmp_path)
    named = (
        {}
        if code in {"drawing-crs-missing", "drawing-crs-unsupported"} or path.suffix == ".tif"
        else {"crs": "EPSG:25832"}
    )
    began = time.monotonic()
    assert refusal(path, **named) == {code}
    assert time.monotonic() - began < 20
    rule = load_rules()[code]
    assert rule.severity == "error"
    assert rule.says["da"] != rule.says["en"]
    assert (tmp_path / path.name).exists()


@pytest.mark.parametrize(
    "text",
    [
        "<VRTDataset><VRTRasterBand><SourceFilename>/etc/passwd</SourceFilename></VRTRasterBand></VRTDataset>",
        '<GDAL_WMS><Service name="TMS"><ServerUrl>http://127.0.0.1:{port}/</ServerUrl></Service></GDAL_WMS>',
        "%PDF-1.4",
        "RIFFxxxxWEBP",
        "BM",
        "GIF89a",
        "",
    ],
)
def test_what_is_no_picture_of_ours_never_reaches_a_parser(
    tmp_path: Path, text: str, listener: tuple[int, list[bytes]]
) -> None:
    path = tmp_path / "drawing.tif"
    path.write_text(text.replace("{port}", str(listener[0])), encoding="ascii")
    with pytest.raises(RefusedError) as caught:
        make(path)
    assert caught.value.code == "format-not-supported"
    assert not list((tmp_path / "work-drawing.tif").iterdir())
    assert listener[1] == []


def test_a_geotiff_whose_pixels_have_no_width_has_no_place(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "a.tif")
    data = path.read_bytes()
    scale = struct.pack("<3d", 0.1, 0.1, 0)
    assert data.count(scale) == 1
    path.write_bytes(data.replace(scale, struct.pack("<3d", 0, 0.1, 0)))
    # GDAL then does not believe the reference system either.
    assert refusal(path) == {"drawing-georeference-missing", "drawing-crs-missing"}


def test_a_folder_or_nothing_is_no_drawing(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.tif"):
        with pytest.raises(RefusedError) as caught:
            make(path)
        assert caught.value.code == "file-missing"


def test_what_lies_beside_changes_nothing_and_is_told(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "a.tif")
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><SRS>EPSG:32633</SRS><GeoTransform>0,1,0,0,0,-1</GeoTransform></PAMDataset>", "ascii"
    )
    write_geotiff(tmp_path / "other.tif", np.zeros((3, 240, 320), np.uint8)).rename(tmp_path / "a.tif.ovr")
    drawing = make(path)
    assert {finding.found for finding in drawing.findings.kept} == {"a.tif.aux.xml", "a.tif.ovr"}
    assert warned(drawing).keys() == {"drawing-sidecar"}
    assert drawing.bounds == (EAST, NORTH - 48, EAST + 64, NORTH)
    assert colour_at(drawing.cog, EAST + 4.05, NORTH - 3.05) == (200, 0, 0)


def test_a_file_that_is_too_large_is_not_even_copied(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "a.tif")
    with pytest.raises(RefusedError) as caught:
        make(path, limits=replace(DEFAULT_LIMITS, max_bytes=1000))
    assert caught.value.code == "body-too-large"
    assert not list((tmp_path / "work-a.tif").iterdir())


@pytest.mark.parametrize(
    "limits",
    [
        replace(DEFAULT_LIMITS, memory_mb=60),
        replace(DEFAULT_LIMITS, cpu_s=0),
        replace(DEFAULT_LIMITS, wall_s=0.1),
    ],
    ids=["memory", "CPU time", "time"],
)
def test_a_child_that_takes_too_much_is_ended(tmp_path: Path, limits: DrawingLimits) -> None:
    path = write_geotiff(tmp_path / "a.tif")
    with pytest.raises(RefusedError) as caught:
        make(path, limits=limits)
    assert caught.value.code == "parser-crashed"
    path.rename(tmp_path / "b.tif")
    make(tmp_path / "b.tif")


def test_a_child_may_not_fill_the_disk(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "a.tif", noise())
    assert refusal_or_crash(path, file_mb=1)
    assert (
        sum(entry.stat().st_size for entry in (tmp_path / "work-a.tif").iterdir())
        < 3 * (1 << 20) + path.stat().st_size
    )


def refusal_or_crash(path: Path, **limits: int) -> bool:
    try:
        make(path, limits=replace(DEFAULT_LIMITS, **limits))
    except RefusedError as refused:
        return refused.code in {"parser-crashed", "drawing-refused"}
    return False


def test_the_child_knows_the_drivers_of_pictures_only_and_no_way_out(
    tmp_path: Path,
    listener: tuple[int, list[bytes]],
) -> None:
    program = f"""
import json, os, pathlib, socket, sys
from ingest.child.confinement import confine, limit_resources
from ingest.drawings.limits import DEFAULT_LIMITS
import rasterio, rasterio.env
limit_resources(DEFAULT_LIMITS.of_child())
confine([], pathlib.Path(sys.argv[1]))
found = {{}}
with rasterio.Env() as env:
    found["drivers"] = sorted(env.drivers())
for name in ("/vsicurl/http://127.0.0.1:{listener[0]}/a.tif", "WMS:http://127.0.0.1:{listener[0]}/"):
    try:
        rasterio.open(name, driver="GTiff")
    except rasterio.errors.RasterioError:
        pass
try:
    socket.create_connection(("127.0.0.1", {listener[0]}), timeout=1).close()
    found["network"] = True
except OSError:
    found["network"] = False
found["variables"] = sorted(os.environ)
print(json.dumps(found))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    found = json.loads(done.stdout)
    assert set(found["drivers"]) <= ALLOWED_DRIVERS
    assert {"GTiff", "PNG", "JPEG", "COG"} <= set(found["drivers"])
    assert not found["network"]
    assert listener[1] == []
    set_by_libraries = {"GDAL_DATA", "GDAL_CURL_CA_BUNDLE", "PROJ_CURL_CA_BUNDLE", "PROJ_DATA", "PROJ_LIB"}
    assert set(found["variables"]) <= environment().keys() | set_by_libraries | {"LC_CTYPE"}


def test_a_killed_command_leaves_no_reader_behind(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "a.tif", np.tile(noise(), (1, 8, 8)))
    program = f"""
from pathlib import Path
from tests.drawings import make
make(Path({str(path)!r}))
"""
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[2])
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    deadline = time.monotonic() + 20
    while not (found := children.read_text("ascii").split()) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5)  # it has asked for the signal by now
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert found
    while any(_runs(child) for child in found) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(_runs(child) for child in found)


def _runs(process: str) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
