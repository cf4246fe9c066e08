"""What a requester is told: the price before anything is entered, and the receipt with due times after."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely import LineString, box
from shapely.geometry.base import BaseGeometry

from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.deadlines import DeadlineKind, due_at
from ler.domain.legal_time import legal_day, local
from ler.rules_in_force import deadline_rules, working_calendar
from ler.services.charges import list_asked
from ler.settings import Settings
from tests.databases import Database
from tests.integration.test_command_line import PERIOD, area_file, ler
from tests.world import World, open_world, water_pipe

SETTINGS = Settings()
ADDRESS = "0a3f50a0-0001-32b8-e044-0003ba298018"


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


def request(world: World, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return ler(world, folder, "request", *words, *PERIOD, "--out", "out")


def receipt(world: World, folder: Path, *words: str) -> dict[str, Any]:
    asked = request(world, folder, *words, "--json")
    assert asked.returncode == 0, asked.stderr
    found: dict[str, Any] = json.loads(asked.stdout)["receipt"]
    return found


def save(folder: Path, name: str, *geometries: BaseGeometry) -> str:
    features = [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(geometry)}
        for geometry in geometries
    ]
    (folder / name).write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
    return name


def test_the_receipt_tells_area_price_owners_and_until_when(world: World, tmp_path: Path) -> None:
    world.owner("10000001", "Nordby Vand")
    world.owner("10000002", "Tavs Forsyning")
    world.network("10000001", tmp_path, water_pipe("p", (575010, 6224010, 1), (575020, 6224010, 1)))

    told = receipt(world, tmp_path, area_file(tmp_path), "--address", ADDRESS)

    assert told["address_ids"] == [ADDRESS]
    received = datetime.fromisoformat(told["received_at"])
    assert abs(received - datetime.now(UTC)) < timedelta(minutes=2)
    calendar = working_calendar(SETTINGS, legal_day(received).year)
    due = due_at(received, DeadlineKind.ORDINARY, calendar, deadline_rules(SETTINGS))
    assert told["area_m2"] == "10000.00"
    assert told["price"] == {
        "amount": "70.00",
        "currency": "DKK",
        "price_per_m2": "0.007",
        "capped": False,
        "valid_from": "2023-01-01",
    }
    assert (told["kind"], told["already_started"]) == ("dig", False)
    assert [
        (owner["cvr"], owner["answer_type"], len(owner["interest_areas"])) for owner in told["owners"]
    ] == [
        ("10000001", "ledningsoplysninger udleveret", 1),
        ("10000002", None, 1),
    ]
    for owner in told["owners"]:
        assert datetime.fromisoformat(owner["due_at"]) == due.replace(microsecond=0)
        assert owner["due_at"].endswith(local(due).strftime("%z")[:3] + ":00")


def test_people_read_the_price_first_and_due_times_in_legal_time(world: World, tmp_path: Path) -> None:
    world.owner("10000002", "Tavs Forsyning")
    asked = request(world, tmp_path, area_file(tmp_path), "--kind", "emergency", "--already-started")
    assert asked.returncode == 0, asked.stderr
    assert asked.stderr.startswith("Area 10,000.00 m², price 70.00 DKK without VAT (0.007 DKK/m²)")
    assert "(emergency, already started), received" in asked.stdout
    assert "Must answer by" in asked.stdout
    (row,) = (line for line in asked.stdout.splitlines() if "Tavs Forsyning" in line)
    assert row.rstrip(" │").endswith(("CET", "CEST"))


def test_planning_is_no_leave_to_dig(world: World, tmp_path: Path) -> None:
    asked = request(world, tmp_path, area_file(tmp_path), "--kind", "planning")
    assert asked.returncode == 0, asked.stderr
    assert "DO NOT DIG on this" in asked.stderr


def test_the_price_is_told_before_anything_is_entered(world: World, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way", encoding="utf-8")
    before = world.counts()
    refused = request(world, tmp_path, area_file(tmp_path))
    assert refused.returncode == 2
    assert "price 70.00 DKK" in refused.stderr
    assert "cannot be used as a folder" in refused.stderr
    assert world.counts() == before


REFUSED: dict[str, tuple[Sequence[str], str]] = {
    "begun and no emergency": (("--already-started",), "only an emergency"),
    "too long a description": (("--description", "x" * 101), "101 characters, at most 100"),
    "too wide a corridor": (("--corridor-width", "61"), "corridor of 61.0 m"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_asked_is_refused_in_one_line_and_has_no_price(
    world: World, tmp_path: Path, case: str
) -> None:
    words, message = REFUSED[case]
    before = world.counts()
    refused = request(world, tmp_path, area_file(tmp_path), *words)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert refused.stderr.count("\n") == 1, refused.stderr
    assert world.counts() == before


def test_a_period_in_the_past_is_refused_unless_an_urgent_dig_has_begun(world: World, tmp_path: Path) -> None:
    long_begun = f"{datetime.now(UTC).date() - timedelta(days=2)}"
    words = ("request", area_file(tmp_path), *PERIOD, "--from", long_begun, "--out", "out")
    before = world.counts()
    refused = ler(world, tmp_path, *words)
    assert refused.returncode == 2
    assert f"the period begins {long_begun}" in refused.stderr
    assert world.counts() == before
    begun = ler(world, tmp_path, *words, "--kind", "emergency", "--already-started")
    assert begun.returncode == 0, begun.stderr


def test_a_line_and_a_width_make_a_corridor(world: World, tmp_path: Path) -> None:
    line = save(tmp_path, "line.geojson", LineString([(575000, 6224000), (575100, 6224000)]))
    refused = request(world, tmp_path, line)
    assert refused.returncode == 2
    assert "needs the width of its corridor" in refused.stderr
    assert receipt(world, tmp_path, line, "--corridor-width", "4")["area_m2"] == "400.00"


def test_several_files_and_polygons_make_one_area(world: World, tmp_path: Path) -> None:
    first = save(
        tmp_path,
        "first.geojson",
        box(575000, 6224000, 575010, 6224010),
        box(575005, 6224000, 575020, 6224010),
    )
    second = save(tmp_path, "second.geojson", box(575015, 6224000, 575030, 6224010))
    assert receipt(world, tmp_path, first, second)["area_m2"] == "300.00"
    far = save(tmp_path, "far.geojson", box(575500, 6224000, 575510, 6224010))
    refused = request(world, tmp_path, first, far)
    assert refused.returncode == 2
    assert "number 3 stands apart" in refused.stderr


def test_what_was_asked_before_in_the_year_counts_and_only_ones_own(world: World, tmp_path: Path) -> None:
    stranger = world.owner("10000001", "Nordby Vand")
    first = world.ask(box(575000, 6224000, 575100, 6224100), tmp_path / "a")
    world.ask(box(575000, 6224000, 575010, 6224010), tmp_path / "b")
    day = legal_day(first.request.created_at)
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        found = list_asked(connection, PLATFORM_OPERATOR, day.year)
        earlier = list_asked(connection, PLATFORM_OPERATOR, day.year - 1)
    assert [(asked.day, round(asked.area_m2, 6)) for asked in found] == [(day, 10_000), (day, 100)]
    assert earlier == []
    with transaction(world.databases.app, stranger) as connection:
        assert list_asked(connection, stranger, day.year) == []
        assert list_asked(connection, PLATFORM_OPERATOR, day.year) == []
