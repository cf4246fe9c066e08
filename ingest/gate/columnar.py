"""GeoParquet and FlatGeobuf: the frame of the file; what is inside is read in a child process."""

import struct
from pathlib import Path
from typing import Final

from ingest.gate.limits import MIB, GateLimits
from ler.errors import RefusedError

_PARQUET_MARK: Final = b"PAR1"
_MOST_FOOTER: Final = 64 * MIB
_MOST_HEADER: Final = 10 * MIB
_FGB_PREFIX: Final = 12


def check_parquet(path: Path, _limits: GateLimits) -> None:
    """Refuse a file without a sound footer, and Parquet that says nothing of geometry."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(0, size - 8))
        tail = stream.read(8)
        if len(tail) < 8 or tail[4:] != _PARQUET_MARK:  # noqa: PLR2004 - length and mark
            raise _cut_off("Parquet")
        (length,) = struct.unpack("<I", tail[:4])
        if length > min(size - 12, _MOST_FOOTER):
            raise _cut_off("Parquet")
        stream.seek(size - 8 - length)
        if b"primary_column" not in stream.read(length):
            raise RefusedError(
                "format-not-supported", "the file is Parquet without the `geo` metadata of GeoParquet"
            )


def check_flatgeobuf(path: Path, _limits: GateLimits) -> None:
    """Refuse a file whose header cannot be there."""
    with path.open("rb") as stream:
        start = stream.read(_FGB_PREFIX)
    if len(start) < _FGB_PREFIX:
        raise _cut_off("FlatGeobuf")
    (length,) = struct.unpack_from("<I", start, 8)
    if length > min(path.stat().st_size - _FGB_PREFIX, _MOST_HEADER):
        raise _cut_off("FlatGeobuf")


def _cut_off(what: str) -> RefusedError:
    return RefusedError("file-malformed", f"the file is cut off or damaged {what}: export it again")
