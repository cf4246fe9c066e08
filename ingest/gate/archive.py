"""A ZIP read by its structure, strictly: what two programs could read in two ways is refused.

The central directory, every local header, and every byte between them must agree; names must be plain; members are
streamed through once to see their real size. Nothing is written. `zipfile` of the standard library takes the central
directory's word and passes over the rest, so it cannot tell.
"""

import struct
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NoReturn

from ingest.gate.archive_names import check_names, is_folder
from ingest.gate.limits import MIB, GateLimits
from ler.errors import RefusedError

_END: Final = struct.Struct("<4s4H2LH")
_CENTRAL: Final = struct.Struct("<4s2B5H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT: Final = 0xFFFF
_ZIP64_COUNT, _ZIP64_SIZE = 0xFFFF, 0xFFFFFFFF

_ENCRYPTED: Final = 0x2041
"""Flags of encryption: of a member, strong, of the directory."""
_DESCRIPTOR: Final = 0x0008
_UTF_8: Final = 0x0800
_PATCH: Final = 0x0020
_STORED, _DEFLATED = 0, 8
_UNICODE_PATH: Final = 0x7075

_CHUNK: Final = 1 << 16
_ARCHIVES: Final = (
    b"PK\3\4",
    b"PK\5\6",
    b"\x1f\x8b",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\xfd7zXZ",
    b"BZh",
    b"\x28\xb5\x2f\xfd",
)
_TAR_MARK, _TAR_AT = b"ustar", 257
_FILE_TYPES, _REGULAR, _FOLDER = 0xF000, 0x8000, 0x4000


@dataclass(frozen=True, slots=True)
class Member:
    """One member as both headers describe it."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header_at: int
    data_at: int = 0


def open_archive(path: Path, limits: GateLimits) -> list[Member]:
    """Every file of the archive, checked down to its last byte. RefusedError."""
    with path.open("rb") as stream:
        members = _directory(stream, path.stat().st_size, limits)
        for member in members:
            for _ in stream_member(stream, member):
                pass
    return [member for member in members if not is_folder(member.name)]


def stream_member(stream: IO[bytes], member: Member) -> Iterator[bytes]:
    """Yield the bytes of a member. RefusedError as soon as there are more of them than its header says."""
    stream.seek(member.data_at)
    left, produced, crc = member.packed, 0, 0
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if member.method == _DEFLATED else None
    while left:
        packed = stream.read(min(left, _CHUNK))
        if not packed:
            _malformed(f"the member {member.name!r} is cut off")
        left -= len(packed)
        for piece in _inflated(inflate, packed, member):
            if not produced:
                _check_not_nested(member, piece)
            produced += len(piece)
            if produced > member.size:
                raise RefusedError(
                    "archive-limit",
                    f"the member {member.name!r} is larger than its header says: pack it again",
                )
            crc = zlib.crc32(piece, crc)
            yield piece
    if produced != member.size or crc != member.crc or (inflate is not None and not inflate.eof):
        _malformed(f"the member {member.name!r} is damaged")


def _inflated(inflate: "zlib._Decompress | None", packed: bytes, member: Member) -> Iterator[bytes]:
    if inflate is None:
        yield packed
        return
    try:
        while packed:
            piece = inflate.decompress(packed, _CHUNK)
            if piece:
                yield piece
            packed = inflate.unconsumed_tail
            if inflate.unused_data:
                _malformed(f"bytes follow the member {member.name!r}")
            if not piece and not packed:
                break
    except zlib.error:
        _malformed(f"the member {member.name!r} is damaged")


def _check_not_nested(member: Member, first: bytes) -> None:
    if first.startswith(_ARCHIVES) or first[_TAR_AT : _TAR_AT + len(_TAR_MARK)] == _TAR_MARK:
        raise RefusedError(
            "archive-nested", f"the member {member.name!r} is itself an archive: unpack it first"
        )


def _directory(stream: IO[bytes], size: int, limits: GateLimits) -> list[Member]:
    count, length, at, end = _end_record(stream, size)
    if count == _ZIP64_COUNT or count > limits.max_members:
        raise RefusedError("archive-limit", f"the archive has more than {limits.max_members:,} members")
    if _ZIP64_SIZE in {length, at}:
        raise RefusedError(
            "archive-limit", "the archive is of the large kind (ZIP64), which is not read: split it"
        )
    if at + length != end:
        _malformed("its directory does not end where it should")
    stream.seek(at)
    listed = stream.read(length)
    members, position = [], 0
    for _ in range(count):
        member, position = _central(listed, position)
        members.append(member)
    if position != length:
        _malformed("its directory does not end where it should")
    _check_sizes(members, limits)
    check_names([member.name for member in members], limits)
    return _located(stream, sorted(members, key=lambda member: member.header_at), at)


def _end_record(stream: IO[bytes], size: int) -> tuple[int, int, int, int]:
    """Count of members, length and place of the directory, place of this record, which must be the file's last."""
    at = max(0, size - _END.size - _LONGEST_COMMENT)
    stream.seek(at)
    tail = stream.read()
    found = tail.rfind(b"PK\5\6")
    if found < 0 or len(tail) - found < _END.size:
        _malformed("it has no end: it was cut off, or is no ZIP")
    _, disk, first_disk, here, count, length, place, comment = _END.unpack_from(tail, found)
    if found + _END.size + comment != len(tail):
        _malformed("there is data after its end")
    if disk or first_disk or here != count:
        _malformed("it is one of several parts")
    return count, length, place, at + found


def _central(listed: bytes, at: int) -> tuple[Member, int]:
    """One entry of the directory and where the next begins."""
    if len(listed) - at < _CENTRAL.size:
        _malformed("its directory is cut off")
    (mark, _, system, _, flags, method, _, _, crc, packed, size, name_length, extra_length, comment_length, disk, _,
     attributes, header_at) = _CENTRAL.unpack_from(listed, at)  # fmt: skip
    if mark != b"PK\1\2" or disk:
        _malformed("its directory is damaged")
    start = at + _CENTRAL.size
    raw = listed[start : start + name_length]
    end = start + name_length + extra_length + comment_length
    if end > len(listed):
        _malformed("its directory is cut off")
    name = _name(raw, flags)
    kind = attributes >> 16 & _FILE_TYPES
    if flags & (_ENCRYPTED | _PATCH) or method not in {_STORED, _DEFLATED}:
        raise RefusedError(
            "archive-member-type",
            f"the member {name!r} is encrypted or packed in a way that is not read: pack it anew",
        )
    if kind not in {0, _REGULAR, _FOLDER} and system in {3, 19}:  # Unix and macOS
        raise RefusedError("archive-member-type", f"the member {name!r} is a link or a device, not a file")
    if _ZIP64_SIZE in {packed, size, header_at}:
        raise RefusedError("archive-limit", f"the member {name!r} is larger than 4 GB")
    _check_extra(listed[start + name_length : start + name_length + extra_length], raw)
    return Member(name, raw, flags, method, crc, packed, size, header_at), end


def _name(raw: bytes, flags: int) -> str:
    try:
        name = raw.decode("utf-8" if flags & _UTF_8 else "cp437")
    except UnicodeDecodeError:
        raise RefusedError("archive-path", "the archive has a member whose name is not UTF-8") from None
    return unicodedata.normalize("NFC", name)


def _check_extra(extra: bytes, raw_name: bytes) -> None:
    """A second name in the extra fields must be the first."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _UNICODE_PATH and extra[at + 9 : at + 4 + length] != raw_name:
            _malformed("a member has two names")
        at += 4 + length


def _check_sizes(members: list[Member], limits: GateLimits) -> None:
    if sum(member.size for member in members) > limits.max_unpacked_bytes:
        raise RefusedError(
            "archive-limit", f"the archive unpacks to more than {limits.max_unpacked_bytes // MIB:,} MiB"
        )
    for member in members:
        if member.size >= MIB and member.size > limits.max_ratio * member.packed:
            raise RefusedError(
                "archive-limit",
                f"the member {member.name!r} unpacks to more than {limits.max_ratio} times its size",
            )
        if member.method == _STORED and member.size != member.packed:
            _malformed(f"the member {member.name!r} has two sizes")
        if is_folder(member.name) and member.size:
            _malformed(f"the folder {member.name!r} has a content")


def _located(stream: IO[bytes], members: list[Member], directory_at: int) -> list[Member]:
    """The members with the place of their data; they lie one behind the other from the first byte to the directory."""
    located, expected = [], 0
    for member in members:
        if member.header_at != expected:
            _malformed(
                "members overlap" if member.header_at < expected else "there is data between its members"
            )
        stream.seek(member.header_at)
        header = stream.read(_LOCAL.size)
        if len(header) < _LOCAL.size:
            _malformed("a header is cut off")
        mark, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(header)
        name = stream.read(name_length)
        extra = stream.read(extra_length)
        streamed = bool(flags & _DESCRIPTOR)
        stated = (crc, packed, size)
        real = (member.crc, member.packed, member.size)
        if (mark, flags, method, name) != (b"PK\3\4", member.flags, member.method, member.raw_name) or (
            stated != real and not (streamed and stated in {(0, 0, 0), (0, _ZIP64_SIZE, _ZIP64_SIZE)})
        ):
            _malformed(f"the headers of the member {member.name!r} disagree")
        _check_extra(extra, member.raw_name)
        data_at = member.header_at + _LOCAL.size + name_length + extra_length
        expected = data_at + member.packed
        if streamed:
            stream.seek(expected)
            expected += _descriptor_length(stream.read(24), real)
        located.append(Member(member.name, member.raw_name, flags, method, *real, member.header_at, data_at))
    if expected != directory_at:
        _malformed("members overlap" if expected > directory_at else "there is data before its directory")
    return located


def _descriptor_length(after: bytes, real: tuple[int, int, int]) -> int:
    """Bytes of the record behind a streamed member, in any of the four forms that programs write."""
    records = [mark + struct.pack(form, *real) for mark in (b"PK\7\x08", b"") for form in ("<3L", "<L2Q")]
    length = next((len(record) for record in records if after.startswith(record)), 0)
    if not length:
        _malformed("what follows a member disagrees with its header")
    return length


def _malformed(why: str) -> NoReturn:
    raise RefusedError("archive-malformed", f"the ZIP cannot be trusted: {why}. Pack it anew")
