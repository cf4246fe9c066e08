"""Files that owners sent with their answers, among the members of a package: as they came, under the owner's folder."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ler.packages.content import DeliveredAttachment, OwnerStatus

FOLDER: Final = "bilag"
"""Folder of owners' files, in it one a CVR number."""

LOST: Final = "attachment-file-lost"
WORDS: Final = {
    "da": "Bilagets fil er beskadiget eller gået tabt hos platformen. Bed ledningsejeren om det, før du graver.",
    "en": "The attachment's file is damaged or was lost by the platform. Ask the owner for it before you dig.",
}


@dataclass(frozen=True, slots=True)
class LaidAttachment:
    """A file as it is in a package, or is not."""

    attachment: DeliveredAttachment
    member: str | None
    """Name in the package; None when it is missing."""

    def entry(self) -> dict[str, Any]:
        """What the manifest tells of it."""
        return {
            "path": self.attachment.path,
            "member": self.member,
            "format": self.attachment.format,
            "sha256": self.attachment.sha256,
            "missing": None if self.member else {"code": LOST, **WORDS},
        }


def lay_attachments(workshop: Path, owner: OwnerStatus) -> list[LaidAttachment]:
    """Lay an owner's files into the folder in which a package is made."""
    return [_laid(workshop, member, attachment) for member, attachment in _members(owner)]


def _laid(workshop: Path, member: str, attachment: DeliveredAttachment) -> LaidAttachment:
    if attachment.file is None or not _is_whole(attachment.file, attachment.sha256):
        return LaidAttachment(attachment, None)
    place = workshop / member
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(attachment.file)
    return LaidAttachment(attachment, member)


def _is_whole(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _members(owner: OwnerStatus) -> Iterator[tuple[str, DeliveredAttachment]]:
    """Name the members, so that files of two answers do not meet: the second gets the number of its area."""
    taken: set[str] = set()
    for delivery in owner.deliveries:
        for attachment in delivery.attachments:
            path = attachment.path
            if path.casefold() in taken:
                path = f"{'-'.join(str(number) for number in delivery.interest_areas)}/{path}"
            taken.add(path.casefold())
            yield f"{FOLDER}/{owner.cvr}/{path}", attachment
