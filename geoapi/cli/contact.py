"""`ler contact`: whom to turn to at an owner, by kind of line and purpose."""

from typing import Annotated
from uuid import UUID

import typer

from geoapi.cli.acting import AsJson, Who, acting_as, show_rows
from geoapi.cli.console import ReportingGroup, results, say
from ler.domain.contacts import PURPOSES, ContactForm
from ler.services.contacts import add_contact, list_contacts, remove_contact

app = typer.Typer(cls=ReportingGroup, add_completion=False, no_args_is_help=True, help="Contacts of owners.")


@app.command()
def add(
    ctx: typer.Context,
    who: Who,
    name: Annotated[str, typer.Argument(help="Name of the person or desk.")],
    *,
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone number.")] = None,
    utility_type: Annotated[
        str | None, typer.Option("--utility-type", help="For which kind of line; else for all.")
    ] = None,
    purpose: Annotated[str | None, typer.Option(help=f"{', '.join(PURPOSES)}; else for all.")] = None,
    rank: Annotated[int, typer.Option(help="1: whom to try first.")] = 1,
) -> None:
    """Enter a contact; prints its id."""
    form = ContactForm(name, email, phone, utility_type, purpose, rank)
    with acting_as(ctx, who) as (connection, owner):
        made = add_contact(connection, owner.id, form)
    results().print(str(made.id))
    say(f"{name} is a contact of {owner.name}.")


@app.command()
def remove(
    ctx: typer.Context,
    who: Who,
    contact: Annotated[UUID, typer.Argument(help="Id, as `ler contact list` tells it.")],
) -> None:
    """Remove a contact; nothing of it is kept."""
    with acting_as(ctx, who) as (connection, owner):
        remove_contact(connection, owner.id, contact)
    say("The contact is removed.")


@app.command(name="list")
def list_(ctx: typer.Context, who: Who, *, as_json: AsJson = False) -> None:
    """List the contacts of an owner."""
    with acting_as(ctx, who) as (connection, owner):
        found = list_contacts(connection, owner.id)
    columns = "name", "phone", "email", "utility_type", "purpose", "rank", "id"
    rows = [{column: getattr(one, column) for column in columns} for one in found]
    show_rows(rows, *columns, as_json=as_json)
