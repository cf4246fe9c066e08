"""The package: one ZIP with what an owner, or all owners together, know of a dig area, and a manifest of it.

The same content gives the same bytes: members stand in a fixed order with a fixed date, and nothing in them is taken
from the clock or from chance. A package is written beside its final name and moved there whole.

An owner's package tells of that owner's answers alone, so that it stays as it is while others answer.
"""

import gc
import io
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import UUID

from ler.packages.attachments import LaidAttachment, lay_attachments
from ler.packages.content import OwnerStatus, RequestInfo
from ler.packages.contents import DEFAULT_OPTIONS, Contents, PackageOptions
from ler.packages.drawings import LaidDrawing, lay_drawings
from ler.packages.files import LaidMember, answer_name, free_name, slug
from ler.packages.gml import Answer, write_answer
from ler.packages.manifest import changed_at, make_manifest
from ler.packages.recipe import Recipe, to_recipe
from ler.packages.signature import MANIFEST, SIGNATURE, Signature
from ler.packages.warnings import UtilityWarning

_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
_DEFLATE_LEVEL: Final = 1
"""Level 6 takes five times as long for a file that is a fifth smaller, 9 ten times for a quarter (5,000 features)."""
_TRIED_BYTES: Final = 1 << 14
_WORTHWHILE: Final = 0.9
_IN_MEMORY: Final = 2_000
"""Features of an answer that is not laid on the disk while the package is made."""


@dataclass(frozen=True, slots=True)
class Package:
    """A finished package file."""

    path: Path
    sha256: str
    size_bytes: int
    feature_count: int
    manifest: dict[str, Any]
    owner_id: UUID | None
    """None for the consolidated package."""
    recipe: Recipe = field(default_factory=dict)
    """What it can be made from again."""


def owner_request(request: RequestInfo) -> RequestInfo:
    """Return the request as an owner's package tells of it: without what other owners' answers change."""
    return replace(request, revision=1, changed_at=None)


def write_owner_package(
    folder: Path, request: RequestInfo, owner: OwnerStatus, options: PackageOptions = DEFAULT_OPTIONS
) -> Package:
    """Write the package of one owner that has answered. ValueError when it has not."""
    if not owner.deliveries:
        raise ValueError(f"{owner.name} has not answered request {request.order_number}")
    name = f"Ledningspakke_{request.order_number}_{_folder_name(owner)}.zip"
    return _write(folder / name, Contents(owner_request(request), [owner], owner.id, options))


def write_consolidated_package(
    folder: Path,
    request: RequestInfo,
    owners: Sequence[OwnerStatus],
    options: PackageOptions = DEFAULT_OPTIONS,
    warnings: Sequence[UtilityWarning] | None = None,
) -> Package:
    """Write the package of all owners that were asked, those that have not answered named as missing."""
    contents = Contents(request, owners, None, options, _folders(owners), warnings)
    return _write(folder / f"Ledningspakke_{request.order_number}.zip", contents)


@dataclass(slots=True)
class _Making:
    """A package while it is made."""

    workshop: Path
    contents: Contents
    members: dict[str, LaidMember] = field(default_factory=dict)
    """By name, in the order of the archive."""
    taken: set[str] = field(default_factory=lambda: {MANIFEST, SIGNATURE})
    drawings: dict[UUID, list[LaidDrawing]] = field(default_factory=dict)
    attachments: dict[UUID, list[LaidAttachment]] = field(default_factory=dict)

    def aside(self, name: str) -> Path:
        """Return a place in the workshop that no member can have: an owner's file never has a colon in its name."""
        return self.workshop / f":{name}"


def _write(path: Path, contents: Contents) -> Package:
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        _without_collector(),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".ledningspakke-") as name,
    ):
        making = _Making(Path(name), contents)
        _write_members(making)
        manifest = make_manifest(
            making.members, contents, drawings=making.drawings, attachments=making.attachments
        )
        proof = _proof(manifest, contents)
        archive = making.aside("package.zip")
        _zip(archive, proof | making.members)
        digest, size = LaidMember(archive).digest()
        archive.replace(path)
    count = sum(owner["feature_count"] for owner in manifest["owners"])
    recipe = to_recipe(contents.request, contents.owners, contents.warnings)
    return Package(path, digest, size, count, manifest, contents.owner_id, recipe)


