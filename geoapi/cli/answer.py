"""`ler answer`: what an owner is asked, and its answers.

Without --server they lie in the own database, and --owner says whose they are.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import typer
from pydantic import BaseModel, ValidationError
from rich.table import Table

from geoapi.answer_desk import Desk, LocalDesk, RemoteDesk
from geoapi.answer_views import AnswerFields, AppointmentFields
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.cli.language import language_of
from geoapi.cli.remote_upload import server_of, token_of
from geoapi.database import open_databases
from ingest.answer_file import AnswerRefusedError
from ler.client.connection import Connection
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.answers import AnswerType
from ler.domain.legal_time import local, parse_moment
from ler.errors import InputError
from ler.services.registry import get_owner

type Document = dict[str, Any]

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="What an owner is asked: list it, answer, correct, withdraw, point lines out.",
)

AskedId = Annotated[UUID, typer.Argument(metavar="ASKED", help="Id of what is asked; see ler answer list.")]
Owner = Annotated[
    str | None, typer.Option("--owner", help="The owner's CVR number; with --server the token says it.")
]
Server = Annotated[
    str | None, typer.Option("--server", "--url", help="Ask this service instead of the own database.")
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="File with the access token; else LER_TOKEN.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
When = Annotated[str, typer.Option(help="yyyy-mm-ddThh:mm, with an offset or in Danish time.")]


@app.command(name="list")
def list_(
    ctx: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what owes no answer.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 50,
    owner: Owner = None,
    server: Server = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """List what is asked and owes an answer, the newest first."""
    with _desk(ctx, owner, server, token_file) as desk:
        found = desk.list(limit, everything=everything)
    if as_json:
        results().print_json(json.dumps(found))
        return
    table = Table("Asked", "Request", "Area", "State", "Answer by", "Late", "Requester", "Purpose")
    for one in found:
        table.add_row(
            *(one["id"], str(one["order_number"]), str(one["interest_area"]["registration_number"])),
            *(one["state"], _legal(one["due_at"]), "late" if one["late"] else ""),
            *(one["requester"]["name"], one["request"]["purpose"]),
        )
    results().print(table)


@app.command()
def show(
    ctx: typer.Context,
    asked: AskedId,
    *,
    owner: Owner = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Print one thing that is asked, with its area as GeoJSON and the answers that were given."""
    with _desk(ctx, owner, server, token_file) as desk:
        results().print_json(json.dumps(desk.show(asked)))


