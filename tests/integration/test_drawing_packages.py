"""Drawings in packages: the file that was kept, named for people, told in the manifest, and never a damaged one."""

import hashlib
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from shapely import MultiPolygon, box

from ler.blobs import FolderStore
from ler.db.engine import transaction
from ler.errors import BlobDamagedError, UnavailableError
from ler.services.drawings import DrawingFacts, DrawingFiles, add_drawing
from tests.databases import Database
from tests.drawings import EAST, NORTH, make, write_geotiff
from tests.world import World, manifest, open_world, unpack, water_pipe

CVR = "12345678"
AREA = box(EAST - 10, NORTH - 20, EAST + 10, NORTH)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "blobs")


def keep(world: World, store: FolderStore, folder: Path, *names: str) -> None:
    """Publish a network with one pipe, and keep one drawing under several names."""
    owner = world.owner(CVR)
    world.network(CVR, folder, water_pipe("vand.1", (EAST - 5, NORTH - 5, 10.0), (EAST + 5, NORTH - 5, 10.0)))
    made = make(write_geotiff(folder / "a.tif"))
    files = DrawingFiles(
        original=made.original,
        media_type=made.media_type,
        cog=made.cog,
        preview=made.preview,
        columns=made.columns,
        rows=made.rows,
        resolution_m=made.resolution_m,
        source_epsg=made.source_epsg,
        accuracy_m=made.accuracy_m,
        footprint=MultiPolygon(made.footprint),
    )
    with transaction(world.databases.app, owner) as connection:
        for name in names:
            facts = DrawingFacts(name, taken_on=date(2020, 5, 4), linked_gml_ids=["vand.1"])
            add_drawing(connection, owner, store, files, facts)


def test_a_drawing_is_in_the_packages_and_the_manifest(
    world: World, store: FolderStore, tmp_path: Path
) -> None:
    keep(world, store, tmp_path, "plan.png", "Plan.PNG", "Å.tif")
    answered = world.ask(AREA, tmp_path / "out", store=store)
    names = [f"bilag/{CVR}/{name}" for name in ("Plan.PNG.tif", "2-plan.png.tif", "Å.tif")]
    for number, package in enumerate(answered.packages):
        told = manifest(package.path)
        members = unpack(package.path, tmp_path / str(number))
        assert [name for name in members if name.startswith("bilag/")] == names
        listed = {member["path"]: member for member in told["members"]}
        for name in names:
            digest = hashlib.sha256(members[name].read_bytes()).hexdigest()
            assert listed[name]["sha256"] == digest == answered.owners[0].delivery.drawings[0].sha256  # type: ignore[union-attr]
            assert "geotiff" in listed[name]["media_type"]
        (entry, *_) = told["owners"][0]["drawings"]
        assert entry == {
            "name": "Plan.PNG",
            "member": names[0],
            "resolution_m": 0.1,
            "accuracy_m": 0.0,
            "taken_on": "2020-05-04",
            "valid_from": None,
            "valid_to": None,
            "gml_ids": ["vand.1"],
        }
    done = subprocess.run(["gdalinfo", str(members[names[0]])], capture_output=True, text=True, check=True)
    assert "LAYOUT=COG" in done.stdout


def test_a_dig_elsewhere_gets_no_drawing(world: World, store: FolderStore, tmp_path: Path) -> None:
    keep(world, store, tmp_path, "plan.tif")
    answered = world.ask(box(EAST - 900, NORTH, EAST - 890, NORTH + 10), tmp_path / "out", store=store)
    assert manifest(answered.packages[0].path)["owners"][0]["drawings"] == []


@pytest.mark.parametrize("damage", ["flipped", "gone", "no store"])
def test_no_package_is_written_with_a_drawing_that_is_damaged(
    world: World, store: FolderStore, tmp_path: Path, damage: str
) -> None:
    keep(world, store, tmp_path, "plan.tif")
    (cog,) = [
        path
        for path in store.folder.glob("??/*")
        if b"LAYOUT=IFDS" in path.read_bytes()[:200] and len(path.read_bytes()) < 100_000
    ]
    if damage == "flipped":
        data = bytearray(cog.read_bytes())
        data[-1] ^= 1
        cog.write_bytes(data)
    elif damage == "gone":
        cog.unlink()
    used = None if damage == "no store" else store
    with pytest.raises(UnavailableError if damage == "no store" else BlobDamagedError):
        world.ask(AREA, tmp_path / "out", store=used)
    assert not list((tmp_path / "out").iterdir())
