"""`ler sensitivity`: rules made and ended, answers that wait, the owner's word."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from shapely import box

from ler.db.tables import PLATFORM_OPERATOR
from tests.databases import Database
from tests.integration.test_command_line import area_file, ler
from tests.sensitive_scene import ask_beside, withhold_something
from tests.world import World, open_world

CVR = "12345678"


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def test_an_owner_rules_sees_what_waits_and_decides(world: World, tmp_path: Path) -> None:
    area = withhold_something(world, world.owner(CVR, area=None), tmp_path)
    ask_beside(world, area, PLATFORM_OPERATOR)
    whose = ("--owner", CVR)
    listed = ler(world, tmp_path, "sensitivity", "withheld", *whose, "--json")
    assert listed.returncode == 0, listed.stderr
    (waiting,) = json.loads(listed.stdout)
    assert (waiting["awaits_decision"], waiting["features"]) == (True, ["secret"])
    assert "yes" in ler(world, tmp_path, "sensitivity", "withheld", *whose).stdout
    decided = ler(world, tmp_path, "sensitivity", "decide", waiting["answer"], *whose, "--yes")
    assert decided.returncode == 0, decided.stderr
    again = ler(world, tmp_path, "sensitivity", "decide", waiting["answer"], *whose, "--no")
    assert (again.returncode, again.stdout) == (2, "")
    assert "awaits your word" in again.stderr
    assert json.loads(ler(world, tmp_path, "sensitivity", "withheld", *whose, "--json").stdout) == []


def test_rules_are_made_and_ended_for_an_owner_and_for_all(world: World, tmp_path: Path) -> None:
    world.owner(CVR)
    file = area_file(tmp_path, box(575000, 6224000, 575100, 6224100))
    made = ler(
        *(world, tmp_path, "sensitivity", "add", "site-marking", "--owner", CVR, "--utility-type", "el"),
        *("--danger", "meget farlig", "--area", file, "--reason", "by contract"),
    )
    assert made.returncode == 0, made.stderr
    everybody = ler(world, tmp_path, "sensitivity", "add", "never", "--area", file)
    assert everybody.returncode == 0, everybody.stderr
    for whose, rule, kind in ((("--owner", CVR), made, "site-marking"), ((), everybody, "never")):
        shown = ler(world, tmp_path, "sensitivity", "rules", *whose, "--json")
        assert [(one["id"], one["class"]) for one in json.loads(shown.stdout)] == [
            (rule.stdout.strip(), kind)
        ]
        assert kind in ler(world, tmp_path, "sensitivity", "rules", *whose).stdout
        ended = ler(world, tmp_path, "sensitivity", "end", rule.stdout.strip(), *whose)
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ler(world, tmp_path, "sensitivity", "rules", *whose, "--json").stdout) == []
    for words in (
        ("add", "restricted", "--owner", CVR),
        ("add", "normal", "--gml-id", "a"),
        ("end", made.stdout.strip(), "--owner", CVR),
        ("add", "restricted", "--owner", "99999999", "--gml-id", "a"),
    ):
        refused = ler(world, tmp_path, "sensitivity", *words)
        assert (refused.returncode, refused.stdout) == (2, ""), words
        assert refused.stderr
