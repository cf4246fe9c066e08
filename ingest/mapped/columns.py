"""The columns of a batch of records, each as its different cells and, for every record, which of them it has.

Most columns of a network hold few different cells, so that a cell is read once and not once a record.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

RECORD: Final = "_record"
WKB: Final = "_wkb"
FAULT: Final = "_geometry_fault"
NOTE: Final = "_geometry_note"
OWN_COLUMNS: Final = frozenset({RECORD, WKB, FAULT, NOTE})
"""Columns that the reader of files adds."""

EXTENDED_COLUMN: Final = "RawCodeValues"
"""Column in which a DXF's extended data come: a JSON list of texts, each a group code and its value."""

_START: Final = "1001 "
_PIECE: Final = "1000 "


class Coded(NamedTuple):
    """One column: its different cells, and for each record the index of its cell, -1 where it has none."""

    codes: NDArray[np.int64]
    cells: Sequence[object]


class Columns:
    """Columns of one batch by name; a name that the batch does not have is a column without any cells."""

    def __init__(self, batch: pa.RecordBatch, extended: str = "") -> None:
        self.size: int = batch.num_rows
        self._batch = batch
        self._coded: dict[str, Coded] = {}
        self._extended = _extended(batch, extended) if extended else None

    def names(self) -> Iterator[str]:
        """Columns that hold anything in this batch."""
        for name in self._batch.schema.names:
            if name not in OWN_COLUMNS and self._batch.column(name).null_count < self.size:
                yield name
        if self._extended is not None:
            yield from self._extended

    @property
    def records(self) -> NDArray[np.int64]:
        """Number of each record in its layer, from 1."""
        numbers: NDArray[np.int64] = self._batch.column(RECORD).to_numpy()
        return numbers

    def wkb(self) -> NDArray[np.object_]:
        """Geometry of each record as WKB, None where there is none."""
        return np.array(self._batch.column(WKB).to_pylist(), dtype=object)

    def own(self, name: str) -> list[str | None]:
        """A column that the reader of files adds, of None where it adds none."""
        if name not in self._batch.schema.names:
            return [None] * self.size
        found: list[str | None] = self._batch.column(name).to_pylist()
        return found

    def coded(self, name: str) -> Coded:
        """One column."""
        found = self._coded.get(name)
        if found is None:
            found = self._coded[name] = self._encode(name)
        return found

    def cells(self, name: str) -> list[object]:
        """The cells of a column, one a record."""
        codes, cells = self.coded(name)
        return [cells[code] if code >= 0 else None for code in codes.tolist()]

    def _encode(self, name: str) -> Coded:
        if self._extended is not None and name in self._extended:
            return encode(self._extended[name])
        if name not in self._batch.schema.names:
            return Coded(np.full(self.size, -1), ())
        column = self._batch.column(name)
        if pa.types.is_nested(column.type):
            return encode(column.to_pylist())
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return Coded(codes, encoded.dictionary.to_pylist())


def encode(cells: Sequence[object]) -> Coded:
    """Return a list of cells as a coded column."""
    known: dict[object, int] = {}
    codes = np.full(len(cells), -1)
    values: list[object] = []
    for at, cell in enumerate(cells):
        if cell is None:
            continue
        key = (type(cell), repr(cell) if isinstance(cell, list | dict) else cell)
        code = known.get(key)
        if code is None:
            code = known[key] = len(values)
            values.append(cell)
        codes[at] = code
    return Coded(codes, values)


def _extended(batch: pa.RecordBatch, application: str) -> dict[str, list[object]]:
    """The columns in the extended data of one application: a JSON object, cut into texts."""
    if EXTENDED_COLUMN not in batch.schema.names:
        return {}
    objects = [_object(cell, application) for cell in batch.column(EXTENDED_COLUMN).to_pylist()]
    names = dict.fromkeys(name for found in objects for name in found)
    return {name: [found.get(name) for found in objects] for name in names}


def _object(cell: Any, application: str) -> dict[str, object]:  # noqa: ANN401 - whatever the file holds
    lines = _loaded(cell) if isinstance(cell, str) else cell
    if not isinstance(lines, list):
        return {}
    texts: list[str] = []
    inside = False
    for line in lines:
        if not isinstance(line, str):
            continue
        if line.startswith(_START):
            inside = line == _START + application
        elif inside and line.startswith(_PIECE):
            texts.append(line.removeprefix(_PIECE))
    found = _loaded("".join(texts))
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str | int | float | bool)}


def _loaded(text: str) -> Any:  # noqa: ANN401 - whatever the JSON holds
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
