"""Files that come with an owner's answer: which kinds there are, and what their paths may be.

The kinds are those of the LER model (annexes 1 and 2 of BEK-1315). A file is kept and passed on, never opened: its first
bytes are looked at where its kind has some of its own, so that a program under the name of a plan is not passed on.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from ler.domain.faults import Fault
from ler.model.values import EXTENSIONS, MEDIA_TYPES

LONGEST_PATH: Final = 255
"""Bytes."""

_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLD_OFFICE: Final = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)
_BEGINS: Final[Mapping[str, Sequence[bytes]]] = {
    "doc": _OLD_OFFICE,
    "docx": _ZIP,
    "dwg": (b"AC10", b"AC1.", b"AC2."),
    "ifc": (b"ISO-10303-21",),
    "jpeg": (b"\xff\xd8\xff",),
    "jpg": (b"\xff\xd8\xff",),
    "pdf": (b"%PDF-",),
    "shp": (b"\x00\x00\x27\x0a",),
    "shz": _ZIP,
    "tif": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    "tiff": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    "xls": _OLD_OFFICE,
    "xlsx": _ZIP,
    "zip": _ZIP,
}
"""How files begin, by extension; kinds that are not here are text or have no beginning of their own."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it was sent."""

    path: str
    """Relative, with `/`; LER's `sti`."""
    begins: bytes
    """Its first bytes, 16 or more unless it is shorter."""
    size_bytes: int


def format_of(path: str) -> str | None:
    """Return the LER format of a file by the extension of its name; None for a kind that may not be attached.

    Where an extension belongs to several formats, the first in the order of their names.
    """
    extension = PurePosixPath(path).suffix[1:].lower()
    return next((name for name, endings in EXTENSIONS.items() if extension in endings), None)


def media_type_of(path: str) -> str:
    """Return the media type by the extension; ValueError for a kind that may not be attached."""
    found = format_of(path)
    if found is None:
        raise ValueError(path)
    return MEDIA_TYPES[found]


def place_names(names: Sequence[str], referred: Collection[str]) -> list[str]:
    """Return the path of each file: its name, or the one path of the answer's that ends in it.

    Browsers send a file without the folders that an answer names it in.
    """
    return [_placed(name, referred) for name in names]


def attachment_faults(attachments: Sequence[Attachment], referred: Collection[str]) -> list[Fault]:
    """Return what is wrong with the files of an answer; `referred` are the paths that its attachments name (`sti`).

    Every path that is named must be there ([API]: the file must exist). A file that none names goes with the answer.
    """
    return [*_each(attachments), *_missing(attachments, referred)]


def _each(attachments: Sequence[Attachment]) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, one in enumerate(attachments):
        pointer = f"/attachments/{number}"
        key = _key(one.path)
        if not _is_plain(one.path):
            yield Fault(
                "attachment-path",
                pointer,
                f"the name {one.path[:80]!r} cannot be used: a plain relative path",
            )
        elif key in seen:
            yield Fault("attachment-duplicate", pointer, f"two files have the name {one.path[:80]!r}")
        elif format_of(one.path) is None:
            kinds = ", ".join(sorted({ending for endings in EXTENSIONS.values() for ending in endings}))
            yield Fault("attachment-type", pointer, f"{one.path[:80]!r} is none of {kinds}")
        elif one.size_bytes == 0:
            yield Fault("attachment-empty", pointer, f"{one.path[:80]!r} is empty")
        elif not _begins_as_named(one):
            yield Fault("attachment-content", pointer, f"{one.path[:80]!r} does not hold what its name says")
        seen.add(key)


def _missing(attachments: Sequence[Attachment], referred: Collection[str]) -> Iterator[Fault]:
    there = {_key(one.path) for one in attachments}
    for path in sorted({*referred}):
        if _key(path) not in there:
            yield Fault(
                "attachment-missing", "/attachments", f"the file names {path[:80]!r}, which was not sent"
            )


def _placed(name: str, referred: Collection[str]) -> str:
    ending_so = sorted({path for path in referred if PurePosixPath(path).name == name})
    return ending_so[0] if name not in referred and len(ending_so) == 1 else name


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return (
        len(path.encode("utf-8", "replace")) <= LONGEST_PATH
        and path.isprintable()
        and not _FORBIDDEN.search(path)
        and all(
            part not in {"", ".", ".."} and part.strip(" ") == part and not part.endswith(".")
            for part in parts
        )
    )


def _begins_as_named(attachment: Attachment) -> bool:
    beginnings = _BEGINS.get(PurePosixPath(attachment.path).suffix[1:].lower())
    return beginnings is None or attachment.begins.startswith(tuple(beginnings))


def _key(path: str) -> str:
    """What two names share that are one file on some system."""
    return unicodedata.normalize("NFKC", path).casefold().removeprefix("./")
