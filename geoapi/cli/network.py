"""`ler network`: what the platform holds of an owner's network."""

import typer

from geoapi.cli.console import ReportingGroup
from geoapi.cli.network_quality import quality

app = typer.Typer(
    cls=ReportingGroup, no_args_is_help=True, help="An owner's network: its quality over the versions."
)
app.command()(quality)


@app.callback()
def network() -> None:
    """Keep the group a group, also while it has one command."""
