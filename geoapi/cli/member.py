"""`ler member`: the people who may act for an organisation."""

from typing import Annotated
from uuid import UUID

import typer

from geoapi.cli.acting import AsJson, Who, acting_as_operator, find_organisation, show_rows
from geoapi.cli.console import ReportingGroup, results, say
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.members import add_member, end_member, list_members

app = typer.Typer(
    cls=ReportingGroup, add_completion=False, no_args_is_help=True, help="Members of organisations."
)


@app.command()
def add(
    ctx: typer.Context,
    who: Who,
    name: Annotated[str, typer.Argument(help="Name of the person.")],
    email: Annotated[str, typer.Argument(help="E-mail address of the person.")],
    *,
    language: Annotated[str, typer.Option(help="Of notices and pages: da or en.")] = "da",
    administrator: Annotated[
        bool, typer.Option("--administrator", help="May change the entry, members and tokens.")
    ] = False,
) -> None:
    """Enter a member; prints its id."""
    with acting_as_operator(ctx) as connection:
        organisation = find_organisation(connection, who)
        made = add_member(
            connection,
            PLATFORM_OPERATOR,
            organisation.id,
            name=name,
            email=email,
            language=language,
            administrator=administrator,
        )
    results().print(str(made.id))
    say(f"{made.name} is a member of {organisation.name}.")


@app.command()
def end(
    ctx: typer.Context, member: Annotated[UUID, typer.Argument(help="Id, as `ler member list` tells it.")]
) -> None:
    """End a member at once; what it did stays recorded."""
    with acting_as_operator(ctx) as connection:
        ended = end_member(connection, PLATFORM_OPERATOR, member)
    say(f"{ended.name} is a member no longer.")


@app.command(name="list")
def list_(
    ctx: typer.Context,
    who: Who,
    *,
    ended: Annotated[bool, typer.Option("--ended", help="With those that have ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the members of an organisation."""
    with acting_as_operator(ctx) as connection:
        found = list_members(connection, find_organisation(connection, who).id, ended=ended)
    columns = "name", "email", "language", "administrator", "ended_at", "id"
    rows = [{column: getattr(one, column) for column in columns} for one in found]
    show_rows(rows, *columns, as_json=as_json)
