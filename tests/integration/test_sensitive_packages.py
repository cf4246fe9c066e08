"""What stands in packages when lines may not be shown: words and cells, and nothing of the lines."""

import logging
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from pyproj import Transformer
from shapely import box

from ler.db.engine import transaction
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.services.sensitivity import make_rule
from tests.databases import Database
from tests.decoded import views
from tests.world import World, layers, manifest, open_world, unpack, valve, water_pipe

CVR, OTHER = "12345678", "87654321"
AREA = box(575000, 6224000, 575040, 6224040)
SECRET_NORTH = 6224007.125
"""An ordinate that only the secret pipe has."""
LATITUDE = Transformer.from_crs(25832, 4258, always_xy=True).transform(575020, SECRET_NORTH)[1]
DRAWN = {"Plan.pdf", "plan.pdf", "overview.png"}
"""Members that show lines without a number or a name of them; that they tell nothing either is seen below."""


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def ask(world: World, folder: Path, kind: SensitivityClass | None, *, plain: bool = True) -> list[Path]:
    """Packages of all owners, and of the one that has a secret."""
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
    return [package.path for package in answered.packages]


NEEDLES = (
    *(b"secret", b"hemmelig", b"6224007.1", b"6224007,1", b"6224007125", b"622400712", b"622400713"),
    *(struct.pack(f"{order}d", SECRET_NORTH) for order in "<>"),
    *(struct.pack(f"{order}f", SECRET_NORTH) for order in "<>"),
    f"{LATITUDE:.9f}"[:-2].encode(),
)


def tells(content: bytes) -> bool:
    """Whether any of the needles is in a file, as it is or decoded."""
    return any(needle in view for view in views(content) for needle in NEEDLES)


@pytest.mark.parametrize("kind", [None, *list(SensitivityClass)[1:]])
def test_nothing_of_a_withheld_line_is_in_any_file(
    world: World, tmp_path: Path, kind: SensitivityClass | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    packages = ask(world, tmp_path, kind)
    assert [manifest(package)["kind"] for package in packages] == ["consolidated", "owner"]
    telling = []
    for package in packages:
        members = unpack(package, tmp_path / f"unpacked-{package.stem}")
        found = {name for name, path in members.items() if tells(path.read_bytes())}
        telling.append(found)
        if kind is None:
            # Else the search would prove nothing: whoever adds a member must make it readable here.
            counts = {one["path"]: one["feature_count"] for one in manifest(package)["members"]}
            kept = {name for name, count in counts.items() if count} - DRAWN
            assert kept - found == {name for name in kept if name.startswith("Graveforespoergsel_")}
        if kind is None and package is packages[0]:
            assert tells(package.read_bytes())
    if kind is None:
        return
    assert telling == [set(), set()]
    assert not any(tells(package.read_bytes()) for package in packages)
    with world.database.connect() as connection:
        recipes = connection.execute("SELECT recipe::text FROM ler.package").fetchall()
    assert len(recipes) == len(packages)
    assert not any(tells(recipe.encode()) for (recipe,) in recipes)
    assert not tells(caplog.text.encode())


@pytest.mark.parametrize("kind", list(SensitivityClass)[1:])
def test_a_package_says_that_lines_are_withheld_and_whom_to_call(
    world: World, tmp_path: Path, kind: SensitivityClass
) -> None:
    package, _ = ask(world, tmp_path, kind)
    members = unpack(package, tmp_path / "unpacked")
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
    package, _ = ask(world, tmp_path, SensitivityClass.SITE_MARKING, plain=False)
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
    package, _ = ask(world, tmp_path, None)
    answer = manifest(package)["owners"][0]["answers"][0]
    assert (answer["withholds"], answer["marking_area_wkt"], answer["further_information"]) == (
        False,
        None,
        None,
    )
    assert "Paavisningsomraade" not in layers(unpack(package, tmp_path / "x")["consolidated.gpkg"])
