"""Fixtures of all tests. `database` is migrated and fresh for each test, `empty_database` has no tables, `home` is for a
cluster of the test's own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from geoapi.cluster import Cluster
from ler.errors import LerError
from tests.databases import Database, SharedCluster

_SHARED = pytest.StashKey[SharedCluster]()


def pytest_configure(config: pytest.Config) -> None:
    # Held from here by the controller too, so that the cluster outlives the first worker that is done.
    shared = SharedCluster()
    shared.hold()
    config.stash[_SHARED] = shared


def pytest_unconfigure(config: pytest.Config) -> None:
    shared = config.stash.get(_SHARED, None)
    if shared is not None:
        shared.release()


@pytest.fixture(scope="session")
def shared_cluster(request: pytest.FixtureRequest) -> SharedCluster:
    return request.config.stash[_SHARED]


@pytest.fixture(scope="session")
def migrated_template(shared_cluster: SharedCluster, testrun_uid: str) -> str:
    return shared_cluster.template(testrun_uid, migrated=True)


@pytest.fixture(scope="session")
def empty_template(shared_cluster: SharedCluster, testrun_uid: str) -> str:
    return shared_cluster.template(testrun_uid, migrated=False)


@pytest.fixture
def database(shared_cluster: SharedCluster, migrated_template: str) -> Iterator[Database]:
    with shared_cluster.database(migrated_template) as made:
        yield made


@pytest.fixture
def empty_database(shared_cluster: SharedCluster, empty_template: str) -> Iterator[Database]:
    with shared_cluster.database(empty_template) as made:
        yield made


@pytest.fixture
def home() -> Iterator[Path]:
    # Not tmp_path: pytest closes its folders to the user as whom PostgreSQL runs.
    outer = Path(tempfile.mkdtemp(prefix="ler-cluster-"))
    outer.chmod(0o755)
    yield outer / "home"
    with suppress(LerError):  # a test may have made the folder unusable
        Cluster(outer / "home").stop()
    shutil.rmtree(outer)