@contextmanager
def _without_collector() -> Iterator[None]:
    """No search for cycles meanwhile: hardly any are made, and each search goes through all features."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _proof(manifest: dict[str, Any], contents: Contents) -> dict[str, LaidMember]:
    """The manifest as a member, and its signature where there is a key."""
    content = (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
    members = {MANIFEST: LaidMember(content)}
    if contents.options.signer is not None:
        signature = Signature.make(contents.options.signer, content, changed_at(contents.request), MANIFEST)
        members[SIGNATURE] = LaidMember(signature.content)
    return members


def _write_members(making: _Making) -> None:
    from ler.packages.members import MEMBERS  # noqa: PLC0415 - every writer and its libraries, for who makes packages

    contents = making.contents
    for member in MEMBERS:
        if member.is_in(contents):
            name = free_name(member.name_in(contents), making.taken)
            path = making.workshop / name
            if path.parent != making.workshop:
                path.parent.mkdir(parents=True, exist_ok=True)
            making.members[name] = LaidMember(path, member.write(path, contents))
    for owner in contents.owners:
        _write_owner(making, owner, contents.folders.get(str(owner.id), ""))


def _write_owner(making: _Making, owner: OwnerStatus, folder: str) -> None:
    """Write an owner's own files: its answers as they are, its attachments, its drawings."""
    for delivery in owner.deliveries:
        wanted = answer_name(delivery, owner)
        answer = Answer(owner.cvr, owner.name, delivery.answer_header(), delivery.features)
        making.members[free_name(wanted, making.taken, folder)] = _written(making, answer)
    attachments = lay_attachments(making.workshop, owner, making.taken, folder)
    drawings = lay_drawings(making.workshop, making.contents.request, owner, making.taken, folder)
    making.attachments[owner.id], making.drawings[owner.id] = attachments, drawings
    making.members |= {
        name: LaidMember(making.workshop / name)
        for name in (*(a.member for a in attachments), *(d.member for d in drawings))
        if name
    }


def _written(making: _Making, answer: Answer) -> LaidMember:
    if len(answer.features) <= _IN_MEMORY:
        stream = io.BytesIO()
        count = write_answer(stream, answer)
        return LaidMember(stream.getvalue(), count)
    path = making.aside(str(len(making.members)))
    with path.open("wb") as file:
        return LaidMember(path, write_answer(file, answer))


def _folders(owners: Sequence[OwnerStatus]) -> dict[str, str]:
    taken: set[str] = set()
    return {str(owner.id): f"{free_name(_folder_name(owner), taken)}/" for owner in owners}


def _folder_name(owner: OwnerStatus) -> str:
    return "-".join(part for part in (owner.cvr, slug(owner.name)) if part)


def _zip(archive: Path, members: Mapping[str, LaidMember]) -> None:
    with zipfile.ZipFile(archive, "w") as package:
        for name, laid in members.items():
            with laid.open() as source:
                member = zipfile.ZipInfo(name, _ZIP_DATE)
                member.compress_type = zipfile.ZIP_DEFLATED if _shrinks(source) else zipfile.ZIP_STORED
                # Public from Python 3.13 on, as `compress_level`.
                member._compresslevel = _DEFLATE_LEVEL  # type: ignore[attr-defined] # noqa: SLF001
                member.external_attr = 0o644 << 16
                member.create_system = 3  # Unix, on whatever system it is written
                member.file_size = source.seek(0, os.SEEK_END)
                source.seek(0)
                with package.open(member, "w") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
    with archive.open("rb") as written:
        os.fsync(written.fileno())


def _shrinks(source: BinaryIO) -> bool:
    """Whether a file's middle can be compressed: a picture, a plan or an archive that is so already is stored."""
    source.seek(max(0, (source.seek(0, os.SEEK_END) - _TRIED_BYTES) // 2))
    tried = source.read(_TRIED_BYTES)
    source.seek(0)
    return len(zlib.compress(tried, _DEFLATE_LEVEL)) < _WORTHWHILE * len(tried)
