"""ZIPs byte by byte, each header as wrong as a case wants it."""

import struct
import zlib
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Entry:
    """One member; what is None is what it honestly is."""

    name: bytes
    content: bytes = b"x"
    deflate: bool = True
    flags: int = 0
    system: int = 0
    attributes: int = 0
    size: int | None = None
    local_name: bytes | None = None
    local_size: int | None = None
    extra: bytes = b""

    @property
    def packed(self) -> bytes:
        if not self.deflate:
            return self.content
        deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return deflate.compress(self.content) + deflate.flush()


def make_zip(
    entries: list[Entry],
    *,
    after: bytes = b"",
    before_directory: bytes = b"",
    shift: int = 0,
    comment: bytes = b"",
) -> bytes:
    """A ZIP with `before_directory` and `after` as bytes that belong to nobody; `shift` moves the last member's start."""
    body, directory = bytearray(), bytearray()
    for number, entry in enumerate(entries):
        packed, crc = entry.packed, zlib.crc32(entry.content)
        size = len(entry.content) if entry.size is None else entry.size
        local_size = size if entry.local_size is None else entry.local_size
        local_name = entry.name if entry.local_name is None else entry.local_name
        method = 8 if entry.deflate else 0
        at = len(body) + (shift if number == len(entries) - 1 else 0)
        body += struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, entry.flags, method, 0, 0x21, crc, len(packed), local_size, len(local_name), len(entry.extra)
        )  # fmt: skip
        body += local_name + entry.extra + packed
        directory += struct.pack(
            "<4s2B5H3L5H2L", b"PK\1\2", 20, entry.system, 20, entry.flags, method, 0, 0x21, crc, len(packed), size,
            len(entry.name), len(entry.extra), 0, 0, 0, entry.attributes, at,
        )  # fmt: skip
        directory += entry.name + entry.extra
    body += before_directory
    count = min(len(entries), 0xFFFF)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), len(comment))
    return bytes(body + directory + end + comment + after)


def with_second(first: Entry, **changes: object) -> list[Entry]:
    """The member and another one that differs as told."""
    return [first, replace(first, **changes)]  # type: ignore[arg-type]