@app.command()
def acknowledge(
    ctx: typer.Context,
    asked: AskedId,
    *,
    owner: Owner = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Say that it was fetched; may be said again."""
    with _desk(ctx, owner, server, token_file) as desk:
        _tell_state(desk.acknowledge(asked))


@app.command()
def give(
    ctx: typer.Context,
    asked: AskedId,
    *,
    kind: Annotated[
        AnswerType | None, typer.Option("--type", help="Kind of answer; left out when the GML says it.")
    ] = None,
    gml: Annotated[Path | None, typer.Option(help="LER GML with the lines.")] = None,
    attach: Annotated[list[Path] | None, typer.Option(help="A file to go with it; may be repeated.")] = None,
    sketch: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS=FILE", help="A sketch of the house connection of an address of the request."
        ),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="A further answer, in the place of the one before.")
    ] = False,
    text: Annotated[str, typer.Option(help="Further information.")] = "",
    valid_until: Annotated[str | None, typer.Option(help="Last day of validity, yyyy-mm-dd.")] = None,
    expected: Annotated[
        str | None, typer.Option(help="With manual handling: when another answer is expected.")
    ] = None,
    contact_name: Annotated[str | None, typer.Option(help="Whom to ask about it.")] = None,
    contact_phone: Annotated[str, typer.Option(help="Their telephone.")] = "",
    contact_email: Annotated[str, typer.Option(help="Their e-mail address.")] = "",
    owner: Owner = None,
    server: Server = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Answer, or correct the answer with --update. A file with faults changes nothing, and all its faults are told."""
    sketches = [_sketch(one) for one in sketch or []]
    contact = {"name": contact_name or "", "phone": contact_phone, "email": contact_email}
    given = {
        "type": kind,
        "update": update,
        "further_information": text,
        "valid_until": valid_until,
        "expected_time": parse_moment(expected).isoformat() if expected else None,
        "contact": contact if any(contact.values()) else None,
        "attachment_addresses": {file.name: address_id for address_id, file in sketches},
    }
    fields = _fields(AnswerFields, given)
    with _desk(ctx, owner, server, token_file) as desk:
        try:
            told = desk.give(asked, fields, gml, [*(attach or []), *(file for _, file in sketches)])
        except AnswerRefusedError as refused:
            for finding in refused.findings.kept:
                say(f"{finding.severity}: {finding}")
            raise
    for warning in told["warnings"]:
        say(f"warning: {warning['message']} [{warning['code']}]")
    if as_json:
        results().print_json(json.dumps(told))
    else:
        results().print(f"answer {told['revision']}, {told['feature_count']} features: {told['state']}")


@app.command()
def withdraw(
    ctx: typer.Context,
    asked: AskedId,
    *,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    owner: Owner = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Take the answer back; another is owed by the due time of the first."""
    with _desk(ctx, owner, server, token_file) as desk:
        _tell_state(desk.withdraw(asked, reason))


@app.command()
def appoint(
    ctx: typer.Context,
    asked: AskedId,
    *,
    starts: When,
    ends: When,
    place: Annotated[str, typer.Option(help="Where to meet.")],
    contact: Annotated[str, typer.Option(help="Whom to call on site.")],
    owner: Owner = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Say when and where lines are pointed out on site."""
    given = {
        "starts_at": parse_moment(starts).isoformat(),
        "ends_at": parse_moment(ends).isoformat(),
        "place": place,
        "contact": contact,
    }
    fields = _fields(AppointmentFields, given)
    with _desk(ctx, owner, server, token_file) as desk:
        _tell_state(desk.appoint(asked, fields))


@app.command()
def mark(
    ctx: typer.Context,
    asked: AskedId,
    *,
    note: Annotated[str, typer.Option(help="What there is to say of it.")] = "",
    owner: Owner = None,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Say that the lines were pointed out on site."""
    with _desk(ctx, owner, server, token_file) as desk:
        _tell_state(desk.mark(asked, note))


@app.command()
def link(ctx: typer.Context, asked: AskedId, *, owner: Owner = None) -> None:
    """Make a link by which it can be answered without an account, in the own database; shown this once."""
    with _local(ctx, owner) as desk:
        results().print(settings_of(ctx).public_address + desk.link(asked))


def _legal(moment: str | None) -> str:
    return f"{local(datetime.fromisoformat(moment)):%Y-%m-%d %H:%M}" if moment else ""


def _tell_state(told: Document) -> None:
    results().print(f"{told['id']}: {told['state']}")


def _sketch(given: str) -> tuple[str, Path]:
    address_id, equals, file = given.partition("=")
    if not equals:
        raise InputError("Give a sketch as ADDRESS=FILE")
    return address_id, Path(file)


def _fields[Fields: BaseModel](model: type[Fields], given: Document) -> Fields:
    try:
        return model.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        )
        raise InputError(told) from None


@contextmanager
def _desk(
    ctx: typer.Context, owner: str | None, server: str | None, token_file: Path | None
) -> Iterator[Desk]:
    if server is None:
        with _local(ctx, owner) as desk:
            yield desk
        return
    headers = {"Authorization": f"Bearer {token_of(token_file)}", "Accept-Language": language_of(None)}
    with httpx.Client(base_url=server_of(server), headers=headers, timeout=60.0) as http:
        yield RemoteDesk(Connection(http))


@contextmanager
def _local(ctx: typer.Context, owner: str | None) -> Iterator[LocalDesk]:
    if owner is None:
        raise InputError("Say who answers: --owner CVR")
    settings = settings_of(ctx)
    with open_databases(settings) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = get_owner(connection, owner)
        yield LocalDesk(databases, found, settings, language_of(None))
