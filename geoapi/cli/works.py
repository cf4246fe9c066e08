"""`ler works`: what is going to be dug, where digging is restricted, what of it clashes, and who is told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import shapely
import typer

from conflicts.work_conflict_store import Refreshed
from geoapi.cli.acting import AsJson, acting_as, acting_as_operator, show_rows
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.ducts_view import ducts_view
from geoapi.works_desk import WorksDesk, conflict_row
from geoapi.works_file import (
    RowFault,
    RowsRefusedError,
    enter_restrictions_file,
    enter_works_file,
    judge_restrictions_file,
    judge_works_file,
)
from ingest.area_file import read_area_file
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.legal_time import legal_day
from ler.domain.work_conflicts import JudgementState
from ler.domain.work_record import record_of
from ler.domain.works import WorkStatus
from ler.services.area_subscriptions import follow_area, list_areas_followed, unfollow_area
from ler.services.areas import merged_area
from ler.services.ducts import list_ducts_near
from ler.services.restrictions import StoredRestriction, get_restriction, list_restrictions
from ler.services.work_conflicts import judge_conflict, list_conflicts
from ler.services.works import StoredWork, get_work, list_works

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Planned works: import, list, restrict, conflicts.",
)

_REFUSED = 1
"""Exit code when rows of a file are at fault."""

By = Annotated[str, typer.Option("--by", help="CVR number or id of the organisation that does so.")]
File = Annotated[Path, typer.Argument(help="GeoPackage, GeoJSON, shapefile in a ZIP, or CSV with WKT.")]
Crs = Annotated[str | None, typer.Option("--crs", help="Coordinate system of the file, e.g. EPSG:25832.")]
Check = Annotated[bool, typer.Option("--check", help="Only tell what is wrong; enter nothing.")]
WorkId = Annotated[UUID, typer.Argument(help="The work's id.")]
Version = Annotated[
    int | None, typer.Option(help="Only at this version; without it, whatever has been changed since.")
]


@app.command(name="import")
def import_(
    ctx: typer.Context, file: File, *, by: By, crs: Crs = None, check: Check = False, as_json: AsJson = False
) -> None:
    """Enter the works of a file: all, or none and every fault of it. A known reference changes its work."""
    desk = _desk(ctx)
    with _telling_rows(as_json=as_json), acting_as(ctx, by) as (connection, found):
        judged = judge_works_file(file, crs, found.id, desk)
        _tell_unused(judged.unused)
        judged.refuse_faults()
        if check:
            say(f"{len(judged.rows)} works without a fault; nothing was entered.")
            return
        done = enter_works_file(connection, found.id, judged, desk)
    if as_json:
        results().print_json(
            json.dumps(
                {
                    "new": [str(one) for one in done.new],
                    "changed": [str(one) for one in done.changed],
                    "unchanged": done.unchanged,
                    "conflicts": _counted(done.conflicts),
                }
            )
        )
    say(f"{len(done.new)} works entered, {len(done.changed)} changed, {done.unchanged} as before.")
    _tell_conflicts(done.conflicts)


@app.command(name="list")
def list_(
    ctx: typer.Context,
    *,
    organisation: Annotated[str | None, typer.Option(help="Only of this one: CVR number or id.")] = None,
    status: Annotated[list[WorkStatus] | None, typer.Option(help="Only these; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 1000,
    as_json: AsJson = False,
) -> None:
    """List the works that are published, in the order in which they were entered; of one organisation its drafts too."""
    if organisation:
        with acting_as(ctx, organisation) as (connection, found):
            works = list_works(connection, organisation_id=found.id, statuses=status, limit=limit)
    else:
        with acting_as_operator(ctx) as connection:
            works = list_works(connection, statuses=status, limit=limit)
    columns = "id", "title", "activity", "earliest_start", "latest_end", "duration_days", "road", "status"
    show_rows([_work_row(one) for one in works], *columns, as_json=as_json)


@app.command()
def show(
    ctx: typer.Context,
    work: WorkId,
    *,
    organisation: Annotated[str | None, typer.Option(help="As this one sees it, its drafts too.")] = None,
) -> None:
    """Show a work and its conflicts, as JSON."""
    with acting_as(ctx, organisation or str(PLATFORM_OPERATOR)) as (connection, found):
        stored = get_work(connection, work)
        clashes = list_conflicts(connection, found.id, thing_id=work)
    document = _work_row(stored) | {"conflicts": [conflict_row(one) for one in clashes]}
    results().print_json(json.dumps(document, ensure_ascii=False, default=str))


@app.command()
def ducts(
    ctx: typer.Context,
    work: WorkId,
    *,
    as_: Annotated[str, typer.Option("--as", help="CVR number or id of the organisation whose work it is.")],
    as_json: AsJson = False,
) -> None:
    """Tell which ducts are offered near a work: owners' that are there, to whom they offer them, and those of other works."""
    with acting_as(ctx, as_) as (connection, found):
        rows = [ducts_view(one) for one in list_ducts_near(connection, found.id, work)]
    columns = "kind", "organisation_name", "contact", "ducts", "utilisation", "length_m", "work_id"
    show_rows(rows, *columns, as_json=as_json)


