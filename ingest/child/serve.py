"""Answers of a reading process: layers, and batches with every geometry judged."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.child.arcs import MOST_DEGREES, TOLERANCE_DEG, TOLERANCE_M
from ingest.child.judge_batch import judge_batch
from ingest.child.layers import FAULT, NOTE, OWN_COLUMNS, RECORD, WKB, LayerInfo, Note, layers_to_document
from ingest.child.limits import MIB, ChildLimits
from ingest.child.options import ReadOptions
from ingest.child.protocol import Kind, write_frame, write_json
from ingest.gate.formats import Format
from ler.errors import RefusedError

ARROW_TYPES: Final = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us", tz="UTC"),
}
"""A field's type as its column has it; times of day without a zone are text, never guessed into one."""

_MOST_BYTES: Final = 32 * MIB

type Envelope = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a layer as a reader gives them: one column a field of the layer, and the bytes of a geometry a row."""

    columns: list[pa.Array]
    geometries: list[bytes | None]
    faults: list[str | None] | None = None
    """Faults that the reader itself found, one a row; None where it looks for none."""
    envelopes: list[Envelope | None] | None = None
    """West, south, east, north that the file states, one a row."""


class Reader(Protocol):
    """One format's way of reading."""

    def layers(self) -> tuple[list[LayerInfo], list[Note]]:
        """Every layer, and what should be told of them. RefusedError."""

    def batches(self, layer: LayerInfo, rows: int) -> Iterator[Batch]:
        """The rows of a layer in order. RefusedError."""


class Server:
    """Reads one file and writes frames."""

    def __init__(
        self, format_: str, path: Path, limits: ChildLimits, options: ReadOptions, answers: IO[bytes]
    ) -> None:
        self._limits = limits
        self._answers = answers
        self._reader = make_reader(Format(format_), path, options)
        self._layers: list[LayerInfo] = []

    def hello(self, held: dict[str, bool]) -> None:
        """Say that requests can come, and which layers of the confinement hold."""
        write_json(self._answers, Kind.HELLO, held)

    def refuse(self, refused: RefusedError) -> None:
        """Say that the request cannot be met."""
        write_json(self._answers, Kind.REFUSED, {"code": refused.code, "message": str(refused)})

    def answer(self, request: dict[str, Any]) -> None:
        """Meet one request. RefusedError."""
        if not self._layers:
            self._layers, self._notes = self._reader.layers()
            self._check(self._layers)
        if request["ask"] == "layers":
            write_json(self._answers, Kind.LAYERS, layers_to_document(self._layers, self._notes))
        else:
            self._send_batches(next(layer for layer in self._layers if layer.name == request["layer"]))
        write_frame(self._answers, Kind.END)

    def _check(self, layers: list[LayerInfo]) -> None:
        for layer in layers:
            if layer.feature_count > self._limits.max_features:
                raise RefusedError(
                    "feature-limit",
                    f"the layer {layer.name!r} has {layer.feature_count:,} features, at most {self._limits.max_features:,}"
                    " are read: split the file",
                )
            if taken := {field.name for field in layer.fields} & set(OWN_COLUMNS):
                raise RefusedError("field-mapping", f"the column {taken.pop()!r} must have another name")

    def _send_batches(self, layer: LayerInfo) -> None:
        fields = [pa.field(field.name, ARROW_TYPES[field.type]) for field in layer.fields]
        own = [pa.field(RECORD, pa.int64()), *(pa.field(name, kind) for name, kind in _JUDGED)]
        schema = pa.schema([*fields, *own])
        write_frame(self._answers, Kind.SCHEMA, schema.serialize())
        record = 1
        for batch in self._reader.batches(layer, self._limits.batch_rows):
            rows = len(batch.geometries)
            numbers = pa.array(range(record, record + rows), pa.int64())
            judged = _judged(batch) if layer.geometry_type is not None else [_nothing(rows)] * len(_JUDGED)
            columns = [
                *batch.columns,
                numbers,
                *(pa.array(column, kind) for column, (_, kind) in zip(judged, _JUDGED, strict=True)),
            ]
            self._send(pa.RecordBatch.from_arrays(columns, schema=schema))
            record += rows

    def _send(self, batch: pa.RecordBatch) -> None:
        """Send it whole, or in halves where it is large."""
        if batch.nbytes > _MOST_BYTES and batch.num_rows > 1:
            half = batch.num_rows // 2
            self._send(batch.slice(0, half))
            self._send(batch.slice(half))
        else:
            write_frame(self._answers, Kind.BATCH, memoryview(batch.serialize()))


_JUDGED: Final = ((WKB, pa.binary()), (FAULT, pa.string()), (NOTE, pa.string()))


def _nothing(rows: int) -> list[None]:
    return [None] * rows


def _judged(batch: Batch) -> list[list[Any]]:
    """WKB, fault and note of each row."""
    judged = judge_batch(batch.geometries)
    faults = judged.faults
    if batch.envelopes is not None:
        for row in _disagreeing(batch.envelopes, judged.bounds):
            faults[row] = faults[row] or "geometry-header"
    if batch.faults is not None:
        faults = [theirs or ours for theirs, ours in zip(batch.faults, faults, strict=True)]
    if any(faults):
        judged.wkb = [None if fault else wkb for fault, wkb in zip(faults, judged.wkb, strict=True)]
    return [judged.wkb, faults, judged.notes]


def _disagreeing(stated: list[Envelope | None], real: NDArray[np.float64]) -> list[int]:
    """Rows whose envelopes differ by more than the rounding of curves; a number that is none differs."""
    rows = [row for row, envelope in enumerate(stated) if envelope is not None]
    if not rows:
        return []
    claimed, found = np.array([stated[row] for row in rows]), real[rows]
    tolerance = np.where(np.abs(found).max(axis=1) <= MOST_DEGREES, TOLERANCE_DEG, TOLERANCE_M) * 2
    agree = (np.abs(claimed - found) <= tolerance[:, np.newaxis]).all(axis=1) | np.isnan(found).any(axis=1)
    return [row for row, same in zip(rows, agree.tolist(), strict=True) if not same]


def make_reader(format_: Format, path: Path, options: ReadOptions) -> Reader:
    """The reader of a format; its libraries are loaded here."""
    match format_:
        case Format.GEOPACKAGE:
            from ingest.child.by_sqlite import GeoPackageReader  # noqa: PLC0415 - only the libraries that are needed

            return GeoPackageReader(path)
        case Format.GEOPARQUET:
            from ingest.child.by_arrow import ParquetReader  # noqa: PLC0415

            return ParquetReader(path)
        case Format.CSV:
            from ingest.child.by_csv import CsvReader  # noqa: PLC0415

            return CsvReader(path, options)
        case _:
            from ingest.child.by_gdal import GdalReader  # noqa: PLC0415

            return GdalReader(format_, path, options)
