"""The newest package of a request as a file on disk, out of the own store.

It leaves the same trail as over HTTP (`ler.client.packages`), is checked against its SHA-256, and no half file gets its name.
"""

import os
import shutil
from collections.abc import Callable
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from uuid import UUID

from geoapi.database import Databases
from ler.blobs import BlobStore
from ler.client.packages import Fetched
from ler.db.engine import transaction
from ler.errors import BlobDamagedError, RefusedError, UnavailableError
from ler.services.packages import (
    call_for_mending,
    get_packing_state,
    list_packages,
    record_download,
)


def fetch_own(
    databases: Databases, store: BlobStore, requester_id: UUID, request_id: UUID, folder: Path
) -> Fetched:
    """Fetch it from the own store. NotFoundError for others' requests, RefusedError when none is made yet."""
    with transaction(databases.app, requester_id) as connection:
        state = get_packing_state(connection, request_id)
        found = [one for one in list_packages(connection, request_id) if one.owner_id is None]
    if not found:
        raise RefusedError("package-not-made", "there is no package yet; try again in a moment")
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
