"""`ler upload` and `ler network` as an owner meets them: what waits, what was, what changed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from geoapi.moments import moment_of
from ler.errors import RefusedError
from ler.model import Feature
from ler.packages.gml import Answer, write_answer
from tests.answers import read
from tests.databases import Database
from tests.integration.test_command_line import ler
from tests.world import World, header, open_world, valve, water_pipe

CVR = "12345678"
OWNER = ("--owner", CVR)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def pipes(count: int, length: float = 10.0) -> list[Feature]:
    return [
        water_pipe(f"p{n}", (575_000, 6_224_000 + n, 1), (575_000 + length, 6_224_000 + n, 1))
        for n in range(count)
    ]


def write(path: Path, features: Sequence[Feature]) -> str:
    with path.open("wb") as stream:
        write_answer(stream, Answer(CVR, "x", header(), features))
    return path.name


def test_an_upload_that_looks_wrong_waits_and_is_approved_seen_and_exported(
    world: World, tmp_path: Path
) -> None:
    world.owner(CVR)
    whole, small = write(tmp_path / "whole.gml", pipes(10)), write(tmp_path / "small.gml", pipes(3))
    first = ler(world, tmp_path, "upload", whole, *OWNER, "--json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert (told["version"], told["features"], told["published"]) == (1, 10, True)
    again = ler(world, tmp_path, "upload", whole, *OWNER)
    assert again.returncode == 0
    assert "Nothing has changed since version 1; nothing was published." in again.stderr
    waiting = ler(world, tmp_path, "upload", small, *OWNER)
    assert waiting.returncode == 1
    assert "replacement-large-change" in waiting.stderr
    assert f"ler network approve --owner {CVR} 3" in waiting.stderr
    before = ler(world, tmp_path, "network", "diff", "1", "3", *OWNER, "--json", "--map", "map.svg")
    assert before.returncode == 0, before.stderr
    assert json.loads(before.stdout)["types"]["Vandledning"]["removed"] == {"count": 7, "length_m": 70.0}
    assert "removed: 7, 0.070 km" in (tmp_path / "map.svg").read_text(encoding="utf-8")
    approved = ler(world, tmp_path, "network", "approve", "3", *OWNER)
    assert approved.returncode == 0, approved.stderr
    after = ler(world, tmp_path, "network", "diff", "1", "3", *OWNER, "--json")
    assert json.loads(after.stdout)["types"] == json.loads(before.stdout)["types"]
    for as_of, count in (("1", 10), ("3", 3), ("2099-01-01", 3)):
        out = tmp_path / f"{as_of}.gml"
        done = ler(world, tmp_path, "network", "export", *OWNER, "--as-of", as_of, "--out", out.name)
        assert done.returncode == 0, done.stderr
        features, reader = read(out)
        assert {f.gml_id: f.attributes for f in features} == {f.gml_id: f.attributes for f in pipes(count)}
        assert reader.stated_owner == CVR
    listed = json.loads(ler(world, tmp_path, "network", "versions", *OWNER, "--json").stdout)
    assert [(row["version"], row["state"]) for row in listed] == [
        *((3, "published"), (2, "discarded"), (1, "superseded")),
    ]


def test_a_version_that_is_not_there_is_told_and_writes_no_file(world: World, tmp_path: Path) -> None:
    world.owner(CVR)
    for words in (
        ("export", *OWNER, "--out", "x.gml"),
        ("export", *OWNER, "--as-of", "yesterday", "--out", "x.gml"),
        ("approve", "1", *OWNER),
        ("discard", "1", *OWNER),
        ("diff", "1", "2", *OWNER),
    ):
        done = ler(world, tmp_path, "network", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("Error: ")
        assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_delta_by_command(world: World, tmp_path: Path) -> None:
    world.owner(CVR)
    world.network(CVR, tmp_path, *pipes(10))
    delta = write(
        tmp_path / "delta.gml", [water_pipe("new", (575_000, 6_224_050, 1), (575_010, 6_224_050, 1))]
    )
    done = ler(world, tmp_path, "upload", delta, *OWNER, "--delta", "--delete", "p0", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["features"] == 10
    assert ler(world, tmp_path, "upload", delta, *OWNER, "--delete", "p0").returncode == 2
    assert ler(world, tmp_path, "network", "purge").returncode == 0


def test_a_network_is_exported_in_another_format_and_read_again_with_its_mapping(
    world: World, tmp_path: Path
) -> None:
    world.owner(CVR)
    world.network(CVR, tmp_path, *pipes(4))
    for name, more in (
        ("net.gpkg", ()),
        ("net.json", ("--format", "geojson")),
    ):
        done = ler(world, tmp_path, "network", "export", *OWNER, "--out", name, *more)
        assert done.returncode == 0, done.stderr
        assert "4 features" in done.stderr
        again = ler(world, tmp_path, "upload", name, *OWNER, "--mapping", f"{name}.mapping.yaml")
        assert again.returncode == 0, (name, again.stderr)
        assert "Nothing has changed" in again.stderr, (name, again.stderr)
    done = ler(world, tmp_path, "network", "export", *OWNER, "--out", "net.xml", "--format", "imkl")
    assert done.returncode == 0, done.stderr
    assert "Vandledning.height: 4, lost" in done.stdout
    assert (tmp_path / "net.xml").read_text(encoding="utf-8").count("<imkl:Waterleiding ") == 4
    for name in ("net.gpkg", "net.xyz"):
        refused = ler(world, tmp_path, "network", "export", *OWNER, "--out", name)
        assert refused.returncode == 2


def test_a_network_with_names_like_those_of_geometries_is_exported(world: World, tmp_path: Path) -> None:
    world.owner(CVR)
    named = water_pipe("geometri-7", (575_000, 6_224_000, 1), (575_010, 6_224_000, 1))
    world.network(CVR, tmp_path, named, valve("ventil", 575_010, 6_224_000, 1))
    done = ler(world, tmp_path, "network", "export", *OWNER, "--out", "x.gml")
    assert done.returncode == 0, done.stderr
    found, reader = read(tmp_path / "x.gml")
    assert ([one.gml_id for one in found], reader.findings.errors) == (["geometri-7", "ventil"], 0)


def test_a_date_means_its_end_in_denmark() -> None:
    assert moment_of("7") == 7
    assert f"{moment_of('2026-05-04')}" == "2026-05-04 21:59:59.999999+00:00"
    assert f"{moment_of('2026-01-04')}" == "2026-01-04 22:59:59.999999+00:00"
    assert f"{moment_of('2026-05-04T12:00')}" == "2026-05-04 10:00:00+00:00"
    assert f"{moment_of('2026-05-04T12:00Z')}" == "2026-05-04 12:00:00+00:00"
    for wrong in ("04-05-2026", "2026-W49", "2026-10-25T02:30"):
        with pytest.raises(RefusedError, match="number of a version"):
            moment_of(wrong)
