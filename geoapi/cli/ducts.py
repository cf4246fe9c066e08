"""`ler ducts`: to whom an owner offers its empty ducts. What is offered near a work is told by `ler works ducts`."""

from typing import Annotated
from uuid import UUID

import typer

from geoapi.cli.acting import AsJson, acting_as, show_rows
from geoapi.cli.console import ReportingGroup, results, say
from ler.services.ducts import end_duct_offer, list_duct_offers, offer_ducts

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Offers of empty ducts near planned works: offer, list, end.",
)

By = Annotated[str, typer.Option("--by", help="CVR number or id of the owner.")]


@app.command()
def offer(
    ctx: typer.Context,
    *,
    by: By,
    to: Annotated[
        str | None,
        typer.Option(help="CVR number of the organisation to which; else all that register works."),
    ] = None,
    most_used: Annotated[float, typer.Option(help="Used share at most; 0: empty ducts only.")] = 0.0,
    show_place: Annotated[
        bool,
        typer.Option("--show-place", help="Show where near a work they run; else only that there are some."),
    ] = False,
    contact: Annotated[str | None, typer.Option(help="Whom to turn to; else as the register has it.")] = None,
) -> None:
    """Offer an owner's ducts near planned works; prints the offer's id. Without an offer nobody is told of any."""
    with acting_as(ctx, by) as (connection, owner):
        made = offer_ducts(
            connection, owner.id, cvr=to, most_used=most_used, shows_place=show_place, contact=contact
        )
    results().print(str(made.id))
    say(f"Offered to {to or 'all that register works'}.")


@app.command(name="list")
def list_(ctx: typer.Context, *, by: By, as_json: AsJson = False) -> None:
    """List an owner's offers that hold."""
    with acting_as(ctx, by) as (connection, _):
        found = list_duct_offers(connection)
    columns = "id", "cvr", "most_used", "shows_place", "contact", "created_at"
    show_rows([{name: getattr(one, name) for name in columns} for one in found], *columns, as_json=as_json)


@app.command()
def end(
    ctx: typer.Context, offer: Annotated[UUID, typer.Argument(help="The offer's id.")], *, by: By
) -> None:
    """End an offer at once."""
    with acting_as(ctx, by) as (connection, owner):
        end_duct_offer(connection, owner.id, offer)
    say("Offered no more.")
