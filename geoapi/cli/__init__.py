"""The command line `ler`: everything the platform does, for people at a keyboard.

Results go to stdout, words to the person to stderr. Exit code 0: done; 2: refused or impossible, with one message.
"""

import typer

from geoapi.cli import db, demo, owner, request, upload
from geoapi.cli.console import ReportingGroup

app = typer.Typer(
    name="ler",
    cls=ReportingGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Exchange data about buried cables and pipes: who digs asks once, every owner answers, one package comes back.",
)
app.add_typer(db.app, name="db")
app.add_typer(owner.app, name="owner")
app.command(name="upload")(upload.upload)
app.command(name="request")(request.request)
app.command(name="demo")(demo.demo)


def main() -> None:
    """Run the command line."""
    app()
