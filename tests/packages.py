"""Requests and their packages over HTTP: asked, waited for, downloaded and opened."""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from tests.service import AREA, Client, Service, eventually
from tests.world import water_pipe


@dataclass
class Asked:
    """A request of one program."""

    client: Client
    requester: UUID
    id: UUID

    @property
    def address(self) -> str:
        return f"/api/v1/requests/{self.id}"

    def listed(self) -> dict[str, Any]:
        answer = self.client.http.get(f"{self.address}/packages")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def packed(self, revision: int = 1) -> dict[str, Any]:
        """Wait until all packages of a revision are made; return the consolidated one."""
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self.listed())
            return found["revision"] >= revision and not found["being_made"]

        eventually(there)
        first: dict[str, Any] = found["packages"][0]
        assert (first["kind"], first["current"]) == ("consolidated", True)
        return first

    def download(self, package: dict[str, Any], **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.http.get(package["file"], headers=given)


def central(service: Service, folder: Path, number: int, pipes: int = 2) -> UUID:
    """Register an owner whose published network has some pipes in the area."""
    west, south, *_ = AREA.bounds
    owner = service.world.owner(f"3000{number:04}", f"Central {number}")
    lines = [
        water_pipe(f"p{n}", (west + 10 + n % 80, south + 5 + number, 1), (west + 11 + n % 80, south + 90, 1))
        for n in range(pipes)
    ]
    service.world.network(f"3000{number:04}", folder, *lines)
    return owner


def ask(service: Service, **changes: Any) -> Asked:  # noqa: ANN401 - fields of NewRequest
    requester = service.owner()
    client = service.client(service.token(requester))
    return Asked(client, requester, service.asks(requester, **changes))


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def manifest_of(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(opened(content)["manifest.json"])
    return found
