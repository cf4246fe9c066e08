"""`ler mandate`: who lets a provider act for it."""

from typing import Annotated
from uuid import UUID

import typer

from geoapi.cli.acting import AsJson, Who, acting_as, acting_as_operator, read_moment, show_rows
from geoapi.cli.console import ReportingGroup, results, say
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.services.mandates import end_mandate, give_mandate, list_mandates

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Mandates: let a provider act for another.",
)


@app.command()
def give(
    ctx: typer.Context,
    who: Who,
    provider: Annotated[str, typer.Argument(help="The provider's CVR number.")],
    *,
    scope: Annotated[list[Scope], typer.Option("--scope", help="What it may do; may be repeated.")],
    until: Annotated[str | None, typer.Option(help="When it ends: a date, or a time.")] = None,
    note: Annotated[str, typer.Option(help="What it rests on.")] = "",
) -> None:
    """Let a provider act for an organisation; prints the id of the mandate."""
    with acting_as(ctx, who) as (connection, giver):
        made = give_mandate(connection, giver.id, provider, scope, valid_to=read_moment(until), note=note)
    results().print(str(made.id))
    say(f"{made.provider_name} may act for {giver.name}.")


@app.command()
def end(
    ctx: typer.Context, mandate: Annotated[UUID, typer.Argument(help="Id, as `ler mandate list` tells it.")]
) -> None:
    """End a mandate at once."""
    with acting_as_operator(ctx) as connection:
        ended = end_mandate(connection, PLATFORM_OPERATOR, mandate)
    say(f"{ended.provider_name} acts for {ended.owner_name} no longer by this mandate.")


@app.command(name="list")
def list_(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List all mandates, the newest first."""
    with acting_as_operator(ctx) as connection:
        found = list_mandates(connection)
    columns = "owner_name", "provider_name", "scopes", "valid_from", "valid_to", "revoked_at", "id"
    rows = [{column: getattr(one, column) for column in columns} for one in found]
    show_rows(rows, *columns, as_json=as_json)
