"""What the text of a shapefile's table seems to be, against what its .cpg says."""

import re
from pathlib import Path
from typing import Final

from ingest.child.layers import Note

CODE: Final = "encoding-doubtful"

_MOST_BYTES: Final = 64 << 20
_CHUNK: Final = 1 << 20
_LARGE_LETTERS: Final = re.compile(rb"[\x20-\x7e]*(?:[\xc3\xc4\xc5][\x80-\xbf][\x20-\x7e]*)+")
"""Text with letters of Latin alphabets as UTF-8 writes them; as cp1252 they read like the letter A and a sign."""
_UTF_8: Final = frozenset({"utf-8", "utf8", "65001"})


def doubtful_encoding(shapefile: Path, declared: str | None, layer: str) -> list[Note]:
    """A note with a sample where the table is said to be in another encoding than UTF-8 and looks like UTF-8.

    Looks at the first 64 MB of the table.
    """
    stated = declared or _of_cpg(shapefile.with_suffix(".cpg"))
    if not stated or stated.lower() in _UTF_8:
        return []
    with shapefile.with_suffix(".dbf").open("rb") as stream:
        for _ in range(_MOST_BYTES // _CHUNK):
            chunk = stream.read(_CHUNK)
            if not chunk:
                break
            if (found := _LARGE_LETTERS.search(chunk)) is not None:
                return [Note(CODE, layer, found[0].decode().strip()[-60:])]
    return []


def _of_cpg(path: Path) -> str:
    try:
        return path.read_text(encoding="latin-1")[:40].strip()
    except OSError:
        return ""
