"""What the commands of the register share: a transaction in which somebody acts, and organisations by CVR number or id."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy.engine import Connection

from geoapi.cli.console import results, settings_of
from geoapi.database import open_databases
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.legal_time import instant, parse_date, parse_moment
from ler.errors import NotFoundError
from ler.services.registry import Organisation, find_by_cvr, get_organisation

Who = Annotated[str, typer.Argument(help="CVR number, or id of an organisation that has none.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@contextmanager
def acting_as_operator(ctx: typer.Context) -> Iterator[Connection]:
    """Open a transaction in which the operator acts."""
    with (
        open_databases(settings_of(ctx)) as databases,
        transaction(databases.app, PLATFORM_OPERATOR) as connection,
    ):
        yield connection


@contextmanager
def acting_as(ctx: typer.Context, who: str) -> Iterator[tuple[Connection, Organisation]]:
    """Open a transaction in which an organisation acts itself; give it as well."""
    with open_databases(settings_of(ctx)) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = find_organisation(connection, who)
        with transaction(databases.app, found.id) as connection:
            yield connection, found


def find_organisation(connection: Connection, who: str) -> Organisation:
    """Return the organisation with that CVR number or id; NotFoundError."""
    try:
        found = get_organisation(connection, UUID(who)) if "-" in who else find_by_cvr(connection, who)
    except ValueError:
        found = None
    if found is None:
        raise NotFoundError(f"no organisation {who} is registered; enter it with: ler organisation add NAME")
    return found


def read_moment(given: str | None) -> datetime | None:
    """Return a moment that somebody gave: a date is its beginning, and what has no zone is Danish time. RefusedError."""
    if given is None:
        return None
    return parse_moment(given) if "T" in given else instant(parse_date(given), time(0))


def read_end(given: str) -> datetime:
    """Return a moment until which something lasts, as `read_moment`, but that a date is meant to its end. RefusedError."""
    return parse_moment(given) if "T" in given else instant(parse_date(given) + timedelta(days=1), time(0))


def show_rows(rows: Sequence[dict[str, Any]], *columns: str, as_json: bool) -> None:
    """Print rows as JSON, or these columns of them as a table."""
    if as_json:
        results().print_json(json.dumps(rows, default=str))
        return
    table = Table(*(column.replace("_", " ").capitalize() for column in columns))
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    results().print(table)


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)
