"""Shapefile, GeoJSON, FlatGeobuf, DXF and KML through GDAL, in a process that has no driver but the one it needs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyogrio
import pyogrio.raw
from pyogrio.errors import DataLayerError, DataSourceError

from ingest.child.columns import plain_column, plain_type
from ingest.child.dbf import doubtful_encoding
from ingest.child.environment import DRIVERS
from ingest.child.layers import FieldInfo, LayerInfo, Note
from ingest.child.options import ReadOptions
from ingest.child.serve import Batch
from ingest.gate.formats import Format
from ler.errors import RefusedError

_OPTIONS: Final[dict[Format, dict[str, str]]] = {
    Format.GEOJSON: {"DATE_AS_STRING": "YES", "ARRAY_AS_STRING": "YES"},
    Format.SHAPEFILE: {},
    Format.FLATGEOBUF: {"VERIFY_BUFFERS": "YES"},
    Format.DXF: {"INLINE_BLOCKS": "YES"},
    Format.KML: {},
}
_UNKNOWN_CRS: Final = "Undefined"


class GdalReader:
    """One file of one of GDAL's formats."""

    def __init__(self, format_: Format, path: Path, options: ReadOptions) -> None:
        found = set(pyogrio.list_drivers())
        if found != {DRIVERS[format_]} | (found & {"MEM"}):
            raise RuntimeError(f"drivers {sorted(found)}")
        self._path = str(path)
        self._format = format_
        self._encoding = options.encoding
        self._options = _OPTIONS[format_]

    def layers(self) -> tuple[list[LayerInfo], list[Note]]:
        """Every layer of the file. RefusedError for a file that the driver cannot open."""
        try:
            names = [str(name) for name, _ in pyogrio.list_layers(self._path)]
            return [self._layer(name) for name in names], self._notes(names[0])
        except (DataSourceError, DataLayerError):
            raise _unreadable() from None

    def batches(self, layer: LayerInfo, rows: int) -> Iterator[Batch]:
        """The rows of a layer."""
        try:
            with self._open(layer.name, rows) as (metadata, reader):
                geometry = _geometry_name(metadata)
                for batch in reader:
                    columns = [plain_column(batch.column(field.name), field) for field in layer.fields]
                    has_geometry = geometry in batch.schema.names
                    wkb = batch.column(geometry).to_pylist() if has_geometry else [None] * batch.num_rows
                    yield Batch(columns, wkb)
        except (DataSourceError, DataLayerError, pa.ArrowException):
            raise _unreadable() from None

    def _notes(self, layer: str) -> list[Note]:
        if self._format is not Format.SHAPEFILE:
            return []
        return doubtful_encoding(Path(self._path), self._encoding, layer)

    def _open(self, name: str, rows: int) -> Any:  # noqa: ANN401 - a context manager of a library without types
        return pyogrio.raw.open_arrow(
            self._path,
            layer=name,
            encoding=self._encoding,
            batch_size=rows,
            use_pyarrow=True,
            datetime_as_string=True,
            **self._options,
        )

    def _layer(self, name: str) -> LayerInfo:
        info = pyogrio.read_info(
            self._path, layer=name, encoding=self._encoding, force_feature_count=True, **self._options
        )
        with self._open(name, 1) as (metadata, reader):
            geometry = _geometry_name(metadata)
            fields = tuple(
                FieldInfo(field.name, plain_type(field.type))
                for field in reader.schema
                if field.name != geometry
            )
        crs = info["crs"]
        return LayerInfo(
            name=name,
            feature_count=int(info["features"]),
            crs=None if not crs or _UNKNOWN_CRS in crs else str(crs),
            fields=fields,
            geometry_type=info["geometry_type"],
        )


def _geometry_name(metadata: dict[str, Any]) -> str:
    return str(metadata["geometry_name"] or "wkb_geometry")


def _unreadable() -> RefusedError:
    return RefusedError(
        "file-malformed", "the file cannot be read as the format that it says it is: export it again"
    )
