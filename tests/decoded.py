"""Everything that can be read in a file of a package, unpacked and decoded, for tests that search it."""

import base64
import binascii
import gzip
import html
import io
import re
import sqlite3
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_DEEPEST: Final = 5
_STREAM: Final = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{64,}={0,2}")
_ESCAPED: Final = re.compile(rb"\\u([0-9a-fA-F]{4})")


def views(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """Yield the bytes as they are, and what any reader makes of them: members, streams, rows, texts."""
    yield content
    if depth < _DEEPEST:
        for inner in _inside(content):
            yield from views(inner, depth + 1)


def _inside(content: bytes) -> Iterator[bytes]:
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    elif content.startswith(b"\x1f\x8b"):
        yield gzip.decompress(content)
    elif content.startswith(b"%PDF"):
        yield from _of_pdf(content)
    elif content.startswith(b"\x89PNG"):
        yield from _of_png(content)
    elif content.startswith(b"SQLite format 3\0"):
        yield from _of_database(content)
    else:
        yield from _of_text(content)


def _of_pdf(content: bytes) -> Iterator[bytes]:
    for found in _STREAM.finditer(content):
        yield from _inflated(found[1])
    told = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True)
    yield told.stdout
    told = subprocess.run(["pdfinfo", "-"], input=content, capture_output=True, check=True)
    yield told.stdout


def _of_png(content: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(content):
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        chunk = content[at + 8 : at + 8 + length]
        if kind in {b"zTXt", b"iTXt", b"iCCP"}:
            for start in range(min(len(chunk), 120)):
                yield from _inflated(chunk[start:])
        at += 12 + length


def _of_database(content: bytes) -> Iterator[bytes]:
    """Each row, since a long one is cut over several pages of the file."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        connection = sqlite3.connect(file.name)
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for name in names:
            for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 - a table's own name
                yield b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
                yield from (v for v in row if isinstance(v, bytes))
                yield from (v.encode() for v in row if isinstance(v, str) and len(v) > 64)
        connection.close()


def _of_text(content: bytes) -> Iterator[bytes]:
    if b"&" in content:
        unescaped = html.unescape(content.decode("utf-8", "replace")).encode()
        if unescaped != content:
            yield unescaped
    if _ESCAPED.search(content):
        yield _ESCAPED.sub(lambda found: chr(int(found[1], 16)).encode("utf-8", "replace"), content)
    for found in _BASE64.finditer(content):
        try:
            decoded = base64.b64decode(found[0].translate(bytes.maketrans(b"-_", b"+/")) + b"==")
        except binascii.Error:
            continue
        yield decoded
        yield from _inflated(decoded)


def _inflated(content: bytes) -> Iterator[bytes]:
    """What deflate makes of it, with a header of zlib or gzip or none."""
    for bits in (47, -15):
        try:
            inflated = zlib.decompressobj(bits).decompress(content)
        except zlib.error:
            continue
        if inflated:
            yield inflated
