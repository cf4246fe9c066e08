"""The scene of the life cycle: six owners, a service and a worker that live by a clock that the test moves, a receiver of
webhooks and a mail server."""

import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
from shapely import Polygon, box

from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.roles import Role
from ler.packages.gml import Answer, write_answer
from ler.services.registry import register_organisation
from tests.moved_clock import MovedClock, moved_database
from tests.notices import MailServer, Receiver, mail_server, receiver
from tests.packages import Asked
from tests.requests import AREA, REQUESTS, body
from tests.service import Client, Service, eventually, open_service
from tests.world import header, open_world, water_pipe

CENTRAL = ("30000001", "30000002", "30000003")
CORRECTING, LATE, SILENT = "40000001", "40000002", "40000003"
NAMES = {
    **{cvr: f"Central {number}" for number, cvr in enumerate(CENTRAL, 1)},
    CORRECTING: "Rettende Net",
    LATE: "Sen Net",
    SILENT: "Tavs Net",
}
DIGGER_MAIL, MANAGEMENT_MAIL = "grav@example.dk", "ledelse@example.dk"

_MOST_TRIES = 10


class PatientTransport(httpx.HTTPTransport):
    """Does what an answer 503 asks for: waits and sends the same again. On a busy machine that is part of the story."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        for _ in range(_MOST_TRIES):
            answer = super().handle_request(request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            answer.read()
            time.sleep(float(answer.headers["Retry-After"]))
        return answer


@dataclass
class Scene:
    """Everybody, and the clock."""

    service: Service
    clock: MovedClock
    hook: Receiver
    mail: MailServer
    owners: dict[str, UUID]
    clients: dict[str, Client]
    digger: UUID
    client: Client
    webhook_secret: str

    def now(self) -> datetime:
        """The database's time."""
        with self.service.world.database.connect() as connection:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        found: datetime = row[0]
        return found

    def ask(self, moment: str, client: Client | None = None, area: Polygon = AREA) -> dict[str, Any]:
        """Send a request at a moment, for the fortnight from the next day on; return the receipt."""
        at = datetime.fromisoformat(moment)
        self.clock.move_to(at)
        first = at.date() + timedelta(days=1)
        period = {"period_from": first.isoformat(), "period_to": (first + timedelta(days=13)).isoformat()}
        answer = (client or self.client).http.post(
            REQUESTS, json=body(area, **period), headers={"Idempotency-Key": uuid4().hex}
        )
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def asked(self, receipt: dict[str, Any]) -> Asked:
        return Asked(self.client, self.digger, UUID(receipt["id"]))

    def progress(self, receipt: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.http.get(receipt["links"]["self"])
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["progress"]
        return found

    def owner_request(self, cvr: str, receipt: dict[str, Any]) -> str:
        """Return the address of what an owner finds that it is asked, as its own program reads it."""
        listed = self.clients[cvr].http.get("/api/v1/owner-requests")
        assert listed.status_code == 200, listed.text
        (one,) = [
            one for one in listed.json()["owner_requests"] if one["order_number"] == receipt["order_number"]
        ]
        return str(one["links"]["self"])

    def answer(
        self, cvr: str, receipt: dict[str, Any], given: dict[str, Any], gml: bytes = b""
    ) -> httpx.Response:
        """Answer by program: as JSON, or as a form when there are lines."""
        address = f"{self.owner_request(cvr, receipt)}/answers"
        key = {"Idempotency-Key": uuid4().hex}
        http = self.clients[cvr].http
        if not gml:
            return http.post(address, json=given, headers=key)
        files = [("gml", ("svar.gml", gml))]
        return http.post(address, data={"answer": json.dumps(given)}, files=files, headers=key)

    def mails(self, address: str, words: str) -> int:
        """How many mails an address has got whose subject holds the words."""
        return sum(words in str(mail["Subject"]) for mail in self.mail.to(address))

    def events(self, receipt: dict[str, Any], action: str) -> list[tuple[datetime, dict[str, Any]]]:
        """When something was done about a request by the audit trail, and what was noted."""
        with self.service.world.database.connect() as connection:
            rows = connection.execute(
                "SELECT at, details FROM ler.audit_event WHERE action = %s"
                " AND (details->>'request_id' = %s OR object_id::text = %s) ORDER BY at, id",
                [action, receipt["id"], receipt["id"]],
            ).fetchall()
        return [(at, details) for at, details in rows]

    def link(self, address: str, words: str) -> str:
        """Return where the newest mail with such a subject leads its reader, at this service."""
        mail = [mail for mail in self.mail.to(address) if words in str(mail["Subject"])][-1]
        text = mail.get_body(("plain",))
        assert text is not None
        found = re.search(r"https?://\S+/answer/\S+", text.get_content())
        assert found is not None, text.get_content()
        return urlsplit(found[0]).path

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command at the database, by the same clock."""
        environment = os.environ | {"LER_DATABASE_URL": self.service.world.database.url(), "NO_COLOR": "1"}
        return subprocess.run(
            [sys.executable, "-m", "geoapi.cli", *words],
            cwd=self.service.folder,
            env=environment | self.service.settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def network(number: int) -> bytes:
    """A network with one pipe through the area, as a file."""
    stream = io.BytesIO()
    west, south, _, north = AREA.bounds
    pipe = water_pipe(f"c{number}", (west + 10 * number, south + 5, 1), (west + 10 * number, north - 5, 1))
    write_answer(stream, Answer(CENTRAL[number - 1], "x", header(), [pipe]))
    return stream.getvalue()


def patient(service: Service, organisation: UUID) -> Client:
    """Return an organisation's program, for the whole story."""
    headers = {"Authorization": f"Bearer {service.token(organisation, days=300)}"}
    return Client(
        httpx.Client(base_url=service.url, headers=headers, timeout=60, transport=PatientTransport())
    )


def endpoint(client: Client, **place: str) -> dict[str, Any]:
    """Enter a place at which an organisation wants to be told."""
    headers = {"Idempotency-Key": uuid4().hex}
    answer = client.http.post("/api/v1/notice-endpoints", json=place, headers=headers)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def confirm(client: Client, mail: MailServer, entered: dict[str, Any]) -> None:
    """Confirm an address of e-mail by the code that was sent there."""
    eventually(lambda: bool(mail.to(DIGGER_MAIL)))
    code = str(mail.to(DIGGER_MAIL)[-1]["Subject"]).rpartition(" ")[2]
    answer = client.http.post(f"/api/v1/notice-endpoints/{entered['id']}/confirm", json={"code": code})
    assert answer.status_code == 200, answer.text


@contextmanager
def open_scene(folder: Path, begins: datetime) -> Iterator[Scene]:
    with (
        moved_database(begins) as (database, clock),
        open_world(database) as world,
        mail_server() as mail,
        receiver() as hook,
        open_service(
            world,
            folder,
            **clock.environment,
            **mail.settings(),
            LER_WEBHOOK_LOOPBACK="true",
            LER_WATCH_S="0.3",
            LER_AUDIT_DIR=str(folder / "audit"),
            LER_CHECKPOINT_MINUTES="0",
        ) as service,
    ):
        area = box(*AREA.buffer(50).bounds)
        owners = {cvr: world.owner(cvr, name, area=area) for cvr, name in NAMES.items()}
        with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
            digger = register_organisation(
                connection, name="Grav A/S", roles=[Role.EXCAVATOR], cvr="50000001", email=DIGGER_MAIL
            )
        service.serve()
        service.work()
        clients = {cvr: patient(service, owner) for cvr, owner in owners.items()}
        client = patient(service, digger)
        for number, cvr in enumerate(CENTRAL, 1):
            address = clients[cvr].upload(network(number), auto_approve=True)
            assert clients[cvr].wait(address)["state"] == "published"
        webhook = endpoint(client, url=hook.url())
        confirm(client, mail, endpoint(client, email=DIGGER_MAIL))
        scene = Scene(service, clock, hook, mail, owners, clients, digger, client, webhook["secret"])
        for rank, name, email in ((1, "Vagten", f"{SILENT}@example.dk"), (2, "Ledelsen", MANAGEMENT_MAIL)):
            entered = clients[SILENT].http.post(
                "/api/v1/contacts",
                json={"name": name, "email": email, "rank": rank, "purpose": "dig"},
                headers={"Idempotency-Key": name},
            )
            assert entered.status_code == 201, entered.text
        try:
            yield scene
        finally:
            for one in (client, *clients.values()):
                one.http.close()
