"""`ler convert`: a file from one version of the model to another, from and to a neighbour's, or to a format of CAD and GIS.

Neighbours are IMKL and MUDDI. It says what is lost and what must be added.

Exit code 0: nothing lost, 1: something was lost or must be added, 2: refused.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from geoapi.cli.console import messages, results, say, settings_of
from geoapi.cli.exchange_words import exchange_document, tell_exchange
from geoapi.cli.language import LanguageOption, language_of
from ingest.convert import Converted, convert_file
from ingest.readers.imkl.root import holds_imkl
from ler.errors import InputError
from ler.model import VERSIONS
from ler.model.convert import Change
from ler.packages.exchange import ExchangeFormat

FORMAT = "ler-convert/1"
LAYERS = ("gpkg", "shapefile", "geojson", "fgb", "parquet", "csv", "dxf")
"""Formats of CAD and GIS, as `ler.packages.exports` has them."""

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "done": "{path}: {count:,} features, LER {before} to {after}",
        "layers": "{path}: {count:,} features, and beside it the mapping that reads them again",
        "faithful": "Nothing was lost, nothing must be added.",
        Change.VALUE_LOST: "lost, LER {after} has no such attribute",
        Change.VOID_LOST: "lost, in LER {after} it may not be void",
        Change.TO_ADD: "to be added, LER {after} demands it",
        Change.OTHER_MEANING: "kept, but means something else in LER {after}: look through the values",
        "not-kept": "of the file not kept: {name}, {count:,}",
        "first": "first {gml_id}, line {line}",
    },
    "da": {
        "done": "{path}: {count} objekter, LER {before} til {after}",
        "layers": "{path}: {count} objekter, og ved siden af den mapping, der læser dem igen",
        "faithful": "Intet gik tabt, intet skal tilføjes.",
        Change.VALUE_LOST: "tabt, LER {after} har ikke attributten",
        Change.VOID_LOST: "tabt, i LER {after} må den ikke være void",
        Change.TO_ADD: "skal tilføjes, LER {after} kræver den",
        Change.OTHER_MEANING: "bevaret, men betyder noget andet i LER {after}: se værdierne igennem",
        "not-kept": "ikke bevaret fra filen: {name}, {count}",
        "first": "første {gml_id}, linje {line}",
    },
}


def convert(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="IN", help="LER GML or IMKL file, or a KLIC delivery.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The new file; must not exist.")],
    *,
    to: Annotated[
        str,
        typer.Option("--to", help=f"Version of the model, {', '.join([*ExchangeFormat, *LAYERS])}."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print what changed as JSON.")] = False,
    language: LanguageOption = None,
) -> None:
    """Convert a file to another version or model; ends with 0: nothing lost, 1: lost or to be added, 2: refused."""
    settings = settings_of(ctx)
    if to in list(ExchangeFormat) or (to in VERSIONS and holds_imkl(source)):
        from ingest.exchange import export_file, import_imkl  # noqa: PLC0415 - versions wait for no other format

        exchanged = (
            import_imkl(source, target, version=to, settings=settings)
            if to in VERSIONS
            else export_file(source, target, ExchangeFormat(to), settings=settings)
        )
        if as_json:
            results().print_json(json.dumps(exchange_document(source, exchanged)))
        else:
            tell_exchange(exchanged, language_of(language))
        raise typer.Exit(0 if exchanged.account.faithful else 1)
    if to in LAYERS:
        from ingest.exchange import export_layers  # noqa: PLC0415 - as above
        from ler.packages.exports.export import ExportFormat  # noqa: PLC0415 - geopandas takes a second

        exported = export_layers(source, target, ExportFormat(to), settings=settings)
        if as_json:
            told = {"format": FORMAT, "file": str(source), "copy": str(exported.path), "to": to}
            results().print_json(json.dumps({**told, "features": exported.feature_count, "faithful": True}))
        else:
            say(_WORDS[language_of(language)]["layers"].format(path=target, count=exported.feature_count))
        raise typer.Exit(0)
    if to not in VERSIONS:
        known = ", ".join([*VERSIONS, *ExchangeFormat, *LAYERS])
        raise InputError(f"{to} is neither a version of the model nor a format; known: {known}")
    with messages().status(str(target)) as status:
        converted = convert_file(
            source,
            target,
            version=to,
            coverage=settings.coverage,
            progress=lambda count: status.update(f"{target} {count:,}"),
        )
    if as_json:
        results().print_json(json.dumps(_document(source, converted)))
    else:
        _tell(converted, _WORDS[language_of(language)])
    raise typer.Exit(0 if converted.faithful else 1)


def _document(source: Path, converted: Converted) -> dict[str, Any]:
    conversion = converted.conversion
    return {
        "format": FORMAT,
        "file": str(source),
        "copy": str(converted.path),
        "from": conversion.source.version,
        "to": conversion.target.version,
        "features": converted.feature_count,
        "faithful": converted.faithful,
        "changes": [
            {
                "change": str(changed.change),
                "feature_type": changed.feature_type,
                "attribute": changed.attribute,
                "count": told.count,
                "first": {"gml_id": told.gml_id, "line": told.line},
            }
            for changed, told in sorted(conversion.account.items(), key=lambda item: _order(item[0]))
        ],
        "not_kept": {code: count for (_, code), count in sorted(converted.findings.counts.items())},
    }


def _order(changed: Any) -> tuple[int, str, str]:  # noqa: ANN401 - a key of the account
    return list(Change).index(changed.change), changed.feature_type, changed.attribute


def _tell(converted: Converted, words: dict[str, str]) -> None:
    conversion = converted.conversion
    before, after = conversion.source.version, conversion.target.version
    say(words["done"].format(path=converted.path, count=converted.feature_count, before=before, after=after))
    rows = sorted(conversion.account.items(), key=lambda item: _order(item[0]))
    for changed, told in rows:
        first = words["first"].format(gml_id=told.gml_id, line=told.line)
        says = words[changed.change].format(after=after)
        name = f"{changed.feature_type}.{changed.attribute}"
        results().print(Text(f"{name}: {told.count}, {says} ({first})"))
    for (_, code), count in sorted(converted.findings.counts.items()):
        results().print(Text(words["not-kept"].format(name=code, count=count)))
    if converted.faithful:
        say(words["faithful"])
