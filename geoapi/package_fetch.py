"""The newest package of a request as a file on disk: out of the own store, or from a service over HTTP.

Both leave the same trail, check what they write against its SHA-256, and write no half file under the package's name.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from uuid import UUID

from geoapi.database import Databases
from ler.blobs import BlobStore
from ler.db.engine import transaction
from ler.errors import BlobDamagedError, RefusedError, UnavailableError
from ler.services.packages import (
    call_for_mending,
    get_packing_state,
    list_packages,
    record_download,
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A package that was written."""

    path: Path
    revision: int
    complete: bool
    """Whether nobody that was asked owes an answer; else: do not dig."""
    being_made: bool
    """Whether a newer one is under way."""
    notices: list[dict[str, Any]]
    """What it says in words: `code`, `da`, `en`, and owner by owner."""


def fetch_own(
    databases: Databases, store: BlobStore, requester_id: UUID, request_id: UUID, folder: Path
) -> Fetched:
    """Fetch it from the own store. NotFoundError for others' requests, RefusedError when none is made yet."""
    with transaction(databases.app, requester_id) as connection:
        state = get_packing_state(connection, request_id)
        found = [one for one in list_packages(connection, request_id) if one.owner_id is None]
    if not found:
        raise _not_made()
    newest = found[0]
    try:
        content = store.open(newest.sha256, verify=True)
    except BlobDamagedError:
        with transaction(databases.app, requester_id) as connection:
            call_for_mending(connection, newest.id)
        raise UnavailableError("The package is damaged and is made again. Try again in a moment.") from None
    with content:
        # Before the first byte, as over HTTP.
        with transaction(databases.app, requester_id) as connection:
            record_download(connection, requester_id, newest, None)
        path = _write(
            folder, newest.file_name, newest.sha256, lambda stream: shutil.copyfileobj(content, stream)
        )
    manifest = newest.manifest
    return Fetched(
        path,
        newest.revision,
        bool(manifest.get("complete")),
        state.left_to_make,
        manifest.get("notices", []),
    )


def fetch_listed(listed: dict[str, Any], folder: Path, download: Callable[[str, BinaryIO], None]) -> Fetched:
    """Fetch the newest of a service's list (`GET .../packages`); `download` writes what is at an address."""
    found = [one for one in listed["packages"] if one["kind"] == "consolidated"]
    if not found:
        raise _not_made()
    newest = found[0]
    path = _write(
        folder, newest["file_name"], newest["sha256"], lambda stream: download(newest["file"], stream)
    )
    return Fetched(
        path, newest["revision"], bool(newest["complete"]), listed["being_made"], newest["notices"]
    )


def _not_made() -> RefusedError:
    return RefusedError("package-not-made", "there is no package yet; try again in a moment")


def _write(folder: Path, name: str, sha256: str, fill: Callable[[BinaryIO], None]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    # A name comes from elsewhere: it may lead to no other folder.
    path = folder / PurePosixPath(name).name
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w+b") as stream:
            fill(stream)
            stream.seek(0)
            if file_digest(stream, "sha256").hexdigest() != sha256:
                raise UnavailableError("The package did not arrive whole. Fetch it again.")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
