"""The HTTP service and its worker as processes of their own, over a test's database; they can be killed at any point."""

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from psycopg import sql
from shapely import Polygon, box

from conflicts.match import match_request
from geoapi.packing import package_options
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.domain.roles import Role
from ler.faults import VARIABLE
from ler.packages.contents import PackageOptions
from ler.rules_in_force import due_by_default_rules
from ler.services.grants import grant_role
from ler.services.requests import NewRequest, create_request
from ler.services.tokens import create_token
from ler.settings import Settings
from tests.world import World

UPLOADS = "/api/v1/uploads"
AREA = box(575000, 6224000, 575100, 6224100)
PATIENCE_S = 40.0
BOOKKEEPING = {"audit_event", "audit_link", "audit_unsealed", "call_bucket", "migration"}
"""Tables that grow with every call, refused or not."""
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody. The service speaks plain HTTP, and reading all the roots of the web takes a client 25 ms."""
ENDED = {"rejected", "unchanged", "published", "discarded", "expired", "failed"}


@dataclass
class Service:
    """One service over one database and one folder, with whatever processes are started for it."""

    world: World
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)
    _clients: list[httpx.Client] = field(default_factory=list)
    _owners: int = 0
    url: str = ""

    @property
    def files(self) -> Path:
        return self.folder / "uploads"

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def options(self) -> PackageOptions:
        """With what the workers make packages."""
        return package_options(Settings(key_dir=self.keys, public_url=self.settings.get("LER_PUBLIC_URL")))

    def serve(self, *, fault: str = "") -> subprocess.Popen[str]:
        """Start the HTTP service on a free port and wait until it listens."""
        process = self._start("serve", "--port", "0", fault=fault)

        def listens() -> bool:
            assert process.poll() is None, self.said()
            return any(line.startswith("Listening on ") for line in self.said())

        eventually(listens)
        self.url = self.said()[0].removeprefix("Listening on ")
        return process

    def said(self) -> list[str]:
        """What the service that was started last has written."""
        logs = self.folder.glob("serve-*.log")
        return max(logs, key=lambda path: path.stat().st_ctime).read_text(encoding="utf-8").splitlines()

    def work(self, *, fault: str = "") -> subprocess.Popen[str]:
        """Start a worker."""
        return self._start("worker", fault=fault)

    def alive(self) -> bool:
        """Whether every process that was started still runs."""
        return all(process.poll() is None for process in self._processes)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """End a process without a chance to clean up."""
        process.send_signal(signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        for client in self._clients:
            client.close()
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def _start(self, *words: str, fault: str) -> subprocess.Popen[str]:
        environment = os.environ | {
            "LER_DATABASE_URL": self.world.database.url(),
            "LER_UPLOAD_DIR": str(self.files),
            "LER_BLOB_DIR": str(self.blobs),
            "LER_KEY_DIR": str(self.keys),
            "LER_SWEEP_S": "0.5",
            "NO_COLOR": "1",
            **self.settings,
        }
        if fault:
            environment[VARIABLE] = fault
        log = (self.folder / f"{words[0]}-{len(self._processes)}.log").open("w", encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "geoapi.cli", *words],
            cwd=self.folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        log.close()
        self._processes.append(process)
        return process

    def token(self, owner_id: UUID, *scopes: Scope, days: int = 1) -> str:
        with transaction(self.world.databases.app, PLATFORM_OPERATOR) as connection:
            return create_token(connection, owner_id, scopes=scopes or [*Scope], days=days)

    def owner(self) -> UUID:
        """Register one more organisation that has lines and digs, which together may do all there is to do."""
        self._owners += 1
        made = self.world.owner(f"{20000000 + self._owners}", area=None)
        with transaction(self.world.databases.app, PLATFORM_OPERATOR) as connection:
            grant_role(connection, made, Role.EXCAVATOR)
        return made

    def asks(self, requester: UUID, area: Polygon = AREA, **changes: Any) -> UUID:  # noqa: ANN401 - fields of NewRequest
        """Enter a request and match it, as the service does in one transaction."""
        wanted = replace(NewRequest(area, date(2026, 12, 1), date(2026, 12, 14), "test"), **changes)
        with transaction(self.world.databases.app, requester) as connection:
            made = create_request(connection, requester, wanted)
            match_request(connection, made.id, due_by_default_rules)
        return made.id

    def client(self, token: str | None) -> "Client":
        """Return a program with a token, or without."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        http = httpx.Client(base_url=self.url, headers=headers, timeout=30, verify=NO_TLS)
        self._clients.append(http)
        return Client(http)

    def program(self) -> "Client":
        """Return the program of a new owner, which may do everything."""
        return self.client(self.token(self.owner()))


