"""Drawings whose stored file is damaged or gone are made again from their originals, before a package needs them.

What cannot be made again (the original is gone too, its owner has removed it, another version of the libraries packs
otherwise) is left as it is; the package then says so in words.
"""

import hashlib
import logging
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from sqlalchemy.engine import Engine

from ingest.drawings.make import make_again
from ler.blobs import BlobStore
from ler.db.engine import transaction
from ler.db.functions import record_event
from ler.errors import BlobDamagedError, LerError
from ler.services.drawings import Drawing, find_by_file

if TYPE_CHECKING:
    from ingest.drawings.world_file import Placement

_CHUNK: Final = 1 << 20
_log = logging.getLogger(__name__)


def mend_drawings(app: Engine, store: BlobStore, files: Iterable[tuple[UUID, str]]) -> list[str]:
    """Make again what is damaged of these files (owner, digest); return the digests of those that are whole again.

    Reads every file once. Never raises for a drawing that cannot be mended.
    """
    return [
        sha256
        for owner, sha256 in files
        if not is_whole(store, sha256) and _is_mended(app, store, owner, sha256)
    ]


def is_whole(store: BlobStore, sha256: str) -> bool:
    """Whether the store has a file, with the bytes that were put."""
    try:
        store.open(sha256, verify=True).close()
    except BlobDamagedError:
        return False
    return store.has(sha256)


def _is_mended(app: Engine, store: BlobStore, owner: UUID, sha256: str) -> bool:
    with transaction(app, owner) as connection:
        drawing = find_by_file(connection, sha256)
    if drawing is None:
        _log.warning("the drawing %s is damaged and its owner has removed it", sha256)
        return False
    try:
        made = _put_again(store, drawing)
    except (LerError, OSError) as error:
        _log.warning("the drawing %s cannot be made again: %s", sha256, error)
        return False
    if not made:
        _log.warning("the drawing %s is made otherwise today", sha256)
        return False
    with transaction(app, owner) as connection:
        details = {"name": drawing.name, "cog_sha256": sha256}
        record_event(connection, "ler:drawing:mend", actor=owner, object_id=drawing.id, details=details)
    return True


def _put_again(store: BlobStore, drawing: Drawing) -> bool:
    """Put what the original gives, if it is the same; False when it is not."""
    with store.workshop() as folder:
        original = folder / "original"
        with store.open(drawing.original_sha256, verify=True) as stored, original.open("wb") as target:
            shutil.copyfileobj(stored, target, _CHUNK)
        made = make_again(original, cast("Placement | None", drawing.placement), drawing.source_epsg)
        _put_if(store, made.preview, drawing.preview_sha256)
        return _put_if(store, made.cog, drawing.cog_sha256)


def _put_if(store: BlobStore, path: Path, sha256: str) -> bool:
    with path.open("rb") as stream:
        same = hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    if same:
        store.put(path)
    return same
