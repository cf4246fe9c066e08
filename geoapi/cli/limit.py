"""`ler limit`: how much an organisation may ask for."""

from typing import Annotated

import typer

from geoapi.cli.acting import AsJson, acting_as_operator, find_organisation, show_rows
from geoapi.cli.console import ReportingGroup, say
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError
from ler.services.limits import AskingLimit, list_limits, remove_limit, set_limit

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="How much may be asked for a day and in 30 days: set it, take it back, list it.",
)

_M2_PER_KM2 = 1_000_000


@app.command(name="set")
def set_(
    ctx: typer.Context,
    who: Annotated[str | None, typer.Argument(help="CVR number or id; else all without their own.")] = None,
    *,
    requests: Annotated[int | None, typer.Option(min=0, help="Requests a day.")] = None,
    day: Annotated[float | None, typer.Option("--km2-day", min=0, help="Area a day, km2.")] = None,
    month: Annotated[float | None, typer.Option("--km2-month", min=0, help="Area in 30 days, km2.")] = None,
    unlimited: Annotated[bool, typer.Option(help="As much as it likes where no figure is given.")] = False,
) -> None:
    """Set the limits. What is not given stays as it is, or with --unlimited is not limited."""
    if requests is None and day is None and month is None and not unlimited:
        raise RefusedError("limit-invalid", "give a limit, or --unlimited")
    with acting_as_operator(ctx) as connection:
        owner = find_organisation(connection, who) if who else None
        owner_id = owner.id if owner else None
        now = {one.owner_id: one for one in list_limits(connection)}
        before = now.get(owner_id, now[None])
        given = (requests, *(area * _M2_PER_KM2 if area is not None else None for area in (day, month)))
        kept = (before.requests_per_day, before.area_m2_per_day, before.area_m2_per_month)
        figures = [new if new is not None or unlimited else old for new, old in zip(given, kept, strict=True)]
        set_limit(connection, PLATFORM_OPERATOR, AskingLimit(owner_id, _whole(figures[0]), *figures[1:]))
    say(f"The limits of {owner.name if owner else 'all without their own'} are set.")


@app.command()
def remove(
    ctx: typer.Context, who: Annotated[str, typer.Argument(help="CVR number or id of an organisation.")]
) -> None:
    """Take an organisation's own limits away, so that those of all hold for it."""
    with acting_as_operator(ctx) as connection:
        owner = find_organisation(connection, who)
        remove_limit(connection, PLATFORM_OPERATOR, owner.id)
    say(f"For {owner.name} holds what holds for all.")


@app.command(name="list")
def list_(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List the limits: those of all first, and those that organisations have of their own."""
    with acting_as_operator(ctx) as connection:
        found = list_limits(connection)
    rows = [
        {
            "organisation": one.owner_id or "all",
            "requests_a_day": one.requests_per_day,
            "km2_a_day": _km2(one.area_m2_per_day),
            "km2_in_30_days": _km2(one.area_m2_per_month),
        }
        for one in found
    ]
    show_rows(rows, "organisation", "requests_a_day", "km2_a_day", "km2_in_30_days", as_json=as_json)


def _whole(figure: float | None) -> int | None:
    return None if figure is None else int(figure)


def _km2(area: float | None) -> float | None:
    return None if area is None else area / _M2_PER_KM2
