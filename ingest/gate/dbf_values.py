"""Numbers and dates of a .dbf, which are text there: what is none is refused, since GDAL makes 0 or null of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ler.errors import RefusedError

_CHUNK_BYTES: Final = 8 << 20
_NUMBERS: Final = b"NF"
_DATE: Final = b"D"
_NULL_DATES: Final = frozenset({b"", b"0", b"00000000"})
_OVERFLOW: Final = b"*"
"""What programs fill a number with that is too long for its column: it is null."""


@dataclass(frozen=True, slots=True)
class DbfColumn:
    """One column: its name, letter of its kind, and where it lies in a record."""

    name: str
    kind: bytes
    at: int
    width: int


def check_values(path: Path, columns: list[DbfColumn], *, header: int, record: int, records: int) -> None:
    """Refuse `attribute-value` and `date-invalid` with the record and the column. Lengths are in bytes."""
    judged = [column for column in columns if column.kind in _NUMBERS or column.kind == _DATE]
    judged = [column for column in judged if column.width and column.at + column.width <= record]
    if not judged:
        return
    for first, rows in _chunks(path, header, record, records):
        for column in judged:
            cells = np.ascontiguousarray(rows[:, column.at : column.at + column.width])
            values = np.char.strip(cells.view(f"S{column.width}").ravel(), b" \0\t")
            if column.kind == _DATE:
                _check_dates(values, column, first)
            else:
                _check_numbers(values, column, first)


def _chunks(path: Path, header: int, record: int, records: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Number of the first record, from 1, and some records, shape (n, record)."""
    at_once = max(1, _CHUNK_BYTES // record)
    with path.open("rb") as stream:
        stream.seek(header)
        for first in range(0, records, at_once):
            content = stream.read(min(at_once, records - first) * record)
            yield first + 1, np.frombuffer(content, np.uint8).reshape(-1, record)


def _check_numbers(values: NDArray[np.bytes_], column: DbfColumn, first: int) -> None:
    filled = values[(values != b"") & ~np.char.startswith(values, _OVERFLOW)]
    try:
        sound = bool(np.isfinite(filled.astype(float)).all())
    except ValueError:
        sound = False
    if not sound:
        at = next(row for row, value in enumerate(values.tolist()) if not _is_number(value))
        raise _refused("attribute-value", column, first + at, values[at], "a number")


def _is_number(value: bytes) -> bool:
    if not value or value.startswith(_OVERFLOW):
        return True
    try:
        return bool(np.isfinite(float(value)))
    except ValueError:
        return False


def _check_dates(values: NDArray[np.bytes_], column: DbfColumn, first: int) -> None:
    wrong = [value for value in np.unique(values).tolist() if not _is_date(value)]
    if wrong:
        at = int(np.flatnonzero(values == wrong[0])[0])
        raise _refused("date-invalid", column, first + at, wrong[0], "a date")


def _is_date(value: bytes) -> bool:
    if value in _NULL_DATES:
        return True
    try:
        date.fromisoformat(value.decode("ascii"))
    except ValueError:
        return False
    return True


def _refused(code: str, column: DbfColumn, record: int, value: bytes, wanted: str) -> RefusedError:
    return RefusedError(
        code,
        f"record {record:,}, column {column.name!r}: {value.decode('latin-1')[:40]!r} is not {wanted}: correct it",
    )
