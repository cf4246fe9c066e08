"""Sketches of house connections in a package: for each address that the request names, what owners sent of it.

An address without a sketch is told too: that nobody sent one does not mean that nothing leads there.
"""

from dataclasses import dataclass
from uuid import UUID

from ler.packages.attachments import names_in
from ler.packages.content import OwnerStatus
from ler.packages.contents import Contents


@dataclass(frozen=True, slots=True)
class Sketch:
    """One file of one owner."""

    owner: OwnerStatus
    member: str | None
    """Its name in the package; None when it is lost."""


def sketches_in(contents: Contents) -> dict[UUID, list[Sketch]]:
    """Return the sketches of each address, in the order of the request and of the package."""
    found: dict[UUID, list[Sketch]] = {address_id: [] for address_id in contents.request.address_ids}
    for owner in contents.owners:
        for name, attachment in names_in(contents, owner):
            if attachment.address_id in found:
                found[attachment.address_id].append(Sketch(owner, name if attachment.file else None))
    return found
