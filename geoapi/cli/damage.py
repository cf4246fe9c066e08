"""`ler damage`: damages of lines, reported by their owners; counts for everybody."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from geoapi.cli.acting import AsJson, acting_as, acting_as_operator, show_rows
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.damage_bodies import read_csv
from geoapi.damage_views import damage_view, statistics_csv, statistics_view, year_view
from ler.domain.damages import FIRST_YEAR, damage_codes
from ler.domain.legal_time import legal_day
from ler.services.damages import (
    add_damages,
    get_statistics,
    list_damages,
    list_years,
    state_no_damages,
)

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Damages of lines: report, list, count.",
)

Owner = Annotated[str, typer.Option("--owner", help="CVR number of the lines' owner.")]


@app.command()
def add(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="Comma separated values; docs/reference/damages.md tells the columns.")
    ],
    *,
    owner: Owner,
) -> None:
    """Report the damages of a file: all, or none and every fault of it."""
    given = read_csv(file.read_bytes())
    with acting_as(ctx, owner) as (connection, found):
        coverage = settings_of(ctx).coverage
        made = add_damages(
            connection,
            found.id,
            given,
            today=legal_day(datetime.now(UTC)),
            coverage=coverage,
            base="/damages",
        )
    say(f"{len(made)} damages of {found.name} are reported.")


@app.command()
def none(
    ctx: typer.Context, year: Annotated[int, typer.Argument(help="A year that is over.")], *, owner: Owner
) -> None:
    """State that an owner had no damages in a year."""
    with acting_as(ctx, owner) as (connection, found):
        state_no_damages(connection, found.id, year, today=legal_day(datetime.now(UTC)))
    say(f"{found.name} had no damages in {year}.")


@app.command()
def years(ctx: typer.Context, *, owner: Owner, as_json: AsJson = False) -> None:
    """Tell of each year what an owner has reported, and by when it must."""
    with acting_as(ctx, owner) as (connection, found):
        rows = [
            year_view(one) for one in list_years(connection, found.id, today=legal_day(datetime.now(UTC)))
        ]
    show_rows(rows, "year", "damages", "no_damages", "due_before", as_json=as_json)


@app.command(name="list")
def list_(
    ctx: typer.Context,
    *,
    year: Annotated[int | None, typer.Option(help="Only of this year.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """List the damages that were reported, the newest first."""
    with acting_as_operator(ctx) as connection:
        rows = [damage_view(one) for one in list_damages(connection, limit=limit, year=year)]
    show_rows(rows, "happened_on", "utility_type", "cause", "caused_by", "reference", as_json=as_json)


@app.command()
def statistics(
    ctx: typer.Context,
    *,
    first: Annotated[int, typer.Option("--from", min=FIRST_YEAR, max=9998)] = FIRST_YEAR,
    last: Annotated[int | None, typer.Option("--to", min=FIRST_YEAR, max=9998)] = None,
    as_json: AsJson = False,
) -> None:
    """Count damages by year, utility type and cause."""
    with acting_as_operator(ctx) as connection:
        found = get_statistics(connection, first, last or max(first, legal_day(datetime.now(UTC)).year))
    if as_json:
        show_rows([statistics_view(found, "en")], as_json=True)
    else:
        results().print(statistics_csv(found).strip())


@app.command()
def codes() -> None:
    """List the codes of damage reports."""
    for name, entries in damage_codes().items():
        for code, (da, en) in entries.items():
            results().print(f"{name:12} {code:18} {en} / {da}")
