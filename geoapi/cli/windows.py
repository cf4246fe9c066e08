"""`ler windows`: which planned works to dig together, who is invited, what they say, and when they dig."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypedDict
from uuid import UUID

import typer
from rich.table import Table
from shapely.geometry import mapping

from conflicts.windows.figures import Prices, read_prices, standard_prices
from geoapi.cli.acting import AsJson, acting_as, acting_as_operator, find_organisation, read_end, show_rows
from geoapi.cli.batch_group import BatchGroup
from geoapi.cli.console import results, say, settings_of
from geoapi.cli.language import Chosen, LanguageOption, language_of
from geoapi.windows_desk import (
    Kept,
    Planned,
    keep_proposals,
    kept_windows,
    plan_again,
    plan_entered,
    total_of,
    window_view,
)
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.legal_time import legal_day, local
from ler.domain.windows import WindowState
from ler.errors import RefusedError
from ler.services.windows import (
    answer_window,
    get_window,
    invite_window,
    list_windows,
)


class _WithBatch(BatchGroup):
    """The commands here, and `batch`."""

    batch_module = "geoapi.cli.windows_batch"


app = typer.Typer(
    cls=_WithBatch,
    add_completion=False,
    no_args_is_help=True,
    help="Digging windows: propose, batch, show, invite, answer, ics.",
)

WindowId = Annotated[UUID, typer.Argument(help="The window's id.")]
By = Annotated[str, typer.Option("--by", help="CVR number or id of the organisation that does so.")]


@app.command()
def propose(
    ctx: typer.Context,
    *,
    by: Annotated[
        str, typer.Option("--by", help="Who coordinates: CVR number or id; else the operator.")
    ] = str(PLATFORM_OPERATOR),
    work: Annotated[
        list[UUID] | None,
        typer.Option(help="Only what this work touches, as after a change of it; may be repeated."),
    ] = None,
    order: Annotated[
        list[str] | None, typer.Option(help="FIRST:THEN, ids of works of which one is to go first.")
    ] = None,
    crews: Annotated[
        list[str] | None, typer.Option(help="CVR=NUMBER: how many works it can have going on.")
    ] = None,
    prices: Annotated[Path | None, typer.Option(help="TOML file of prices in the place of ours.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the proposals, so that they can be invited.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write an HTML report with maps and timelines.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write the same report as PDF.")] = None,
    language: LanguageOption = None,
    as_json: AsJson = False,
) -> None:
    """Plan all works that are entered, or what some touch: which to dig together, when, in which order, what that saves."""
    chosen = language_of(language)
    wishes = [_wish(text) for text in order or []]
    with acting_as_operator(ctx) as connection:
        limits = dict(_crews(connection, text) for text in crews or [])
    with acting_as(ctx, by) as (connection, found):
        given = connection, settings_of(ctx), legal_day(datetime.now(UTC))
        by_what = _ByWhat(
            wishes=wishes, crews=limits, prices=read_prices(prices) if prices else standard_prices()
        )
        if work:
            planned = plan_again(*given, work, **by_what)
        else:
            planned = plan_entered(*given, **by_what, processes=os.cpu_count() or 1)
        kept, taken = keep_proposals(connection, found.id, planned) if keep else ([], 0)
    if report is not None or pdf is not None:
        _write_reports(planned, chosen, report, pdf)
    if as_json:
        results().print_json(json.dumps(_document(planned, kept), ensure_ascii=False, default=str))
    else:
        _show_plan(planned, danish=chosen == "da")
    if keep:
        say(f"{len(kept)} windows kept, {taken} earlier ones taken back.")


def _write_reports(planned: Planned, language: Chosen, report: Path | None, pdf: Path | None) -> None:
    from geoapi.windows_report import windows_report, write_windows_pdf  # noqa: PLC0415 - loads what draws

    if report is not None:
        report.write_text(windows_report(planned, language), encoding="utf-8", newline="\n")
    if pdf is not None:
        write_windows_pdf(pdf, planned, language)


def _write_kept(kept: Kept, language: Chosen, report: Path | None, pdf: Path | None) -> None:
    from geoapi.windows_report import kept_report, write_kept_pdf  # noqa: PLC0415 - as above

    if report is not None:
        report.write_text(kept_report(kept, language), encoding="utf-8", newline="\n")
    if pdf is not None:
        write_kept_pdf(pdf, kept, language)


class _ByWhat(TypedDict):
    wishes: list[tuple[UUID, UUID]]
    crews: dict[UUID, int]
    prices: Prices


def _wish(text: str) -> tuple[UUID, UUID]:
    try:
        first, then = (UUID(part) for part in text.split(":"))
    except ValueError:
        raise RefusedError("option-invalid", f"--order {text}: write FIRST:THEN, two ids of works") from None
    return first, then


def _crews(connection: Any, text: str) -> tuple[UUID, int]:  # noqa: ANN401 - a transaction
    who, _, number = text.rpartition("=")
    if not who or not number.isdecimal() or not int(number):
        raise RefusedError("option-invalid", f"--crews {text}: write CVR=NUMBER, at least 1")
    return find_organisation(connection, who).id, int(number)


def _document(planned: Planned, kept: list[UUID]) -> dict[str, Any]:
    return {
        "total": total_of(planned),
        "kept": [str(one) for one in kept],
        "findings": [
            {"code": one.code, "works": [str(work) for work in one.work_ids], "da": one.da, "en": one.en}
            for one in planned.plan.findings
        ],
        "windows": [
            {
                "pilot": str(one.pilot.id),
                "start_on": one.start,
                "end_on": one.end,
                "days_saved": round(one.benefit.days, 2),
                "surface_saved_m2": round(one.benefit.m2, 2),
                "openings_saved": one.benefit.openings,
                "gain_dkk": one.benefit.gain_dkk,
                "move_dkk": one.benefit.move_dkk,
                "gap": one.gap,
                "reason_da": one.reason_da,
                "reason_en": one.reason_en,
                "works": [
                    {
                        "id": str(member.work.id),
                        "title": member.work.title,
                        "start_on": member.placement.start,
                        "end_on": member.placement.end,
                        "moved_days": member.placement.moved_days,
                    }
                    for member in one.members
                ],
            }
            for one in planned.proposals
        ],
    }


def _show_plan(planned: Planned, *, danish: bool) -> None:
    heads = (
        ("Dage", "Arbejder i rækkefølge", "Flyttes", "Sparer mindst")
        if danish
        else ("Days", "Works in order", "Moves", "Saves at least")
    )
    table = Table(*heads)
    for one in planned.proposals:
        table.add_row(
            f"{one.start} – {one.end}",
            "\n".join(member.work.title for member in one.members),
            "\n".join(f"{member.placement.moved_days:+d}" for member in one.members),
            one.reason_da if danish else one.reason_en,
        )
    results().print(table)
    total = total_of(planned)
    say(
        f"{total['windows']} gravevinduer sparer mindst {total['days_saved']} dage med optaget vej,"
        f" {total['surface_saved_m2']} m² og {total['openings_saved']} opgravninger; planen er højst"
        f" {total['gap']:.1%} fra den bedste."
        if danish
        else f"{total['windows']} windows save at least {total['days_saved']} days of occupied road,"
        f" {total['surface_saved_m2']} m² and {total['openings_saved']} openings; the plan is at most"
        f" {total['gap']:.1%} from the best."
    )
    for found in planned.plan.findings:
        say(found.da if danish else found.en)


@app.command()
def show(
    ctx: typer.Context,
    window: Annotated[UUID | None, typer.Argument(help="One window, as JSON with its place.")] = None,
    *,
    organisation: Annotated[
        str | None, typer.Option(help="Only with works of this one: CVR number or id.")
    ] = None,
    state: Annotated[list[WindowState] | None, typer.Option(help="Only these; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 1000,
    report: Annotated[
        Path | None, typer.Option(help="Write an HTML report with maps, timelines and answers.")
    ] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write the same report as PDF.")] = None,
    language: LanguageOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the windows that are kept, in the order in which they were proposed; or one of them."""
    with acting_as(ctx, organisation or str(PLATFORM_OPERATOR)) as (connection, found):
        if window is not None:
            rows = [get_window(connection, window)]
        else:
            owner = found.id if organisation else None
            rows = list_windows(connection, states=state, organisation_id=owner, limit=limit)
        if report is not None or pdf is not None:
            shown = kept_windows(connection, rows, legal_day(datetime.now(UTC)))
            _write_kept(shown, language_of(language), report, pdf)
    if window is not None:
        place = {"geometry": mapping(rows[0].window.geometry)}
        results().print_json(json.dumps(window_view(rows[0]) | place, ensure_ascii=False, default=str))
        return
    columns = "id", "state", "start_on", "end_on", "days_saved", "openings_saved", "saved_dkk", "answer_by"
    show_rows([window_view(one) for one in rows], *columns, as_json=as_json)


