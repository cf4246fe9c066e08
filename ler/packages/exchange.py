"""Chooses the writer of a neighbour's format, writes whole or not at all, and gives the account of what was lost."""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from ler.errors import RefusedError
from ler.exchange.account import Account
from ler.exchange.projection import Projection
from ler.model import Feature, Model
from ler.packages.files import check_new_file

RD_EPSG: Final = 28992
WGS84_EPSG: Final = 4326


class ExchangeFormat(StrEnum):
    """The neighbours' formats, by the name that the commands take."""

    IMKL = "imkl"
    MUDDI_GEOJSON = "muddi-geojson"
    MUDDI_GEOPACKAGE = "muddi-gpkg"


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A finished file."""

    path: Path
    feature_count: int
    account: Account
    accuracy_m: float | None
    """Of the coordinates on their way; 0 where they were not transformed, None where nobody knows."""


def exchange_features(
    path: Path,
    format_: ExchangeFormat,
    features: Iterable[Feature],
    model: Model,
    *,
    owner: str,
    projection_to: Callable[[int], Projection],
) -> Exchanged:
    """Write features in a neighbour's format; they are held in memory. The same features give the same content.

    `owner` is a CVR number, or "" where nobody knows. RefusedError `export-empty`, `folder-missing`, and `file-exists`:
    nothing is written over, and nothing half-written is left.
    """
    check_new_file(path)
    rows = list(features)
    if not rows:
        raise RefusedError("export-empty", "there are no features to write")
    from ler.packages.imkl import write_imkl  # noqa: PLC0415 - pandas behind them takes a second
    from ler.packages.muddi import write_muddi_geopackage, write_muddi_json  # noqa: PLC0415 - as above

    accuracy: float | None = 0.0
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ler-exchange-") as folder:
        workshop = Path(folder) / path.name
        if format_ is ExchangeFormat.MUDDI_GEOPACKAGE:
            count, account = write_muddi_geopackage(workshop, rows, model, owner=owner)
        else:
            write = write_imkl if format_ is ExchangeFormat.IMKL else write_muddi_json
            projection = projection_to(RD_EPSG if format_ is ExchangeFormat.IMKL else WGS84_EPSG)
            accuracy = projection.accuracy_m
            count, account = write(workshop, rows, model, owner=owner, projection=projection)
        workshop.replace(path)
    return Exchanged(path, count, account, accuracy)
