"""`ler deviation`: what who digs has found otherwise than it was shown, and what owners do about it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from geoapi.cli.acting import AsJson, Who, acting_as, acting_as_operator, find_organisation, show_rows
from geoapi.cli.console import ReportingGroup, results, say
from geoapi.damage_views import deviation_view
from ingest.area_file import read_measured_file
from ler.domain.deviations import DeviationEvent, DeviationKind, DeviationState
from ler.domain.legal_time import legal_day
from ler.errors import RefusedError
from ler.services.deviations import (
    NewDeviation,
    answer_claim,
    get_deviation,
    list_deviations,
    move_deviation,
    report_deviation,
)

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Lines found otherwise than they were shown: report, judge, claim.",
)

Report = Annotated[UUID, typer.Argument(help="Id of the report.")]
Note = Annotated[str | None, typer.Option(help="Words to the reporter.")]


@app.command(name="list")
def list_(
    ctx: typer.Context,
    *,
    state: Annotated[DeviationState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """List the reports, the newest first."""
    with acting_as_operator(ctx) as connection:
        rows = [deviation_view(one) for one in list_deviations(connection, limit=limit, state=state)]
    show_rows(rows, "id", "state", "kind", "gml_id", "offset_m", "measured_on", as_json=as_json)


@app.command()
def show(ctx: typer.Context, report: Report) -> None:
    """Show one report as JSON."""
    with acting_as_operator(ctx) as connection:
        found = deviation_view(get_deviation(connection, report))
    show_rows([found], as_json=True)


@app.command()
def report(
    ctx: typer.Context,
    who: Who,
    file: Annotated[
        Path,
        typer.Argument(help="Point or line as measured, GeoJSON in metres (EPSG:25832), or as --crs says."),
    ],
    *,
    kind: Annotated[DeviationKind, typer.Option(help="What is not as it was shown.")],
    owner: Annotated[str | None, typer.Option("--owner", help="CVR number of the line's owner.")] = None,
    request: Annotated[UUID | None, typer.Option(help="Id of the request by which it was shown.")] = None,
    gml_id: Annotated[str | None, typer.Option("--gml-id", help="The line as it was shown.")] = None,
    description: Annotated[str | None, typer.Option(help="In your own words.")] = None,
    crs: Annotated[str | None, typer.Option("--crs", help="Coordinate system of the file.")] = None,
) -> None:
    """Report what was found, for the organisation that dug."""
    measured = read_measured_file(file, crs)
    today = legal_day(datetime.now(UTC))
    owner_id = None
    if owner is not None:
        with acting_as_operator(ctx) as connection:
            owner_id = find_organisation(connection, owner).id
    wanted = NewDeviation(
        kind, measured, today, owner_id, request_id=request, gml_id=gml_id, description=description
    )
    with acting_as(ctx, who) as (connection, found):
        made = report_deviation(connection, found.id, wanted, today=today)
    results().print(str(made))


@app.command()
def judge(
    ctx: typer.Context,
    report: Report,
    event: Annotated[
        DeviationEvent, typer.Argument(help="acknowledge, accept, reject, correct or withdraw.")
    ],
    *,
    who: Annotated[
        str, typer.Option("--as", help="CVR number or id of who acts: the owner, or the reporter.")
    ],
    version: Annotated[
        int | None, typer.Option(help="The published version that has the correction.")
    ] = None,
    note: Note = None,
) -> None:
    """Move a report on."""
    if event in {DeviationEvent.CLAIM, DeviationEvent.DENIED_BY_ALL}:
        raise RefusedError("option-invalid", "claim a line with: ler deviation claim")
    with acting_as(ctx, who) as (connection, _):
        found = move_deviation(connection, report, event, note=note, version=version)
    say(f"The report is {found.state}.")


@app.command()
def claim(
    ctx: typer.Context,
    report: Report,
    *,
    owner: Annotated[str, typer.Option("--owner", help="CVR number of who was asked.")],
    mine: Annotated[bool, typer.Option("--mine/--not-mine", help="Whether the line is its own.")],
) -> None:
    """Claim or deny a line that nobody has shown."""
    with acting_as(ctx, owner) as (connection, _):
        say(f"The report is {answer_claim(connection, report, claims=mine)}.")
