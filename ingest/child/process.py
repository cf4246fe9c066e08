"""The parent's side of a reading process: start it, ask it, and end it, whatever it does.

A child that dies, that says nothing for too long, or that answers with anything but the protocol is a
`parser-crashed`: the file is refused, and the platform goes on.
"""

import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from ingest.child.confinement import lifeline
from ingest.child.environment import child_environment
from ingest.child.limits import ChildLimits
from ingest.child.options import ReadOptions
from ingest.child.protocol import HEADER, MAX_FRAME, Kind, read_batch, read_schema
from ingest.gate.formats import Format
from ler.errors import RefusedError

CHILD: Final = ["-I", "-m", "ingest.child"]
"""Arguments of the interpreter: a fresh one, deaf to the environment and the folder that it is started in."""

_LOG = logging.getLogger(__name__)
_LAST_WORDS = 2000
_START_S = 30.0
"""Longest wait for a started child's first word; half a second is usual, on busy machines several."""


class ReadingProcess:
    """One child for one file; close it. Use it from one thread at a time."""

    def __init__(
        self, format_: Format, files: list[Path], folder: Path, limits: ChildLimits, options: ReadOptions
    ) -> None:
        self._limits = limits
        self._lifeline, theirs = lifeline()
        order = {
            "limits": asdict(limits),
            "lifeline": theirs,
            "format": format_.value,
            "files": [str(path) for path in files],
            "folder": str(folder),
            "options": asdict(options),
        }
        self._log = folder / "child.log"
        try:
            log = self._log.open("wb")
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, *CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=child_environment(format_, folder),
                cwd=folder,
                pass_fds=(theirs,),
                start_new_session=True,
                bufsize=0,
            )
        finally:
            os.close(theirs)
            log.close()
        try:
            self._say(order)
            self.held = self._document(Kind.HELLO, *self._frame(_START_S))
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Of the child and its process group."""
        return self._child.pid

    def layers(self) -> dict[str, Any]:
        """The document of layers and notes. RefusedError."""
        self._say({"ask": "layers"})
        document = self._document(Kind.LAYERS, *self._frame())
        self._end(*self._frame())
        return document

    def batches(self, layer: str) -> Iterator[pa.RecordBatch]:
        """The batches of a layer. RefusedError. Closed before its end, the child is ended."""
        self._say({"ask": "batches", "layer": layer})
        finished = False
        try:
            kind, content = self._frame()
            schema = self._parsed(read_schema, kind, Kind.SCHEMA, content)
            while True:
                kind, content = self._frame()
                if kind is Kind.END:
                    break
                yield self._parsed(read_batch, kind, Kind.BATCH, content, schema)
            finished = True
        except RefusedError as refused:
            finished = refused.code != "parser-crashed"
            raise
        finally:
            if not finished:
                self.close()

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._child.poll() is None

    def close(self) -> None:
        """End the child and everything that it may have started; nothing of it is left."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def _say(self, document: dict[str, Any]) -> None:
        assert self._child.stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            self._child.stdin.write(json.dumps(document).encode() + b"\n")
        except OSError:
            raise self._crashed("it ended") from None

    def _frame(self, patience_s: float | None = None) -> tuple[Kind, bytes]:
        """The next answer. RefusedError for a refusal, and for a child that is dead, silent or mad."""
        until = time.monotonic() + (patience_s or self._limits.silence_s)
        kind_byte, length = HEADER.unpack(self._read(HEADER.size, until))
        if length > MAX_FRAME:
            raise self._crashed("it answered with something else")
        try:
            kind = Kind(kind_byte)
        except ValueError:
            raise self._crashed("it answered with something else") from None
        content = self._read(length, until)
        if kind is Kind.REFUSED:
            document = self._document(Kind.REFUSED, kind, content)
            raise RefusedError(str(document.get("code")), str(document.get("message")))
        return kind, content

    def _read(self, size: int, until: float) -> bytes:
        assert self._child.stdout is not None  # noqa: S101 - a pipe was asked for
        stream = self._child.stdout.fileno()
        pieces, missing = [], size
        waiting = select.poll()
        waiting.register(stream, select.POLLIN)
        while missing:
            if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
                raise self._crashed(f"it said nothing for {self._limits.silence_s:g} s")
            piece = os.read(stream, min(missing, 1 << 20))
            if not piece:
                raise self._crashed("it ended")
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def _document(self, wanted: Kind, kind: Kind, content: bytes) -> dict[str, Any]:
        document = self._parsed(json.loads, kind, wanted, content)
        if not isinstance(document, dict):
            raise self._crashed("it answered with something else")
        return document

    def _end(self, kind: Kind, _content: bytes) -> None:
        if kind is not Kind.END:
            raise self._crashed("it answered with something else")

    def _parsed(self, parse: Any, kind: Kind, wanted: Kind, content: bytes, *more: object) -> Any:  # noqa: ANN401 - what `parse` gives
        if kind is not wanted:
            raise self._crashed("it answered with something else")
        try:
            return parse(content, *more)
        except (ValueError, pa.ArrowException, OSError, EOFError, RecursionError):
            raise self._crashed("it answered with something else") from None

    def _crashed(self, what: str) -> RefusedError:
        self.close()
        _LOG.warning(
            "reading process ended: %s; exit %s; %s", what, self._child.returncode, self._last_words()
        )
        return RefusedError(
            "parser-crashed",
            f"the file could not be read: the process that reads it was stopped, since {what}. "
            "Nothing was stored. Save the file anew, or split it",
        )

    def _last_words(self) -> str:
        """For the log of the platform only: a library's own words are no answer to an owner."""
        with contextlib.suppress(OSError):
            return self._log.read_bytes()[-_LAST_WORDS:].decode(errors="replace")
        return ""
