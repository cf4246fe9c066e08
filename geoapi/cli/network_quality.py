"""`ler network quality`: how much an owner's network tells of itself, as a table, as JSON or as a picture."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from geoapi.cli.console import results, say, settings_of
from geoapi.database import open_databases
from ingest.quality import WEIGHTS, VersionQuality, list_quality
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError
from ler.services.registry import get_owner

FIGURES = {
    "horizontal_accuracy": "horizontal accuracy known",
    "depth_or_height": "depth or heights known",
    "without_findings": "features without findings",
    "vertical_accuracy": "vertical accuracy known",
    "established": "time of establishment known",
    "outer_size": "outer size known",
    "references": "references that resolve",
    "material": "material known",
}


def quality(
    ctx: typer.Context,
    *,
    owner: Annotated[str, typer.Option("--owner", help="The owner's CVR number.")],
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw it too: a file ending in .png, .svg or .pdf.")
    ] = None,
    language: Annotated[
        Literal["da", "en"], typer.Option("--language", help="Language of the picture.")
    ] = "en",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all figures of all versions as JSON.")
    ] = False,
) -> None:
    """Show how much an owner's network tells of itself, and how that changed from version to version."""
    with open_databases(settings_of(ctx)) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = get_owner(connection, owner)
        with transaction(databases.app, found.id) as connection:
            history = list_quality(connection, found.id)
    if not history:
        raise RefusedError("quality-missing", f"no version of the network of {found.name} has been measured")
    if picture is not None:
        from ingest.quality.picture import draw_quality  # noqa: PLC0415 - most want figures

        draw_quality(history, found.name, picture, language)
        say(f"Drawn: {picture}")
    if as_json:
        results().print_json(json.dumps([one.to_json() for one in history]))
        return
    latest = history[-1]
    results().print(f"{found.name}: version {latest.number}, score {latest.score:.1f} of 100")
    results().print(_table(latest))
    results().print(f"Scores: {_scores(history)}")


def _table(latest: VersionQuality) -> Table:
    table = Table("Figure", "Weight", "By number", "By length", "Of")
    for name, figure in latest.quality.total.figures.items():
        shares = (figure.share, figure.share_by_length)
        by_number, by_length = ("-" if share is None else f"{100 * share:.1f} %" for share in shares)
        table.add_row(FIGURES[name], f"{WEIGHTS[name]:g}", by_number, by_length, f"{figure.base:,}")
    return table


def _scores(history: Sequence[VersionQuality]) -> str:
    return ", ".join(f"version {one.number}: {one.score:.1f}" for one in history)
