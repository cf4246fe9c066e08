"""`ler token`: access tokens of programs."""

import json
from typing import Annotated

import typer
from rich.table import Table

from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.database import open_databases
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.services.registry import get_owner
from ler.services.tokens import START, Token, create_token, list_tokens, revoke_token

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Access tokens: hand them out, list them, end them.",
)


@app.command()
def add(
    ctx: typer.Context,
    *,
    owner: Annotated[str, typer.Option("--owner", help="CVR number of the organisation that it acts for.")],
    scope: Annotated[
        list[Scope] | None, typer.Option("--scope", help="What it may do; may be repeated. Else everything.")
    ] = None,
    days: Annotated[int, typer.Option(help="How long it lives, 1 to 366.")] = 90,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Hand out a token. It is shown this once and kept as a hash."""
    with (
        open_databases(settings_of(ctx)) as databases,
        transaction(databases.app, PLATFORM_OPERATOR) as connection,
    ):
        found = get_owner(connection, owner)
        token = create_token(connection, found.id, scopes=scope or [*Scope], days=days, note=note)
    results().print(token)
    say(f"A token of {found.name} for {days} days. It is not shown again.")


@app.command(name="list")
def list_(
    ctx: typer.Context, *, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """List the tokens that were handed out, the newest first; never the tokens themselves."""
    with (
        open_databases(settings_of(ctx)) as databases,
        transaction(databases.app, PLATFORM_OPERATOR) as connection,
    ):
        tokens = list_tokens(connection)
    if as_json:
        results().print_json(json.dumps([_row(token) for token in tokens]))
        return
    table = Table("Begins with", "CVR", "Scopes", "Expires", "Revoked", "Note")
    for token in tokens:
        row = _row(token)
        shown = (
            row["token"],
            row["cvr"],
            ", ".join(token.scopes),
            row["expires_at"],
            row["revoked_at"],
            token.note,
        )
        table.add_row(*(str(value or "") for value in shown))
    results().print(table)


@app.command()
def revoke(
    ctx: typer.Context,
    token: Annotated[str, typer.Argument(help=f"What it begins with: {START} and eight characters.")],
) -> None:
    """End a token at once."""
    prefix = token.removeprefix(START).partition("_")[0]
    with (
        open_databases(settings_of(ctx)) as databases,
        transaction(databases.app, PLATFORM_OPERATOR) as connection,
    ):
        revoke_token(connection, prefix)
    say(f"The token {START}{prefix} is revoked.")


def _row(token: Token) -> dict[str, object]:
    return {
        "token": token.start,
        "cvr": token.cvr,
        "scopes": list(token.scopes),
        "note": token.note,
        "expires_at": token.expires_at.isoformat(timespec="minutes"),
        "revoked_at": token.revoked_at.isoformat(timespec="minutes") if token.revoked_at else None,
    }
