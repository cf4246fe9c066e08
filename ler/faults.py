"""Points at which tests let a process die as if by kill -9: `LER_FAULT=name` in its environment.

Without the variable a point costs a look into a dictionary. `os._exit` runs no `finally`, closes no transaction and
flushes nothing, as a killed process does not.
"""

import os
from typing import Final

VARIABLE: Final = "LER_FAULT"

POINTS: Final = (
    "answer.give.before-commit",
    "answer.give.after-commit",
    "request.create.before-commit",
    "request.create.after-commit",
    "upload.create.before-commit",
    "upload.create.after-commit",
    "upload.append.written",
    "upload.append.synced",
    "upload.append.recorded",
    "upload.complete.before-commit",
    "upload.complete.after-commit",
    "upload.approve.after-commit",
    "check.claimed",
    "check.staging",
    "check.staged",
    "check.before-commit",
    "check.after-commit",
    "publish.claimed",
    "publish.before-commit",
    "publish.after-commit",
    "notice.claimed",
    "notice.mail-kept",
    "notice.sent",
    "notice.recorded",
    "package.claimed",
    "package.read",
    "package.written",
    "package.kept",
    "package.before-commit",
    "package.after-commit",
    "package.owners-kept",
    "package.finished",
    "package.mending",
    "job.claimed",
    "job.told",
    "job.worked",
    "job.before-commit",
    "job.after-commit",
)
"""Every point there is; a test goes through them all."""

EXIT: Final = 137
"""Exit code of a process that died at a point: that of kill -9 in a shell."""


def point(name: str) -> None:
    """Die here when the environment names this point."""
    if os.environ.get(VARIABLE) == name:
        os._exit(EXIT)
