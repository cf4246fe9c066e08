"""A file is written beside its name and moved there whole: who reads it never meets half of it."""

import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write the file; an older one is replaced at the end."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ler-") as folder:
        workshop = Path(folder) / "whole"
        workshop.write_bytes(content)
        workshop.replace(path)
