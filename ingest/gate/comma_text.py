"""CSV: no line, and no number of columns, that would cost more than it can be worth. Rows are read in the child."""

from pathlib import Path
from typing import Final

from ingest.gate.limits import MIB, GateLimits
from ler.errors import RefusedError

_CHUNK: Final = 1 << 20
_DELIMITERS: Final = b",;\t|"


def check_csv(path: Path, limits: GateLimits) -> None:
    """Refuse `csv-limit`; the memory taken is that of the longest line let through."""
    line = 1
    first = b""
    with path.open("rb") as stream:
        length = 0
        while chunk := stream.read(_CHUNK):
            if line == 1 and len(first) <= _CHUNK:
                first += chunk.partition(b"\n")[0]
                _check_columns(first, limits)
            *ended, last = chunk.split(b"\n")
            longest = max((length + len(ended[0]), *map(len, ended[1:])), default=0) if ended else 0
            line += len(ended)
            length = len(last) if ended else length + len(last)
            if max(longest, length) > limits.max_row_bytes:
                raise RefusedError(
                    "csv-limit", f"near line {line}: a line is longer than {limits.max_row_bytes // MIB} MiB"
                )


def _check_columns(first: bytes, limits: GateLimits) -> None:
    columns = 1 + max(map(first.count, (bytes([delimiter]) for delimiter in _DELIMITERS)))
    if columns > limits.max_fields:
        raise RefusedError("csv-limit", f"line 1: more than {limits.max_fields:,} columns")
