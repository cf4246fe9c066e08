"""`ler organisation`: who is in the register, what each says of itself, and what each is."""

from typing import Annotated

import typer

from geoapi.cli.acting import AsJson, Who, acting_as_operator, find_organisation, show_rows
from geoapi.cli.console import ReportingGroup, results, say
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.registration import Duty
from ler.domain.roles import Role
from ler.services.grants import roles_now
from ler.services.registry import (
    Entry,
    Name,
    change_organisation,
    list_organisations,
    register_organisation,
)

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Organisations: enter them, change them, list them.",
)


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name.")],
    *,
    role: Annotated[list[Role], typer.Option("--role", help="What it is; may be repeated.")],
    cvr: Annotated[str | None, typer.Option(help="Its CVR number; a private person has none.")] = None,
    email: Annotated[str | None, typer.Option(help="Where questions go.")] = None,
    phone: Annotated[str | None, typer.Option(help="Whom to call.")] = None,
    duty: Annotated[
        list[Duty] | None, typer.Option("--duty", help="Why an owner must register; may be repeated.")
    ] = None,
) -> None:
    """Enter an organisation with its roles, granted everywhere; prints its id."""
    with acting_as_operator(ctx) as connection:
        made = register_organisation(
            connection, name=name, roles=role, cvr=cvr, email=email, phone=phone, duties=duty or ()
        )
    results().print(str(made))
    say(f"{name} is registered as {', '.join(role)}.")


@app.command()
def change(
    ctx: typer.Context,
    who: Who,
    *,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    email: Annotated[str | None, typer.Option(help="Where questions go.")] = None,
    phone: Annotated[str | None, typer.Option(help="Whom to call.")] = None,
    address: Annotated[str | None, typer.Option(help="Its postal address.")] = None,
    language: Annotated[str | None, typer.Option(help="Of its notices: da or en.")] = None,
    duty: Annotated[list[Duty] | None, typer.Option("--duty", help="Why it must register.")] = None,
    anonymous: Annotated[
        bool | None,
        typer.Option(
            "--anonymous/--named", help="Whether owners that a private person asks are told its name."
        ),
    ] = None,
) -> None:
    """Change an entry; what is not given stays."""
    with acting_as_operator(ctx) as connection:
        before = find_organisation(connection, who)
        entry = Entry(
            email=before.email if email is None else email,
            phone=before.phone if phone is None else phone,
            address=before.address if address is None else address,
            language=before.language if language is None else language,
            anonymous=before.anonymous if anonymous is None else anonymous,
        )
        kept = [Duty(one) for one in before.duties]
        said = Name(name or before.name, kept if duty is None else duty)
        change_organisation(connection, PLATFORM_OPERATOR, before.id, entry, said)
    say(f"The entry of {said.name} is changed.")


@app.command(name="list")
def list_(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List everybody in the register, with the roles that they have now."""
    with acting_as_operator(ctx) as connection:
        rows = [
            {
                "id": one.id,
                "cvr": one.cvr,
                "name": one.name,
                "roles": sorted(roles_now(connection, one.id)),
                "email": one.email,
                "phone": one.phone,
            }
            for one in list_organisations(connection)
        ]
    show_rows(rows, "cvr", "name", "roles", "email", "phone", "id", as_json=as_json)
