"""A group of commands of which one, `batch`, needs Dask: it is imported when that one is called, not for the others."""

from importlib import import_module
from typing import Any

import typer

from geoapi.cli.console import ReportingGroup


class BatchGroup(ReportingGroup):
    """The commands of a group, and `batch` of another module."""

    batch_module: str

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - the types of click, which typer hides
        """Return the command of that name; None when there is none."""
        if cmd_name != "batch":
            return super().get_command(ctx, cmd_name)
        made = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        made.command(name="batch")(import_module(self.batch_module).batch)
        return typer.main.get_command(made)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - as above
        """The names of the commands, as help shows them."""
        return [*super().list_commands(ctx), "batch"]
