"""`ler endpoint`: where an organisation is told what happens."""

from typing import Annotated
from uuid import UUID

import typer

from geoapi.cli.acting import AsJson, Who, acting_as, show_rows
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.delivery.targets import check_target
from geoapi.delivery.webhooks import new_secret
from geoapi.routes.endpoints import EndpointRequest, new_code
from ler.domain.delivery import Channel
from ler.errors import RefusedError
from ler.services.notices import (
    NewEndpoint,
    add_endpoint,
    confirm_endpoint,
    list_deliveries,
    list_endpoints,
    remove_endpoint,
    renew_endpoint_secret,
    try_endpoint,
)
from ler.signing import KeyFolder

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Where notices go: webhooks and addresses of e-mail.",
)

Endpoint = Annotated[UUID, typer.Argument(help="Id, as `ler endpoint list` tells it.")]


@app.command()
def add(
    ctx: typer.Context,
    who: Who,
    place: Annotated[str, typer.Argument(help="Address of a webhook (https), or of e-mail.")],
    *,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Such as owner.asked or owner.*; else all.")
    ] = None,
    language: Annotated[str, typer.Option(help="da or en.")] = "da",
    escalation: Annotated[bool, typer.Option(help="Only of the organisation's own silence.")] = False,
) -> None:
    """Add a place; prints its id, and of a webhook the key, once. An address of e-mail is sent a code first."""
    channel = Channel.EMAIL if "@" in place and "://" not in place else Channel.WEBHOOK
    given = {"url" if channel is Channel.WEBHOOK else "email": place, "kinds": kind, "language": language}
    try:
        EndpointRequest.model_validate(given)
    except ValueError:
        raise RefusedError(
            "field-invalid", "that is no place, kind of notice or language: see `ler endpoint add --help`"
        ) from None
    secret = code = None
    if channel is Channel.WEBHOOK:
        check_target(place, loopback=settings_of(ctx).webhook_loopback)
        secret = new_secret()
    else:
        code = new_code()
    wanted = NewEndpoint(channel, place, kind, language, escalation)
    with acting_as(ctx, who) as (connection, owner):
        sealed = _keys(ctx).seal(secret) if secret else None
        made = add_endpoint(connection, wanted, secret=sealed, code=code)
    results().print(str(made))
    if secret:
        results().print(secret, soft_wrap=True)
        say(f"{owner.name} is told there. The key is not shown again.")
    else:
        say(f"A code is sent to {place}; then: ler endpoint confirm {who} {made} CODE")


@app.command()
def confirm(
    ctx: typer.Context,
    who: Who,
    endpoint: Endpoint,
    code: Annotated[str, typer.Argument(help="As it came by e-mail.")],
) -> None:
    """Take an address of e-mail into use by the code that was sent there."""
    with acting_as(ctx, who) as (connection, _):
        # Counted even when it is wrong, so refused only after the transaction.
        right = confirm_endpoint(connection, endpoint, code.strip().upper())
    if not right:
        raise RefusedError("field-invalid", "it is another code")
    say("The address is in use.")


@app.command()
def secret(ctx: typer.Context, who: Who, endpoint: Endpoint) -> None:
    """Make another key of a webhook and print it, once; the old one signs for a day more."""
    made = new_secret()
    with acting_as(ctx, who) as (connection, _):
        renew_endpoint_secret(connection, endpoint, _keys(ctx).seal(made))
    results().print(made, soft_wrap=True)


@app.command()
def test(ctx: typer.Context, who: Who, endpoint: Endpoint) -> None:
    """Send a notice that says nothing."""
    with acting_as(ctx, who) as (connection, _):
        try_endpoint(connection, endpoint)
    say("It is on its way; see: ler endpoint deliveries")


@app.command()
def remove(ctx: typer.Context, who: Who, endpoint: Endpoint) -> None:
    """Remove a place; what waits for it and must not be lost goes to the organisation's own address."""
    with acting_as(ctx, who) as (connection, _):
        remove_endpoint(connection, endpoint)
    say("The place is removed.")


@app.command(name="list")
def list_(ctx: typer.Context, who: Who, *, as_json: AsJson = False) -> None:
    """List the places of an organisation and how they do."""
    with acting_as(ctx, who) as (connection, _):
        found = list_endpoints(connection)
    columns = "channel", "address", "kinds", "language", "escalation", "state", "failures", "id"
    rows = [{column: getattr(one, column) for column in columns} for one in found]
    show_rows(rows, *columns, as_json=as_json)


@app.command()
def deliveries(
    ctx: typer.Context,
    who: Who,
    endpoint: Endpoint,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was sent to a place lately, and what came of it."""
    with acting_as(ctx, who) as (connection, _):
        found = list_deliveries(connection, endpoint, limit=limit)
    columns = "kind", "state", "attempts", "status", "fault", "created_at", "done_at", "id"
    rows = [{column: getattr(one, column) for column in columns} for one in found]
    show_rows(rows, *columns, as_json=as_json)


def _keys(ctx: typer.Context) -> KeyFolder:
    return KeyFolder(settings_of(ctx).key_folder)
