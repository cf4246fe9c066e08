"""`ler drawing`: owners' georeferenced drawings, added, listed, looked at and removed."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import shapely
import typer
from rich.table import Table
from sqlalchemy import Connection

from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.cli.language import Chosen, LanguageOption, language_of
from geoapi.database import Databases, open_databases
from geoapi.stores import blob_store
from ingest.drawings.make import DrawingRefusedError, MadeDrawing, make_drawing
from ingest.findings import Findings
from ingest.rules.catalogue import load_rules
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError
from ler.packages.content import Deliver
from ler.services.drawings import (
    Drawing,
    DrawingFacts,
    DrawingFiles,
    add_drawing,
    check_facts,
    database_time,
    get_drawing,
    list_drawings,
    remove_drawing,
    sweep_blobs,
)
from ler.services.registry import Organisation, get_owner
from ler.settings import Settings

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Owners' georeferenced drawings: check and add them, list them, look at them, remove them.",
)

Owner = Annotated[str, typer.Option("--owner", help="The owner's CVR number.")]
Name = Annotated[str, typer.Argument(help="Name of the drawing, as `ler drawing list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command()
def add(
    ctx: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(help="GeoTIFF, or TIFF, PNG or JPEG with a world file beside it.")
    ],
    *,
    owner: Owner,
    crs: Annotated[
        str | None,
        typer.Option("--crs", help="Coordinate system, e.g. EPSG:25832, where the file says none."),
    ] = None,
    world: Annotated[
        Path | None, typer.Option("--world", help="The world file, if it lies elsewhere.")
    ] = None,
    link: Annotated[
        list[str] | None, typer.Option("--link", help="gml:id of a feature it belongs to; may be repeated.")
    ] = None,
    taken: Annotated[
        datetime | None, typer.Option("--taken", formats=["%Y-%m-%d"], help="When it was drawn or measured.")
    ] = None,
    valid_from: Annotated[
        datetime | None, typer.Option("--valid-from", formats=["%Y-%m-%d"], help="Not delivered before.")
    ] = None,
    valid_to: Annotated[
        datetime | None, typer.Option("--valid-to", formats=["%Y-%m-%d"], help="Not delivered after.")
    ] = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Deliver all of it, not what lies in the dig area alone: for a legend."),
    ] = False,
    language: LanguageOption = None,
    as_json: Json = False,
) -> None:
    """Check drawings and keep them; each is kept whole or, with all its faults told, not at all."""
    if world and len(files) > 1:
        raise RefusedError("option-invalid", "--world goes with one file")
    settings = settings_of(ctx)
    refused = 0
    with _acting_for(settings, owner) as (databases, found):
        for file in files:
            facts = DrawingFacts(
                file.name,
                _date(taken),
                _date(valid_from),
                _date(valid_to),
                tuple(link or ()),
                Deliver.WHOLE if whole else Deliver.CLIPPED,
            )
            check_facts(facts)
            try:
                drawing = _add(
                    settings, databases, found, file, facts, crs=crs, world=world, language=language
                )
            except DrawingRefusedError as error:
                _tell(file, error.findings, language_of(language))
                refused += 1
                continue
            if as_json:
                results().print_json(json.dumps(_told(drawing)))
            else:
                results().print(_line(drawing))
    if refused:
        raise RefusedError("drawing-refused", f"{refused} of {len(files)} drawings were not stored")


@app.command(name="list")
def list_(ctx: typer.Context, *, owner: Owner, as_json: Json = False) -> None:
    """List an owner's drawings."""
    with _acting(settings_of(ctx), owner) as connection:
        drawings = list_drawings(connection)
    if as_json:
        results().print_json(json.dumps([_told(drawing) for drawing in drawings]))
        return
    table = Table("Name", "Pixels", "Ground, m", "Pixel, m", "Taken", "Valid", "Linked", "Delivered")
    for drawing in drawings:
        west, south, east, north = drawing.footprint.bounds
        valid = (
            ""
            if not (drawing.valid_from or drawing.valid_to)
            else f"{drawing.valid_from or ''} – {drawing.valid_to or ''}"
        )
        table.add_row(
            drawing.name,
            f"{drawing.columns} x {drawing.rows}",
            f"{east - west:.0f} x {north - south:.0f}",
            f"{drawing.resolution_m:.3g}",
            str(drawing.taken_on or ""),
            valid,
            str(len(drawing.linked_gml_ids)),
            str(drawing.deliver),
        )
    results().print(table)