@app.command()
def invite(
    ctx: typer.Context,
    window: WindowId,
    *,
    until: Annotated[
        str,
        typer.Option(help="Until when they answer: a day, to its end, or a moment like 2027-05-01T12:00."),
    ],
    by: Annotated[str, typer.Option("--by", help="Who coordinates; else the operator.")] = str(
        PLATFORM_OPERATOR
    ),
) -> None:
    """Invite the organisations of a window that is proposed; who says nothing in time is not in it."""
    moment = read_end(until)
    with acting_as(ctx, by) as (connection, found):
        invite_window(connection, found.id, window, moment)
    say(f"They are invited, and answer until {local(moment):%Y-%m-%d %H:%M} (Danish time).")


@app.command()
def answer(
    ctx: typer.Context,
    window: WindowId,
    *,
    by: By,
    accept: Annotated[bool, typer.Option("--accept/--decline", help="Yes or no.")],
    work: Annotated[
        UUID | None, typer.Option(help="Only for this work; else for all of the organisation's.")
    ] = None,
) -> None:
    """Say yes or no to an invitation, for an organisation's own works."""
    with acting_as(ctx, by) as (connection, found):
        state = answer_window(connection, found.id, window, accepts=accept, work_id=work)
    say(f"The window is {state.value}.")


@app.command()
def ics(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(help="CVR number or id of the organisation.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write into this file; else to stdout.")] = None,
    language: LanguageOption = None,
) -> None:
    """Give an organisation's windows as a calendar (iCalendar): agreed, and those to which it is invited."""
    from geoapi.windows_calendar import window_calendar  # noqa: PLC0415 - no other command needs it

    with acting_as(ctx, who) as (connection, found):
        windows = list_windows(
            connection, states=[WindowState.INVITED, WindowState.AGREED], organisation_id=found.id
        )
        content = window_calendar(windows, found.id, language_of(language))
    if out is None:
        results().print(content.decode(), end="")
    else:
        out.write_bytes(content)
