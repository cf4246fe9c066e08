"""The walls of a child process, built by the child itself before it loads a native parser.

No network where the system allows to leave it, no new privileges, little memory, time and disk, no core file; and it
dies with its parent, so that a killed command leaves no worker behind.
"""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import Final

from ingest.drawings.limits import DrawingLimits

_FILES: Final = 64
_SET_DEATH_SIGNAL: Final = 1  # prctl: PR_SET_PDEATHSIG
_SET_NO_NEW_PRIVILEGES: Final = 38  # prctl: PR_SET_NO_NEW_PRIVS


def confine(limits: DrawingLimits, parent: int) -> None:
    """Take away what reading a drawing does not need. `parent` is the process that must be there still."""
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)  # noqa: PLW2901 - never above what is allowed
        resource.setrlimit(what, (most, most))
    if sys.platform == "linux":
        control = ctypes.CDLL(None, use_errno=True).prctl
        control(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _leave_network()
        # Last: entering another user namespace takes it back.
        control(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)  # it died before the signal was asked for


def _leave_network() -> None:
    alone = os.CLONE_NEWNET if os.geteuid() == 0 else os.CLONE_NEWUSER | os.CLONE_NEWNET
    # Not allowed in many containers; GDAL then still has no driver and no option that reaches the network.
    with suppress(OSError):
        os.unshare(alone)
