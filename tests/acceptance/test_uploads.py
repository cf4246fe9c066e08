"""An owner's upload from announcement to publication, over HTTP with a real worker."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from tests.answers import answer
from tests.databases import Database
from tests.service import Client, Service, open_service
from tests.world import open_world

CVR = "12345678"
GML = answer().encode()


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    with open_world(database) as world, open_service(world, tmp_path) as made:
        yield made


@pytest.fixture
def owner(service: Service) -> UUID:
    return service.world.owner(CVR)


def test_from_announcement_to_publication(service: Service, owner: UUID) -> None:
    service.serve()
    service.work()
    client = service.client(service.token(owner))

    address = client.upload(GML)
    waiting = client.wait(address, "needs_approval")
    assert waiting["reasons"] == ["owner-decides"]
    tag = client.http.get(address).headers["ETag"]
    approved = client.http.post(f"{address}/approve", headers={"If-Match": tag})

    assert approved.status_code == 202, approved.text
    published = client.wait(address, "published")
    assert (published["version"], published["features"]) == (1, 2)
    with service.world.database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM ler.network_feature").fetchone()
    assert row == (2,)
    assert json.loads(client.http.get(f"{address}/report").text)["files"][0]["file"] == "net.gml"
