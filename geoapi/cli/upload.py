"""`ler upload`: an owner's file becomes the published version of its network."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from geoapi.cli.console import messages, results, say, settings_of
from geoapi.database import open_databases
from ingest.findings import Findings
from ingest.load import NetworkRefusedError, publish_network
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.registry import get_owner


def upload(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="LER GML, version 2.0.0 to 2.2.0.")],
    *,
    owner: Annotated[str, typer.Option("--owner", help="The owner's CVR number.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read an owner's network and publish it; a file with faults changes nothing, and all its faults are told."""
    settings = settings_of(ctx)
    with open_databases(settings) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = get_owner(connection, owner)
        try:
            with _progress() as progress, transaction(databases.app, found.id) as connection:
                task = progress.add_task(file.name, total=None)
                published = publish_network(
                    connection, found, file, settings, lambda count: progress.update(task, completed=count)
                )
        except NetworkRefusedError as refused:
            tell_findings(refused.findings)
            raise
    tell_findings(published.findings)
    if as_json:
        told = {"owner": found.cvr, "version": published.number, "features": published.feature_count}
        results().print_json(json.dumps(told))
    else:
        results().print(f"{found.name}: version {published.number} with {published.feature_count:,} features")
    say("It answers requests from now on.")


def tell_findings(findings: Findings) -> None:
    """Print the findings, a line each, and how many more there are of each kind."""
    for finding in findings.kept:
        say(f"{finding.severity}: {finding}")
    for (severity, code), count in findings.counts.items():
        if count > findings.cap:
            say(f"{severity}: {count - findings.cap:,} more of [{code}]")


def _progress() -> Progress:
    console = messages()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} features"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
