"""One service and one set of data for all tests of conformance that a process runs."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from tests.conformance.jobbing import jobbing, jobs_service
from tests.conformance.scene import Suite, inhabit
from tests.databases import SharedCluster
from tests.service import Service, open_service
from tests.world import open_world

__all__ = ["jobbing", "jobs_service"]


@pytest.fixture(scope="session")
def platform(
    shared_cluster: SharedCluster, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service, without a worker."""
    with (
        shared_cluster.database(migrated_template) as database,
        open_world(database) as world,
        open_service(world, tmp_path_factory.mktemp("ogc"), LER_OGC_READS_PER_MINUTE="1000000") as made,
    ):
        made.serve()
        yield made


@pytest.fixture(scope="session")
def inhabitant(platform: Service, tmp_path_factory: pytest.TempPathFactory) -> UUID:
    """An organisation that has something in every collection."""
    return inhabit(platform, tmp_path_factory.mktemp("inhabitant"))


@pytest.fixture(scope="module")
def suite(platform: Service, inhabitant: UUID) -> Suite:
    """The view of that organisation; what one module was answered is not kept for the next, which may write."""
    return Suite(platform.client(platform.token(inhabitant)).http)


@pytest.fixture(scope="module")
def stranger(platform: Service, inhabitant: UUID) -> Suite:  # noqa: ARG001 - that there is something to see
    """The view of who has no token."""
    return Suite(platform.client(None).http)
