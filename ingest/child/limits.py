"""What a reading process may use before it is ended."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """Limits of one reading process."""

    memory_mb: int = 2048
    """Address space; an idle child has 400 MB of it, mostly libraries, and 110 MB of memory."""
    cpu_s: int = 600
    """Processor time of the whole file; a million features take about a minute."""
    silence_s: float = 120.0
    """Longest wait for the next answer, batch by batch; the time that the reader of the batches takes is not counted."""
    file_mb: int = 4096
    """Largest file that it may write in its own folder."""
    open_files: int = 64
    batch_rows: int = 8192
    max_features: int = 20_000_000
    """Rows of a layer."""


DEFAULT_LIMITS: Final = ChildLimits()
