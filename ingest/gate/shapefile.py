"""A shapefile's parts: each whole, and all with the same number of records."""

import struct
from pathlib import Path
from typing import IO, Final

from ingest.gate.dbf_values import DbfColumn, check_values
from ingest.gate.limits import GateLimits
from ler.errors import RefusedError

_HEADER: Final = 100
_MARK: Final = 9994
_KINDS: Final = frozenset({0, 1, 3, 5, 8, 11, 13, 15, 18, 21, 23, 25, 28})
_MULTIPATCH: Final = 31
_FIELD: Final = 32
_FIELDS_END: Final = 0x0D
_LONGEST_PRJ: Final = 1 << 16


def check_shapefile(path: Path, limits: GateLimits) -> None:
    """Refuse `shapefile-inconsistent` and `field-mapping`; the parts lie beside the .shp under the same stem."""
    _check_header(path)
    shapes = _check_header(path.with_suffix(".shx"))
    records, names = _table(path.with_suffix(".dbf"), limits)
    if shapes % 8:
        raise _inconsistent("the .shx is cut off")
    if shapes // 8 != records:
        raise _inconsistent(f"the .shp has {shapes // 8:,} records and the .dbf {records:,}")
    seen: set[str] = set()
    for name in names:
        if name.upper() in seen:
            raise RefusedError(
                "field-mapping",
                f"the .dbf has two columns {name!r}: names of a shapefile are cut to 10 characters, so give shorter ones "
                "that differ, or send a GeoPackage",
            )
        seen.add(name.upper())
    if not 0 < path.with_suffix(".prj").stat().st_size <= _LONGEST_PRJ:
        raise RefusedError("crs-missing", "the .prj is empty: it must hold the coordinate system")


def _check_header(path: Path) -> int:
    """Bytes behind the header of a .shp or .shx."""
    with path.open("rb") as stream:
        header = stream.read(_HEADER)
    if len(header) < _HEADER or struct.unpack_from(">i", header)[0] != _MARK:
        raise _inconsistent(f"the {path.suffix} is damaged")
    words, kind = struct.unpack_from(">i", header, 24)[0], struct.unpack_from("<i", header, 32)[0]
    size = path.stat().st_size
    if words * 2 != size:
        raise _inconsistent(f"the {path.suffix} says it has {words * 2:,} bytes and has {size:,}")
    if kind == _MULTIPATCH:
        raise RefusedError(
            "geometry-type", "the shapefile holds MultiPatch surfaces: send lines, points or polygons"
        )
    if kind not in _KINDS:
        raise _inconsistent(f"the {path.suffix} is damaged")
    return size - _HEADER


def _table(path: Path, limits: GateLimits) -> tuple[int, list[str]]:
    """Records and column names of a .dbf, its numbers and dates checked."""
    with path.open("rb") as stream:
        header = stream.read(_FIELD)
        if len(header) < _FIELD:
            raise _inconsistent("the .dbf is damaged")
        records, header_length, record_length = struct.unpack_from("<IHH", header, 4)
        columns = _columns(stream, header_length, limits)
    if not record_length or path.stat().st_size < header_length + records * record_length:
        raise _inconsistent("the .dbf is cut off")
    check_values(path, columns, header=header_length, record=record_length, records=records)
    return records, [column.name for column in columns]


def _columns(stream: IO[bytes], header_length: int, limits: GateLimits) -> list[DbfColumn]:
    columns: list[DbfColumn] = []
    at = 1  # behind the mark of deletion
    while stream.tell() + _FIELD <= header_length:
        described = stream.read(_FIELD)
        if len(described) < _FIELD or described[0] == _FIELDS_END:
            break
        name = described[:11].partition(b"\0")[0].decode("latin-1").strip()
        columns.append(DbfColumn(name, described[11:12], at, described[16]))
        at += described[16]
        if len(columns) > limits.max_fields:
            raise RefusedError("field-mapping", f"the .dbf has more than {limits.max_fields:,} columns")
    return columns


def _inconsistent(why: str) -> RefusedError:
    return RefusedError(
        "shapefile-inconsistent", f"the shapefile does not agree with itself: {why}. Export it again"
    )
