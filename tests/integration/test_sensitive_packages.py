"""What stands in packages when lines may not be shown: words and cells, and nothing of the lines."""

import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from shapely import box

from ler.db.engine import transaction
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.services.sensitivity import make_rule
from tests.databases import Database
from tests.world import World, layers, manifest, open_world, unpack, valve, water_pipe

CVR, OTHER = "12345678", "87654321"
AREA = box(575000, 6224000, 575040, 6224040)
SECRET_NORTH = 6224007.125
"""An ordinate that only the secret pipe has."""


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def ask(world: World, folder: Path, kind: SensitivityClass | None, *, plain: bool = True) -> Path:
    owner = world.owner(CVR, "Nordby Vand")
    pipes = [
        water_pipe("secret", (575005, SECRET_NORTH, 1.5), (575035, SECRET_NORTH, 1.5), id="hemmelig"),
        valve("secretvalve", 575005, SECRET_NORTH, 1.5, tilknyttetLedning=["secret"]),
    ]
    if plain:
        pipes.append(water_pipe("plain", (575005, 6224030, 1.5), (575035, 6224030, 1.5)))
    world.network(CVR, folder, *pipes)
    if kind:
        with transaction(world.databases.app, owner) as connection:
            make_rule(connection, owner, SensitivityRule(kind, gml_ids=frozenset({"secret"})))
    answered = world.ask(AREA, folder / "out")
    return answered.packages[0].path


def members_with(members: dict[str, Path], *needles: bytes) -> set[str]:
    return {name for name, path in members.items() if any(one in path.read_bytes() for one in needles)}


NEEDLES = (b"secret", b"hemmelig", b"6224007.1", struct.pack("<d", SECRET_NORTH))


@pytest.mark.parametrize("kind", [None, *list(SensitivityClass)[1:]])
def test_nothing_of_a_withheld_line_is_in_any_file(
    world: World, tmp_path: Path, kind: SensitivityClass | None
) -> None:
    package = ask(world, tmp_path, kind)
    members = unpack(package, tmp_path / "unpacked")
    found = members_with(members, *NEEDLES)
    if kind is None:  # else the search would prove nothing
        assert found >= {"consolidated.gml", "consolidated.gpkg"}
        return
    assert found == set()
    told = manifest(package)
    (owner,) = told["owners"]
    (answer,) = owner["answers"]
    assert answer["withholds"]
    for words in (
        "Her ligger ledninger, som ikke er vist",
        "Grav ikke",
        "Do not dig",
        "Nordby Vand",
        "12345678@",
    ):
        assert words in answer["further_information"]
        gml = members["consolidated.gml"].read_text(encoding="utf-8")
        assert words in gml
    assert (answer["feature_count"], owner["feature_count"]) == (1, 1)
    assert answer["references_left_out"] == 0
    assert told["complete"] == (kind is not SensitivityClass.RESTRICTED)
    notices: list[dict[str, Any]] = told["notices"]
    assert "lines-withheld" in {one["code"] for one in notices}
    texts = [
        path.read_text(encoding="utf-8") for name, path in members.items() if name.lower().endswith(".txt")
    ]
    assert any("ikke er vist" in text and "not dig" in text.lower() for text in texts)


def test_cells_are_a_layer_of_their_own_with_whom_to_call(world: World, tmp_path: Path) -> None:
    package = ask(world, tmp_path, SensitivityClass.SITE_MARKING, plain=False)
    members = unpack(package, tmp_path / "unpacked")
    path = members["consolidated.gpkg"]
    assert layers(path) == {"Graveomraade": 1, "Ledningsejere": 1, "Paavisningsomraade": 1}
    cells = pyogrio.read_dataframe(path, layer="Paavisningsomraade")
    assert cells.geometry.iloc[0].equals(box(575000, 6224000, 575040, 6224020))
    assert all(number % 20 == 0 for number in shapely.get_coordinates(cells.geometry.iloc[0]).ravel())
    assert (cells.owner_cvr.iloc[0], cells.phone.iloc[0]) == (CVR, "12345678")
    assert "20 x 20 m" in cells.information.iloc[0]
    owners = pyogrio.read_dataframe(path, layer="Ledningsejere")
    assert owners.withholds.tolist() == [True]
    assert owners.answer.tolist() == ["udtaget til påvisning - ledningsoplysninger udleveres ikke"]
    said = subprocess.run(["ogrinfo", "-q", str(path)], capture_output=True, text=True, check=True)
    assert "Paavisningsomraade" in said.stdout
    answer = manifest(package)["owners"][0]["answers"][0]
    assert shapely.from_wkt(answer["marking_area_wkt"]).equals(cells.geometry.iloc[0])


def test_a_package_of_owners_without_rules_says_nothing_of_withheld_lines(
    world: World, tmp_path: Path
) -> None:
    package = ask(world, tmp_path, None)
    answer = manifest(package)["owners"][0]["answers"][0]
    assert (answer["withholds"], answer["marking_area_wkt"], answer["further_information"]) == (
        False,
        None,
        None,
    )
    assert "Paavisningsomraade" not in layers(unpack(package, tmp_path / "x")["consolidated.gpkg"])