@app.command()
def end(ctx: typer.Context, work: WorkId, *, by: By, version: Version = None) -> None:
    """Take a work out of what is planned; it stays on record."""
    with acting_as(ctx, by) as (connection, found):
        seen = version or get_work(connection, work).work.version
        done = _desk(ctx).end(connection, found.id, work, expected_version=seen)
    say(f"{done.work.work.title} is not planned any more.")


@app.command()
def restrict(
    ctx: typer.Context, file: File, *, by: By, crs: Crs = None, check: Check = False, as_json: AsJson = False
) -> None:
    """Enter the restrictions of a file: moratoria, closed periods, events, bus lines, diversions."""
    desk = _desk(ctx)
    with _telling_rows(as_json=as_json), acting_as(ctx, by) as (connection, found):
        judged = judge_restrictions_file(file, crs, found.id, desk)
        _tell_unused(judged.unused)
        judged.refuse_faults()
        if check:
            say(f"{len(judged.rows)} restrictions without a fault; nothing was entered.")
            return
        ids, conflicts = enter_restrictions_file(connection, found.id, judged, desk)
    if as_json:
        results().print_json(json.dumps({"new": [str(one) for one in ids], "conflicts": _counted(conflicts)}))
    say(f"{len(ids)} restrictions entered.")
    _tell_conflicts(conflicts)


