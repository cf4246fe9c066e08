"""`ler audit`: the trail of what was done, its chain, and who has seen a line."""

import json
import sys
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import shapely
import typer
from rich.table import Table
from shapely import Polygon

from geoapi.audit_views import viewers_view
from geoapi.cli.acting import AsJson, acting_as_operator
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.database import open_databases
from geoapi.platform import Platform, upload_files
from geoapi.records import Records, checkpoint_folder
from ingest.area_file import read_area_file
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.audit import Break
from ler.errors import RefusedError
from ler.services.audit import Wanted, export_trail, list_audit_events, seal, verify_export, verify_trail
from ler.services.registry import get_owner
from ler.services.viewers import Question, Viewers, find_viewers
from ler.signing import public_pem, read_public_key

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="What was done: verify it, write it out, ask who has seen a line.",
)

EXIT_BROKEN: Final = 1

PublicKey = Annotated[
    list[Path] | None,
    typer.Option(
        "--public-key",
        help="PEM file with the public key of checkpoints that you trust; may be repeated. Else those of the folder.",
    ),
]


@app.command()
def verify(
    ctx: typer.Context,
    *,
    file: Annotated[
        Path | None, typer.Option("--file", help="An exported trail instead of the database.")
    ] = None,
    checkpoints: Annotated[
        Path | None, typer.Option(help="Folder with signed checkpoints, such as a copy kept elsewhere.")
    ] = None,
    public_key: PublicKey = None,
) -> None:
    """Follow the chain and name the first link that does not hold; then the exit code is 1."""
    settings = settings_of(ctx)
    folder = checkpoint_folder(settings)
    if checkpoints is not None:
        folder = type(folder)(checkpoints)
        if not checkpoints.is_dir():
            raise RefusedError("folder-missing", f"{checkpoints} is not a folder")
    signed = folder.verified([read_public_key(path) for path in public_key or ()])
    witnesses = {one.head.number: one.head.digest for one in signed}
    if file is not None:
        with file.open(encoding="utf-8", newline="\n") as lines:
            walked = verify_export(lines, witnesses)
        _tell(walked.head.number, walked.broken, len(signed), None)
        return
    with acting_as_operator(ctx) as connection:
        found = verify_trail(connection, witnesses)
    _tell(found.head.number, found.broken, len(signed), found.waiting)


@app.command()
def export(
    ctx: typer.Context,
    *,
    out: Annotated[Path | None, typer.Option("--out", help="A new file; else stdout.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Only what follows this number.")] = 0,
) -> None:
    """Write the chain, one JSON document a line, so that it can be verified without us."""
    with acting_as_operator(ctx) as connection:
        if out is None:
            head = export_trail(connection, sys.stdout, after=after)
        else:
            with out.open("x", encoding="utf-8", newline="\n") as stream:
                head = export_trail(connection, stream, after=after)
    say(f"Links {after + 1} to {head.number}." if head.number > after else "There is nothing to write.")


@app.command()
def checkpoint(ctx: typer.Context) -> None:
    """Seal what was committed and sign the head of the chain now; print the newest checkpoint, to be kept elsewhere."""
    settings = settings_of(ctx)
    with open_databases(settings) as databases:
        records = Records(Platform(settings, databases, upload_files(settings)))
        seal(databases.worker)
        made = records.sign()
    last = made or checkpoint_folder(settings).last()
    if last is None:
        raise RefusedError(
            "audit-empty", "nothing was recorded yet, or the trail does not hold: run ler audit verify"
        )
    results().print_json(json.dumps(last.document()))


@app.command()
def key(ctx: typer.Context) -> None:
    """Print the public key by which checkpoints are verified: give it to whoever audits."""
    results().print(public_pem(checkpoint_folder(settings_of(ctx)).signing_key.public).decode().strip())


@app.command(name="list")
def list_(
    ctx: typer.Context,
    *,
    action: Annotated[str | None, typer.Option(help="An action, or its beginning: `owner:`.")] = None,
    object_id: Annotated[UUID | None, typer.Option("--object", help="What was acted on.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was done, the newest first."""
    with acting_as_operator(ctx) as connection:
        found = list_audit_events(connection, Wanted(action=action, object_id=object_id), limit=limit)
    rows = [
        {
            "at": one.at.isoformat(timespec="milliseconds"),
            "action": one.action,
            "actor": str(one.actor) if one.actor else None,
            "object": str(one.object_id) if one.object_id else None,
            "details": dict(one.details),
        }
        for one in found
    ]
    if as_json:
        results().print_json(json.dumps(rows))
        return
    table = Table("At", "Action", "Actor", "Object", "Details")
    for row in rows:
        table.add_row(*(str(value or "") for value in list(row.values())[:4]), json.dumps(row["details"]))
    results().print(table)


@app.command()
def seen(
    ctx: typer.Context,
    *,
    owner: Annotated[
        str | None, typer.Option("--owner", help="CVR number of whose lines; else everybody's.")
    ] = None,
    gml_id: Annotated[list[str] | None, typer.Option("--gml-id", help="A line; may be repeated.")] = None,
    area: Annotated[Path | None, typer.Option("--area", help="File with the polygon of an area.")] = None,
    crs: Annotated[str | None, typer.Option("--crs", help="Coordinate system of the file.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 1000,
    as_json: AsJson = False,
) -> None:
    """Tell to whom lines were delivered, what of it was fetched, and who read the owner's network."""
    polygon = _polygon(area, crs) if area else None
    with acting_as_operator(ctx) as connection:
        owner_id = get_owner(connection, owner).id if owner else None
        found = find_viewers(
            connection, PLATFORM_OPERATOR, Question(owner_id, gml_id or (), polygon), most=limit
        )
    if as_json:
        results().print_json(json.dumps(viewers_view(found)))
    else:
        _tell_viewers(found)


def _tell_viewers(found: Viewers) -> None:
    table = Table("Delivered", "Request", "To", "CVR", "Purpose", "Lines", "Fetched")
    for one in found.viewed:
        table.add_row(
            one.delivered_at.isoformat(timespec="minutes"),
            str(one.order_number),
            one.requester_name,
            one.requester_cvr or "",
            one.purpose,
            str(len(one.lines)),
            str(len(one.downloads)),
        )
    results().print(table)
    for read in found.reads:
        by = read.provider_id or read.account_id or "the owner's program"
        results().print(f"{read.at.isoformat(timespec='minutes')} version {read.version} read by {by}")
    if found.more:
        say("There are older ones; ask with a higher --limit.")


def _tell(number: int, broken: Break | None, checkpoints: int, waiting: int | None) -> None:
    words = f"{number} links hold; {checkpoints} signed checkpoints fit"
    if broken is None:
        say(words + ("." if waiting is None else f"; {waiting} events wait to be sealed."))
        if not checkpoints:
            say("Without checkpoints nobody can see that the end was cut off or the whole made anew.")
        return
    results().print(f"BROKEN: {broken}")
    say(f"The {number} links before it hold." if number else "No link before it holds.")
    raise SystemExit(EXIT_BROKEN)


def _polygon(file: Path, crs: str | None) -> Polygon:
    merged = shapely.union_all(read_area_file(file, crs))
    if not isinstance(merged, Polygon):
        raise RefusedError("area-not-one-polygon", "one polygon is wanted, or several that meet")
    return merged
