"""The command `ler` in a test's own process: as a fresh one would run it, without the second that Python takes to start.

That a process of its own does the same is shown where the whole job is done by command, and by the guides.
"""

import os
import sys
import traceback
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

from typer.testing import CliRunner

from geoapi.cli import app


def in_process(words: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> CompletedProcess[str]:
    """Run a command in a folder with this environment added to ours; what it wrote, and its exit code."""
    with chdir(folder), patch.dict(os.environ, environment), patch.object(sys, "argv", ["ler", *words]):
        done = CliRunner().invoke(app, words, prog_name="ler")
    stderr = done.stderr
    if (
        done.exc_info is not None
        and done.exception is not None
        and not isinstance(done.exception, SystemExit)
    ):
        stderr += "".join(traceback.format_exception(done.exception))
    return CompletedProcess(words, done.exit_code, done.stdout, stderr)