@app.command()
def show(
    ctx: typer.Context,
    name: Name,
    *,
    owner: Owner,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write its GeoTIFF and preview into.")
    ] = None,
) -> None:
    """Tell all of a drawing as JSON, and write its files if asked to."""
    settings = settings_of(ctx)
    with _acting(settings, owner) as connection:
        drawing = get_drawing(connection, name)
    results().print_json(json.dumps(_told(drawing)))
    if out:
        out.mkdir(parents=True, exist_ok=True)
        stem = Path(drawing.name).stem
        _write_blob(settings, drawing.cog_sha256, out / f"{stem}.tif")
        _write_blob(settings, drawing.preview_sha256, out / f"{stem}.png")


@app.command()
def remove(ctx: typer.Context, name: Name, *, owner: Owner) -> None:
    """Take a drawing out: no later request gets it."""
    with (
        _acting_for(settings_of(ctx), owner) as (databases, found),
        transaction(databases.app, found.id) as connection,
    ):
        remove_drawing(connection, found.id, name)
    say(f"{name} is removed. Who received it keeps it; its files go with the next sweep.")


@app.command()
def sweep(
    ctx: typer.Context,
    *,
    hours: Annotated[float, typer.Option(min=1.0, help="Keep what is younger.")] = 24.0,
) -> None:
    """Remove stored files that nothing refers to any more."""
    settings = settings_of(ctx)
    with open_databases(settings) as databases, transaction(databases.worker, None) as connection:
        limit = database_time(connection) - timedelta(hours=hours)
        swept = sweep_blobs(connection, blob_store(settings), limit)
    say(f"{swept.blobs} files ({swept.size_bytes:,} bytes) and {swept.unfinished} unfinished ones removed.")


def _add(
    settings: Settings,
    databases: Databases,
    owner: Organisation,
    file: Path,
    facts: DrawingFacts,
    *,
    crs: str | None,
    world: Path | None,
    language: Chosen | None,
) -> Drawing:
    store = blob_store(settings)
    with store.workshop() as folder:
        made = make_drawing(file, folder, coverage=settings.coverage, crs=crs, world_file=world)
        _tell(file, made.findings, language_of(language))
        # Only now a transaction: the reading of a large drawing takes longer than one may be idle.
        with transaction(databases.app, owner.id) as connection:
            add_drawing(connection, owner.id, store, _files(made), facts)
            return get_drawing(connection, facts.name)


def _date(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _files(made: MadeDrawing) -> DrawingFiles:
    return DrawingFiles(
        original=made.original,
        media_type=made.media_type,
        cog=made.cog,
        preview=made.preview,
        columns=made.columns,
        rows=made.rows,
        resolution_m=made.resolution_m,
        source_epsg=made.source_epsg,
        accuracy_m=made.accuracy_m,
        footprint=made.footprint,
        placement=made.placement,
    )


@contextmanager
def _acting_for(settings: Settings, cvr: str) -> Iterator[tuple[Databases, Organisation]]:
    with open_databases(settings) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            owner = get_owner(connection, cvr)
        yield databases, owner


@contextmanager
def _acting(settings: Settings, cvr: str) -> Iterator[Connection]:
    with _acting_for(settings, cvr) as (databases, owner), transaction(databases.app, owner.id) as connection:
        yield connection


def _write_blob(settings: Settings, sha256: str, path: Path) -> None:
    with blob_store(settings).open(sha256, verify=True) as stored, path.open("wb") as target:
        shutil.copyfileobj(stored, target, 1 << 20)
    say(f"{path}")


def _tell(file: Path, findings: Findings, language: Chosen) -> None:
    for finding in findings.kept:
        rule = load_rules()[finding.code]
        said = f"{rule.message(finding, language)} {rule.remedy(finding, language)}"
        say(f"{finding.severity}: {file.name}: {said} [{finding.code}]")


def _line(drawing: Drawing) -> str:
    west, south, east, north = drawing.footprint.bounds
    ground = f"{east - west:.0f} x {north - south:.0f} m"
    return (
        f"{drawing.name}: {drawing.columns} x {drawing.rows} pixels of {drawing.resolution_m:.3g} m, {ground}"
    )


def _told(drawing: Drawing) -> dict[str, Any]:
    plain = {
        name: getattr(drawing, name)
        for name in (
            *("name", "columns", "rows", "resolution_m", "source_epsg", "accuracy_m", "media_type"),
            *("original_sha256", "cog_sha256", "preview_sha256", "original_size_bytes", "cog_size_bytes"),
        )
    }
    days = {name: getattr(drawing, name) for name in ("taken_on", "valid_from", "valid_to")}
    return {
        **plain,
        **{name: day.isoformat() if day else None for name, day in days.items()},
        "linked_gml_ids": list(drawing.linked_gml_ids),
        "deliver": str(drawing.deliver),
        "footprint": shapely.geometry.mapping(drawing.footprint),
    }
