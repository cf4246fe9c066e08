"""Somebody who listens on loopback, and should never be called."""

import contextlib
import socket
import threading
import time


class Listener:
    """Counts who connects."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.hits = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.hits += 1
                connection.close()

    def hear_yourself(self) -> None:
        """Be called once, to show that a call would have been counted."""
        before = self.hits
        with socket.create_connection(("127.0.0.1", self.port)) as caller:
            caller.recv(1)
        while self.hits == before:
            time.sleep(0.001)

    def close(self) -> None:
        self._socket.close()
