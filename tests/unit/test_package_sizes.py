"""Packages of no feature, of one, of some and of many: each proper, and readable by others."""

import random
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
import pyogrio
import pytest
import shapely
from lxml import etree

from ler.packages.content import NO_LINES, DeliveredAttachment
from ler.packages.package import Package, write_consolidated_package, write_owner_package
from tests.official import feature_errors, needs_schemas, schema_errors
from tests.package_samples import OWNERS, sample
from tests.world import layers, manifest, unpack

SIZES = (0, 1, 200, 5_000)
VALIDATOR = "/usr/lib/python3/dist-packages/osgeo_utils/samples/validate_gpkg.py"
"""GDAL's own, of the Debian package that gdal-bin needs."""

type Made = tuple[Package, dict[str, Path]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Made]:
    @cache
    def make(count: int) -> Made:
        folder = tmp_path_factory.mktemp(f"size-{count}")
        package = write_consolidated_package(folder, *sample(count))
        return package, unpack(package.path, folder / "unpacked")

    return make


@pytest.mark.parametrize("count", SIZES)
def test_every_member_is_there_whole_and_counted(made: Callable[[int], Made], count: int) -> None:
    package, members = made(count)
    told = manifest(package.path)
    assert (package.feature_count, told["complete"]) == (count, False)
    assert [one["path"] for one in told["members"]] == [name for name in members if name != "manifest.json"]
    for one in told["members"]:
        content = members[one["path"]].read_bytes()
        assert content
        assert (one["size_bytes"], one["sha256"]) == (len(content), sha256(content).hexdigest())
    assert sum(owner["feature_count"] for owner in told["owners"]) == count
    # Besides the features: the area, each owner asked, and the cells in which one must mark its lines.
    assert sum(layers(members["consolidated.gpkg"]).values()) == count + OWNERS + 3
    for name, path in members.items():
        if name.endswith((".gml", ".xml")):
            etree.parse(path)


@needs_schemas
@pytest.mark.parametrize("count", SIZES)
def test_answers_and_the_collection_are_officially_valid(made: Callable[[int], Made], count: int) -> None:
    _, members = made(count)
    answers = [path for name, path in members.items() if name.endswith("/ledningsoplysninger.gml")]
    assert len(answers) == OWNERS
    assert [schema_errors(path) for path in answers] == [[]] * OWNERS
    assert feature_errors(members["consolidated.gml"]) == []


@pytest.mark.parametrize("count", [0, 200])
def test_the_geopackage_keeps_every_rule_that_gdal_knows(made: Callable[[int], Made], count: int) -> None:
    _, members = made(count)
    done = subprocess.run(
        ["/usr/bin/python3", VALIDATOR, "--extra", "--warning-as-error", str(members["consolidated.gpkg"])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_geopackage_gives_heights_extents_and_an_index(made: Callable[[int], Made]) -> None:
    _, owners = sample(200)
    given = {
        one.gml_id: one for owner in owners for delivery in owner.deliveries for one in delivery.features
    }
    _, members = made(200)
    path = members["consolidated.gpkg"]
    found: dict[str, Any] = {}
    for layer in {feature.type for feature in given.values()}:
        frame = pyogrio.read_dataframe(path, layer=layer)
        assert frame.crs.to_epsg() == 7416
        found |= dict(zip(frame["gml_id"], frame.geometry, strict=True))
        west, south, east, north = frame.total_bounds
        assert len(pyogrio.read_dataframe(path, layer=layer, bbox=(west, south, east, north))) == len(frame)
        assert pyogrio.read_dataframe(path, layer=layer, bbox=(0, 0, 1, 1)).empty
        assert pyogrio.read_info(path, layer=layer)["total_bounds"] == (west, south, east, north)
    assert found.keys() == given.keys()
    for gml_id, feature in given.items():
        before, after = (
            shapely.get_coordinates(one, include_z=True) for one in (feature.geometry, found[gml_id])
        )
        np.testing.assert_array_equal(before, after)


def test_a_package_without_any_line_says_so(tmp_path: Path) -> None:
    request, owners = sample(0)
    answered = [owner for owner in owners if owner.answered and not owner.to_be_marked]
    package = write_consolidated_package(tmp_path, request, answered)
    own = write_owner_package(tmp_path, request, answered[0])
    for each, readme in ((package, "README.txt"), (own, "README.txt")):
        told = manifest(each.path)
        assert told["complete"]
        assert [one["code"] for one in told["notices"]] == ["all-answered", "no-lines"]
        assert all(owner["answer"] == NO_LINES for owner in told["owners"])
        with ZipFile(each.path) as archive:
            assert "shows no lines" in archive.read(readme).decode()


def test_what_is_compressed_already_is_stored(tmp_path: Path) -> None:
    packed = tmp_path / "shapes.zip"
    packed.write_bytes(random.Random(7).randbytes(5_000))
    request, (first, *_) = sample(200)
    (delivery,) = first.deliveries
    # Of the name that the archive itself has while it is made.
    attachment = DeliveredAttachment("package.zip", packed, sha256(packed.read_bytes()).hexdigest(), 5_000, "SHP", "application/zip")  # fmt: skip
    owner = replace(first, deliveries=[replace(delivery, attachments=[attachment])])
    package = write_owner_package(tmp_path / "made", request, owner)
    with ZipFile(package.path) as archive:
        assert archive.read("package.zip") == packed.read_bytes() == random.Random(7).randbytes(5_000)
        assert archive.getinfo("package.zip").compress_type == ZIP_STORED
        assert archive.getinfo("ledningsoplysninger.gml").compress_type == ZIP_DEFLATED
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
