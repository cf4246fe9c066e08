"""Folders for the files of one piece of work, removed when it is over, and swept up where it was cut short.

A name tells the process that made it: a folder whose process is no more was left behind by a kill.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PREFIX: Final = "ler-work-"
_NAME: Final = re.compile(rf"{_PREFIX}(\d+)-\w+")


def make_workshop() -> Path:
    """Make a folder in the system's place for temporary files; remove it yourself."""
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


@contextlib.contextmanager
def workshop() -> Iterator[Path]:
    """A folder as long as it is needed."""
    folder = make_workshop()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_workshops() -> int:
    """Remove folders whose process is gone, and say how many there were. Folders of other users are left alone."""
    swept = 0
    for folder in Path(tempfile.gettempdir()).iterdir():
        found = _NAME.fullmatch(folder.name)
        if (
            found is None
            or _is_running(int(found[1]))
            or folder.is_symlink()
            or folder.stat().st_uid != os.getuid()
        ):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        swept += 1
    return swept


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
