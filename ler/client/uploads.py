"""The owner's side of an upload over HTTP: sent in parts, taken up again after any interruption, followed to its end.

What is needed to go on lies in a small file: the key under which the upload was announced and, once known, its address.
It is written before the call it is about, so that a call whose answer was lost is repeated and not made twice. It holds
no token and nothing of the network.
"""

import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

from ler.client.connection import LONGEST_PAUSE_S, TRIES, Connection
from ler.errors import UnavailableError
from ler.packages.files import write_whole

PATH: Final = "/api/v1/uploads"
PART_BYTES: Final = 8 << 20

_POLL_S: Final = 0.5
_AT_REST: Final = frozenset(
    {"rejected", "unchanged", "published", "discarded", "expired", "failed", "needs_approval"}
)

type Told = Callable[[str, int, int], None]
"""Told what is being done, how far it has come, and of how much (0 when nobody knows)."""


@dataclass
class Resumption:
    """What is kept between two runs about one file and one server."""

    path: Path
    key: str
    address: str | None = None

    @classmethod
    def of(cls, folder: Path, server: str, file: Path) -> Self:
        """Return what an earlier run about the same file, unchanged since, has left; else a new one."""
        status = file.stat()
        about = f"{server} {file.resolve()} {status.st_size} {status.st_mtime_ns}"
        path = folder / f"{sha256(about.encode()).hexdigest()[:32]}.json"
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return cls(path, str(kept["key"]), kept["address"])
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path, uuid4().hex)

    def save(self) -> None:
        """Write it down."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.path, json.dumps({"key": self.key, "address": self.address}).encode())

    def forget(self) -> None:
        """The upload has come to rest; the next run about the file is a new one."""
        self.path.unlink(missing_ok=True)


def resumption_folder() -> Path:
    """Return where programs of this user keep what they need to go on."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "ler" / "uploads"


class UploadClient:
    """Calls of one owner to one server. Raises ProblemError with the server's words, UnavailableError when it is away."""

    def __init__(self, connection: Connection) -> None:
        self._call = connection.call
        self._try = connection.attempt
        self._pause = connection.pause

    def upload(self, file: Path, kept: Resumption, wanted: dict[str, Any], told: Told) -> dict[str, Any]:
        """Announce and send a file unless that has been done, and follow it until it rests; return it as it is then."""
        address = kept.address or self._announce(file, kept, wanted, told)
        self._send(file, address, told)
        found = self._follow(address, told)
        kept.forget()
        return found

    def approve(self, found: dict[str, Any], told: Told) -> dict[str, Any]:
        """Publish an upload that waits for its owner; return it as it is then."""
        address = found["links"]["self"]
        tag = self._call("GET", address).headers["ETag"]
        self._call("POST", found["links"]["approve"], headers={"If-Match": tag})
        return self._follow(address, told)

    def report(self, found: dict[str, Any], language: str) -> dict[str, Any]:
        """Return the report of a checked upload, as `ler check --json` gives it."""
        read: dict[str, Any] = self._call(
            "GET", found["links"]["report"], headers={"Accept-Language": language}
        ).json()
        return read

    def _announce(self, file: Path, kept: Resumption, wanted: dict[str, Any], told: Told) -> str:
        size = file.stat().st_size
        told("reading", 0, size)
        with file.open("rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
        kept.save()
        body = {"file_name": file.name, "size": size, "sha256": digest} | wanted
        made = self._call("POST", PATH, json=body, headers={"Idempotency-Key": kept.key})
        kept.address = made.headers["Location"]
        kept.save()
        return str(kept.address)

    def _send(self, file: Path, address: str, told: Told) -> None:
        size = file.stat().st_size
        with file.open("rb") as stream:
            for offset in self._offsets(address):
                told("sending", offset, size)
                stream.seek(offset)
                part = stream.read(PART_BYTES)
                last = offset + len(part) >= size
                headers = {
                    "Content-Type": "application/partial-upload",
                    "Upload-Offset": str(offset),
                    "Upload-Complete": "?1" if last else "?0",
                    "Content-Digest": f"sha-256=:{b64encode(sha256(part).digest()).decode()}:",
                }
                # Not repeated blindly: after a lost answer the server is asked where it stands.
                self._try("PATCH", f"{address}/content", content=part, headers=headers)

    def _offsets(self, address: str) -> Iterator[int]:
        """Where the server stands, again and again until it has everything."""
        before, without_progress = -1, 0
        while True:
            head = self._call("HEAD", f"{address}/content").headers
            if head["Upload-Complete"] == "?1":
                return
            offset = int(head["Upload-Offset"])
            without_progress = 0 if offset > before else without_progress + 1
            if without_progress >= TRIES:
                raise UnavailableError(
                    "The server takes no more of the file. Try again later; it goes on from there."
                )
            if without_progress:
                self._pause(min(2.0**without_progress, LONGEST_PAUSE_S))
            before = max(before, offset)
            yield offset

    def _follow(self, address: str, told: Told) -> dict[str, Any]:
        after, features, state = 0, 0, ""
        while True:
            events = self._call("GET", f"{address}/events?after={after}").json()["events"]
            for event in events:
                after = event["number"]
                features = event.get("features", features)
                state = event.get("state", state)
                told(state, features, 0)
            if state in _AT_REST and not events:
                found: dict[str, Any] = self._call("GET", address).json()
                return found
            self._pause(0.0 if events else _POLL_S)
