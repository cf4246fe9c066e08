"""`ler check`: what is wrong with owners' files, without a database.

Exit code 0: no findings, 1: findings, 2: a file cannot be read; of several files the worst.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text
from shapely import Polygon

from geoapi.cli.console import messages, results, say, settings_of
from geoapi.cli.language import LanguageOption, language_of
from ingest.check import CheckResult, check_file, check_source
from ingest.findings import Finding
from ingest.readers.imkl.root import is_imkl
from ingest.readers.prolog import UnreadableFileError, read_prolog
from ingest.report.content import FileReport, RuleReport, worst
from ingest.report.to_json import json_report
from ingest.report.words import WORDS, Words
from ler.errors import InputError, RefusedError
from ler.model import VERSIONS
from ler.settings import Settings

PLACES = 5
"""Places of each rule that the text shows."""

_SHOWN_EVERY = 200
_COLOURS = {"error": "bold red", "warning": "bold yellow"}

_OTHER_FORMATS = frozenset(
    {".gpkg", ".zip", ".geojson", ".json", ".fgb", ".parquet", ".geoparquet", ".csv", ".tsv", ".dxf"}
)
"""Endings of files that are no GML, whose refusal says that they need a mapping."""

type Told = Callable[[int], None]


def check(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(help="LER GML or IMKL, or any other format with --mapping.", metavar="FILE..."),
    ],
    *,
    model: Annotated[
        str | None, typer.Option(help="Check by this version of the model, whatever the file says.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping of files that are no LER GML: see ler mapping suggest.")
    ] = None,
    crs: Annotated[
        str | None,
        typer.Option(help="Coordinate system of mapped files that do not say it, e.g. EPSG:25832."),
    ] = None,
    area: Annotated[
        Path | None, typer.Option(help="GeoJSON with the dig area that the files answer (EPSG:25832).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page with a map.")] = None,
    gpkg: Annotated[Path | None, typer.Option(help="Write the findings as points of a GeoPackage.")] = None,
    language: LanguageOption = None,
) -> None:
    """Check files against every rule of the model; ends with 0: clean, 1: findings, 2: cannot be read."""
    settings = settings_of(ctx)
    told_in = language_of(language)
    _require_version(model)
    _require_place(html, ".html")
    _require_place(gpkg, ".gpkg")
    dig_area = _dig_area(area, settings) if area else None
    how = Way(settings, model, dig_area, mapping, crs)
    reports = [_check(path, how) for path in files]
    if as_json:
        results().print_json(json.dumps(json_report(reports, told_in)))
    else:
        for report in reports:
            tell(report, WORDS[told_in])
    if html:
        from ingest.report.to_html import write_html_report  # noqa: PLC0415 - most checks write none

        write_html_report(html, reports, told_in, coverage=settings.coverage)
        say(str(html))
    if gpkg:
        from ingest.report.to_geopackage import write_geopackage_report  # noqa: PLC0415 - geopandas takes a second

        write_geopackage_report(gpkg, reports, told_in)
        say(str(gpkg))
    raise typer.Exit(worst(reports))


def tell(report: FileReport, words: Words) -> None:
    """Print what was found in one file, rule by rule, with the first places."""
    console = results()
    if report.result is None:
        console.print(Text(f"{report.path}: {words.unreadable}", style="bold"))
        console.print(Text(f"  {report.refusal}"))
        return
    found = report.result.findings
    counts = [
        words.errors.format(words.figure(found.errors)) if found.errors else "",
        words.warnings.format(words.figure(found.warnings)) if found.warnings else "",
    ]
    verdict = ", ".join(count for count in counts if count) or words.clean_all
    facts = (
        words.model.format(report.result.version),
        words.features.format(words.figure(report.feature_count)),
        verdict,
    )
    console.print(Text(f"{report.path}: {', '.join(facts)}", style="bold"))
    for rule in report.rules():
        _tell_rule(rule, words)


def _tell_rule(report: RuleReport, words: Words) -> None:
    console = results()
    severity = words.error if report.severity == "error" else words.warning
    console.print()
    console.print(
        Text.assemble(
            (severity, _COLOURS[report.severity]),
            f" {report.rule.name}, {words.often(report.count)} ({report.rule.basis_in(words.language)})",
        )
    )
    shown = report.findings[:PLACES]
    for remedy in dict.fromkeys(report.rule.remedy(finding, words.language) for finding in shown):
        console.print(Text(f"  {words.mend}: {remedy}"))
    for finding in shown:
        console.print(Text(f"    {_place(finding)}  {report.rule.message(finding, words.language)}"))
    left = report.count - len(shown)
    if left:
        console.print(Text(f"    {words.more.format(words.figure(left))}"))


def _place(finding: Finding) -> str:
    column = f":{finding.column}" if finding.column else ""
    return " ".join(part for part in (finding.layer, f"{finding.line}{column}", finding.gml_id) if part)


@dataclass(frozen=True, slots=True)
class Way:
    """How the files are to be read and checked."""

    settings: Settings
    version: str | None
    area: Polygon | None
    mapping: Path | None
    crs: str | None


def _check(path: Path, how: Way) -> FileReport:
    try:
        with _progress(path) as told:
            return FileReport(path, _checked(path, how, told))
    except UnreadableFileError as refusal:
        return FileReport(path, None, refusal)
    except RefusedError as refusal:
        return FileReport(path, None, UnreadableFileError(refusal.code, str(refusal)))
    except OSError as error:
        code = "file-missing" if isinstance(error, FileNotFoundError) else "file-not-readable"
        return FileReport(path, None, UnreadableFileError(code, f"{path}: {error.strerror}"))


def _checked(path: Path, how: Way, told: Told) -> CheckResult:
    plain = how.mapping is None and how.crs is None and path.suffix.lower() not in _OTHER_FORMATS
    if plain and not is_imkl(read_prolog(path)):
        return check_file(
            path, coverage=how.settings.coverage, version=how.version, area=how.area, progress=told
        )
    from ingest.open_source import open_source  # noqa: PLC0415 - checking GML waits for no other format

    with open_source(
        path, mapping=how.mapping, crs=how.crs, settings=how.settings, version=how.version
    ) as source:
        return check_source(source, path, area=how.area, progress=told)


def _require_version(version: str | None) -> None:
    if version is not None and version not in VERSIONS:
        raise InputError(f"{version} is not a version of the model; known: {', '.join(VERSIONS)}")


def _require_place(path: Path | None, ending: str) -> None:
    """A report goes only where its ending fits, so that a slip of the hand does not write over the data."""
    if path is None:
        return
    if path.suffix.lower() != ending:
        raise RefusedError("report-name", f"{path} must end with {ending}")
    if not path.parent.is_dir():
        raise RefusedError("folder-missing", f"there is no folder {path.parent}")


def _dig_area(path: Path, settings: Settings) -> Polygon:
    from ingest.area_file import read_area_file  # noqa: PLC0415 - pyproj is needed for areas only
    from ler.domain.dig_area import dig_area  # noqa: PLC0415 - as above
    from ler.rules_in_force import area_limits  # noqa: PLC0415 - as above

    return dig_area(read_area_file(path), coverage=settings.coverage, limits=area_limits(settings))


@contextmanager
def _progress(path: Path) -> Iterator[Told]:
    console = messages()
    if not console.is_terminal:
        yield lambda _: None
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task(path.name, total=None)

        def told(count: int) -> None:
            if count % _SHOWN_EVERY == 0:
                progress.update(task, completed=count)

        yield told
