"""A package as somebody has it, the ZIP or the folder that it was unpacked to, opened to be looked at and not trusted.

Nothing is written, nothing outside of it is read, and no more of a file than was asked for. What a ZIP hides from one
program and shows another - two members of one name, bytes between members, names that lead elsewhere - is told.
"""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

from ler.errors import RefusedError
from ler.packages.files import relative_path

MOST_MEMBERS: Final = 200_000

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")
_DESCRIPTORS: Final = frozenset({0, 12, 16, 20, 24})
"""Bytes that may follow a member whose size was not known when it was begun (APPNOTE 4.3.9)."""
_STREAMED: Final = 0x08
_ENCRYPTED: Final = 0x01
_CANNOT_BE_READ: Final = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError),
    *(ValueError, struct.error),
)
"""What the standard library raises for members that are broken, encrypted, or packed in a way that it does not know."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is not as it was delivered."""

    code: str
    """In kebab-case, stable."""
    member: str | None
    """Which file of the package; None for the whole."""
    message: str


class DamagedMemberError(Exception):
    """A member cannot be read to its end."""


@dataclass(slots=True)
class OpenedPackage:
    """A package's files by name, each once; what else is there is among the flaws."""

    size_bytes: int
    files: dict[str, zipfile.ZipInfo | Path] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)
    archive: zipfile.ZipFile | None = None
    _taken: set[str] = field(default_factory=set)

    def read(self, name: str, most_bytes: int) -> Iterator[bytes]:
        """Read a member in parts, ending soon after `most_bytes`. DamagedMemberError."""
        try:
            with self._open(name) as stream:
                left = most_bytes + 1
                while left > 0 and (part := stream.read(min(left, 1 << 20))):
                    left -= len(part)
                    yield part
        except _CANNOT_BE_READ as error:
            raise DamagedMemberError(name) from error

    def _open(self, name: str) -> BinaryIO:
        place = self.files[name]
        if isinstance(place, Path):
            # Whatever took its place since it was looked at is not followed.
            return os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
        if self.archive is None:
            raise DamagedMemberError(name)
        return cast("BinaryIO", self.archive.open(place))

    def add(self, name: str, place: zipfile.ZipInfo | Path) -> None:
        """Enter a file, or say what is wrong with its name."""
        path = relative_path(name)
        if path is None or str(path) != name:
            self.flaws.append(
                Flaw("member-name", name, "its name leads elsewhere, or is none on every system")
            )
        elif name.casefold() in self._taken:
            self.flaws.append(Flaw("member-twice", name, "two members go by this name"))
        else:
            self.files[name] = place
            self._taken.add(name.casefold())

    def close(self) -> None:
        """Close the archive."""
        if self.archive is not None:
            self.archive.close()


def open_package(path: Path) -> OpenedPackage:
    """Open a package's ZIP or folder; the caller closes it. RefusedError `package-unreadable` for anything else."""
    if path.is_dir():
        return _open_folder(path)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise RefusedError(
            "package-unreadable", f"{path} is no ZIP file, or its directory is damaged"
        ) from error
    opened = OpenedPackage(path.stat().st_size, archive=archive)
    try:
        _enter_members(opened, archive, path)
    except BaseException:
        archive.close()
        raise
    return opened


def _enter_members(opened: OpenedPackage, archive: zipfile.ZipFile, path: Path) -> None:
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise RefusedError("package-unreadable", f"{path} has more than {MOST_MEMBERS} members")
    for info in infos:
        name = info.orig_filename
        kind = stat.S_IFMT(info.external_attr >> 16)
        if name.endswith("/") and not info.file_size and relative_path(name):
            continue  # a folder
        if kind not in {0, stat.S_IFREG} or info.compress_type not in _METHODS or info.flag_bits & _ENCRYPTED:
            opened.flaws.append(
                Flaw("member-kind", name, "it is no plain file, is encrypted, or packed in an unusual way")
            )
        else:
            opened.add(name, info)
    if archive.comment or not _is_seamless(archive, path):
        opened.flaws.append(
            Flaw(
                "archive-hides",
                None,
                "there are bytes in the ZIP that belong to no member; other programs may see them",
            )
        )


def _is_seamless(archive: zipfile.ZipFile, path: Path) -> bool:
    """Whether member follows member from the first byte to the directory: a program that reads on sees no others."""
    end, descriptor_may_follow = 0, False
    with path.open("rb") as stream:
        for info in sorted(archive.infolist(), key=lambda one: one.header_offset):
            if not _follows(info.header_offset - end, descriptor_may_follow=descriptor_may_follow):
                return False
            stream.seek(info.header_offset)
            header = stream.read(_LOCAL_HEADER.size)
            if len(header) < _LOCAL_HEADER.size:
                return False
            magic, name, extra = _LOCAL_HEADER.unpack(header)
            if magic != b"PK\x03\x04":
                return False
            end = info.header_offset + _LOCAL_HEADER.size + name + extra + info.compress_size
            descriptor_may_follow = bool(info.flag_bits & _STREAMED)
    return _follows(archive.start_dir - end, descriptor_may_follow=descriptor_may_follow)


def _follows(gap: int, *, descriptor_may_follow: bool) -> bool:
    return gap in _DESCRIPTORS if descriptor_may_follow else gap == 0


def _open_folder(folder: Path) -> OpenedPackage:
    opened = OpenedPackage(0)
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted((*names, *(one for one in folders if (Path(place) / one).is_symlink()))):
            path = Path(place) / name
            told = path.relative_to(folder).as_posix()
            found = path.lstat()
            if not stat.S_ISREG(found.st_mode):
                opened.flaws.append(Flaw("member-kind", told, "it is no plain file"))
                continue
            opened.size_bytes += found.st_size
            if len(opened.files) > MOST_MEMBERS:
                raise RefusedError("package-unreadable", f"{folder} has more than {MOST_MEMBERS} files")
            opened.add(told, path)
    return opened
