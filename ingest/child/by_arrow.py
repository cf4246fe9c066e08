"""GeoParquet through Arrow: the wheel's GDAL has no driver for it. Geometry must be encoded as WKB."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.child.columns import plain_column, plain_type
from ingest.child.layers import FieldInfo, LayerInfo, Note
from ingest.child.serve import Batch
from ingest.gate.formats import STEM
from ler.errors import RefusedError

_DEFAULT_CRS: Final = "OGC:CRS84"
"""Where the `geo` metadata has no `crs`; its standard says so."""


class ParquetReader:
    """One file of GeoParquet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._geometry = ""

    def layers(self) -> tuple[list[LayerInfo], list[Note]]:
        """Its one layer. RefusedError."""
        try:
            with pq.ParquetFile(self._path) as file:
                schema, features = file.schema_arrow, file.metadata.num_rows
        except (pa.ArrowException, OSError):
            raise _malformed() from None
        name, about = _geometry_column(schema)
        self._geometry = name
        fields = tuple(
            FieldInfo(field.name, plain_type(field.type)) for field in schema if field.name != name
        )
        if len({field.name for field in fields}) < len(fields):
            raise RefusedError("field-mapping", "two columns of the file have the same name: rename one")
        kinds = about.get("geometry_types") or []
        kind = str(kinds[0]) if len(kinds) == 1 else "Geometry"
        return [LayerInfo(STEM, features, _crs(about), fields, kind)], []

    def batches(self, layer: LayerInfo, rows: int) -> Iterator[Batch]:
        """The rows in order. RefusedError."""
        try:
            with pq.ParquetFile(self._path) as file:
                for batch in file.iter_batches(batch_size=rows, use_threads=False):
                    batch.validate(full=False)
                    columns = [plain_column(batch.column(field.name), field) for field in layer.fields]
                    yield Batch(columns, batch.column(self._geometry).to_pylist())
        except (pa.ArrowException, OSError):
            raise _malformed() from None


def _geometry_column(schema: pa.Schema) -> tuple[str, dict[str, Any]]:
    try:
        geo = json.loads((schema.metadata or {})[b"geo"])
        name = geo["primary_column"]
        about = geo["columns"][name]
        encoding, kind = about["encoding"], schema.field(name).type
    except (KeyError, TypeError, ValueError, RecursionError):
        raise RefusedError(
            "format-not-supported", "the file is Parquet without the `geo` metadata of GeoParquet"
        ) from None
    if encoding != "WKB" or not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        raise RefusedError(
            "format-not-supported",
            f"the geometry is encoded as {str(encoding)[:40]!r}: write the file with WKB",
        )
    return str(name), about


def _crs(about: dict[str, Any]) -> str | None:
    crs = about.get("crs", _DEFAULT_CRS)
    if crs is None or isinstance(crs, str):
        return crs
    number = crs.get("id") if isinstance(crs, dict) else None
    if isinstance(number, dict) and {"authority", "code"} <= number.keys():
        return f"{number['authority']}:{number['code']}"
    return json.dumps(crs)


def _malformed() -> RefusedError:
    return RefusedError("file-malformed", "the file cannot be read as Parquet: export it again")
