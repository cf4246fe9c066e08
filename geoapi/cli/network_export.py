"""`ler network export`: an owner's network as a file, as it is or as it was, in LER's formats or a neighbour's."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from geoapi.cli.console import say, settings_of
from geoapi.cli.exchange_words import tell_exchange
from geoapi.cli.language import LanguageOption, language_of
from geoapi.database import open_databases
from geoapi.moments import moment_of
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError
from ler.model import load_model
from ler.services.network_files import write_network_gml
from ler.services.networks import find_version_at, read_network
from ler.services.registry import get_owner


class Format(StrEnum):
    """The formats of a network: LER GML, those of `ler.packages.exports`, and those of `ler.packages.exchange`."""

    GML = "gml"
    GEOPACKAGE = "gpkg"
    SHAPEFILE = "shapefile"
    GEOJSON = "geojson"
    FLATGEOBUF = "fgb"
    GEOPARQUET = "parquet"
    CSV = "csv"
    DXF = "dxf"
    IMKL = "imkl"
    MUDDI_GEOJSON = "muddi-geojson"
    MUDDI_GEOPACKAGE = "muddi-gpkg"


_OF_NEIGHBOURS: Final = frozenset({Format.IMKL, Format.MUDDI_GEOJSON, Format.MUDDI_GEOPACKAGE})
_OF_OTHER_ENDING: Final = _OF_NEIGHBOURS | {Format.SHAPEFILE}
_BY_ENDING: Final[Mapping[str, Format]] = {
    **{f".{one}": one for one in Format if one not in _OF_OTHER_ENDING},
    ".zip": Format.SHAPEFILE,
    ".xml": Format.GML,
}


def export(
    ctx: typer.Context,
    *,
    owner: Annotated[str, typer.Option("--owner", help="The owner's CVR number.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="A date, a time (ISO 8601) or the number of a version; now.")
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="Else by the ending of --out; a shapefile ends in .zip.")
    ] = None,
    language: LanguageOption = None,
) -> None:
    """Write an owner's network as it is, or as it was.

    LER GML in constant memory. IMKL and MUDDI with an account of what they cannot hold. Any other format with the mapping
    that reads it again beside it (NAME.mapping.yaml).
    """
    chosen = format_ or _format_by_ending(out)
    moment = None if as_of is None else moment_of(as_of)
    with open_databases(settings_of(ctx)) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = get_owner(connection, owner)
        with transaction(databases.app, found.id) as connection:
            version = find_version_at(connection, found.id, moment)
            mapping, account = None, None
            if chosen is Format.GML:
                part = out.with_name(f"{out.name}.part")
                try:
                    count = write_network_gml(connection, found, version, part)
                    part.replace(out)
                finally:
                    part.unlink(missing_ok=True)
            elif chosen in _OF_NEIGHBOURS:
                from ingest.crs import projection_to  # noqa: PLC0415 - pyproj is needed for neighbours only
                from ler.packages.exchange import ExchangeFormat, exchange_features  # noqa: PLC0415 - as geopandas below

                exchanged = exchange_features(
                    out,
                    ExchangeFormat(chosen),
                    read_network(connection, found.id, version.number),
                    load_model(version.model_version),
                    owner=str(found.cvr),
                    projection_to=projection_to,
                )
                count, account = exchanged.feature_count, exchanged
            else:
                from ler.packages.exports.export import ExportFormat, export_features  # noqa: PLC0415 - geopandas takes a second

                features = read_network(connection, found.id, version.number)
                written = export_features(
                    out, ExportFormat(chosen), features, load_model(version.model_version)
                )
                count, mapping = written.feature_count, written.mapping
    say(f"{found.name}: version {version.number} with {count:,} features, in {out}")
    if account is not None:
        tell_exchange(account, language_of(language))
    if mapping is not None:
        say(f"Read it again with the mapping: {mapping}")


def _format_by_ending(out: Path) -> Format:
    chosen = _BY_ENDING.get(out.suffix.lower())
    if chosen is None:
        raise RefusedError(
            "format-not-supported", f"{out.name}: give --format, or an ending of {', '.join(_BY_ENDING)}"
        )
    return chosen
