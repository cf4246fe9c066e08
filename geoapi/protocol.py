"""How the server reads HTTP: by llhttp, several times faster than in Python, with a bound on what comes before a body.

llhttp itself takes addresses and headers of any length and keeps all of it.
"""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD: Final = 64 << 10
"""Bytes of an address and headers, about: a head that is not whole after so many is refused."""


class BoundedHttp(HttpToolsProtocol):
    """One connection; a head that grows too large is answered with 400, and the connection ends."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as uvicorn makes it
        super().__init__(*given, **named)
        self._in_head = True
        self._head = 0
        self._has_ended = False

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for the next head."""
        super().on_message_complete()
        self._in_head, self._head, self._has_ended = True, 0, True

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        self._has_ended = False
        super().data_received(data)
        # Of a piece in which another message ends, nobody knows how much is of the next one.
        if not self._in_head or self._has_ended or self.transport.is_closing():
            return
        self._head += len(data)
        if self._head > LARGEST_HEAD:
            self.send_400_response("The address and the headers are too long.")
