"""The demonstration as `make demo` runs it: what it leaves holds together, member by member."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import rasterio
from rasterio.enums import ColorInterp

from tests.answers import read
from tests.databases import SharedCluster
from tests.official import feature_errors, needs_schemas, schema_errors
from tests.world import layers, manifest, unpack


@pytest.fixture(scope="module")
def shown(
    shared_cluster: SharedCluster, testrun_uid: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    shared_cluster.cluster.start()
    folder = tmp_path_factory.mktemp("demo")
    program = [str(Path(sys.executable).with_name("ler")), "demo"]
    environment = {k: v for k, v in os.environ.items() if k != "LER_DATABASE_URL"}
    environment |= {"LER_HOME": str(shared_cluster.cluster.home), "LER_DATABASE_NAME": f"t{testrun_uid[:15]}"}
    for _ in range(2):  # the second time over what the first one left
        done = subprocess.run(
            program, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
    return folder / "demo-out", done.stdout


def packages(out: Path) -> list[Path]:
    return sorted(out.rglob("*.zip"))


def test_it_leaves_three_consolidated_and_a_dozen_owner_packages(shown: tuple[Path, str]) -> None:
    kinds = [manifest(path)["kind"] for path in packages(shown[0])]
    assert kinds.count("consolidated") == 3
    assert kinds.count("owner") >= 12
    assert "demo-out/sites" in shown[1]


@needs_schemas
def test_every_gml_of_every_package_is_officially_valid(shown: tuple[Path, str], tmp_path: Path) -> None:
    for path in [*packages(shown[0]), *(shown[0] / "networks").glob("*.gml")]:
        if path.suffix == ".gml":
            assert schema_errors(path) == [], path
            continue
        for name, member in unpack(path, tmp_path / path.stem).items():
            if name == "consolidated.gml":  # of which no schema is published, but of the features in it
                assert feature_errors(member) == [], (path, name)
            elif name.endswith(".gml"):
                assert schema_errors(member) == [], (path, name)


def test_gml_and_geopackage_of_each_owner_hold_the_same_features(
    shown: tuple[Path, str], tmp_path: Path
) -> None:
    for path in packages(shown[0]):
        told = manifest(path)
        if told["kind"] != "owner":
            continue
        members = unpack(path, tmp_path / path.stem)
        (owner,) = told["owners"]
        counted = layers(members["ledningsoplysninger.gpkg"])
        assert {k: v for k, v in counted.items() if k not in {"Graveomraade", "Ledningsejere"}} == owner[
            "feature_counts"
        ]
        features, reader = read(members["ledningsoplysninger.gml"])
        assert reader.findings.kept == []
        names = {feature.gml_id for feature in features}
        pieces = {name for name in names if name.rpartition("_")[0] in names}  # of lines cut in several
        assert len(names) - len(pieces) == owner["feature_count"]


def test_sums_agree_between_the_packages_of_a_site(shown: tuple[Path, str]) -> None:
    for site in (shown[0] / "sites").iterdir():
        told = [manifest(path) for path in packages(site)]
        (whole,) = [m for m in told if m["kind"] == "consolidated"]
        single = sum(o["feature_count"] for m in told if m["kind"] == "owner" for o in m["owners"])
        assert sum(o["feature_count"] for o in whole["owners"]) == single
        assert any(o["answer"] == "ingen ledninger i graveområde" for o in whole["owners"])


def test_the_maps_lie_in_place(shown: tuple[Path, str]) -> None:
    for site in (shown[0] / "sites").iterdir():
        pictures = list(site.glob("map-*.png"))
        assert pictures
        for path in pictures:
            with rasterio.open(path) as picture:
                assert picture.colorinterp == (ColorInterp.palette,)
                west, south, east, north = picture.bounds
            assert 570_000 < west < east < 580_000
            assert 6_220_000 < south < north < 6_230_000


def test_the_streets_lie_below_the_maps(shown: tuple[Path, str]) -> None:
    told = [manifest(path) for path in packages(shown[0])]
    base_maps = [one["base_map"] for one in told if one["kind"] == "consolidated"]
    assert [(one["name"], one["drawn"], one["problem"]) for one in base_maps] == [
        ("streets.gpkg", True, None)
    ] * 3


def test_packages_are_zip_files_that_any_tool_checks(shown: tuple[Path, str]) -> None:
    for path in packages(shown[0]):
        with zipfile.ZipFile(path) as package:
            assert package.testzip() is None
            assert package.namelist()[0] == "manifest.json"
            assert {info.date_time for info in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_letters_show_what_owners_ask_for(shown: tuple[Path, str]) -> None:
    told = {
        row["priority"]
        for path in packages(shown[0])
        for one in manifest(path).get("warnings", ())
        for row in one["precautions"]
        if one["cvr"] in {"99000101", "99000301"}
    }
    assert {10, 30, 40} <= told
    assert 20 not in told, "nobody bores"
