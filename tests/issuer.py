"""An issuer of logins that listens, and says false things when it is told to."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from geoapi.dev_issuer import DevIssuer, Person


@dataclass
class FalseIssuer(DevIssuer):
    """One whose claims and signatures a test may change."""

    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    signature: Callable[[DevIssuer, dict[str, Any]], str] | None = None

    def claims(self, person: Person, nonce: str) -> dict[str, Any]:
        claims = super().claims(person, nonce)
        return self.change(claims) if self.change else claims

    def sign(self, claims: dict[str, Any]) -> str:
        return self.signature(self, claims) if self.signature else super().sign(claims)


@contextmanager
def listening(make: Callable[[str], ASGIApp]) -> Iterator[str]:
    """Serve an application, made for its own address, on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(make(address), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def open_issuer(people: Sequence[Person], redirect_uri: str, **more: Any) -> Iterator[FalseIssuer]:  # noqa: ANN401 - fields of the issuer
    made: list[FalseIssuer] = []

    def make(address: str) -> ASGIApp:
        made.append(FalseIssuer(address, people, [redirect_uri], **more))
        return made[0].app()

    with listening(make):
        yield made[0]
