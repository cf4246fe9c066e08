"""Chooses the writer of a format, writes whole or not at all, and writes the mapping beside it."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from ler.errors import RefusedError
from ler.model import Feature, Model, load_model
from ler.packages.exports.drawing import write_dxf
from ler.packages.exports.flatgeobuf import write_flatgeobuf
from ler.packages.exports.layers import write_network_geopackage
from ler.packages.exports.mapping import mapping_text
from ler.packages.exports.shapes import write_shapefiles
from ler.packages.exports.tables import Written
from ler.packages.exports.whole import write_csv, write_geojson, write_geoparquet
from ler.packages.files import check_new_file

MAPPING_SUFFIX: Final = ".mapping.yaml"
"""What the name of the mapping ends with, after the name of the file."""


class ExportFormat(StrEnum):
    """The formats that a network can be written in, by the name that the command takes."""

    GEOPACKAGE = "gpkg"
    SHAPEFILE = "shapefile"
    GEOJSON = "geojson"
    FLATGEOBUF = "fgb"
    GEOPARQUET = "parquet"
    CSV = "csv"
    DXF = "dxf"

    @property
    def suffix(self) -> str:
        """How the name of such a file ends."""
        return ".zip" if self is ExportFormat.SHAPEFILE else f".{self}"


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished export."""

    path: Path
    mapping: Path
    """The mapping with which `ler check`, `ler upload` and `MappedSource` read the file again."""
    feature_count: int


type Writer = Callable[[Path, Sequence[Feature], Model], Written]

_WRITERS: Final[Mapping[ExportFormat, Writer]] = {
    ExportFormat.GEOPACKAGE: write_network_geopackage,
    ExportFormat.SHAPEFILE: write_shapefiles,
    ExportFormat.GEOJSON: write_geojson,
    ExportFormat.FLATGEOBUF: write_flatgeobuf,
    ExportFormat.GEOPARQUET: write_geoparquet,
    ExportFormat.CSV: write_csv,
    ExportFormat.DXF: write_dxf,
}


def export_features(
    path: Path, format_: ExportFormat, features: Iterable[Feature], model: Model | None = None
) -> Exported:
    """Write features in a format, and beside the file its mapping (`NAME.mapping.yaml`).

    The features are held in memory. The same features give the same records in the same order. RefusedError
    `export-empty`, and `file-exists` when either file is there already; nothing is written over, and nothing half-written is left.
    """
    model = model or load_model()
    mapping = path.with_name(path.name + MAPPING_SUFFIX)
    for target in (path, mapping):
        check_new_file(target)
    rows = list(features)
    if not rows:
        raise RefusedError("export-empty", "there are no features to write")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ler-export-") as folder:
        workshop = Path(folder) / path.name
        written = _WRITERS[format_](workshop, rows, model)
        workshop.replace(path)
        mapping.write_text(mapping_text(written, path.name, model), encoding="utf-8")
    return Exported(path, mapping, written.feature_count)