@app.command()
def restrictions(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List the restrictions that hold."""
    with acting_as_operator(ctx) as connection:
        rows = [_restriction_row(one) for one in list_restrictions(connection)]
    show_rows(rows, "id", "kind", "title", "first_day", "last_day", "source", as_json=as_json)


@app.command()
def lift(
    ctx: typer.Context, restriction: Annotated[UUID, typer.Argument(help="The restriction's id.")], *, by: By
) -> None:
    """End a restriction."""
    with acting_as(ctx, by) as (connection, found):
        seen = get_restriction(connection, restriction).restriction.version
        _desk(ctx).end_restriction(connection, found.id, restriction, expected_version=seen)
    say("The restriction holds no longer.")


@app.command()
def conflicts(
    ctx: typer.Context,
    *,
    organisation: Annotated[
        str | None, typer.Option(help="Only those of this one: CVR number or id.")
    ] = None,
    state: Annotated[JudgementState | None, typer.Option(help="Only those in this state with it.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what clashes, by the first day on which it may."""
    with acting_as(ctx, organisation or str(PLATFORM_OPERATOR)) as (connection, found):
        clashes = list_conflicts(connection, found.id, own=organisation is not None, state=state)
        rows = [conflict_row(one) for one in clashes]
    columns = "id", "kind", "distance_m", "first_day", "last_day", "certain", "state"
    show_rows(rows, *columns, as_json=as_json)


@app.command()
def judge(
    ctx: typer.Context,
    conflict: Annotated[UUID, typer.Argument(help="The conflict's id.")],
    *,
    by: By,
    is_conflict: Annotated[bool, typer.Option("--yes/--no", help="Whether it is one.")],
    note: Annotated[str, typer.Option(help="Why; shown to its sides.")] = "",
) -> None:
    """Say whether a conflict of the own works is one; a change of a side asks again."""
    with acting_as(ctx, by) as (connection, found):
        judge_conflict(connection, found.id, conflict, is_conflict=is_conflict, note=note)
    say("Judged.")


@app.command()
def refresh(ctx: typer.Context) -> None:
    """Find the conflicts of all works anew, as after another LER_ADJACENT_WORKS_M."""
    with acting_as_operator(ctx) as connection:
        done = _desk(ctx).look_at(connection, None)
    _tell_conflicts(done)


@app.command()
def follow(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Polygons in metres (EPSG:25832), or as --crs says.")],
    *,
    by: By,
    name: Annotated[str, typer.Option(help="How the area is called.")],
    crs: Crs = None,
) -> None:
    """Follow an area: works that are planned, changed or ended there are told; prints its id."""
    area = merged_area(read_area_file(file, crs), settings_of(ctx).coverage)
    with acting_as(ctx, by) as (connection, found):
        results().print(str(follow_area(connection, found.id, name, area)))


@app.command()
def followed(ctx: typer.Context, *, by: By, as_json: AsJson = False) -> None:
    """List the areas that an organisation follows."""
    with acting_as(ctx, by) as (connection, _):
        rows = [
            {"id": str(one.id), "name": one.name, "km2": round(one.area.area / 1e6, 3)}
            for one in list_areas_followed(connection)
        ]
    show_rows(rows, "id", "name", "km2", as_json=as_json)


@app.command()
def unfollow(
    ctx: typer.Context, subscription: Annotated[UUID, typer.Argument(help="The id from follow.")], *, by: By
) -> None:
    """Follow an area no more."""
    with acting_as(ctx, by) as (connection, found):
        unfollow_area(connection, found.id, subscription)
    say("Followed no more.")


def _desk(ctx: typer.Context) -> WorksDesk:
    return WorksDesk(settings_of(ctx), legal_day(datetime.now(UTC)))


@contextmanager
def _telling_rows(*, as_json: bool) -> Iterator[None]:
    """Tell the faults of rows as rows, after the transaction is taken back."""
    try:
        yield
    except RowsRefusedError as refused:
        show_rows(
            [_fault_row(one) for one in refused.rows],
            *("layer", "record", "code", "pointer", "message"),
            as_json=as_json,
        )
        say("Nothing was entered.")
        raise typer.Exit(_REFUSED) from refused


def _fault_row(row: RowFault) -> dict[str, Any]:
    told = {"code": row.fault.code, "pointer": row.fault.pointer, "message": row.fault.message}
    return {"layer": row.layer, "record": row.record, **told}


def _work_row(stored: StoredWork) -> dict[str, Any]:
    work = stored.work
    return {
        "id": str(work.id),
        "organisation": str(work.organisation_id),
        "version": work.version,
        **record_of(work),
        "changed_at": stored.changed_at.isoformat(),
        "geometry": shapely.to_wkt(work.geometry, rounding_precision=3),
    }


def _restriction_row(stored: StoredRestriction) -> dict[str, Any]:
    found = stored.restriction
    return {"id": str(found.id), "organisation": str(found.organisation_id), "version": found.version} | (
        record_of(found)
    )


def _tell_unused(columns: set[str]) -> None:
    if columns:
        say(f"Columns that mean nothing here and were not read: {', '.join(sorted(columns))}")


def _tell_conflicts(done: Refreshed) -> None:
    say(
        f"Conflicts: {len(done.entered)} new, {len(done.changed)} to be judged again, {len(done.ended)} over."
    )


def _counted(done: Refreshed) -> dict[str, int]:
    return {"new": len(done.entered), "changed": len(done.changed), "ended": len(done.ended)}