@dataclass
class Client:
    """An owner's program."""

    http: httpx.Client

    def announce(
        self,
        content: bytes,
        *,
        key: str = "",
        name: str = "net.gml",
        **more: Any,  # noqa: ANN401 - fields of the body
    ) -> httpx.Response:
        body = {"file_name": name, "size": len(content)} | more
        return self.http.post(UPLOADS, json=body, headers={"Idempotency-Key": key or uuid4().hex})

    def upload(self, content: bytes, **more: Any) -> str:  # noqa: ANN401 - fields of the body
        """Announce and send a file in one part; return the upload's address."""
        announced = self.announce(content, **more)
        assert announced.status_code == 201, announced.text
        address = announced.headers["Location"]
        sent = self.part(address, content, 0, complete=True)
        assert sent.status_code == 202, sent.text
        return str(address)

    def part(
        self, address: str, content: bytes, offset: int, *, complete: bool = False, **headers: str
    ) -> httpx.Response:
        given = {
            "Content-Type": "application/partial-upload",
            "Upload-Offset": str(offset),
            "Upload-Complete": "?1" if complete else "?0",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.patch(f"{address}/content", content=content, headers=given)

    def offset(self, address: str) -> int:
        answer = self.http.head(f"{address}/content")
        assert answer.status_code == 204
        return int(answer.headers["Upload-Offset"])

    def state(self, address: str) -> str:
        answer = self.http.get(address)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    def wait(self, address: str, *states: str) -> dict[str, Any]:
        """Wait until the upload is in one of the states, any end if none is named."""
        wanted = set(states) or ENDED
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self.http.get(address).json())
            assert found["state"] in wanted or found["state"] not in ENDED, found
            return found["state"] in wanted

        eventually(there)
        return found


def eventually(holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


@contextmanager
def open_service(world: World, folder: Path, **settings: str) -> Iterator[Service]:
    service = Service(world, folder, settings)
    try:
        yield service
    finally:
        service.end()


def stored(service: Service) -> dict[str, int]:
    """Rows of all tables that hold owners' data, and files on disk: what a refused call must leave as it was."""
    counts = service.world.counts()
    # The trail and the call's own bookkeeping may grow.
    kept = {name: count for name, count in counts.items() if name not in BOOKKEEPING}
    files = sum(1 for path in service.files.rglob("content*")) if service.files.exists() else 0
    return kept | {"files on disk": files}


def orphans(service: Service) -> dict[str, int]:
    """Staged rows of no upload that may still want them, and folders of no upload."""
    with service.world.database.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM ler.staged_feature AS s WHERE NOT EXISTS (SELECT FROM ler.upload AS u"
            " WHERE u.version_id = s.version_id AND u.state IN ('needs_approval', 'approved', 'publishing'))"
        ).fetchone()
        known = {str(id_) for (id_,) in connection.execute("SELECT id FROM ler.upload").fetchall()}
        alive = {
            str(id_)
            for (id_,) in connection.execute(
                "SELECT id FROM ler.upload WHERE state NOT IN ('discarded', 'expired', 'failed')"
            ).fetchall()
        }
    assert row is not None
    folders = {path.name for path in service.files.iterdir()} if service.files.exists() else set()
    assert alive <= known
    return {"staged rows": row[0], "folders": len(folders - alive)}


def execute(service: Service, statement: str, *values: object) -> None:
    """Change something behind the service's back, as the superuser."""
    with service.world.database.connect() as connection:
        connection.execute(sql.SQL(statement), values)
