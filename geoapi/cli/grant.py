"""`ler grant`: what organisations are to the register, where and for how long."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from geoapi.cli.acting import (
    AsJson,
    Who,
    acting_as_operator,
    find_organisation,
    read_moment,
    show_rows,
)
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from ingest.area_file import read_area_file
from ler.domain.roles import Role
from ler.services.areas import merged_area
from ler.services.grants import end_grant, grant_role, list_grants

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Roles: grant them, end them, list them.",
)


@app.command()
def add(
    ctx: typer.Context,
    who: Who,
    role: Annotated[Role, typer.Argument(help="What it is to the register.")],
    *,
    area: Annotated[
        Path | None, typer.Option(help="Polygons within which it holds; else everywhere.")
    ] = None,
    crs: Annotated[str | None, typer.Option("--crs", help="Coordinate system of the file.")] = None,
    begin: Annotated[str | None, typer.Option("--from", help="When it begins: a date, or a time.")] = None,
    until: Annotated[str | None, typer.Option(help="When it ends: a date, or a time.")] = None,
    note: Annotated[str, typer.Option(help="What it rests on, such as a declaration.")] = "",
) -> None:
    """Grant a role; prints the id of the grant."""
    where = merged_area(read_area_file(area, crs), settings_of(ctx).coverage) if area else None
    with acting_as_operator(ctx) as connection:
        organisation = find_organisation(connection, who)
        made = grant_role(
            connection,
            organisation.id,
            role,
            area=where,
            valid_from=read_moment(begin),
            valid_to=read_moment(until),
            note=note,
        )
    results().print(str(made))
    say(f"{organisation.name} has the role {role}.")


@app.command()
def end(
    ctx: typer.Context, grant: Annotated[UUID, typer.Argument(help="Id, as `ler grant list` tells it.")]
) -> None:
    """End a grant at once."""
    with acting_as_operator(ctx) as connection:
        end_grant(connection, grant)
    say("The grant has ended.")


@app.command(name="list")
def list_(
    ctx: typer.Context,
    who: Annotated[str | None, typer.Argument(help="CVR number or id; else all.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List grants, those that have ended too."""
    with acting_as_operator(ctx) as connection:
        found = list_grants(connection, find_organisation(connection, who).id if who else None)
    rows = [
        {
            "organisation": one.organisation_id,
            "role": one.role.value,
            "km2": round(one.area.area / 1e6, 3) if one.area is not None else None,
            "valid_from": one.valid_from,
            "valid_to": one.valid_to,
            "note": one.note,
            "id": one.id,
        }
        for one in found
    ]
    columns = "organisation", "role", "km2", "valid_from", "valid_to", "note", "id"
    show_rows(rows, *columns, as_json=as_json)
