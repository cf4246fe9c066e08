"""`ler client`: programs that prove who they are by a key."""

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from geoapi.assertions import check_public_key
from geoapi.cli.acting import AsJson, Who, acting_as, show_rows
from geoapi.cli.console import ReportingGroup, results, say
from ler.domain.access import Scope
from ler.domain.roles import permitted
from ler.errors import RefusedError
from ler.services.clients import add_key, end_client, end_key, enter_client, list_clients
from ler.services.grants import roles_now

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Programs with keys: register them, give and end keys, end them, list them.",
)

Client = Annotated[UUID, typer.Argument(help="Id, as `ler client list` tells it.")]
Key = Annotated[Path, typer.Argument(help="File with one public key (JWK) that has a kid.")]


@app.command()
def add(
    ctx: typer.Context,
    who: Who,
    name: Annotated[str, typer.Argument(help="What the program is called.")],
    key: Key,
    *,
    scope: Annotated[
        list[Scope] | None, typer.Option("--scope", help="What it may do; may be repeated. Else all.")
    ] = None,
) -> None:
    """Register a program of an organisation with its public key; prints the id by which it calls itself."""
    public = _read(key)
    with acting_as(ctx, who) as (connection, owner):
        has = permitted(roles_now(connection, owner.id))
        lacking = {*(scope or ())} - has
        if lacking:
            raise RefusedError("scope-exceeded", f"{owner.name} has not: {', '.join(sorted(lacking))}")
        made = enter_client(
            connection, owner.id, name=name, scopes=scope or sorted(has), keys=[public], by="command"
        )
    results().print(str(made))
    say(f"The program {name} of {owner.name} signs with the key {public['kid']}.")


@app.command(name="add-key")
def add_key_(ctx: typer.Context, who: Who, client: Client, key: Key) -> None:
    """Give a program one more key."""
    public = _read(key)
    with acting_as(ctx, who) as (connection, owner):
        add_key(connection, owner.id, client, public)
    say(f"The program may sign with the key {public['kid']}.")


@app.command(name="end-key")
def end_key_(
    ctx: typer.Context, who: Who, client: Client, kid: Annotated[str, typer.Argument(help="The key's kid.")]
) -> None:
    """End a key, and the tokens that the program has."""
    with acting_as(ctx, who) as (connection, owner):
        end_key(connection, owner.id, client, kid)
    say(f"The key {kid} has ended.")


@app.command()
def end(ctx: typer.Context, who: Who, client: Client) -> None:
    """End a program and its tokens at once."""
    with acting_as(ctx, who) as (connection, owner):
        end_client(connection, owner.id, client)
    say("The program has ended.")


@app.command(name="list")
def list_(ctx: typer.Context, who: Who, *, as_json: AsJson = False) -> None:
    """List an organisation's programs and the keys that they may sign with."""
    with acting_as(ctx, who) as (connection, owner):
        found = list_clients(connection, owner.id)
    rows = [
        {
            "name": one.name,
            "scopes": list(one.scopes),
            "keys": [key.kid for key in one.keys if key.revoked_at is None],
            "ended": one.revoked_at,
            "id": one.id,
        }
        for one in found
    ]
    show_rows(rows, "name", "scopes", "keys", "ended", "id", as_json=as_json)


def _read(path: Path) -> dict[str, Any]:
    try:
        key = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RefusedError("key-invalid", f"{path} holds no key in the form of a JWK (RFC 7517)") from error
    if not isinstance(key, dict):
        raise RefusedError("key-invalid", f"{path} holds no key in the form of a JWK (RFC 7517)")
    return check_public_key(key)
