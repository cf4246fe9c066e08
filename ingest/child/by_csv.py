"""CSV with WKT, by the standard library: each row has as many fields as the first, or the file is refused.

Every column is text; what it means is the mapping's to say. A dialect is never guessed where two would fit.
"""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import pyarrow as pa

from ingest.child.geometry import GeometryFaultError
from ingest.child.layers import FieldInfo, LayerInfo, Note
from ingest.child.options import ReadOptions
from ingest.child.serve import Batch
from ingest.child.wkt import wkt_to_wkb
from ingest.gate.formats import STEM
from ler.errors import RefusedError

DELIMITERS: Final = ",;\t|"
ENCODINGS: Final = frozenset({"utf-8", "iso8859-1", "iso8859-15", "cp1252", "utf-16"})
"""As Python names them."""

MAX_FIELD: Final = 16 << 20
GEOMETRY_NAMES: Final = ("wkt", "geom", "geometry", "geometri", "the_geom", "wkb_geometry", "shape")

_BATCH_CHARACTERS: Final = 16 << 20


class CsvReader:
    """One CSV file."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        csv.field_size_limit(MAX_FIELD)
        self._path = path
        self._options = options

    def layers(self) -> tuple[list[LayerInfo], list[Note]]:
        """Its one layer; the whole file is read once, so that a row that does not fit is found before the first is used."""
        with self._rows() as (header, rows):
            count = sum(1 for _ in rows)
        geometry = self._geometry(header)
        fields = tuple(FieldInfo(name, "text") for name in header if name != geometry)
        return [LayerInfo(STEM, count, None, fields, "Geometry" if geometry else None)], []

    def batches(self, _layer: LayerInfo, rows: int) -> Iterator[Batch]:
        """The rows in order. RefusedError."""
        with self._rows() as (header, records):
            geometry = self._geometry(header)
            place = header.index(geometry) if geometry else None
            gathered: list[list[str]] = []
            size = 0
            for record in records:
                gathered.append(record)
                size += sum(map(len, record))
                if len(gathered) >= rows or size > _BATCH_CHARACTERS:
                    yield _batch(gathered, place)
                    gathered, size = [], 0
            if gathered:
                yield _batch(gathered, place)

    def _geometry(self, header: list[str]) -> str:
        """The column with WKT, or nothing."""
        wanted = self._options.geometry
        if wanted is not None and wanted not in header:
            raise RefusedError("field-mapping", f"the file has no column {wanted!r}")
        lower = {name.lower(): name for name in reversed(header)}
        return wanted or next((lower[name] for name in GEOMETRY_NAMES if name in lower), "")

    @contextmanager
    def _rows(self) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
        """The first row, and the others with their fields counted."""
        encoding = _encoding(self._options.encoding)
        try:
            with self._path.open(encoding=encoding, newline="") as stream:
                delimiter = self._options.delimiter or _detected(stream.readline(MAX_FIELD))
                stream.seek(0)
                records = self._records(stream, delimiter)
                header = next(records, [])
                if len(set(header)) < len(header) or not all(header):
                    raise RefusedError("field-mapping", "line 1: columns need names, each its own")
                yield header, records
        except UnicodeError:
            raise RefusedError(
                "encoding-invalid",
                f"the file is not {encoding} text: save it as UTF-8, or state its encoding",
            ) from None

    def _records(self, stream: TextIO, delimiter: str) -> Iterator[list[str]]:
        """The first row and all others of the same width, without empty lines."""
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        line = width = 0
        try:
            for row in reader:
                width = width or len(row)
                if row and len(row) != width:
                    raise _misfit(
                        line + 1,
                        f"{len(row)} fields, and the first line has {width}: numbers with a decimal comma need quotes "
                        "or another delimiter",
                    )
                if reader.line_num > line + 1 and not self._options.line_breaks:
                    raise _misfit(
                        line + 1, "a quoted field goes over lines: close the quote, or declare line_breaks"
                    )
                line = reader.line_num
                if row:
                    yield row
        except csv.Error:
            raise _misfit(line + 1, "the quotes do not pair, or a field is too large") from None


def _batch(rows: list[list[str]], place: int | None) -> Batch:
    columns = list(zip(*rows, strict=True))
    texts = [pa.array(column, pa.string()) for number, column in enumerate(columns) if number != place]
    if place is None:
        return Batch(texts, [None] * len(rows))
    geometries: list[bytes | None] = []
    faults: list[str | None] = []
    for text in columns[place]:
        wkb, fault = _geometry(text)
        geometries.append(wkb)
        faults.append(fault)
    return Batch(texts, geometries, faults)


def _geometry(text: str) -> tuple[bytes | None, str | None]:
    if not text.strip():
        return None, "geometry-empty"
    try:
        return wkt_to_wkb(text), None
    except GeometryFaultError as fault:
        return None, fault.code


def _detected(line: str) -> str:
    found = [delimiter for delimiter in DELIMITERS if delimiter in line]
    if len(found) != 1:
        raise _misfit(1, "which character parts the columns cannot be told: declare the delimiter")
    return found[0]


def _encoding(declared: str | None) -> str:
    if declared is None:
        return "utf-8-sig"
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        name = ""
    if name not in ENCODINGS:
        raise RefusedError(
            "encoding-unsupported", f"the encoding {declared!r} is not supported: save the file as UTF-8"
        )
    return "utf-8-sig" if name == "utf-8" else name


def _misfit(line: int, why: str) -> RefusedError:
    return RefusedError("csv-dialect", f"line {line}: {why}")
