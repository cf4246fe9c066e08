"""`ler network`: an owner's network through its versions - what was in it, what changed, what waits for a word."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from geoapi.cli.comparison import tell_comparison
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.cli.network_quality import quality
from geoapi.database import open_databases
from ingest.compare import Comparison, compare_versions
from ingest.report.changes_map import draw_changes, staged_changes, version_changes
from ingest.stage import approve_version, discard_version
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError
from ler.model import load_model
from ler.packages.gml import Answer, write_answer
from ler.services.networks import (
    find_version_at,
    get_version,
    header_of,
    list_versions,
    purge_versions,
    read_network,
    sweep_staging,
)
from ler.services.registry import get_owner

app = typer.Typer(
    cls=ReportingGroup, no_args_is_help=True, help="Owners' networks: their versions, and what waits for approval."
)  # fmt: skip

app.command()(quality)

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
def export(
    ctx: typer.Context,
    *,
    owner: Owner,
    out: Annotated[Path, typer.Option("--out", help="LER GML file to write.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="A date, a time (ISO 8601) or the number of a version; now.")
    ] = None,
) -> None:
    """Write an owner's network as it is, or as it was, as LER GML."""
    moment = None if as_of is None else moment_of(as_of)
    with open_databases(settings_of(ctx)) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = get_owner(connection, owner)
        with transaction(databases.app, found.id) as connection:
            version = find_version_at(connection, found.id, moment)
            features = list(read_network(connection, found.id, version.number))
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as stream:
            write_answer(
                stream,
                Answer(owner, found.name, header_of(version), features),
                load_model(version.model_version),
            )
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    say(f"{found.name}: version {version.number} with {len(features):,} features, in {out}")


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
            first, second = (get_version(connection, found.id, number) for number in (old, new))
            if second.state == "staged":
                compared = Comparison.from_json(second.comparison or {"base_number": None, "types": {}})
                if compared.base_number != first.number:
                    raise RefusedError(
                        "version-stale",
                        f"version {new} was compared with {compared.base_number}, not with {old}",
                    )
                changes = staged_changes(connection, second.id)
            else:
                for version in (first, second):
                    _check_readable(version.number, version.state, purged=version.purged_at is not None)
                compared = compare_versions(connection, second.dataset_id, old, new)
                changes = version_changes(connection, second.dataset_id, old, new)
    if map_file is not None:
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


def moment_of(given: str) -> datetime | int:
    """The number of a version, or the end of a date or the time given, in Danish time where no zone is.

    RefusedError `time-invalid` for what is neither.
    """
    if given.isdecimal():
        return int(given)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise RefusedError(
            "time-invalid", f"{given!r} is no date, time or number of a version; write 2026-05-04 or 3"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo("Europe/Copenhagen"))
    if "T" not in given and " " not in given:
        moment += timedelta(days=1) - timedelta(microseconds=1)
    return moment.astimezone(UTC)


def _check_readable(number: int, state: str, *, purged: bool) -> None:
    if purged:
        raise RefusedError("version-purged", f"the features of version {number} have been removed")
    if state not in {"published", "superseded"}:
        raise RefusedError("version-unpublished", f"version {number} is {state}")
