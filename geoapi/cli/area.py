"""`ler area`: interest areas of owners, by registration number."""

from pathlib import Path
from typing import Annotated

import typer

from geoapi.cli.acting import AsJson, Who, acting_as, acting_as_operator, find_organisation, show_rows
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from ingest.area_file import read_area_file
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.registration import AreaForm
from ler.services.areas import (
    InterestArea,
    create_area,
    end_area,
    get_area,
    list_areas,
    list_revisions,
    merged_area,
    revise_area,
)

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Interest areas: where owners have lines, and who answers there.",
)

AreaFile = Annotated[Path, typer.Argument(help="Polygons in metres (EPSG:25832), or as --crs says.")]
Number = Annotated[int, typer.Argument(help="Registration number.")]
Types = Annotated[
    list[str] | None, typer.Option("--utility-type", help="Utility type (forsyningsart); may be repeated.")
]
Crs = Annotated[str | None, typer.Option("--crs", help="Coordinate system of the file, e.g. EPSG:4326.")]
Remark = Annotated[str | None, typer.Option(help="What there is to say of it.")]
Person = Annotated[str | None, typer.Option(help="Whom to turn to; or an address.")]
Address = Annotated[str | None, typer.Option(help="Where to turn to; or a person.")]
Email = Annotated[str | None, typer.Option(help="E-mail of the person or address.")]
Answered = Annotated[str | None, typer.Option(help="platform: from the published network; owner: by itself.")]


@app.command()
def add(
    ctx: typer.Context,
    who: Who,
    file: AreaFile,
    *,
    utility_type: Types = None,
    remark: Remark = "",
    person: Person = None,
    address: Address = None,
    email: Email = None,
    answered_by: Answered = None,
    voluntary: Annotated[bool, typer.Option(help="Registered without a duty to (§ 6).")] = False,
    crs: Crs = None,
) -> None:
    """Enter an area in which an owner has lines; prints its number."""
    area = merged_area(read_area_file(file, crs), settings_of(ctx).coverage)
    form = AreaForm(utility_type or (), remark, person, address, email, voluntary)
    with acting_as(ctx, who) as (connection, owner):
        made = create_area(connection, owner.id, owner.id, form, area, answered_by=answered_by)
    results().print(str(made.registration_number))
    say(f"Interest area {made.registration_number} of {owner.name}: {area.area / 1e6:.3f} km²")


@app.command()
def change(
    ctx: typer.Context,
    number: Number,
    *,
    file: Annotated[Path | None, typer.Option("--area", help="Where it is from now on.")] = None,
    utility_type: Types = None,
    remark: Remark = None,
    person: Person = None,
    address: Address = None,
    email: Email = None,
    answered_by: Answered = None,
    crs: Crs = None,
) -> None:
    """Enter the next revision of an area under its number; what is not given stays."""
    area = merged_area(read_area_file(file, crs), settings_of(ctx).coverage) if file else None
    with acting_as_operator(ctx) as connection:
        owner = get_area(connection, number).owner_id
    with acting_as(ctx, str(owner)) as (connection, _):
        before = get_area(connection, number)
        contact = person, address, email
        if not any(contact):
            contact = before.contact_person, before.contact_address, before.contact_email
        form = AreaForm(
            utility_type or before.utility_types,
            before.remark if remark is None else remark,
            *contact,
            before.voluntary,
        )
        made = revise_area(connection, owner, number, form, area, answered_by=answered_by)
    say(f"Interest area {number} has revision {made.revision}.")


@app.command()
def end(ctx: typer.Context, number: Number) -> None:
    """End an area: nobody who asks from now on is sent to its owner for it."""
    with acting_as_operator(ctx) as connection:
        end_area(connection, PLATFORM_OPERATOR, number)
    say(f"Interest area {number} has ended.")


@app.command(name="list")
def list_(
    ctx: typer.Context,
    *,
    owner: Annotated[str | None, typer.Option("--owner", help="CVR number or id of an owner.")] = None,
    ended: Annotated[bool, typer.Option("--ended", help="Those that have ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """List interest areas."""
    with acting_as_operator(ctx) as connection:
        whose = find_organisation(connection, owner).id if owner else None
        found = list_areas(connection, owner_id=whose, ended=ended)
    _show(found, as_json=as_json)


@app.command()
def history(ctx: typer.Context, number: Number, *, as_json: AsJson = False) -> None:
    """List the revisions of an area."""
    with acting_as_operator(ctx) as connection:
        found = list_revisions(connection, number)
    _show(found, as_json=as_json)


def _show(found: list[InterestArea], *, as_json: bool) -> None:
    rows = [
        {
            "number": one.registration_number,
            "revision": one.revision,
            "owner": one.owner_id,
            "utility_types": list(one.utility_types),
            "answered_by": one.answered_by,
            "km2": round(one.area.area / 1e6, 3),
            "remark": one.remark,
            "ended_at": one.ended_at,
        }
        for one in found
    ]
    columns = "number", "revision", "owner", "utility_types", "answered_by", "km2", "remark", "ended_at"
    show_rows(rows, *columns, as_json=as_json)
