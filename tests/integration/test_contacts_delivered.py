"""Contacts in the package: for the kind of the request and the lines that were asked for, in words and in the GML."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shapely import MultiPolygon, box

from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.contacts import ContactForm
from ler.domain.registration import AreaForm
from ler.domain.request_rules import DigKind
from ler.services.areas import create_area
from ler.services.contacts import add_contact, list_request_contacts
from tests.databases import Database
from tests.world import World, manifest, open_world, unpack, water_pipe

AREA = box(575000, 6224000, 575100, 6224100)
CVR = "12345678"


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def test_the_package_says_whom_to_turn_to(world: World, tmp_path: Path) -> None:
    owner = world.owner(CVR, area=None)
    silent = world.owner("87654321", "Tavs Net")
    form = AreaForm(("vand",), "", contact_address="Havnen 1", contact_email="havn@example.dk")
    with transaction(world.databases.app, owner) as connection:
        create_area(connection, owner, owner, form, MultiPolygon([AREA.buffer(100)]))
        for one in (
            ContactForm("Vagten", phone="112", purpose="emergency", utility_type="vand"),
            ContactForm("Gasvagten", phone="113", purpose="emergency", utility_type="gas"),
            ContactForm("Kontoret", email="kontor@example.dk"),
        ):
            add_contact(connection, owner, one)
    world.network(CVR, tmp_path, water_pipe("a", (575010, 6224010, 1.0), (575090, 6224010, 1.0)))

    def told(kind: DigKind) -> tuple[list[str], Any, str]:
        answered = world.ask(AREA, tmp_path / kind, kind=kind)
        path = answered.packages[0].path
        entry = next(one for one in manifest(path)["owners"] if one["cvr"] == CVR)
        members = unpack(path, tmp_path / f"{kind}-members")
        return (
            [one["name"] for one in entry["contacts"]],
            entry,
            members["consolidated.gml"].read_text("utf-8"),
        )

    names, entry, gml = told(DigKind.EMERGENCY)
    assert names == ["Vagten", "Kontoret", "Havnen 1"]
    assert entry["contacts"][0]["phone"] == "112"
    assert "<ler:navn>Vagten</ler:navn><ler:telefonnummer>112</ler:telefonnummer>" in gml
    names, _, gml = told(DigKind.DIG)
    assert names == ["Kontoret", "Havnen 1"]
    assert "<ler:navn>Kontoret</ler:navn><ler:mailadresse>kontor@example.dk</ler:mailadresse>" in gml
    with transaction(world.databases.app, silent) as connection:
        add_contact(connection, silent, ContactForm("Formanden", phone="99887766"))
    answered = world.ask(AREA, tmp_path / "missing")
    readme = [
        path
        for name, path in unpack(answered.packages[0].path, tmp_path / "words").items()
        if name.endswith(".txt")
    ]
    assert any("Tavs Net (Formanden, 99887766)" in path.read_text("utf-8") for path in readme)
    # The requester is told at once, though not of the contacts of areas, which are not its to see.
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        shown = list_request_contacts(connection, answered.request.id)
    assert {one.name for one in shown[silent]} == {"Formanden"}
