"""A TCP proxy before a database or a service, whose connections a test halts, cuts, refuses or slows down.

It runs on a thread of its own and knows nothing of what passes, except for bytes at which it is told to cut.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_CHUNK: Final = 1 << 16
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends a reset instead of an end."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a connection is to break, once: when a client sends `at` after it has sent `after`."""

    at: bytes
    after: bytes = b""
    passed: bool = False
    """Whether the other side still gets what was sent, so that only its answer is lost."""


@dataclass(eq=False)
class _Pair:
    """A client's connection and the one that was opened for it."""

    writers: list[asyncio.StreamWriter]
    sent: bytes = b""
    swallows: bool = False


@dataclass(eq=False)
class Proxy:
    """A proxy on a free port of this machine, before a port or a socket of the file system."""

    target: int | Path
    delay_s: float = 0.0
    """How long each piece that passes is held back, in either direction."""
    refuses: bool = False
    """Whether new connections are reset at once."""
    broken: int = 0
    """Connections that broke at a cut."""
    port: int = 0
    _cut: Cut | None = None
    _pairs: set[_Pair] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def cut(self, at: Cut) -> None:
        """Break the next connection that comes to this point."""
        self._do(self._set_cut(at))

    def halt(self) -> None:
        """Pass nothing on any more and keep every connection, as a network does whose cable is pulled."""
        self._do(self._set_flowing(flowing=False))

    def flow(self) -> None:
        """Pass on again, also what was held back."""
        self._do(self._set_flowing(flowing=True))

    def reset(self) -> None:
        """Break every connection there is."""
        self._do(self._reset_all())

    def run(self, ready: threading.Event) -> None:
        """Serve until `stop`."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    def stop(self) -> None:
        """End, with every connection."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _set_cut(self, at: Cut) -> None:
        self._cut = at

    async def _set_flowing(self, *, flowing: bool) -> None:
        if flowing:
            self._flows.set()
        else:
            self._flows.clear()

    async def _reset_all(self) -> None:
        for pair in [*self._pairs]:
            self._break(pair)

    async def _serve(self) -> None:
        self._flows.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        await self._reset_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        pair = _Pair([writer])
        self._pairs.add(pair)
        try:
            if self.refuses:
                return
            far, far_writer = await self._reach()
            pair.writers.append(far_writer)
            await asyncio.gather(
                self._pass(pair, reader, far_writer), self._pass(pair, far, writer, up=False)
            )
        except OSError:
            pass  # either side is gone, and so is the other then
        finally:
            self._break(pair)
            self._pairs.discard(pair)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection("127.0.0.1", self.target)

    async def _pass(
        self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool = True
    ) -> None:
        while piece := await reader.read(_CHUNK):
            await self._flows.wait()
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if pair.swallows and not up:
                self._break(pair)
                return
            if up and self._meets_cut(pair, piece):
                return
            writer.write(piece)
            await writer.drain()
        # An end of one side is the end of both: neither of the protocols speaks on with half a connection.
        writer.close()

    def _meets_cut(self, pair: _Pair, piece: bytes) -> bool:
        """Whether the connection breaks before this piece is passed on."""
        cut = self._cut
        if cut is None:
            return False
        pair.sent += piece
        before, found, _ = pair.sent.rpartition(cut.at)
        if not found or cut.after not in before:
            return False
        self._cut = None
        self.broken += 1
        if cut.passed:
            pair.swallows = True
            return False
        self._break(pair)
        return True

    @staticmethod
    def _break(pair: _Pair) -> None:
        for writer in pair.writers:
            made = writer.get_extra_info("socket")
            with suppress(OSError):
                if made is not None and made.family == socket.AF_INET:
                    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


@contextmanager
def open_proxy(target: int | Path) -> Iterator[Proxy]:
    """Give a running proxy before a port of this machine, or a socket of the file system."""
    proxy, ready = Proxy(target), threading.Event()
    thread = threading.Thread(target=proxy.run, args=[ready])
    thread.start()
    try:
        assert ready.wait(10)
        yield proxy
    finally:
        proxy.stop()
        thread.join(10)
