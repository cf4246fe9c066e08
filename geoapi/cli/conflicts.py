"""`ler conflicts`: which lines a dig comes too near, of a request that was asked, or of an owner's own network.

A planned work or a file is held against the network of who acts, and against nobody else's.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import shapely
import typer
from rich.table import Table
from shapely.geometry import mapping

from conflicts.clearances import ZONES, Zone, load_clearances
from conflicts.detect import detect
from conflicts.dig import Dig, dig_of_work
from conflicts.network import lines_near
from conflicts.risk import risk
from conflicts.stored import Kept, conflict_row, ground_of, list_conflicts, rules_of_owners
from conflicts.words import ZONE_WORDS, Language
from conflicts.zones import together
from geoapi.cli.acting import AsJson, acting_as
from geoapi.cli.batch_group import BatchGroup
from geoapi.cli.console import results, say, settings_of
from geoapi.conflicts_desk import report_of_dig, report_of_id
from geoapi.conflicts_report import conflicts_report, write_conflicts_pdf
from geoapi.packing import package_options
from ingest.area_file import read_area_file
from ler.domain.work_codes import work_kinds, work_methods
from ler.errors import NotFoundError, RefusedError
from ler.model import load_model
from ler.packages.contents import PackageOptions
from ler.services.works import find_work

_HEADS: Final[Mapping[Language, tuple[str, ...]]] = {
    "da": ("Zone", "Ledning", "Id", "Afstand m", "Under m", "Sandsynlighed", "Hvorfor"),
    "en": ("Zone", "Line", "Id", "Distance m", "Below m", "Probability", "Why"),
}
_PRECAUTION_HEADS: Final[Mapping[Language, tuple[str, ...]]] = {
    "da": ("Ejer", "Forsyningsart", "Prioritet", "Forholdsregel", "Hvorfor"),
    "en": ("Owner", "Utility", "Priority", "Precaution", "Why"),
}
type Row = Mapping[str, Any]
type Rows = Sequence[Row]


class _OneOrMany(BatchGroup):
    """`ler conflicts WHAT` for one dig, `ler conflicts batch` for all planned works; what is no command is WHAT."""

    batch_module = "geoapi.cli.conflicts_batch"

    def parse_args(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - the types of click, which typer hides
        """Take what does not begin with a command for a dig."""
        words = args if not args or args[0] in {"batch", "one", "--help"} else ["one", *args]
        return super().parse_args(ctx, words)


app = typer.Typer(
    cls=_OneOrMany,
    add_completion=False,
    no_args_is_help=True,
)


@app.callback()
def lines_near_digs() -> None:
    """Tell which lines digs come too near: `ler conflicts WHAT --as CVR` for one dig, `batch` for all planned works."""


@app.command(name="one")
def conflicts(
    ctx: typer.Context,
    what: Annotated[
        str,
        typer.Argument(help="Id of a request or of a planned work, or a file with a dig area or a work's line."),
    ],
    *,
    organisation: Annotated[
        str, typer.Option("--as", help="CVR number or id: the requester, or for a file the owner of the network.")
    ],
    method: Annotated[str | None, typer.Option(help="Of a file: how it is dug, e.g. open-trench.")] = None,
    kind: Annotated[str | None, typer.Option(help="Of a file: the kind of work, e.g. new-line.")] = None,
    depth: Annotated[float | None, typer.Option(help="Of a file: deepest place, metres below the surface.", min=0.0)] = None,
    width: Annotated[float | None, typer.Option(help="Of a file: width in metres of what is drawn by its line.", min=0.0)] = None,
    crs: Annotated[str | None, typer.Option(help="Coordinate system of the file, e.g. EPSG:4326.")] = None,
    language: Annotated[Literal["da", "en"], typer.Option("--language", help="Of words.")] = "da",
    as_json: AsJson = False,
    geojson: Annotated[Path | None, typer.Option(help="Write where they are, EPSG:25832, into this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report with a map and sections, a page that needs no network.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write the same report as PDF.")] = None,
) -> None:  # fmt: skip
    """Tell which lines a dig comes too near, the nearest zone first."""
    path, dig = Path(what), None
    if path.exists():
        _check_codes(kind, method)
        settings = settings_of(ctx)
        area = shapely.GeometryCollection(read_area_file(path, crs, lines=True))
        dig = Dig(area, kind, method, depth, width)
        rows, precautions = _of_network(ctx, organisation, dig, package_options(settings))
    else:
        if (kind, method, depth, width, crs) != (None,) * 5:
            raise RefusedError(
                "option-invalid", "a request says itself what is dug: leave the options of files out"
            )
        rows, precautions = _of_id(ctx, organisation, what)
    ordered = sorted(rows, key=lambda row: ZONES.index(Zone(row["zone"])))
    if geojson is not None:
        _write(geojson, ordered)
    if html is not None or pdf is not None:
        options = package_options(settings_of(ctx))
        with acting_as(ctx, organisation) as (connection, who):
            reported = (
                report_of_id(connection, who, UUID(what), ordered, options)
                if dig is None
                else report_of_dig(connection, who, (path.name, dig), ordered, options)
            )
        if html is not None:
            html.write_text(conflicts_report(reported, language), encoding="utf-8", newline="\n")
        if pdf is not None:
            write_conflicts_pdf(pdf, reported, language)
    if as_json:
        results().print_json(json.dumps([{**_plain(row)} for row in ordered], default=str))
        return
    results().print(_table(ordered, language))
    if precautions:
        results().print(_precautions(precautions, language))
    chance = together([row["probability"] for row in ordered])
    score = f"{risk(ordered):.1f}"
    say(
        f"{len(ordered)} konflikter; sandsynlighed for mindst én inden for maskinernes afstand: {chance:.0%};"
        f" risikotal {score.replace('.', ',')}"
        if language == "da"
        else f"{len(ordered)} conflicts; probability of at least one within the distance of machines: {chance:.0%};"
        f" risk score {score}"
    )


def _of_id(ctx: typer.Context, organisation: str, what: str) -> tuple[Rows, Rows]:
    try:
        wanted = UUID(what)
    except ValueError:
        raise NotFoundError(f"{what} is no file, and no id of a request or a work") from None
    with acting_as(ctx, organisation) as (connection, _):
        work = find_work(connection, wanted)
        if work is None:
            kept = list_conflicts(connection, wanted)
            return _kept(kept), kept.precautions
    return _of_network(ctx, organisation, dig_of_work(work.work), package_options(settings_of(ctx)))


def _kept(kept: Kept) -> Rows:
    if kept.found_at_revision is None:
        raise RefusedError(
            "conflicts-missing", "conflicts are found when the package is made, which is still to come"
        )
    if kept.found_at_revision != kept.revision:
        say(
            f"Found at revision {kept.found_at_revision}; the request is at {kept.revision},"
            " and a worker will look again."
        )
    return kept.rows


def _of_network(
    ctx: typer.Context, organisation: str, dig: Dig, options: PackageOptions
) -> tuple[Rows, Rows]:
    with acting_as(ctx, organisation) as (connection, _):
        rules = load_clearances(options.clearances, of_owners=rules_of_owners(connection))
        rules = rules if dig.on is None else rules.on(dig.on)
        near = lines_near(connection, dig, rules, options.unknown_accuracy_m)
    found = detect(dig, near, rules, options.unknown_accuracy_m, ground_of(options))
    return [{**conflict_row(one, rules), "geom": one.geometry} for one in found], []


def _check_codes(kind: str | None, method: str | None) -> None:
    for name, code, known in (("kind", kind, work_kinds()), ("method", method, work_methods())):
        if code is not None and code not in known:
            raise RefusedError(f"work-{name}-unknown", f"{code!r} is none of: {', '.join(sorted(known))}")


def _precautions(rows: Rows, language: Language) -> Table:
    """All that hold; in the letter stands the first of each owner and utility."""
    table = Table(*_PRECAUTION_HEADS[language])
    for row in rows:
        table.add_row(
            row["owner_name"],
            row["utility_type"] or "?",
            f"{row['priority']}{' *' if row['highest'] else ''}",
            row[f"measure_{language}"],
            row[f"reason_{language}"],
        )
    return table


def _table(rows: Rows, language: Language) -> Table:
    table = Table(*_HEADS[language])
    for row in rows:
        kind = row["feature_type"]
        table.add_row(
            ZONE_WORDS[Zone(row["zone"])][language],
            kind if language == "da" else load_model().types[kind].label,
            row["gml_id"],
            _interval(row["distance_min_m"], row["distance_max_m"]),
            _interval(row["below_min_m"], row["below_max_m"]),
            f"{row['probability']:.0%}",
            row[f"reason_{language}"],
        )
    return table


def _interval(least: float | None, most: float | None) -> str:
    return "?" if least is None else f"{least:.2f}-{'?' if most is None else f'{most:.2f}'}"


def _plain(row: Row) -> dict[str, Any]:
    return {**row, "geom": None if row["geom"] is None else mapping(row["geom"])}


def _write(path: Path, rows: Rows) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {name: value for name, value in row.items() if name != "geom"},
            "geometry": _plain(row)["geom"],
        }
        for row in rows
    ]
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}},
        "features": features,
    }
    path.write_text(json.dumps(document, ensure_ascii=False, default=str), encoding="utf-8")
