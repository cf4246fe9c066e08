"""`ler dispensation`: owners that may answer within days instead of hours."""

from typing import Annotated
from uuid import UUID

import typer

from geoapi.cli.acting import AsJson, Who, acting_as_operator, find_organisation, read_moment, show_rows
from geoapi.cli.console import ReportingGroup, results, say
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.dispensations import end_dispensation, give_dispensation, list_dispensations

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Dispensations, by which an owner may answer within five working days: give, end, list.",
)


@app.command()
def add(
    ctx: typer.Context,
    who: Who,
    reason: Annotated[str, typer.Argument(help="The special circumstances.")],
    *,
    begin: Annotated[str | None, typer.Option("--from", help="When it begins: a date, or a time.")] = None,
    until: Annotated[str | None, typer.Option(help="When it ends: a date, or a time.")] = None,
) -> None:
    """Give an owner a dispensation; prints its id."""
    with acting_as_operator(ctx) as connection:
        owner = find_organisation(connection, who)
        made = give_dispensation(
            connection,
            PLATFORM_OPERATOR,
            owner.id,
            reason,
            valid_from=read_moment(begin),
            valid_to=read_moment(until),
        )
    results().print(str(made.id))
    say(f"{owner.name} has a dispensation.")


@app.command()
def end(
    ctx: typer.Context,
    dispensation: Annotated[UUID, typer.Argument(help="Id, as `ler dispensation list` tells it.")],
) -> None:
    """End a dispensation at once; who was asked while it held keeps its time."""
    with acting_as_operator(ctx) as connection:
        end_dispensation(connection, PLATFORM_OPERATOR, dispensation)
    say("The dispensation has ended.")


@app.command(name="list")
def list_(
    ctx: typer.Context,
    who: Annotated[str | None, typer.Argument(help="CVR number or id; else all.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List dispensations, those that have ended too."""
    with acting_as_operator(ctx) as connection:
        found = list_dispensations(connection, find_organisation(connection, who).id if who else None)
    columns = "owner_id", "valid_from", "valid_to", "reason", "id"
    rows = [{column: getattr(one, column) for column in columns} for one in found]
    show_rows(rows, *columns, as_json=as_json)
