"""`ler drawing` as an owner meets it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import in_process
from tests.databases import Database
from tests.drawings import EAST, NORTH, marked, noise, write_geotiff, write_raster
from tests.world import World, open_world

CVR = "12345678"


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        made.owner(CVR)
        made.owner("87654321", "Another")
        yield made


def ler(world: World, folder: Path, *words: str, owner: str = CVR) -> subprocess.CompletedProcess[str]:
    environment = {
        "LER_DATABASE_URL": world.database.url(),
        "LER_BLOB_DIR": str(folder / "blobs"),
        "LER_KEY_DIR": str(folder / "keys"),
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "LC_ALL": "C.UTF-8",
    }
    return in_process(("drawing", *words, "--owner", owner), folder, environment)


def blobs(folder: Path) -> int:
    return len(list((folder / "blobs").glob("??/*")))


def test_drawings_are_added_listed_shown_and_removed(world: World, tmp_path: Path) -> None:
    write_geotiff(tmp_path / "a.tif")
    write_raster(tmp_path / "b.png", marked(), driver="PNG")
    (tmp_path / "b.pgw").write_text(f"0.1\n0\n0\n-0.1\n{EAST}\n{NORTH}\n", encoding="ascii")
    dates = ("--taken", "2019-03-02", "--valid-to", "2030-01-01", "--link", "vand.1", "--link", "vand.2")
    added = ler(world, tmp_path, "add", "a.tif", "b.png", "--crs", "EPSG:25832", *dates)
    assert added.returncode == 0, added.stderr
    assert added.stdout.splitlines() == [
        "a.tif: 640 x 480 pixels of 0.1 m, 64 x 48 m",
        "b.png: 640 x 480 pixels of 0.1 m, 64 x 48 m",
    ]
    assert blobs(tmp_path) == 6 - 1, "the previews are the same picture"

    listed = json.loads(ler(world, tmp_path, "list", "--json").stdout)
    assert [drawing["name"] for drawing in listed] == ["a.tif", "b.png"]
    assert [drawing["deliver"] for drawing in listed] == ["clipped", "clipped"]
    assert listed[0]["linked_gml_ids"] == ["vand.1", "vand.2"]
    assert (listed[0]["taken_on"], listed[0]["valid_from"], listed[0]["valid_to"]) == (
        "2019-03-02",
        None,
        "2030-01-01",
    )
    assert "2019-03-02" in ler(world, tmp_path, "list").stdout
    assert json.loads(ler(world, tmp_path, "list", "--json", owner="87654321").stdout) == []

    shown = ler(world, tmp_path, "show", "a.tif", "--out", "out")
    assert json.loads(shown.stdout) == listed[0]
    info = subprocess.run(["gdalinfo", "out/a.tif"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "LAYOUT=COG" in info.stdout
    assert (tmp_path / "out" / "a.png").read_bytes().startswith(b"\x89PNG")
    missing = ler(world, tmp_path, "show", "a.tif", owner="87654321")
    assert (missing.returncode, missing.stdout) == (2, "")

    assert ler(world, tmp_path, "add", "a.tif").returncode == 2
    assert ler(world, tmp_path, "remove", "a.tif").returncode == 0
    assert ler(world, tmp_path, "remove", "a.tif").returncode == 2
    assert ler(world, tmp_path, "add", "a.tif", "--whole").returncode == 0
    assert "whole" in ler(world, tmp_path, "list").stdout


def test_a_refused_drawing_changes_nothing_and_all_its_faults_are_told(world: World, tmp_path: Path) -> None:
    write_raster(tmp_path / "a.tif", noise(4, 32), photometric="CMYK")
    write_geotiff(tmp_path / "b.tif")
    before = world.counts()
    done = ler(world, tmp_path, "add", "a.tif", "b.tif", "--language", "da")
    assert done.returncode == 2
    assert "Error: 1 of 2 drawings were not stored" in done.stderr
    assert "a.tif: Tegningen siger ikke, hvor den ligger" in done.stderr
    for code in ("drawing-georeference-missing", "drawing-crs-missing", "drawing-colours"):
        assert f"[{code}]" in done.stderr
    assert done.stdout.startswith("b.tif")
    told = {name: before[name] + 1 for name in ("audit_event", "audit_unsealed")}
    assert world.counts() == before | {"drawing": 1} | told
    assert blobs(tmp_path) == 3
    assert not list((tmp_path / "blobs" / "tmp").iterdir())


def test_what_is_no_drawing_is_told_in_one_sentence(world: World, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("<VRTDataset/>", encoding="ascii")
    for words in (
        ("a.tif",),
        ("none.tif",),
        ("a.tif", "b.tif", "--world", "x"),
        ("a.tif", "--valid-from", "x"),
    ):
        done = ler(world, tmp_path, "add", *words)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_a_damaged_file_is_not_handed_out(world: World, tmp_path: Path) -> None:
    write_geotiff(tmp_path / "a.tif")
    assert ler(world, tmp_path, "add", "a.tif").returncode == 0
    (told,) = json.loads(ler(world, tmp_path, "list", "--json").stdout)
    place = tmp_path / "blobs" / told["cog_sha256"][:2] / told["cog_sha256"]
    data = bytearray(place.read_bytes())
    data[-1] ^= 1
    place.write_bytes(data)
    shown = ler(world, tmp_path, "show", "a.tif", "--out", "out")
    assert shown.returncode == 2
    assert "damaged" in shown.stderr
    assert not list((tmp_path / "out").iterdir())
