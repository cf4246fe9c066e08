"""Jobs of the OGC API: runs of a process for an organisation, and where each of them is."""

from enum import StrEnum
from typing import Final


class JobStatus(StrEnum):
    """Where a job is, in the words of OGC API Processes."""

    ACCEPTED = "accepted"
    """It waits for a worker."""
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    DISMISSED = "dismissed"
    """Its organisation wants it no more; what came of it is gone."""


OPEN: Final = frozenset({JobStatus.ACCEPTED, JobStatus.RUNNING})
"""Not at their end."""
