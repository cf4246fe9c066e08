"""`ler serve`: the HTTP service."""

import gc
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer
import uvicorn

from geoapi.cli.console import say, settings_of
from geoapi.database import open_databases
from geoapi.protocol import BoundedHttp
from ler.errors import InputError
from ler.settings import Settings

_GRACE_S: Final = 20


def serve(
    ctx: typer.Context,
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on; else LER_HTTP_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, 0 for a free one; else LER_HTTP_PORT.")
    ] = None,
    with_worker: Annotated[
        bool, typer.Option("--with-worker", help="Run one worker beside it, and end it with the service.")
    ] = False,
) -> None:
    """Answer HTTP until told to stop (SIGTERM, Ctrl-C). TLS is the business of a proxy before it."""
    from geoapi.app import create_app  # noqa: PLC0415 - help does not wait for every route

    settings = settings_of(ctx)
    _log_to_standard_error()
    with open_databases(settings) as databases, _listening(settings, host, port) as listener:
        address, number = listener.getsockname()[:2]
        if settings.public_url is None:
            settings = settings.model_copy(update={"public_url": f"http://{address}:{number}"})
        app = create_app(settings, databases)
        # What is there by now stays: it need not be looked through again for what is no longer used.
        gc.collect()
        gc.freeze()
        # uvicorn's own access log would show queries; ours does not. Headers of proxies are not believed.
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=5,
            http=BoundedHttp,
        )
        # uvicorn raises the signal that ended it anew; by its default that would kill us before our worker is told.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        say(f"Listening on http://{address}:{number}")
        with _worker() if with_worker else _nothing():
            uvicorn.Server(config).run(sockets=[listener])


def _log_to_standard_error() -> None:
    """Log messages alone: where in the code each was made, and by which thread, would take half the time of a line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    # As the manual of logging advises.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001


@contextmanager
def _listening(settings: Settings, host: str | None, port: int | None) -> Iterator[socket.socket]:
    address = (host or settings.http_host, settings.http_port if port is None else port)
    try:
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)[0]
        # With its protocol named: asyncio turns Nagle's delay (40 ms an answer, measured) off for those alone.
        listener = socket.socket(*found[:3])
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found[4])
        listener.listen(128)
    except OSError as error:
        raise InputError(f"{address[0]}:{address[1]} cannot be listened on: {error.strerror}") from error
    with listener:
        yield listener


@contextmanager
def _worker() -> Iterator[None]:
    """A process of its own, so that a file that kills it leaves the service alone."""
    process = subprocess.Popen([sys.executable, "-m", "geoapi.cli", "worker"])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _nothing() -> Iterator[None]:
    yield
