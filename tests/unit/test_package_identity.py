"""The same request, answers and versions give the same bytes: of every member, however often and wherever it is built."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from affine import Affine

from ler.packages.members import MEMBERS
from tests.drawings import write_raster
from tests.package_samples import SOUTH, WEST

ROOT: Final = Path(__file__).parents[2]
BUILDS: Final = 5
"""In each process; that makes twenty."""
_NO_UTF8: Final = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
PLACES: Final[tuple[Mapping[str, str], ...]] = (
    {"TZ": "Europe/Copenhagen", "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8"},
    {"TZ": "Australia/Adelaide", "PYTHONHASHSEED": "2", **_NO_UTF8},
    # More seeds than two: a set of two comes in the same order with every other.
    {"TZ": "Europe/Copenhagen", "PYTHONHASHSEED": "3", **_NO_UTF8},
    {"TZ": "Australia/Adelaide", "PYTHONHASHSEED": "4", "LC_ALL": "C.UTF-8"},
)

BUILD: Final = """
import hashlib, json, sys, zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tests.package_samples import options, sample, with_files
from ler.packages.package import write_consolidated_package, write_owner_package

def digests(path):
    with zipfile.ZipFile(path) as package:
        found = {name: hashlib.sha256(package.read(name)).hexdigest() for name in package.namelist()}
    return {"whole": hashlib.sha256(path.read_bytes()).hexdigest(), **found}

def build(number):
    request, owners = sample(40)
    owners = with_files(owners, given)
    made = write_consolidated_package(Path(f"all-{number}"), request, owners, options(given))
    own = write_owner_package(Path(f"own-{number}"), request, owners[0], options(given))
    return digests(made.path), digests(own.path)

given, builds, threaded = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1"
if threaded:
    # After something else, and in two threads at once.
    write_consolidated_package(Path("other"), *sample(3))
with ThreadPoolExecutor(2 if threaded else 1) as pool:
    print(json.dumps(list(pool.map(build, range(builds)))))
"""


def files(folder: Path) -> Path:
    """What lies in the store: an attachment, a drawing, and the operator's terrain model."""
    folder.mkdir()
    (folder / "bilag.pdf").write_bytes(b"%PDF-1.4 \xe6\xf8\xe5" + bytes(range(256)) * 40)
    step = np.add.outer(np.arange(400), np.arange(400))
    picture = np.stack([step % 256, step % 17, step % 5]).astype(np.uint8)
    north_up = Affine(0.1, 0, WEST, 0, -0.1, SOUTH + 40)
    write_raster(folder / "tegning.tif", picture, crs="EPSG:25832", transform=north_up, tiled=True)
    heights = (5 + step[::-1] / 100).astype(np.float32)[np.newaxis]
    write_raster(folder / "terrain.tif", heights, crs="EPSG:7416", transform=north_up)
    return folder


def test_twenty_builds_in_two_time_zones_and_four_processes_are_one(tmp_path: Path) -> None:
    given = files(tmp_path / "given")
    running = []
    for number, place in enumerate(PLACES):
        home = tmp_path / f"home-{number}"
        home.mkdir()
        command = [sys.executable, "-c", BUILD, str(given), str(BUILDS), str(number % 2)]
        environment = os.environ | place | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
        running.append(
            subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True)
        )
    told = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(PLACES)
    builds: list[list[dict[str, Any]]] = [build for one in told for build in json.loads(one)]
    assert len(builds) == len(PLACES) * BUILDS
    for kind in (0, 1):
        first = builds[0][kind]
        differing = {name for build in builds for name in first if build[kind].get(name) != first[name]}
        assert differing == set()
        assert all(build[kind].keys() == first.keys() for build in builds)
    consolidated = builds[0][0]
    # Those that have a name of their own, whoever adds them.
    assert {member.name for member in MEMBERS if member.of.name != "OWNER" and "{" not in member.name} <= {
        *consolidated
    }
    assert sum(name.endswith(("bilag.pdf", "tegning.tif")) for name in consolidated) == 2
