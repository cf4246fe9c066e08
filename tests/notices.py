"""Receivers of notices for tests: a web server that remembers what it was sent and answers as told, and a mail server."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import aiosmtpd.controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.integration.test_db_world import World


@dataclass
class Received:
    """One call of a webhook."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A receiver of webhooks on this machine. `answer` says what a call is answered: status, headers, body."""

    port: int
    calls: list[Received] = field(default_factory=list)
    answer: Callable[[Received], tuple[int, dict[str, str], bytes]] = lambda _: (204, {}, b"")

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ids(self) -> list[str]:
        return [call.headers["webhook-id"] for call in self.calls]


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            call = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            made.calls.append(call)
            status, headers, answer = made.answer(call)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as the base has it
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the base has it
            """A caller that goes away is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    made = Receiver(int(server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class MailServer:
    """A mail server on this machine; `refusal`, when set, is what it says to every recipient."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refusal: str | None = None

    async def handle_RCPT(  # noqa: N802 - as the library calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        del server, session, rcpt_options
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        content = envelope.content
        assert isinstance(content, bytes)
        self.raw.append(content)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]

    def settings(self) -> dict[str, str]:
        return {
            "LER_SMTP_HOST": "127.0.0.1",
            "LER_SMTP_PORT": str(self.port),
            "LER_SMTP_SECURITY": "none",
            "LER_MAIL_FROM": "ler@example.dk",
        }


@contextmanager
def mail_server() -> Iterator[MailServer]:
    made = MailServer(port=free_port())
    controller = aiosmtpd.controller.Controller(made, hostname="127.0.0.1", port=made.port)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def told(world: World, audience: UUID) -> list[str]:
    """The kinds of notices of an organisation, as they were made."""
    with world.database.connect() as connection:
        rows = connection.execute(
            "SELECT kind FROM ler.notice WHERE audience_id = %s ORDER BY at, number, id", [audience]
        ).fetchall()
    return [kind for (kind,) in rows]


def data_of(world: World, audience: UUID, kind: str) -> list[dict[str, Any]]:
    """What the notices of a kind say."""
    with world.database.connect() as connection:
        rows = connection.execute(
            "SELECT data FROM ler.notice WHERE audience_id = %s AND kind = %s ORDER BY at, number, id",
            [audience, kind],
        ).fetchall()
    return [data for (data,) in rows]
