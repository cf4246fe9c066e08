"""The command line as a person meets it: its exit codes, one message, nothing left behind; the whole job in processes of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import shapely
from shapely import Polygon, box

from tests.answers import answer
from tests.commands import in_process
from tests.databases import Database
from tests.world import World, open_world, unpack, water_pipe

AREA = box(575000, 6224000, 575100, 6224100)
FIRST_DAY = datetime.now(UTC).date() + timedelta(days=7)
PERIOD = (
    "--from",
    f"{FIRST_DAY}",
    "--to",
    f"{FIRST_DAY + timedelta(days=13)}",
    "--purpose",
    "Ny stikledning",
)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def ler(world: World, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder; as a user whose database is kept elsewhere, so that roles are taken on."""
    return run(world.database.url(), folder, *words)


def run(url: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return in_process(words, folder, {"LER_DATABASE_URL": url, "NO_COLOR": "1", "COLUMNS": "200"})


def run_apart(world: World, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The same as a process of its own."""
    environment = os.environ | {"LER_DATABASE_URL": world.database.url(), "NO_COLOR": "1", "COLUMNS": "200"}
    program = [str(Path(sys.executable).with_name("ler")), *words]
    return subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def area_file(folder: Path, geometry: Polygon = AREA) -> str:
    path = folder / "area.geojson"
    path.write_text(json.dumps(shapely.geometry.mapping(geometry)), encoding="utf-8")
    return path.name


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_from_registration_to_package(world: World, tmp_path: Path) -> None:
    assert run_apart(world, tmp_path, "owner", "add", "12345678", "Nordby Vand").returncode == 0
    area_file(tmp_path, box(574000, 6223000, 576000, 6225000))
    registered = run_apart(
        world, tmp_path, "owner", "area", "12345678", "area.geojson", "--utility-type", "vand"
    )
    assert registered.returncode == 0, registered.stderr
    assert int(registered.stdout) > 0
    (tmp_path / "net.gml").write_text(answer(), encoding="utf-8")
    uploaded = run_apart(world, tmp_path, "upload", "net.gml", "--owner", "12345678")
    assert uploaded.returncode == 0, uploaded.stderr
    assert "version 1 with 2 features" in uploaded.stdout

    asked = run_apart(world, tmp_path, "request", area_file(tmp_path), *PERIOD, "--out", "out")

    assert asked.returncode == 0, asked.stderr
    assert "ledningsoplysninger udleveret" in asked.stdout
    packages = sorted((tmp_path / "out").glob("*.zip"))
    assert len(packages) == 2
    assert set(unpack(packages[0], tmp_path / "all")) >= {"manifest.json"}
    assert (tmp_path / "out" / "map-1.png").stat().st_size > 10_000
    assert "map-1.png" in asked.stdout
    listed = json.loads(run_apart(world, tmp_path, "owner", "list", "--json").stdout)
    assert listed == [{"cvr": "12345678", "name": "Nordby Vand", "interest_areas": 1}]


def test_who_has_not_answered_is_told_loudly(world: World, tmp_path: Path) -> None:
    world.owner("12345678", "Tavs Forsyning")
    asked = ler(world, tmp_path, "request", area_file(tmp_path), *PERIOD, "--out", "out")
    assert asked.returncode == 0
    assert "NOT ANSWERED" in asked.stdout
    assert "DO NOT DIG" in asked.stderr
    assert "Tavs Forsyning" in asked.stderr


BOW_TIE = Polygon([(575000, 6224000), (575100, 6224100), (575100, 6224000), (575000, 6224100)])
BAD_AREAS = {
    "bow-tie": (BOW_TIE, "575050 6224050"),
    "degrees": (box(10.2, 56.1, 10.21, 56.11), "degrees"),
    "outside the coverage": (box(75000, 6224000, 75100, 6224100), "outside"),
    "too large": (box(575000, 6224000, 576000, 6225000), "m²"),
}


@pytest.mark.parametrize("case", BAD_AREAS)
def test_a_bad_area_is_refused_with_one_message_and_nothing_stored(
    world: World, tmp_path: Path, case: str
) -> None:
    geometry, words = BAD_AREAS[case]
    area_file(tmp_path, geometry)
    before, left = world.counts(), files(tmp_path)
    refused = ler(world, tmp_path, "request", "area.geojson", *PERIOD, "--out", "out")
    assert refused.returncode == 2
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1, refused.stderr
    assert refused.stdout == ""
    assert world.counts() == before
    assert files(tmp_path) == left


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("this is not XML", "not XML"),
        (answer().replace("?>", "?><!DOCTYPE x>", 1), "DOCTYPE"),
        ("<kml/>", "root"),
        (answer("").replace("Member", "Member"), "no features"),
    ],
)
def test_a_bad_file_is_refused_with_one_message_and_nothing_stored(
    world: World, tmp_path: Path, text: str, words: str
) -> None:
    world.owner("12345678")
    (tmp_path / "net.gml").write_text(text, encoding="utf-8")
    before, left = world.counts(), files(tmp_path)
    refused = ler(world, tmp_path, "upload", "net.gml", "--owner", "12345678")
    assert refused.returncode == 2
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1, refused.stderr
    assert "Traceback" not in refused.stderr
    assert world.counts() == before
    assert files(tmp_path) == left


def test_all_faults_of_a_file_are_told_with_their_lines(world: World, tmp_path: Path) -> None:
    world.owner("12345678")
    text = answer().replace(">i drift<", ">i luften<").replace("#ventil.1", "#ventil.9")
    (tmp_path / "net.gml").write_text(text, encoding="utf-8")
    refused = ler(world, tmp_path, "upload", "net.gml", "--owner", "12345678")
    assert refused.returncode == 2
    assert "line 6, column 1 (vand.1): driftsstatus is 'i luften'" in refused.stderr
    assert "[ManglendeGmlIdHenvisningRule]" in refused.stderr
    assert "2 faults" in refused.stderr


@pytest.mark.parametrize("cvr", ["99999999", "1234", "12345678; DROP TABLE"])
def test_an_unknown_owner_is_refused(world: World, tmp_path: Path, cvr: str) -> None:
    (tmp_path / "net.gml").write_text(answer(), encoding="utf-8")
    before = world.counts()
    refused = ler(world, tmp_path, "upload", "net.gml", "--owner", cvr)
    assert refused.returncode == 2
    assert "CVR" in refused.stderr
    assert world.counts() == before


def test_a_network_of_another_owner_is_refused(world: World, tmp_path: Path) -> None:
    for cvr in ("10000001", "10000002"):
        world.owner(cvr)
    pipe = water_pipe("p", (575010, 6224010, 1), (575020, 6224010, 1))
    world.network("10000001", tmp_path, pipe)
    before = world.counts()
    refused = ler(world, tmp_path, "upload", "10000001.gml", "--owner", "10000002")
    assert refused.returncode == 2
    assert "10000001" in refused.stderr
    assert world.counts() == before


def test_a_period_that_ends_before_it_begins_is_refused(world: World, tmp_path: Path) -> None:
    words = (
        "--from",
        f"{FIRST_DAY}",
        "--to",
        f"{FIRST_DAY - timedelta(days=1)}",
        "--purpose",
        "x",
        "--out",
        "out",
    )
    before = world.counts()
    refused = ler(world, tmp_path, "request", area_file(tmp_path), *words)
    assert refused.returncode == 2
    assert "before it begins" in refused.stderr
    assert world.counts() == before


def test_an_answer_without_heights_is_refused_naming_what_is_wrong(world: World, tmp_path: Path) -> None:
    world.owner("12345678")
    text = answer().replace("EPSG/0/7416", "EPSG/0/25832").replace("3f7b3a52-", "SVAR-")
    (tmp_path / "net.gml").write_text(text, encoding="utf-8")
    before = world.counts()
    refused = ler(world, tmp_path, "upload", "net.gml", "--owner", "12345678")
    assert refused.returncode == 2
    assert "[indholdGM_ObjectSRIDrestriktion]" in refused.stderr
    assert "[idRestriktion]" in refused.stderr
    assert world.counts() == before


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "LER_DATABASE_URL"),
        ("postgresql+psycopg://postgres@/ler?host=/nowhere", "does not answer"),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_plainly(tmp_path: Path, url: str, words: str) -> None:
    told = run(url, tmp_path, "owner", "list")
    assert told.returncode == 2
    assert words in told.stderr
    assert "Traceback" not in told.stderr


def test_a_database_without_tables_is_told_plainly(empty_database: Database, tmp_path: Path) -> None:
    told = run(empty_database.url(), tmp_path, "owner", "list")
    assert told.returncode == 2
    assert "ler db migrate" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_demonstration_never_touches_a_database_kept_elsewhere(world: World, tmp_path: Path) -> None:
    before = world.counts()
    refused = ler(world, tmp_path, "demo")
    assert refused.returncode == 2
    assert "LER_DATABASE_URL" in refused.stderr
    assert world.counts() == before
    assert files(tmp_path) == set()
