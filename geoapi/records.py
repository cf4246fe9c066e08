"""What the worker does for the audit trail: seal what was committed, and sign the head of the chain now and then."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from geoapi.platform import Platform
from ler.checkpoints import Checkpoint, CheckpointFolder
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.audit import seal, verify_since
from ler.settings import Settings

_LOG: Final = logging.getLogger("ler.audit")


def checkpoint_folder(settings: Settings) -> CheckpointFolder:
    """Return where checkpoints are kept by these settings."""
    return CheckpointFolder(settings.audit_dir or settings.home / "audit")


@dataclass
class Records:
    """The upkeep of the trail, for one worker process."""

    platform: Platform

    def keep(self) -> int:
        """Seal, and sign when the last checkpoint is old; return how many events were sealed."""
        sealed = seal(self.platform.databases.worker)
        last = checkpoint_folder(self.platform.settings).last()
        patience = timedelta(minutes=self.platform.settings.checkpoint_minutes)
        if last is None or datetime.now(UTC) - last.at >= patience:
            self.sign()
        return sealed

    def sign(self) -> Checkpoint | None:
        """Sign the head of the chain; None when nothing was sealed since the last time, or the chain does not hold.

        What was added since the last checkpoint is verified before: a signature is a witness, not a stamp.
        """
        folder = checkpoint_folder(self.platform.settings)
        last = folder.last()
        with transaction(self.platform.databases.app, PLATFORM_OPERATOR) as connection:
            walked = verify_since(connection, last.head if last else None)
        if walked.broken:
            _LOG.critical("the audit trail was tampered with: %s; run `ler audit verify`", walked.broken)
            return None
        return folder.add(walked.head, datetime.now(UTC))
