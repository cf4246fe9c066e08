"""What the two processes say to each other: requests as JSON lines, answers as frames of a kind and a length.

A batch is an Arrow IPC message. The parent trusts nothing of it: lengths have an upper bound, and every offset of a
batch is checked before it is used, since a child that has been taken over may send anything.
"""

import json
import struct
from enum import Enum
from typing import IO, Any, Final

import pyarrow as pa

MAX_FRAME: Final = 256 << 20
"""Largest answer; the child splits batches far below it."""

HEADER: Final = struct.Struct(">cI")


class Kind(Enum):
    """What a frame holds."""

    HELLO = b"H"
    """JSON: the child is ready, and how far it is confined."""
    LAYERS = b"L"
    """JSON: layers and notes."""
    SCHEMA = b"S"
    """Arrow schema of the batches that follow."""
    BATCH = b"B"
    """Arrow record batch."""
    REFUSED = b"R"
    """JSON: code and message of a refusal."""
    END = b"E"
    """Nothing more comes for this request."""


def write_frame(stream: IO[bytes], kind: Kind, content: bytes | memoryview = b"") -> None:
    """Send one answer."""
    stream.write(HEADER.pack(kind.value, len(content)))
    stream.write(content)
    stream.flush()


def write_json(stream: IO[bytes], kind: Kind, document: dict[str, Any]) -> None:
    """Send one answer that is a document."""
    write_frame(stream, kind, json.dumps(document).encode())


def read_schema(content: bytes) -> pa.Schema:
    """The schema of a frame. pyarrow.ArrowException or ValueError for anything else."""
    return pa.ipc.read_schema(pa.py_buffer(content))


def read_batch(content: bytes, schema: pa.Schema) -> pa.RecordBatch:
    """The batch of a frame, every offset and every text of it checked. The same errors."""
    batch = pa.ipc.read_record_batch(pa.py_buffer(content), schema)
    batch.validate(full=True)
    return batch
