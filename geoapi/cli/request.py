"""`ler request AREA`: what lies where somebody will dig, as packages in a folder; `ler request VERB`: see request_verbs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from rich.table import Table
from shapely import Polygon

from geoapi.cli.console import ReportingGroup, messages, results, say, settings_of
from geoapi.cli.request_verbs import Addresses, Depth, Method, WorkKind, add_verbs
from geoapi.database import Databases, open_databases
from geoapi.dig_request import Answered, answer_request
from geoapi.packing import package_options
from geoapi.site_map import lay_out_maps
from geoapi.stores import blob_store
from ingest.area_file import read_area_file
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.dig_area import dig_area
from ler.domain.fees import Asked, Price, price
from ler.domain.legal_time import legal_day, local
from ler.domain.request_rules import DigKind, Work
from ler.rules_in_force import area_limits, deadline_rules, ordinary_due, request_limits, working_calendar
from ler.services.charges import list_asked
from ler.services.receipts import Receipt, make_receipt, receipt_document
from ler.services.registry import get_owner
from ler.services.requests import NewRequest, check_request
from ler.settings import Settings


class AreaOrVerb(ReportingGroup):
    """Without a verb it is an area that is asked about."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - the types of click, which typer hides
        """Put the verb before an area that comes without one."""
        known = {*self.commands, "--help"}
        read: list[str] = super().parse_args(ctx, args if not args or args[0] in known else [NOW, *args])
        return read


NOW: Final = "now"
app = typer.Typer(
    cls=AreaOrVerb, add_completion=False, no_args_is_help=True, help="Ask what lies where somebody will dig."
)
add_verbs(app)


