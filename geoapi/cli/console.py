"""What all commands share: where text goes, how an error ends a command, and whose settings hold.

Results go to stdout, everything said to the person goes to stderr, so that results can be piped. Colours follow
the terminal and NO_COLOR.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from ler.domain.faults import FaultsError
from ler.errors import InputError, LerError
from ler.settings import Settings

_PIPE_WIDTH = 200
"""Columns of a table that goes to a file or another program, where nothing must be cut."""

EXIT_ERROR = 2
"""Exit code of every command that ended with a LerError."""


def results() -> Console:
    """Return the console of results: stdout, without decoration of numbers and paths, never wrapped."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def messages() -> Console:
    """Return the console of progress and errors: stderr."""
    return Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def say(message: str) -> None:
    """Tell the person something on stderr; the text is taken as it is, brackets too."""
    messages().print(Text(message))


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Turn a LerError, and a file that the system refuses, into one message on stderr and exit code 2."""
    try:
        yield
    except FaultsError as error:
        for fault in error.faults:
            _tell_error(f"{fault.pointer}: {fault.message}" if fault.pointer else fault.message)
        raise SystemExit(EXIT_ERROR) from error
    except LerError as error:
        _tell_error(str(error))
        raise SystemExit(EXIT_ERROR) from error
    except OSError as error:
        if error.filename is None:
            raise
        _tell_error(f"{error.filename2 or error.filename}: {error.strerror}")
        raise SystemExit(EXIT_ERROR) from error


def _tell_error(message: str) -> None:
    messages().print(Text.assemble(("Error: ", "bold red"), message))


class ReportingGroup(TyperGroup):
    """A group of commands in which a LerError never shows as a traceback: `Typer(cls=ReportingGroup)`."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the types of click, which typer carries in private
        """Run the command that was asked for."""
        with reporting_errors():
            return super().invoke(ctx)


def settings_of(ctx: typer.Context) -> Settings:
    """Return the settings that the outermost command keeps in `ctx.obj`; read them now if it keeps none."""
    found = ctx.find_object(Settings)
    if found is None:
        found = read_settings()
        ctx.find_root().obj = found
    return found


def read_settings() -> Settings:
    """Read the settings from the environment and `.env`; InputError names each one that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"LER_{'_'.join(str(part) for part in it['loc'][:1]).upper()}: {it['msg'].removeprefix('Value error, ')}"
            for it in error.errors()
        )
        raise InputError(f"Settings that cannot be used: {wrong}") from error
