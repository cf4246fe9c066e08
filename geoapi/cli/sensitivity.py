"""`ler sensitivity`: lines that are not shown to everybody, and their owner's word on what was withheld."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import shapely
import typer
from rich.table import Table
from shapely import MultiPolygon, Polygon
from sqlalchemy.engine import Connection

from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.database import open_databases
from ingest.area_file import read_area_file
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.errors import RefusedError
from ler.services.registry import get_owner
from ler.services.sensitivity import (
    KeptRule,
    Shown,
    count_shown,
    decide_withheld,
    end_links,
    end_rule,
    list_rules,
    list_withheld,
    list_withheld_lines,
    make_rule,
)

app = typer.Typer(
    cls=ReportingGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Lines that are not shown to everybody: rules on them, and whether a requester gets them.",
)

Owner = Annotated[
    str | None,
    typer.Option("--owner", help="The owner's CVR number. Without: the operator's rules, for all."),
]
Whose = Annotated[str, typer.Option("--owner", help="The owner's CVR number.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command()
def add(
    ctx: typer.Context,
    sensitivity: Annotated[
        SensitivityClass,
        typer.Argument(
            metavar="CLASS",
            help="restricted: delivered when the owner says yes; site-marking: pointed out on site; never: not stored.",
        ),
    ],
    *,
    owner: Owner = None,
    feature_type: Annotated[
        list[str] | None, typer.Option(help="Feature type, e.g. Elledning; may be repeated.")
    ] = None,
    utility_type: Annotated[
        list[str] | None, typer.Option(help="Utility type, e.g. el; may be repeated.")
    ] = None,
    danger: Annotated[
        list[str] | None, typer.Option(help="Danger class, e.g. 'meget farlig'; may be repeated.")
    ] = None,
    gml_id: Annotated[list[str] | None, typer.Option(help="gml:id of a feature; may be repeated.")] = None,
    area: Annotated[Path | None, typer.Option(help="GeoJSON with polygons; what touches them.")] = None,
    crs: Annotated[str | None, typer.Option(help="Coordinate system of that file, e.g. EPSG:4326.")] = None,
    reason: Annotated[str, typer.Option(help="Why; shown to nobody else.")] = "",
) -> None:
    """Make a rule: it meets the features that have all that is named."""
    rule = SensitivityRule(
        sensitivity,
        feature_types=frozenset(feature_type or ()),
        utility_types=frozenset(utility_type or ()),
        danger_classes=frozenset(danger or ()),
        gml_ids=frozenset(gml_id or ()),
        area=_polygons(area, crs) if area else None,
    )
    with _acting(ctx, owner) as (connection, owner_id):
        made = make_rule(connection, owner_id, rule, reason=reason)
    results().print(str(made))
    say("The rule holds for what is asked and uploaded from now on.")
    with _acting(ctx, owner) as (connection, _):
        _tell_shown(count_shown(connection, made))


@app.command()
def end(
    ctx: typer.Context, rule: Annotated[UUID, typer.Argument(help="The rule's id.")], *, owner: Owner = None
) -> None:
    """End a rule: what it withheld is delivered to who asks from now on."""
    with _acting(ctx, owner) as (connection, owner_id):
        end_rule(connection, owner_id or PLATFORM_OPERATOR, rule)
    say("The rule is ended.")


@app.command()
def shown(
    ctx: typer.Context, rule: Annotated[UUID, typer.Argument(help="The rule's id.")], *, owner: Owner = None,
    end_their_links: Annotated[
        bool, typer.Option("--end-links", help="End the links to these packages; who made them is told.")
    ] = False,
) -> None:  # fmt: skip
    """Count what was delivered before a rule was made and shows lines that it meets; it stays delivered."""
    with _acting(ctx, owner) as (connection, _):
        _tell_shown(count_shown(connection, rule))
        if end_their_links:
            say(f"Links ended: {end_links(connection, rule)}.")


@app.command()
def rules(ctx: typer.Context, *, owner: Owner = None, as_json: AsJson = False) -> None:
    """List the rules in force, the newest first."""
    with _acting(ctx, owner) as (connection, _):
        found = list_rules(connection)
    rows = [_row(one) for one in found]
    if as_json:
        results().print_json(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("Id", "Class", "Meets", "Reason")
    for row in rows:
        meets = "; ".join(
            f"{name}: {', '.join(row[name])}"
            for name in ("feature_types", "utility_types", "danger_classes", "gml_ids")
            if row[name]
        )
        table.add_row(
            str(row["id"]), str(row["class"]), "; ".join(filter(None, [meets, row["area"]])), str(row["reason"])
        )  # fmt: skip
    results().print(table)


@app.command()
def withheld(
    ctx: typer.Context, *, owner: Whose, as_json: AsJson = False,
    every: Annotated[bool, typer.Option("--all", help="Also where no word is needed any more.")] = False,
) -> None:  # fmt: skip
    """List the answers that await the owner's word, with the features that they did not show."""
    with _acting(ctx, owner) as (connection, _):
        rows: list[dict[str, Any]] = [
            {
                "answer": str(one.answer_id),
                "request": str(one.request_id),
                "requester": one.requester,
                "answered_at": one.answered_at.isoformat(timespec="minutes"),
                "awaits_decision": one.awaits_owner,
                "features": [line.gml_id for line in list_withheld_lines(connection, one.answer_id)],
            }
            for one in list_withheld(connection, waiting=not every)
        ]
    if as_json:
        results().print_json(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("Answer", "Requester", "Answered", "Awaits decision", "Features")
    for row in rows:
        shown = (
            row["answer"],
            row["requester"],
            row["answered_at"],
            "yes" if row["awaits_decision"] else "no",
        )
        table.add_row(*(str(one) for one in shown), str(len(row["features"])))
    results().print(table)


@app.command()
def decide(
    ctx: typer.Context,
    answer: Annotated[UUID, typer.Argument(help="The answer's id, as `ler sensitivity withheld` lists it.")],
    *,
    owner: Whose,
    deliver: Annotated[bool, typer.Option("--yes/--no", help="Whether the requester gets the lines.")],
) -> None:
    """Say whether a requester gets the restricted lines of an answer."""
    with _acting(ctx, owner) as (connection, _):
        made = decide_withheld(connection, answer, deliver=deliver)
    results().print(str(made))
    say(
        "The lines are delivered in a new answer." if deliver else "A new answer says that they are not told."
    )


def _tell_shown(found: Shown) -> None:
    say(
        f"Delivered before, and still shown: to {found.requests} valid requests, in {found.packages} packages; links to"
        f" such packages: {found.links}."
    )


@contextmanager
def _acting(ctx: typer.Context, cvr: str | None) -> Iterator[tuple[Connection, UUID | None]]:
    """A transaction that acts for an owner, or for the operator, whose rules have no owner."""
    with open_databases(settings_of(ctx)) as databases:
        owner_id = None
        if cvr is not None:
            with transaction(databases.app, PLATFORM_OPERATOR) as connection:
                owner_id = get_owner(connection, cvr).id
        with transaction(databases.app, owner_id or PLATFORM_OPERATOR) as connection:
            yield connection, owner_id


def _polygons(path: Path, crs: str | None) -> MultiPolygon:
    merged = shapely.union_all(read_area_file(path, crs))
    parts = [part for part in shapely.get_parts(shapely.force_2d(merged)) if isinstance(part, Polygon)]
    if not parts:
        raise RefusedError("geometry-invalid", f"{path} has no polygon")
    return MultiPolygon(parts)


def _row(kept: KeptRule) -> dict[str, Any]:
    rule = kept.rule
    return {
        "id": str(kept.id),
        "class": rule.sensitivity.value,
        "feature_types": sorted(rule.feature_types),
        "utility_types": sorted(rule.utility_types),
        "danger_classes": sorted(rule.danger_classes),
        "gml_ids": sorted(rule.gml_ids),
        "area": None if rule.area is None else f"area of {rule.area.area:,.0f} m²",
        "reason": kept.reason,
    }
