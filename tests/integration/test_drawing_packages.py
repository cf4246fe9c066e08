"""Drawings in packages: cut to the dig area, named for people, told in the manifest; a damaged one is made again."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import rasterio
from shapely import MultiPolygon, Polygon, box

from geoapi.drawing_repair import mend_drawings
from ingest.drawings.make import MadeDrawing
from ler.blobs import FolderStore
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import NotFoundError, UnavailableError
from ler.packages.content import Deliver
from ler.services.deliveries import list_owner_statuses
from ler.services.drawings import DrawingFacts, DrawingFiles, add_drawing, remove_drawing
from ler.services.registry import get_owner
from tests.databases import Database
from tests.drawings import EAST, NORTH, NORTH_UP, make, marked, write_geotiff, write_raster, write_world_file
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


@dataclass(frozen=True)
class Kept:
    made: MadeDrawing
    cog: Path
    original: Path


def keep(
    world: World,
    store: FolderStore,
    folder: Path,
    names: Sequence[str] = ("plan.tif",),
    *,
    deliver: Deliver = Deliver.CLIPPED,
    made: MadeDrawing | None = None,
) -> Kept:
    """Publish a network with one pipe, and keep one drawing under several names."""
    owner = world.owner(CVR)
    world.network(CVR, folder, water_pipe("vand.1", (EAST - 5, NORTH - 5, 10.0), (EAST + 5, NORTH - 5, 10.0)))
    made = made or make(write_geotiff(folder / "a.tif"))
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
        placement=made.placement,
    )
    with transaction(world.databases.app, owner) as connection:
        for name in names:
            facts = DrawingFacts(name, taken_on=date(2020, 5, 4), linked_gml_ids=["vand.1"], deliver=deliver)
            add_drawing(connection, owner, store, files, facts)
    return Kept(made, store.path(sha256(made.cog)), store.path(sha256(made.original)))


def owner_id(world: World) -> UUID:
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        return get_owner(connection, CVR).id


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def drawings_in(path: Path, folder: Path) -> dict[str, Path]:
    return {name: at for name, at in unpack(path, folder).items() if "tegninger/" in name}


@pytest.mark.parametrize("deliver", list(Deliver))
def test_a_drawing_is_in_the_packages_and_the_manifest(
    world: World, store: FolderStore, tmp_path: Path, deliver: Deliver
) -> None:
    kept = keep(world, store, tmp_path, ["plan.png", "Plan.PNG", "Å.tif"], deliver=deliver)
    answered = world.ask(AREA, tmp_path / "out", store=store)
    digests = set()
    for number, package in enumerate(answered.packages):
        folder = "" if package.owner_id else f"{CVR}-nordby-net/"
        names = [f"{folder}tegninger/{name}" for name in ("Plan.PNG.tif", "2-plan.png.tif", "Å.tif")]
        told = manifest(package.path)
        members = drawings_in(package.path, tmp_path / str(number))
        assert list(members) == names
        listed = {member["path"]: member for member in told["members"]}
        for name in names:
            digests.add(sha256(members[name]))
            assert listed[name]["sha256"] == sha256(members[name])
            assert "geotiff" in listed[name]["media_type"]
        (entry, *_) = told["owners"][0]["drawings"]
        assert entry == {
            "name": "Plan.PNG",
            "member": names[0],
            "deliver": str(deliver),
            "missing": None,
            "resolution_m": 0.1,
            "accuracy_m": 0.0,
            "taken_on": "2020-05-04",
            "valid_from": None,
            "valid_to": None,
            "gml_ids": ["vand.1"],
        }
    assert len(digests) == 1
    assert (digests == {sha256(kept.made.cog)}) == (deliver is Deliver.WHOLE)
    done = subprocess.run(["gdalinfo", str(members[names[0]])], capture_output=True, text=True, check=True)
    assert "LAYOUT=COG" in done.stdout


@pytest.mark.parametrize("buffer_m", [0.0, 3.0])
def test_nothing_outside_the_area_and_its_buffer_is_delivered(
    world: World, store: FolderStore, tmp_path: Path, buffer_m: float
) -> None:
    keep(world, store, tmp_path)
    area = Polygon(
        [(EAST + 3, NORTH - 2), (EAST + 20, NORTH - 1), (EAST + 8, NORTH - 30), (EAST - 2, NORTH - 8)]
    )
    answered = world.ask(area, tmp_path / "out", store=store, clip_buffer_m=buffer_m)
    (part,) = drawings_in(answered.packages[0].path, tmp_path / "x").values()
    with rasterio.open(part) as clipped:
        shown = clipped.dataset_mask() > 0
        place = clipped.transform
    rows, columns = np.nonzero(shown)
    reach = area.buffer(buffer_m, quad_segs=64)
    xs, ys = place.c + (columns + 0.5) * place.a, place.f + (rows + 0.5) * place.e
    corners = MultiPolygon(
        [box(x - 0.05, y - 0.05, x + 0.05, y + 0.05) for x, y in ((min(xs), min(ys)), (max(xs), max(ys)))]
    )
    # A pixel that the border crosses, and what a buffer's polygon is wider than the circle.
    allowed = reach.buffer(0.1 * 2**0.5 + 0.01 * (buffer_m > 0))
    assert allowed.envelope.covers(corners)
    assert all(
        allowed.contains_properly(box(x, y, x, y).centroid) for x, y in zip(xs[::7], ys[::7], strict=True)
    )
    assert shown.sum() * 0.01 == pytest.approx(
        reach.intersection(box(EAST, NORTH - 48, EAST + 64, NORTH)).area, rel=0.06
    )


def test_a_drawing_that_shows_nothing_there_is_told_and_not_delivered(
    world: World, store: FolderStore, tmp_path: Path
) -> None:
    keep(world, store, tmp_path)
    area = box(EAST - 9, NORTH - 9, EAST - 1, NORTH - 1)  # a metre from the drawing, which the pipe brings
    answered = world.ask(area, tmp_path / "out", store=store)
    for number, package in enumerate(answered.packages):
        assert drawings_in(package.path, tmp_path / str(number)) == {}
        (entry,) = manifest(package.path)["owners"][0]["drawings"]
        assert entry["member"] is None
        assert entry["missing"]["code"] == "drawing-outside-area"
        assert entry["missing"]["da"] != entry["missing"]["en"]


def test_a_legend_elsewhere_is_delivered_whole_when_its_owner_says_so(
    world: World, store: FolderStore, tmp_path: Path
) -> None:
    kept = keep(world, store, tmp_path, deliver=Deliver.WHOLE)
    answered = world.ask(box(EAST - 9, NORTH - 9, EAST - 1, NORTH - 1), tmp_path / "out", store=store)
    (whole,) = drawings_in(answered.packages[0].path, tmp_path / "x").values()
    assert whole.read_bytes() == kept.made.cog.read_bytes()


def test_a_dig_elsewhere_gets_no_drawing(world: World, store: FolderStore, tmp_path: Path) -> None:
    keep(world, store, tmp_path)
    answered = world.ask(box(EAST - 900, NORTH, EAST - 890, NORTH + 10), tmp_path / "out", store=store)
    assert manifest(answered.packages[0].path)["owners"][0]["drawings"] == []


def damage(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
        return
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def placed_by_a_world_file(folder: Path) -> MadeDrawing:
    path = write_raster(folder / "p.png", marked(), driver="PNG")
    write_world_file(folder / "p.pgw", NORTH_UP)
    return make(path, crs="EPSG:25832")


@pytest.mark.parametrize("how", ["flipped", "gone"])
@pytest.mark.parametrize("build", [None, placed_by_a_world_file])
def test_a_drawing_whose_file_is_damaged_is_made_again_from_its_original(
    world: World, store: FolderStore, tmp_path: Path, how: str, build: Callable[[Path], MadeDrawing] | None
) -> None:
    kept = keep(world, store, tmp_path, made=build(tmp_path) if build else None)
    before = world.ask(AREA, tmp_path / "before", store=store)
    damage(kept.cog, how)
    answered = world.ask(AREA, tmp_path / "out", store=store)
    assert kept.cog.read_bytes() == kept.made.cog.read_bytes()
    (was,) = drawings_in(before.packages[0].path, tmp_path / "x").values()
    (is_,) = drawings_in(answered.packages[0].path, tmp_path / "y").values()
    assert was.read_bytes() == is_.read_bytes()
    assert not list((store.folder / "tmp").iterdir())


@pytest.mark.parametrize("why", ["the original is damaged", "removed"])
def test_a_drawing_that_cannot_be_made_again_is_told_in_words(
    world: World, store: FolderStore, tmp_path: Path, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(world, store, tmp_path)
    damage(kept.cog, "flipped")
    if why == "removed":

        def removed_meanwhile(*_: object) -> list[str]:
            owner = owner_id(world)
            # Twice: for the package of all, and for the owner's.
            with transaction(world.databases.app, owner) as connection, suppress(NotFoundError):
                remove_drawing(connection, owner, "plan.tif")
            return mend_drawings(*_)  # type: ignore[arg-type]

        monkeypatch.setattr("geoapi.packing.mend_drawings", removed_meanwhile)
    else:
        damage(kept.original, "gone")
    answered = world.ask(AREA, tmp_path / "out", store=store)
    for number, package in enumerate(answered.packages):
        assert drawings_in(package.path, tmp_path / str(number)) == {}
        (owner_entry,) = manifest(package.path)["owners"]
        assert owner_entry["feature_count"] == 1
        (entry,) = owner_entry["drawings"]
        assert (entry["member"], entry["missing"]["code"]) == (None, "drawing-file-lost")


def test_drawings_without_a_store_are_no_package(world: World, store: FolderStore, tmp_path: Path) -> None:
    keep(world, store, tmp_path)
    request = world.ask(AREA, tmp_path / "out", store=store).request.id
    with (
        transaction(world.databases.worker, None, request=request) as connection,
        pytest.raises(UnavailableError),
    ):
        list_owner_statuses(connection, request)
