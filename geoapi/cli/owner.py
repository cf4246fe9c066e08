"""`ler owner`: the register of utility owners and their interest areas."""

import json
from pathlib import Path
from typing import Annotated

import shapely
import typer
from rich.table import Table
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.database import open_databases
from ingest.area_file import read_area_file
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError
from ler.services.registry import get_owner, list_owners, register_interest_area, register_owner

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Utility owners: register them, say where they have lines.",
)

Cvr = Annotated[str, typer.Argument(help="The owner's CVR number, eight digits.")]
AreaFile = Annotated[Path, typer.Argument(help="GeoJSON with one or more polygons, in metres (EPSG:25832).")]
UtilityType = Annotated[
    list[str], typer.Option("--utility-type", help="Utility type (forsyningsart), e.g. el; may be repeated.")
]
Crs = Annotated[str | None, typer.Option("--crs", help="Coordinate system of the file, e.g. EPSG:4326.")]


@app.command()
def add(
    ctx: typer.Context,
    cvr: Cvr,
    name: Annotated[str, typer.Argument(help="The owner's name.")],
    *,
    email: Annotated[str | None, typer.Option(help="Where questions go.")] = None,
    phone: Annotated[str | None, typer.Option(help="Whom to call.")] = None,
) -> None:
    """Register a utility owner."""
    with (
        open_databases(settings_of(ctx)) as databases,
        transaction(databases.app, PLATFORM_OPERATOR) as connection,
    ):
        register_owner(connection, cvr=cvr, name=name, email=email, phone=phone)
    say(
        f"{name} is registered. Say where it has lines with: ler owner area {cvr} AREA.geojson --utility-type ..."
    )


@app.command()
def area(ctx: typer.Context, cvr: Cvr, file: AreaFile, utility_type: UtilityType, *, crs: Crs = None) -> None:
    """Register an area in which an owner has lines; whoever digs there will ask it."""
    merged = shapely.union_all([_valid(geometry) for geometry in read_area_file(file, crs)])
    interest = MultiPolygon([part for part in shapely.get_parts(merged) if isinstance(part, Polygon)])
    with (
        open_databases(settings_of(ctx)) as databases,
        transaction(databases.app, PLATFORM_OPERATOR) as connection,
    ):
        owner = get_owner(connection, cvr)
        number = register_interest_area(
            connection,
            owner.id,
            utility_types=utility_type,
            area=interest,
            coverage=settings_of(ctx).coverage,
        )
    results().print(str(number))
    say(f"Interest area {number} of {owner.name}: {interest.area / 1e6:.3f} km²")


@app.command(name="list")
def list_(
    ctx: typer.Context, *, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """List the registered owners."""
    with (
        open_databases(settings_of(ctx)) as databases,
        transaction(databases.app, PLATFORM_OPERATOR) as connection,
    ):
        owners = list_owners(connection)
    if as_json:
        rows = [{"cvr": o.cvr, "name": o.name, "interest_areas": areas} for o, areas in owners]
        results().print_json(json.dumps(rows))
        return
    table = Table("CVR", "Name", "Interest areas")
    for owner, areas in owners:
        table.add_row(owner.cvr, owner.name, str(areas))
    results().print(table)


def _valid(geometry: BaseGeometry) -> BaseGeometry:
    if not geometry.is_valid:
        reason = shapely.is_valid_reason(geometry)
        raise RefusedError("geometry-invalid", f"a polygon of the interest area is not valid ({reason})")
    return geometry
