"""`ler precautions`: what an owner asks for near its lines, by a table of its own; and what of it holds for a request."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from shapely.geometry import mapping

from conflicts.owner_tables import end_table, find_table, read_table, set_table
from conflicts.stored import list_conflicts
from geoapi.cli.acting import AsJson, acting_as, show_rows
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.precaution_areas import read_precaution_areas
from ler.domain.faults import FaultsError
from ler.domain.precaution_tables import row_document
from ler.errors import NotFoundError, RefusedError

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="What an owner asks for near its lines: set, show, end; and what holds: told.",
)

As = Annotated[str, typer.Option("--as", help="CVR number or id of the owner.")]
_REFUSED = 1


@app.command(name="set")
def set_(
    ctx: typer.Context,
    table: Annotated[Path, typer.Argument(help="TOML or JSON, as docs/reference/precautions.md has it.")],
    *,
    organisation: As,
    areas: Annotated[
        Path | None, typer.Option(help="GeoJSON or another file of polygons, each with its `name`.")
    ] = None,
    crs: Annotated[str | None, typer.Option(help="Coordinate system of the areas, e.g. EPSG:25832.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only tell what is wrong; set nothing.")] = False,
) -> None:
    """Let a table hold from the next package on, instead of the one that does; a bad one changes nothing."""
    document = _document(table)
    drawn = read_precaution_areas(areas, crs, settings_of(ctx).coverage) if areas else {}
    try:
        rows = read_table(document, drawn)
    except FaultsError as error:
        for fault in error.faults:
            say(f"{fault.code}: {fault.message}")
        raise typer.Exit(_REFUSED) from None
    if check:
        say(f"{len(rows)} rows and {len(drawn)} areas without a fault; nothing was set.")
        return
    with acting_as(ctx, organisation) as (connection, owner):
        set_table(connection, owner.id, rows, drawn)
    say(f"{len(rows)} precautions and {len(drawn)} areas of {owner.name} hold from the next package on.")


@app.command()
def show(ctx: typer.Context, *, organisation: As, as_json: AsJson = False) -> None:
    """Show the table that holds, as it can be set again; as JSON with its areas."""
    with acting_as(ctx, organisation) as (connection, owner):
        found = find_table(connection, owner.id)
    if found is None:
        raise NotFoundError(f"{owner.name} has no precautions")
    rows = [row_document(row) for row in found.rows]
    if as_json:
        areas = [
            {"type": "Feature", "properties": {"name": name}, "geometry": mapping(area)}
            for name, area in found.areas.items()
        ]
        results().print_json(json.dumps({"row": rows, "areas": areas}))
        return
    shown = ("priority", "da", "contact", "notice_days")
    told = [
        {
            **{name: row.get(name) for name in shown},
            "holds_for": "; ".join(
                f"{name} {_plain(row[name])}" for name in row if name not in {*shown, "en"}
            ),
        }
        for row in rows
    ]
    show_rows(told, "priority", "holds_for", "da", "contact", "notice_days", as_json=False)


@app.command()
def end(ctx: typer.Context, *, organisation: As) -> None:
    """End the table at once."""
    with acting_as(ctx, organisation) as (connection, owner):
        end_table(connection, owner.id)
    say(f"The precautions of {owner.name} hold no longer.")


@app.command()
def told(
    ctx: typer.Context,
    request: Annotated[UUID, typer.Argument(help="Id of a request.")],
    *,
    organisation: Annotated[str, typer.Option("--as", help="CVR number or id of the requester.")],
    as_json: AsJson = False,
) -> None:
    """Tell all precautions that hold for a request of one's own, and why."""
    with acting_as(ctx, organisation) as (connection, _):
        kept = list_conflicts(connection, request)
    rows = [
        {**row, "geom": None if row["geom"] is None else mapping(row["geom"])} for row in kept.precautions
    ]
    columns = "owner_name", "utility_type", "priority", "highest", "measure_da", "reason_da"
    show_rows(rows, *columns, as_json=as_json)


def _document(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise RefusedError("file-missing", f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise RefusedError("precaution-unreadable", f"{path.name} is no TOML or JSON: {error}") from None


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
