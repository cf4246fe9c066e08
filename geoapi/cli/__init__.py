"""The command line `ler`: everything the platform does, for people at a keyboard.

Results go to stdout, words to the person to stderr. Exit code 0: done; 2: refused or impossible, with one message.
Commands that find something to look at (check, convert, upload, audit verify, package verify) end with 1. A command's module is
imported when the command is called, so that checking a file does not wait for a database's libraries.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final

import typer

from geoapi.cli.console import ReportingGroup, results

COMMANDS: Final = (
    *("check", "convert", "mapping", "rules", "model", "styles"),
    *("organisation", "member", "grant", "mandate", "area", "contact", "dispensation"),
    *("client", "limit", "endpoint"),
    *("db", "owner", "token", "upload", "network", "drawing", "request", "package", "answer", "sensitivity"),
    *("conflicts", "clearance", "precautions", "works", "ducts", "windows", "audit", "damage", "deviation"),
    *("serve", "worker", "demo"),
)
"""Each is a module of this package, with a group `app` or one function of the same name."""


class LazyGroup(ReportingGroup):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - the types of click, which typer hides
        """The names of the commands, as help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - as above
        """Return the command of that name; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__name__}.{cmd_name}")
        found = getattr(module, "app", None)
        if found is None:
            found = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            found.command(name=cmd_name)(getattr(module, cmd_name))
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="ler",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 - as typer calls it
    if wanted:
        results().print(f"ler {version('ler')}")
        raise typer.Exit


@app.callback()
def ler(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version and exit."),
    ] = False,
) -> None:
    """Exchange data about buried cables and pipes: who digs asks once, every owner answers, one package comes back."""


def main() -> None:
    """Run the command line."""
    app()
