"""From a whole file to a staged version and on to a published one: the steps that the worker runs.

The worker knows this protocol only, so that its tests need no network and the steps need no queue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.engine import Connection

from ingest.compare import Verdict
from ler.services.registry import Organisation
from ler.services.uploads import Upload

type Progress = Callable[[int], None]
"""Told how many features have been read; it raises to make the work stop."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was checked and, unless nothing changes, staged."""

    verdict: Verdict
    version_id: UUID | None
    """The staged version's key, None when nothing was staged."""
    version_number: int | None
    feature_count: int
    report: dict[str, Any]
    comparison: dict[str, Any] | None
    reasons: tuple[str, ...] = ()


class Pipeline(Protocol):
    """Each step runs in the caller's transaction, which acts for the owner."""

    def check(
        self, connection: Connection, owner: Organisation, upload: Upload, path: Path, progress: Progress
    ) -> Checked:
        """Check, stage and compare; NetworkRefusedError for a file with faults, RefusedError for other refusals."""

    def publish(self, connection: Connection, upload: Upload) -> None:
        """Make the staged version the current one."""

    def discard(self, connection: Connection, upload: Upload) -> None:
        """Take away what was staged, if it is there still."""
