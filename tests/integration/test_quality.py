"""The quality of networks: each figure counted by hand, kept for each version, read by its owner alone, and drawn."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import shapely

from geoapi.demo.town import build_town
from ingest.findings import Findings
from ingest.network_checks import check_network
from ingest.quality import (
    WEIGHTS,
    Figure,
    Group,
    Quality,
    VersionQuality,
    list_quality,
    measure_quality,
)
from ingest.quality.figures import BY_LENGTH, quality_from_json
from ingest.quality.picture import draw_quality
from ingest.rules.catalogue import Language
from ler.db.engine import transaction
from ler.errors import RefusedError
from ler.model import Feature
from tests.databases import SharedCluster
from tests.integration.test_command_line import run
from tests.staging import MODEL, staged
from tests.world import World, open_world, valve, water_pipe

NAN = float("nan")
CVR = "12345678"


@pytest.fixture
def world(shared_cluster: SharedCluster, migrated_template: str) -> Iterator[World]:
    with shared_cluster.database(migrated_template) as database, open_world(database) as world:
        yield world


@pytest.fixture
def owner(world: World) -> UUID:
    return world.owner(CVR)


def pipe(gml_id: str, y: float, length: float, z: float = NAN, **more: Any) -> Feature:  # noqa: ANN401 - attributes
    """A pipe of which nothing is known but what is given."""
    line = shapely.LineString([(575000, 6224000 + y, z), (575000 + length, 6224000 + y, z)])
    return Feature("Vandledning", gml_id, more, geometry=line)


def measured(world: World, owner: UUID, *features: Feature) -> Quality:
    with staged(world, owner, features) as (connection, version_id):
        check_network(connection, version_id, Findings(), MODEL)
        quality = measure_quality(connection, version_id)
        stored = list_quality(connection, owner)[-1]
    assert stored.score == pytest.approx(quality.score)
    assert stored.quality.to_json() == quality.to_json()
    return quality


@pytest.mark.parametrize(
    ("name", "known", "unknown"),
    [
        (
            "horizontal_accuracy",
            {"noejagtighedsklasse": "> 2.00 m"},
            {"noejagtighedsklasseVertikal": "<= 0.25 m"},
        ),
        (
            "vertical_accuracy",
            {"noejagtighedsklasseVertikal": "> 2.00 m"},
            {"noejagtighedsklasse": "<= 0.25 m"},
        ),
        ("depth_or_height", {"vejledendeDybde": 800.0}, {}),
        ("depth_or_height", {"z": 2.5}, {}),
        ("established", {"etableringstidspunkt": "1987"}, {"etableringstidspunkt": "before 2023-07-01"}),
        ("outer_size", {"udvendigDiameter": 90.0}, {"udvendigBredde": 90.0}),
        ("outer_size", {"udvendigBredde": 90.0, "udvendigHoejde": 60.0}, {}),
        ("material", {"udvendigMateriale": "PE"}, {"udvendigFarve": ["blå"]}),
    ],
)
def test_a_figure_counts_what_is_known(
    world: World, owner: UUID, name: str, known: dict[str, Any], unknown: dict[str, Any]
) -> None:
    quality = measured(world, owner, pipe("a", 0, 30, **known), pipe("b", 9, 10, **unknown))
    figure = quality.total.figures[name]
    assert (figure.base, figure.known, figure.base_m, figure.known_m) == (2, 1, 40.0, 30.0)
    assert quality.total.share(name) == (0.75 if name in BY_LENGTH else 0.5)
    assert quality.types["Vandledning"].figures[name] == figure


def test_one_unknown_height_makes_the_heights_unknown(world: World, owner: UUID) -> None:
    half = shapely.LineString([(575000, 6224000, 1.0), (575010, 6224000, NAN), (575020, 6224000, 1.0)])
    quality = measured(world, owner, Feature("Vandledning", "a", geometry=half))
    assert quality.total.share("depth_or_height") == 0


def test_only_what_can_have_something_is_counted(world: World, owner: UUID) -> None:
    trace = Feature(
        "Ledningstrace",
        "t",
        {"bredde": 300.0, "indeholdtLedning": ["a"]},
        geometry=shapely.MultiLineString([[(575000, 6224000, 1), (575009, 6224000, 1)]]),
    )
    quality = measured(
        world,
        owner,
        trace,
        Feature("Elledning", "a", {"etableringstidspunkt": "2024-05"}),
        valve("v", 575000, 6224000, 1.0),
        Feature("Informationsressource", "doc"),
    )
    bases = {name: (figure.base, figure.known) for name, figure in quality.total.figures.items()}
    assert bases == {
        "horizontal_accuracy": (1, 0),
        "vertical_accuracy": (1, 0),
        "depth_or_height": (1, 1),
        "established": (2, 1),
        "outer_size": (2, 1),
        "material": (1, 0),
        "references": (1, 1),
        "without_findings": (3, 3),
    }
    assert (quality.total.features, quality.total.length_m) == (3, 9.0)
    assert set(quality.types) == {"Ledningstrace", "Elledning", "Vandkomponent"}
    assert quality.types["Vandkomponent"].score == 100


def test_findings_and_broken_references_lower_the_score(world: World, owner: UUID) -> None:
    quality = measured(world, owner, pipe("a", 0, 9, bilag=["x", "y", "b"]), pipe("b", 5, 9), pipe("c", 5, 9))
    references, clean = (quality.total.figures[name] for name in ("references", "without_findings"))
    # b is no attachment; c lies where b lies.
    assert (references.base, references.known) == (3, 0)
    assert (clean.base, clean.known) == (3, 1)


def test_the_score_is_the_weighted_mean_of_what_can_be_counted() -> None:
    assert sum(WEIGHTS.values()) == 100
    figures = {
        "horizontal_accuracy": Figure(2, 1, 40.0, 10.0),
        "established": Figure(2, 1),
        "material": Figure(0, 0),
    }
    assert Group(2, 40.0, figures).score == pytest.approx(100 * (25 * 0.25 + 10 * 0.5) / 35)
    assert Group(0, 0.0, {}).score is None
    assert Quality(Group(0, 0.0, {}), {}).score == 0


def test_a_network_that_was_not_checked_is_not_measured(world: World, owner: UUID) -> None:
    with (
        staged(world, owner, [pipe("a", 0, 9)]) as (connection, version_id),
        pytest.raises(ValueError, match="checked"),
    ):
        measure_quality(connection, version_id)


def test_every_upload_is_measured_and_only_its_owner_sees_it(
    world: World, owner: UUID, tmp_path: Path
) -> None:
    other = world.owner("87654321", "Sydby Net")
    world.network(CVR, tmp_path, water_pipe("a", (575000, 6224000, NAN), (575050, 6224000, NAN)))
    world.network(CVR, tmp_path, water_pipe("a", (575000, 6224000, 2.0), (575050, 6224000, 2.0)))
    with transaction(world.databases.app, owner) as connection:
        history = list_quality(connection, owner)
    assert [one.number for one in history] == [1, 2]
    assert history[0].score < history[1].score
    assert [one.quality.total.share("depth_or_height") for one in history] == [0.0, 1.0]
    with transaction(world.databases.app, other) as connection:
        assert list_quality(connection, owner) == []


@pytest.mark.usefixtures("owner")
def test_an_upload_that_the_checks_refuse_leaves_nothing(world: World, tmp_path: Path) -> None:
    before = world.counts()
    with pytest.raises(RefusedError, match="1 faults"):
        world.network(
            CVR, tmp_path, water_pipe("a", (575000, 6224000, 1.0), (575009, 6224000, 1.0), startkomponent="a")
        )
    assert world.counts() == before


@pytest.mark.usefixtures("owner")
def test_the_command_shows_and_draws_it(world: World, tmp_path: Path) -> None:
    url = world.database.url()
    nothing = run(url, tmp_path, "network", "quality", "--owner", CVR)
    assert nothing.returncode == 2
    assert "no version of the network of Nordby Net has been measured" in nothing.stderr
    world.network(CVR, tmp_path, water_pipe("a", (575000, 6224000, 1.0), (575009, 6224000, 1.0)))
    shown = run(url, tmp_path, "network", "quality", "--owner", CVR, "--picture", "q.png", "--language", "da")
    assert shown.returncode == 0, shown.stderr
    assert "version 1, score" in shown.stdout
    assert (tmp_path / "q.png").read_bytes().startswith(b"\x89PNG")
    (told,) = json.loads(run(url, tmp_path, "network", "quality", "--owner", CVR, "--json").stdout)
    assert told["version"] == 1
    assert told["total"]["figures"]["horizontal_accuracy"]["share_by_length"] == 1.0
    assert quality_from_json(told).score == pytest.approx(told["score"], abs=0.05)


def history_of(count: int) -> list[VersionQuality]:
    figures = {name: Figure(10, number % 11, 10.0, float(number % 11)) for number, name in enumerate(WEIGHTS)}
    quality = Quality(Group(1234, 5678.0, figures | {"material": Figure(0, 0)}), {})
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return [VersionQuality(number + 1, "published", day, 40.0 + number, quality) for number in range(count)]


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_the_picture_is_drawn_in_each_format(
    tmp_path: Path, suffix: str, start: bytes, language: Language
) -> None:
    path = tmp_path / f"quality{suffix}"
    for count in (1, 40):
        draw_quality(history_of(count), "Nordby " * 40, path, language)
        assert path.read_bytes().startswith(start)
        assert path.stat().st_size > 4000


def test_a_picture_of_nothing_or_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="measured"):
        draw_quality([], "Nordby", tmp_path / "q.png")
    with pytest.raises(RefusedError, match=r"\.png, \.svg or \.pdf"):
        draw_quality(history_of(1), "Nordby", tmp_path / "q.gif")
    assert list(tmp_path.iterdir()) == []


def test_the_companies_of_the_demo_town_score_between_half_and_all(world: World) -> None:
    company = build_town().owners[1]
    quality = measured(world, world.owner(company.cvr, company.name, None), *company.features)
    assert 50 < quality.score < 100
    assert quality.total.share("references") == 1
