"""An owner's LER GML file becomes the published version of its network, in one transaction: whole, or not at all.

Readers of the network see the former version until the transaction ends; a file with a single error changes nothing,
and one that looks wrong waits, staged, for its owner's word.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Connection

from ingest.compare import Verdict
from ingest.open_source import open_source
from ingest.stage import Mode, NetworkRefusedError, Progress, Staged, approve_version, stage_network
from ler.errors import RefusedError
from ler.services.registry import Organisation
from ler.settings import Settings

__all__ = ["NetworkRefusedError", "Uploaded", "publish_network"]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of a file."""

    staged: Staged
    published: bool
    """False for a file that changes nothing, and for one that waits for approval."""


def publish_network(
    connection: Connection,
    owner: Organisation,
    path: Path,
    settings: Settings,
    progress: Progress = lambda _: None,
    *,
    mode: Mode = Mode.FULL,
    deletes: Collection[str] = (),
    approve: bool = False,
    confirm_empty: bool = False,
    mapping: Path | None = None,
    crs: str | None = None,
) -> Uploaded:
    """Stage an owner's file and publish it, if it may be or `approve` says so; the transaction must act for the owner.

    A file that is no LER GML needs its `mapping`, and `crs` where it does not say its coordinate system. Raises
    UnreadableFileError, NetworkRefusedError, or RefusedError for a file that is too large or leaves nothing of
    the network; the caller's transaction must then be rolled back, and nothing is left of it.
    """
    _check_file(path, settings)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    with open_source(path, mapping=mapping, crs=crs, settings=settings) as source:
        staged = stage_network(
            connection,
            owner,
            source,
            source_name=path.name,
            source_sha256=digest,
            settings=settings,
            mode=mode,
            deletes=deletes,
            confirm_empty=confirm_empty,
            progress=progress,
        )
    verdict = staged.decision.verdict
    publish = verdict is Verdict.APPROVE or (approve and verdict is Verdict.NEEDS_APPROVAL)
    if publish:
        approve_version(connection, staged.version_id, confirm_empty=confirm_empty)
    return Uploaded(staged, publish)


def _check_file(path: Path, settings: Settings) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RefusedError("file-missing", f"{path}: {error.strerror}") from None
    if not path.is_file():
        raise RefusedError("file-missing", f"{path} is not a file")
    if size > settings.max_upload_mb << 20:
        raise RefusedError("body-too-large", f"{path.name} is larger than {settings.max_upload_mb} MB")
