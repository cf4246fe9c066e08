"""`ler request`: what lies where somebody will dig."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from geoapi.cli.console import messages, results, say, settings_of
from geoapi.database import open_databases
from geoapi.dig_request import Answered, answer_request
from geoapi.site_map import draw_site_maps
from ingest.area_file import read_area_file
from ler.blobs import FolderStore
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.dig_area import dig_area
from ler.services.registry import get_owner
from ler.services.requests import NewRequest


def request(
    ctx: typer.Context,
    area: Annotated[Path, typer.Argument(help="GeoJSON with the dig polygon, in metres (EPSG:25832).")],
    *,
    period_from: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the dig.")
    ],
    period_to: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of the dig.")],
    purpose: Annotated[str, typer.Option(help="What the data are for, e.g. 'Fjernvarme til nr. 12'.")],
    out: Annotated[Path, typer.Option(help="Folder for the packages.")],
    description: Annotated[str | None, typer.Option(help="At most 100 characters.")] = None,
    requester: Annotated[
        str | None, typer.Option(help="CVR number of who asks; else the platform's operator.")
    ] = None,
    crs: Annotated[str | None, typer.Option(help="Coordinate system of the file, e.g. EPSG:4326.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Ask every owner with lines in an area; writes a package of each answer, one of all, and a map."""
    settings = settings_of(ctx)
    polygon = dig_area(
        read_area_file(area, crs), coverage=settings.coverage, max_area_m2=settings.max_area_m2
    )
    wanted = NewRequest(
        area=polygon,
        period_from=period_from.date(),
        period_to=period_to.date(),
        purpose=purpose,
        description=description,
        clip_buffer_m=settings.clip_buffer_m,
    )
    with open_databases(settings) as databases:
        requester_id = PLATFORM_OPERATOR
        if requester:
            with transaction(databases.app, PLATFORM_OPERATOR) as connection:
                requester_id = get_owner(connection, requester).id
        with messages().status("Asking the owners") as status:
            answered = answer_request(
                databases,
                requester_id,
                wanted,
                out,
                status.update,
                store=FolderStore(settings.blob_folder),
            )
            pictures = draw_site_maps(out, answered)
    if as_json:
        results().print_json(json.dumps(answered.packages[0].manifest))
    else:
        tell(answered, pictures)


def tell(answered: Answered, pictures: list[Path]) -> None:
    """Print who answered what, where packages and maps are, and who is missing before anybody may dig."""
    table = Table("Owner", "CVR", "Answer", "Features", title=f"Request {answered.request.order_number}")
    for owner in answered.owners:
        delivery = owner.delivery
        answer = delivery.answer_type if delivery else "NOT ANSWERED"
        table.add_row(owner.name, owner.cvr, answer, str(len(delivery.features)) if delivery else "")
    results().print(table)
    for path in [*(package.path for package in answered.packages), *pictures]:
        results().print(str(path))
    if answered.missing:
        names = ", ".join(owner.name for owner in answered.missing)
        say(
            f"DO NOT DIG: {len(answered.missing)} of {len(answered.owners)} owners have not answered: {names}"
        )
    elif not answered.owners:
        say("No owner has registered an interest area there.")
