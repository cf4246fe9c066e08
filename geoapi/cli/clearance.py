"""`ler clearance`: what an owner asks to be kept from its own lines, instead of what the rules say."""

import json
from pathlib import Path
from typing import Annotated

import typer

from conflicts.clearances import read_rule
from conflicts.owner_rules import add_owner_rule, end_owner_rule, list_owner_rules
from geoapi.cli.acting import AsJson, Who, acting_as, show_rows
from geoapi.cli.console import ReportingGroup, say
from ler.errors import RefusedError

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="What an owner asks to be kept from its own lines: add, end, list.",
)


@app.command()
def add(
    ctx: typer.Context,
    who: Who,
    rule: Annotated[
        Path, typer.Argument(help="JSON file with one rule, as docs/reference/clearances.md has them.")
    ],
) -> None:
    """Let a rule hold for an owner's lines from now on."""
    try:
        values = json.loads(rule.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RefusedError("clearances-unreadable", f"{rule} is no JSON: {error}") from None
    if not isinstance(values, dict):
        raise RefusedError("clearances-invalid", f"{rule} holds no rule: one object is wanted")
    read = read_rule(values)
    with acting_as(ctx, who) as (connection, owner):
        add_owner_rule(connection, owner.id, read)
    say(f"{read.id} holds for the lines of {owner.name}.")


@app.command()
def end(ctx: typer.Context, who: Who, rule: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """End a rule at once."""
    with acting_as(ctx, who) as (connection, owner):
        end_owner_rule(connection, owner.id, rule)
    say(f"{rule} holds no longer.")


@app.command(name="list")
def list_(ctx: typer.Context, who: Who, *, as_json: AsJson = False) -> None:
    """List an owner's rules, those that have ended too."""
    with acting_as(ctx, who) as (connection, owner):
        found = list_owner_rules(connection, owner.id)
    rows = [
        {**one.rule.model_dump(mode="json"), "created_at": one.created_at, "ended_at": one.ended_at}
        for one in found
    ]
    show_rows(rows, "id", "utilities", "clear", "hand_dig", "stand_by", "notify", "ended_at", as_json=as_json)
