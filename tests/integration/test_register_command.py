"""The register at the command line: the same services, in words for a person or in JSON for a program."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import shapely
from shapely import box
from typer.testing import CliRunner

from geoapi.cli import app
from tests.databases import Database
from tests.world import World, open_world

OWNER, PROVIDER = "12345678", "87654321"
AREA = box(575000, 6224000, 575100, 6224100)
CONTACT = "--person", "Ane", "--email", "ane@example.dk"


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


class Ler:
    """The command, in a folder of its own and over one database."""

    def __init__(self, world: World, folder: Path) -> None:
        self._environment = {"LER_DATABASE_URL": world.database.url(), "NO_COLOR": "1", "COLUMNS": "200"}
        self.file = folder / "area.geojson"
        self.file.write_text(json.dumps(shapely.geometry.mapping(AREA)), encoding="utf-8")

    def __call__(self, *words: str) -> str:
        """What it prints when all is well."""
        done = CliRunner().invoke(app, [*words], env=self._environment)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    def json(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self(*words, "--json"))

    def refused(self, *words: str) -> str:
        """What it says when it does nothing."""
        done = CliRunner().invoke(app, [*words], env=self._environment)
        assert done.exit_code == 2, done.output
        return done.stderr


@pytest.fixture
def ler(world: World, tmp_path: Path) -> Ler:
    made = Ler(world, tmp_path)
    made("organisation", "add", "Nordby Vand", "--cvr", OWNER, "--role", "owner", "--duty", "supply-network")
    return made


def test_organisations_are_entered_changed_and_listed(ler: Ler) -> None:
    person = ler("organisation", "add", "Jens Hansen", "--role", "private", "--email", "jens@x.dk")
    ler("organisation", "change", person, "--anonymous", "--language", "en")
    ler("organisation", "change", OWNER, "--name", "Nordby Forsyning", "--phone", "12345678")
    assert "eight digits" in ler.refused("organisation", "add", "x", "--cvr", "1", "--role", "owner")
    assert "registered already" in ler.refused("organisation", "add", "x", "--cvr", OWNER, "--role", "owner")
    assert "unnamed" in ler.refused("organisation", "change", OWNER, "--anonymous")
    assert "no such organisation" in ler.refused("organisation", "change", str(uuid4()))
    assert "no organisation" in ler.refused("organisation", "change", "99999999")
    rows = {row["name"]: (row["cvr"], row["roles"], row["phone"]) for row in ler.json("organisation", "list")}
    assert rows == {
        "Platform operator": (None, ["operator"], None),
        "Nordby Forsyning": (OWNER, ["owner"], "12345678"),
        "Jens Hansen": (None, ["private"], None),
    }
    assert "Nordby Forsyning" in ler("organisation", "list")
    assert [row["name"] for row in ler.json("owner", "list")] == ["Nordby Forsyning"]


def test_an_area_has_a_number_revisions_and_an_end(ler: Ler) -> None:
    file = str(ler.file)
    number = ler("area", "add", OWNER, file, "--utility-type", "vand", *CONTACT, "--answered-by", "owner")
    ler("area", "change", number, "--remark", "flyttet", "--utility-type", "vand", "--utility-type", "gas")
    assert "already" in ler.refused("area", "change", number, "--remark", "flyttet")
    assert "utility type" in ler.refused("area", "add", OWNER, file, *CONTACT)
    shown = {"utility_types", "answered_by", "remark", "km2", "revision"}
    rows = [{key: row[key] for key in shown} for row in ler.json("area", "list", "--owner", OWNER)]
    assert rows == [
        {
            "utility_types": ["vand", "gas"],
            "answered_by": "owner",
            "remark": "flyttet",
            "km2": 0.01,
            "revision": 2,
        }
    ]
    ler("area", "end", number)
    assert "no interest area" in ler.refused("area", "end", number)
    assert ler.json("area", "list") == []
    assert [row["revision"] for row in ler.json("area", "list", "--ended")] == [2]
    assert [row["revision"] for row in ler.json("area", "history", number)] == [1, 2]


def test_members_contacts_mandates_and_grants_come_and_go(ler: Ler) -> None:
    member = ler("member", "add", OWNER, "Ane", "ane@x.dk", "--administrator")
    assert [row["administrator"] for row in ler.json("member", "list", OWNER)] == [True]
    ler("member", "end", member)
    assert ler.json("member", "list", OWNER) == []
    assert [row["id"] for row in ler.json("member", "list", OWNER, "--ended")] == [member]

    contact = ler("contact", "add", OWNER, "Vagten", "--phone", "112", "--purpose", "emergency")
    assert [row["purpose"] for row in ler.json("contact", "list", OWNER)] == ["emergency"]
    ler("contact", "remove", OWNER, contact)
    assert ler.json("contact", "list", OWNER) == []
    assert "phone number" in ler.refused("contact", "add", OWNER, "Vagten")

    ler("organisation", "add", "Robot", "--cvr", PROVIDER, "--role", "provider")
    mandate = ler("mandate", "give", OWNER, PROVIDER, "--scope", "answer:read", "--until", "2099-05-04")
    (row,) = ler.json("mandate", "list")
    assert (row["owner_name"], row["provider_name"], row["scopes"]) == (
        "Nordby Vand",
        "Robot",
        ["answer:read"],
    )
    assert row["valid_to"] == "2099-05-03 22:00:00+00:00"
    ler("mandate", "end", mandate)
    assert ler.json("mandate", "list")[0]["revoked_at"]
    assert "no provider" in ler.refused("mandate", "give", OWNER, "11111111", "--scope", "answer:read")

    grant = ler("grant", "add", OWNER, "authority", "--area", str(ler.file), "--note", "erklæring")
    found = {row["role"]: row for row in ler.json("grant", "list", OWNER)}
    assert (found["authority"]["km2"], found["owner"]["km2"]) == (0.01, None)
    ler("grant", "end", grant)
    assert "no such grant" in ler.refused("grant", "end", grant)
    assert "'soon' is not a date" in ler.refused("grant", "add", OWNER, "authority", "--until", "soon")
