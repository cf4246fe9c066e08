"""Requests, owners, versions, time and crashes in any order that chance finds, against a model in plain Python.

A run is repeated by LER_MODEL_SEED, which every run prints; LER_MODEL_EXAMPLES plays longer. After every step stand the
invariants of the platform: what is stored and told is what the model says, each once; nobody sees another's rows; the
packages say what holds and no more; the trail is whole.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from geoapi.database import Databases
from geoapi.packing import pack_request
from ler.db.engine import create_engine, create_read_pool
from ler.domain.answers import AnswerType
from ler.rules_in_force import manual_due
from ler.services.answers import NewAnswer, give_answer, list_asked
from ler.settings import Settings
from tests.databases import Database
from tests.integration.test_db_world import World
from tests.life_machine import LifeMachine
from tests.life_packages import read_package
from tests.life_scene import PLACES, Scene

SEED: Final = "LER_MODEL_SEED"
EXAMPLES: Final = "LER_MODEL_EXAMPLES"
SHRINK: Final = "LER_MODEL_SHRINK"
PHASES: Final = (Phase.reuse, Phase.generate, *([Phase.shrink] if os.environ.get(SHRINK) else []))
"""A play of twenty acts is short enough to read; to make it shorter takes minutes, which only who looks for it has."""


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Iterator[Scene]:
    world = World(database)
    app = create_engine(database.url("ler_app"))
    databases = Databases(
        app, create_engine(database.url("ler_worker")), create_read_pool(database.url("ler_app"))
    )
    made_of = Settings(
        blob_dir=tmp_path / "blobs", upload_dir=tmp_path / "uploads", audit_dir=tmp_path / "audit"
    )
    made = Scene(world, databases, made_of)
    yield made
    made.close()
    world.close()
    databases.app.dispose()
    databases.worker.dispose()


def test_the_life_of_requests_is_as_the_model_says(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = int(os.environ.get(SEED, "0")) or random.SystemRandom().randrange(1, 2**32)
    print(f"{SEED}={chosen}")  # noqa: T201 - how the run is repeated

    @seed(chosen)
    def play() -> LifeMachine:
        return LifeMachine(scene, monkeypatch)

    run_state_machine_as_test(
        play,  # type: ignore[arg-type]  # it calls what it is given
        settings=settings(
            max_examples=int(os.environ.get(EXAMPLES, "100")),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            print_blob=True,
            report_multiple_bugs=False,
            phases=PHASES,
        ),
    )


# What a play has found, plainly.


def test_a_package_made_after_the_end_does_not_say_that_all_have_answered(scene: Scene) -> None:
    digger, world = scene.diggers[0], scene.world
    request = world.request(digger, PLACES["we"])
    world.match(digger, request)
    with world.acting(scene.owners["alone"]) as connection:
        (asked,) = list_asked(connection, most=5)
        give_answer(connection, asked.id, NewAnswer(AnswerType.MANUAL), manual_due(scene.settings))
    scene.work.sweep()  # its last day is long over, and no worker has come to make its package
    assert pack_request(scene.databases, scene.store, request)
    manifest, _ = read_package(scene, scene.newest_package(request, None))
    owners = {one["name"]: one for one in manifest["owners"]}
    assert {area["state"] for one in owners.values() for area in one["areas"]} == {"ended"}
    assert {name: one["answered"] for name, one in owners.items()} == {
        "central": True,
        "alone": False,
        "both": False,
        "twice": False,
    }
    assert not manifest["complete"]
    (missing,) = [one for one in manifest["notices"] if one["code"] == "answers-missing"]
    assert len(missing["owners"]) == 3
    assert all("did not answer before the request ended" in one["en"] for one in missing["owners"])
    assert "all-answered" not in {one["code"] for one in manifest["notices"]}
