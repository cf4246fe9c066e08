"""Files that owners sent with their answers, among the members of a package: as they came, under the owner's folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ler.packages.content import DeliveredAttachment, OwnerStatus
from ler.packages.contents import Contents
from ler.packages.described import described_in
from ler.packages.files import answer_name, free_name

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
            "address_id": str(self.attachment.address_id) if self.attachment.address_id else None,
            "missing": None if self.member else {"code": LOST, **WORDS},
        }


def lay_attachments(
    workshop: Path, owner: OwnerStatus, taken: set[str], folder: str = ""
) -> list[LaidAttachment]:
    """Lay an owner's files into the folder in which a package is made.

    `taken` are the names of members in lower case, to which theirs are added; `folder` is the owner's, with its slash.
    """
    return [
        _laid(workshop, member, attachment) for member, attachment in attachment_names(owner, taken, folder)
    ]


def _laid(workshop: Path, member: str, attachment: DeliveredAttachment) -> LaidAttachment:
    if attachment.file is None:
        return LaidAttachment(attachment, None)
    place = workshop / member
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(attachment.file)
    return LaidAttachment(attachment, member)


def attachment_names(
    owner: OwnerStatus, taken: set[str], folder: str
) -> Iterator[tuple[str, DeliveredAttachment]]:
    """Yield the members with their names, so that files of two answers do not meet: the second gets the number of its area."""
    for delivery in owner.deliveries:
        for attachment in delivery.attachments:
            path = attachment.path
            if f"{folder}{path}".casefold() in taken:
                path = f"{'-'.join(str(number) for number in delivery.interest_areas)}/{path}"
            yield free_name(path, taken, folder), attachment


def names_in(contents: Contents, owner: OwnerStatus) -> Iterator[tuple[str, DeliveredAttachment]]:
    """Yield an owner's attachments with their names in a package, for members that are written before them."""
    folder = contents.folders.get(str(owner.id), "")
    before = [
        *(name for name, _ in described_in(contents)),
        *(f"{folder}{answer_name(one, owner)}" for one in owner.deliveries),
    ]
    yield from attachment_names(owner, {name.casefold() for name in before}, folder)
