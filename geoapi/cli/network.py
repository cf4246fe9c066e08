"""`ler network`: an owner's network through its versions - what was in it, what changed, what waits for a word."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from geoapi.cli.comparison import tell_comparison
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.cli.network_export import export
from geoapi.cli.network_quality import quality
from geoapi.comparisons import compare_numbers
from geoapi.database import open_databases
from ingest.report.changes_map import draw_changes
from ingest.stage import approve_version, discard_version
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.networks import (
    get_version,
    list_versions,
    purge_versions,
    sweep_staging,
)
from ler.services.registry import get_owner

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Owners' networks: their versions, and what waits for approval.",
)

app.command()(quality)
app.command()(export)

Owner = Annotated[str, typer.Option("--owner", help="The owner's CVR number.")]
Number = Annotated[int, typer.Argument(help="Number of the version.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def versions(ctx: typer.Context, *, owner: Owner, as_json: AsJson = False) -> None:
    """List the versions of an owner's network, newest first."""
    with open_databases(settings_of(ctx)) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = get_owner(connection, owner)
        with transaction(databases.app, found.id) as connection:
            listed = list_versions(connection, found.id)
    if as_json:
        rows = [
            {
                "version": it.number,
                "state": it.state,
                "mode": it.mode,
                "features": it.feature_count,
                "source": it.source_name,
                "sha256": it.source_sha256,
                "published_at": it.published_at.isoformat() if it.published_at else None,
                "purged": it.purged_at is not None,
                "reasons": it.decision_reasons,
            }
            for it in listed
        ]
        results().print_json(json.dumps(rows))
        return
    table = Table("Version", "State", "Features", "Published", "File", "Waits because")
    for it in listed:
        state = "purged" if it.purged_at else it.state
        published = f"{it.published_at:%Y-%m-%d %H:%M} UTC" if it.published_at else "-"
        reasons = ", ".join(it.decision_reasons) if it.state == "staged" else ""
        table.add_row(str(it.number), state, f"{it.feature_count:,}", published, it.source_name, reasons)
    results().print(table)


@app.command()
def diff(
    ctx: typer.Context,
    old: Number,
    new: Number,
    *,
    owner: Owner,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="SVG file to draw what changed, on a map.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what differs between two versions; the newer may be one that waits for approval."""
    with open_databases(settings_of(ctx)) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = get_owner(connection, owner)
        with transaction(databases.app, found.id) as connection:
            compared, read_changes = compare_numbers(connection, found.id, old, new)
            changes = read_changes() if map_file is not None else None
    if map_file is not None and changes is not None:
        title = f"{found.name}, version {old} to {new}"
        map_file.write_text(draw_changes(changes, compared, title), encoding="utf-8")
    if as_json:
        results().print_json(json.dumps(compared.to_json()))
    else:
        tell_comparison(compared)


@app.command()
def approve(
    ctx: typer.Context,
    number: Number,
    *,
    owner: Owner,
    confirm_empty: Annotated[
        bool, typer.Option("--confirm-empty", help="Even if nothing is left of the network.")
    ] = False,
) -> None:
    """Publish a version that waits for approval; it answers requests from then on."""
    with open_databases(settings_of(ctx)) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = get_owner(connection, owner)
        with transaction(databases.app, found.id) as connection:
            version = get_version(connection, found.id, number)
            published = approve_version(connection, version.id, confirm_empty=confirm_empty)
    results().print(f"{found.name}: version {number} with {published.feature_count:,} features")
    say("It answers requests from now on.")


@app.command()
def discard(ctx: typer.Context, number: Number, *, owner: Owner) -> None:
    """Give up a version that waits for approval; the published network stays as it is."""
    with open_databases(settings_of(ctx)) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = get_owner(connection, owner)
        with transaction(databases.app, found.id) as connection:
            discard_version(connection, get_version(connection, found.id, number).id)
    say(f"Version {number} of {found.name} is discarded; the published network is as it was.")


@app.command()
def purge(ctx: typer.Context) -> None:
    """Remove what nobody needs: old versions that no answer refers to, and uploads that nobody decided on."""
    settings = settings_of(ctx)
    with (
        open_databases(settings) as databases,
        transaction(databases.app, PLATFORM_OPERATOR) as connection,
    ):
        swept = sweep_staging(connection, settings.keep_staged_days)
        purged = purge_versions(connection, settings.keep_versions_days)
    results().print(f"{purged.versions} old versions with {purged.features:,} features")
    results().print(f"{swept.versions} uploads with {swept.features:,} features")