@app.command(name=NOW)
def request(
    ctx: typer.Context,
    area: Annotated[
        list[Path],
        typer.Argument(
            help="File with the dig polygon or the corridor's line: GeoJSON in metres (EPSG:25832), WKT, GeoPackage, "
            "Shapefile in a ZIP, DXF, KML. Several files, and several polygons in one, are merged and must overlap."
        ),
    ],
    *,
    period_from: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the dig.")
    ],
    period_to: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of the dig.")],
    purpose: Annotated[str, typer.Option(help="What the data are for, e.g. 'Fjernvarme til nr. 12'.")],
    out: Annotated[Path, typer.Option(help="Folder for the packages.")],
    description: Annotated[str | None, typer.Option(help="At most 100 characters.")] = None,
    kind: Annotated[DigKind, typer.Option(help="What is asked for; told in the receipt.")] = DigKind.DIG,
    already_started: Annotated[
        bool, typer.Option("--already-started", help="An emergency that could not wait for the answers.")
    ] = False,
    corridor_width: Annotated[
        float | None, typer.Option(help="Whole width in metres of the corridor along each line.")
    ] = None,
    address: Addresses = None,
    work: WorkKind = None,
    method: Method = None,
    depth: Depth = None,
    requester: Annotated[
        str | None, typer.Option(help="CVR number of who asks; else the platform's operator.")
    ] = None,
    crs: Annotated[str | None, typer.Option(help="Coordinate system of the files, e.g. EPSG:4326.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Ask every owner with lines in an area: the price first, then a receipt, packages and a map."""
    settings = settings_of(ctx)
    wanted = NewRequest(
        area=_area(area, crs, corridor_width, settings),
        period_from=period_from.date(),
        period_to=period_to.date(),
        purpose=purpose,
        description=description,
        clip_buffer_m=settings.clip_buffer_m,
        unknown_accuracy_m=settings.band_accuracy_m,
        kind=kind,
        already_started=already_started,
        address_ids=address or (),
        work=Work(kind=work, method=method, depth_m=depth),
    )
    now = datetime.now(UTC)
    check_request(wanted, request_limits(settings), today=legal_day(now))
    with open_databases(settings) as databases:
        requester_id = _requester(databases, requester)
        cost = _price(databases, requester_id, wanted, now)
        say(_price_words(cost))
        with messages().status("Asking the owners") as status:
            answered = answer_request(
                databases,
                requester_id,
                wanted,
                out,
                status.update,
                limits=request_limits(settings),
                store=blob_store(settings),
                due=ordinary_due(settings),
                options=package_options(settings),
            )
            pictures = lay_out_maps(out, answered)
    receipt = make_receipt(
        answered.request,
        answered.owners,
        cost,
        working_calendar(settings, legal_day(answered.request.created_at).year),
        deadline_rules(settings),
        kind=kind,
        already_started=already_started,
    )
    if as_json:
        document = {"receipt": receipt_document(receipt), **_manifest(answered)}
        results().print_json(json.dumps(document))
    else:
        tell(answered, receipt, pictures)


def _manifest(answered: Answered) -> dict[str, object]:
    """What the consolidated package is made of; of an orientation, which asks nobody, there is none."""
    return answered.packages[0].manifest if answered.packages else {}


def tell(answered: Answered, receipt: Receipt, pictures: list[Path]) -> None:
    """Print the receipt, where packages and maps are, and who is missing before anybody may dig."""
    table = Table("Owner", "CVR", "Answer", "Features", "Must answer by", title=_title(receipt))
    for owner, asked in zip(answered.owners, receipt.owners, strict=True):
        count = str(owner.feature_count) if owner.deliveries else ""
        table.add_row(owner.name, owner.cvr, asked.answer_type or "NOT ANSWERED", count, _legal(asked.due_at))
    results().print(table)
    if receipt.address_ids:
        say(f"Sketches of house connections are asked for at {len(receipt.address_ids)} addresses.")
    for path in [*(package.path for package in answered.packages), *pictures]:
        results().print(str(path))
    if answered.missing:
        names = ", ".join(owner.name for owner in answered.missing)
        say(
            f"DO NOT DIG: {len(answered.missing)} of {len(answered.owners)} owners have not answered: {names}"
        )
    elif not answered.owners:
        say("No owner has registered an interest area there.")
    if receipt.kind is DigKind.PLANNING:
        say("DO NOT DIG on this: it was asked for planning.")


def _area(files: list[Path], crs: str | None, corridor_width: float | None, settings: Settings) -> Polygon:
    return dig_area(
        [geometry for file in files for geometry in read_area_file(file, crs, lines=True)],
        coverage=settings.coverage,
        limits=area_limits(settings),
        corridor_width_m=corridor_width,
    )


def _requester(databases: Databases, cvr: str | None) -> UUID:
    if cvr is None:
        return PLATFORM_OPERATOR
    with transaction(databases.app, PLATFORM_OPERATOR) as connection:
        return get_owner(connection, cvr).id


def _price(databases: Databases, requester_id: UUID, wanted: NewRequest, now: datetime) -> Price:
    """What it costs after what was asked before in the same year; nothing is entered."""
    today = legal_day(now)
    with transaction(databases.app, requester_id) as connection:
        before = list_asked(connection, requester_id, today.year)
    return price(Asked(today, wanted.area.area), before)


def _price_words(cost: Price) -> str:
    words = f"Area {cost.area_m2:,} m², price {cost.amount:,} DKK without VAT ({cost.figures.price_per_m2} DKK/m²)"
    return f"{words}: the yearly cap of {cost.figures.yearly_cap:,} DKK is reached" if cost.capped else words


def _title(receipt: Receipt) -> str:
    started = ", already started" if receipt.already_started else ""
    return (
        f"Request {receipt.order_number} ({receipt.kind}{started}), received {_legal(receipt.received_at)}: "
        f"{receipt.price.area_m2:,} m², {receipt.price.amount:,} DKK"
    )


def _legal(moment: datetime) -> str:
    """Legal local time as people read it, with the name of its offset, since it changes twice a year."""
    return local(moment).strftime("%a %Y-%m-%d %H:%M %Z")
