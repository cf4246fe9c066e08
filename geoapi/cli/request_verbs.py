"""`ler request VERB`: requests that live on: their price, sending, looking at, fetching, extending, giving up and renewing them.

Without --server they are kept in the own database, for the operator or the requester whose CVR number is given.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import typer
from rich.table import Table

from geoapi.cli.console import results, say, settings_of
from geoapi.cli.language import language_of
from geoapi.cli.remote_upload import server_of, token_of
from geoapi.database import open_databases
from geoapi.request_desk import Desk, LocalDesk, RemoteDesk
from ler.client.connection import Connection
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.request_rules import DigKind
from ler.errors import InputError
from ler.services.registry import get_owner

type Document = dict[str, Any]

Areas = Annotated[
    list[Path],
    typer.Argument(help="Files with the area: GeoJSON, WKT, GeoPackage, Shapefile in a ZIP, DXF or KML."),
]
RequestId = Annotated[UUID, typer.Argument(metavar="REQUEST", help="The request's id.")]
Server = Annotated[
    str | None, typer.Option("--server", "--url", help="Ask this service instead of the own database.")
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="File with the access token; else LER_TOKEN.")
]
Requester = Annotated[str | None, typer.Option(help="CVR number of who asks; else the platform's operator.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
From = Annotated[str, typer.Option("--from", help="First day, yyyy-mm-dd.")]
To = Annotated[str, typer.Option("--to", help="Last day, yyyy-mm-dd.")]
Purpose = Annotated[str, typer.Option(help="What the data are for.")]
Kind = Annotated[DigKind, typer.Option(help="What is asked for.")]
Addresses = Annotated[
    list[UUID] | None,
    typer.Option(
        "--address", help="DAR id of an address whose house connection is asked for; may be repeated."
    ),
]
WorkKind = Annotated[
    str | None,
    typer.Option("--work", help="The kind of work, e.g. new-line; a wrong one is told the others."),
]
Method = Annotated[str | None, typer.Option("--method", help="How it is dug, e.g. open-trench.")]
Depth = Annotated[
    float | None,
    typer.Option("--depth", help="Deepest place in metres; else conflicts are taken for the worst."),
]
Crs = Annotated[str | None, typer.Option(help="Coordinate system of the files, e.g. EPSG:4326.")]
Corridor = Annotated[float | None, typer.Option(help="Whole width in metres of the corridor along lines.")]


def add_verbs(app: typer.Typer) -> None:
    """Add the commands."""
    for verb in (price, send, show, fetch, extend, cancel, renew, order):
        app.command()(verb)
    app.command(name="list")(list_)


def price(
    ctx: typer.Context,
    area: Areas,
    *,
    period_from: From,
    period_to: To,
    purpose: Purpose,
    kind: Kind = DigKind.DIG,
    crs: Crs = None,
    corridor_width: Corridor = None,
    server: Server = None,
    token_file: TokenFile = None,
    requester: Requester = None,
) -> None:
    """Say what a request would cost. Nothing is entered."""
    body = _body(period_from, period_to, purpose, kind, crs=crs, corridor_width_m=corridor_width)
    with _desk(ctx, server, token_file, requester) as desk:
        told = desk.price(body, area)["price"]
    results().print(f"{told['amount']} {told['currency']} for {told['area_m2']} m², without VAT")


def send(
    ctx: typer.Context,
    area: Areas,
    *,
    period_from: From,
    period_to: To,
    purpose: Purpose,
    kind: Kind = DigKind.DIG,
    description: Annotated[str | None, typer.Option(help="At most 100 characters.")] = None,
    already_started: Annotated[
        bool, typer.Option("--already-started", help="An emergency that could not wait.")
    ] = False,
    declared: Annotated[
        bool, typer.Option("--declared", help="Orientation: for an authority or research; nobody digs.")
    ] = False,
    order_reference: Annotated[
        str | None, typer.Option(help="Your own number, at most 12 characters.")
    ] = None,
    address: Addresses = None,
    work: WorkKind = None,
    method: Method = None,
    depth: Depth = None,
    crs: Crs = None,
    corridor_width: Corridor = None,
    server: Server = None,
    token_file: TokenFile = None,
    requester: Requester = None,
    as_json: AsJson = False,
) -> None:
    """Send a request and print the receipt; packages follow as owners answer."""
    body = _body(
        *(period_from, period_to, purpose, kind),
        crs=crs,
        corridor_width_m=corridor_width,
        description=description,
        order_reference=order_reference,
    ) | {
        "already_started": already_started,
        "declared": declared,
        "address_ids": [str(one) for one in address or []],
        "work": {"kind": work, "method": method, "depth_m": depth},
    }
    with _desk(ctx, server, token_file, requester) as desk:
        _tell(desk.send(body, area), as_json=as_json)


def list_(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 20,
    server: Server = None,
    token_file: TokenFile = None,
    requester: Requester = None,
    as_json: AsJson = False,
) -> None:
    """List requests, the newest first."""
    with _desk(ctx, server, token_file, requester) as desk:
        found = desk.list(limit)
    if as_json:
        results().print_json(json.dumps(found))
        return
    table = Table("Request", "Number", "Kind", "State", "Last day", "Missing", "Price")
    for one in found:
        missing = f"{one['progress']['missing']} of {one['progress']['owners']}"
        amount = f"{one['price']['amount']} {one['price']['currency']}"
        table.add_row(
            one["id"], str(one["order_number"]), one["kind"], one["state"], one["period_to"], missing, amount
        )
    results().print(table)


def show(
    ctx: typer.Context,
    request: RequestId,
    *,
    server: Server = None,
    token_file: TokenFile = None,
    requester: Requester = None,
    as_json: AsJson = False,
) -> None:
    """Show a request: whom it asked, and who is missing."""
    with _desk(ctx, server, token_file, requester) as desk:
        _tell(desk.show(request), as_json=as_json)


def fetch(
    ctx: typer.Context,
    request: RequestId,
    *,
    out: Annotated[Path, typer.Option(help="Folder for the package; made if there is none.")] = Path(),
    server: Server = None,
    token_file: TokenFile = None,
    requester: Requester = None,
    as_json: AsJson = False,
) -> None:
    """Fetch the newest package of all owners, complete or not, and say what must be known before anybody digs."""
    with _desk(ctx, server, token_file, requester) as desk:
        fetched = desk.fetch(request, out)
    if as_json:
        told = asdict(fetched) | {"path": str(fetched.path)}
        results().print_json(json.dumps(told))
        return
    results().print(str(fetched.path))
    say(f"Revision {fetched.revision}{'; a newer one is being made' if fetched.being_made else ''}.")
    language = language_of(None)
    for notice in fetched.notices:
        say(notice[language])
        for owner in notice.get("owners", ()):
            say(f"  {owner[language]}")


def extend(
    ctx: typer.Context,
    request: RequestId,
    *,
    period_to: To,
    server: Server = None,
    token_file: TokenFile = None,
    requester: Requester = None,
    as_json: AsJson = False,
) -> None:
    """Give a request a later last day; its price stays and nobody is asked anew."""
    with _desk(ctx, server, token_file, requester) as desk:
        _tell(desk.extend(request, period_to), as_json=as_json)


def cancel(
    ctx: typer.Context,
    request: RequestId,
    *,
    server: Server = None,
    token_file: TokenFile = None,
    requester: Requester = None,
    as_json: AsJson = False,
) -> None:
    """Give a request up. Its price stays, and so does what was delivered."""
    with _desk(ctx, server, token_file, requester) as desk:
        _tell(desk.cancel(request), as_json=as_json)


def renew(
    ctx: typer.Context,
    request: RequestId,
    *,
    period_from: From,
    period_to: To,
    server: Server = None,
    token_file: TokenFile = None,
    requester: Requester = None,
    as_json: AsJson = False,
) -> None:
    """Ask again as it was, in another period: a request of its own, with a price of its own."""
    with _desk(ctx, server, token_file, requester) as desk:
        _tell(desk.renew(request, {"period_from": period_from, "period_to": period_to}), as_json=as_json)


def order(
    ctx: typer.Context,
    document: Annotated[Path, typer.Argument(help="JSON, as POST /api/v1/orders takes it.")],
    *,
    server: Server = None,
    token_file: TokenFile = None,
    requester: Requester = None,
    as_json: AsJson = False,
) -> None:
    """Send requests of up to 100 areas; one fault anywhere, and none is entered."""
    try:
        body = json.loads(document.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{document} is not JSON in UTF-8") from None
    with _desk(ctx, server, token_file, requester) as desk:
        made = desk.order(body)
    if as_json:
        results().print_json(json.dumps(made))
        return
    for one in made["requests"]:
        _tell(one, as_json=False)


def _body(
    period_from: str, period_to: str, purpose: str, kind: DigKind, **more: str | float | None
) -> Document:
    fields = {"period_from": period_from, "period_to": period_to, "purpose": purpose, "kind": kind.value}
    return fields | {name: value for name, value in more.items() if value is not None}


@contextmanager
def _desk(
    ctx: typer.Context, server: str | None, token_file: Path | None, requester: str | None
) -> Iterator[Desk]:
    language = language_of(None)
    if server is not None:
        headers = {"Authorization": f"Bearer {token_of(token_file)}", "Accept-Language": language}
        with httpx.Client(base_url=server_of(server), headers=headers, timeout=120.0) as http:
            yield RemoteDesk(Connection(http))
        return
    settings = settings_of(ctx)
    with open_databases(settings) as databases:
        requester_id = PLATFORM_OPERATOR
        if requester is not None:
            with transaction(databases.app, PLATFORM_OPERATOR) as connection:
                requester_id = get_owner(connection, requester).id
        yield LocalDesk(databases, settings, requester_id, language)


def _tell(receipt: Document, *, as_json: bool) -> None:
    if as_json:
        results().print_json(json.dumps(receipt))
        return
    title = (
        f"Request {receipt['order_number']} ({receipt['kind']}), {receipt['state']}: {receipt['area_m2']:,} m², "
        f"{receipt['price']['amount']} {receipt['price']['currency']}, {receipt['period_from']} to {receipt['period_to']}"
    )
    table = Table("Owner", "CVR", "Phone", "State", "Must answer by", "Answer", title=title)
    for owner in receipt["owners"]:
        for area in owner.get("areas", [{}]):
            table.add_row(
                owner["name"],
                owner["cvr"],
                owner["phone"],
                area.get("state", "not asked") + (", late" if area.get("late") else ""),
                (area.get("due_at") or "")[:16].replace("T", " "),
                area.get("answer_type"),
            )
    results().print(table)
    results().print(receipt["id"])
    for warning in receipt["warnings"]:
        say(warning["detail"])
