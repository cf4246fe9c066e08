"""One service for the tests of a module, each of which registers owners of its own; `new_service` is a test's alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Database, SharedCluster
from tests.packages import Asked, ask
from tests.service import Service, open_service
from tests.world import open_world


@pytest.fixture(scope="module")
def service(
    request: pytest.FixtureRequest,
    shared_cluster: SharedCluster,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """The HTTP service, without a worker; a module's `SERVICE_SETTINGS` go on top of the usual ones."""
    settings = {"LER_BODY_TIMEOUT_S": "2", "LER_REFUSALS_PER_MINUTE": "100000"}
    settings |= getattr(request.module, "SERVICE_SETTINGS", {})
    folder = tmp_path_factory.mktemp("service")
    with (
        shared_cluster.database(migrated_template) as database,
        open_world(database) as world,
        open_service(world, folder, **settings) as made,
    ):
        made.serve()
        yield made


@pytest.fixture(scope="module")
def worked(service: Service) -> Service:
    """The service with a worker."""
    service.work()
    return service


@pytest.fixture(scope="module")
def asked(worked: Service, owners: None) -> Asked:  # noqa: ARG001 - those who are asked
    """A request whose packages are made; the module has the fixture `owners`."""
    found = ask(worked)
    found.packed()
    return found


@pytest.fixture
def new_service(database: Database, tmp_path: Path) -> Iterator[Service]:
    """A service without processes; the test starts them."""
    with open_world(database) as world, open_service(world, tmp_path) as made:
        yield made
