"""The environment of a reading process: nothing of the parent's, and the switches of GDAL, which only work from here.

Every name was looked up in the GDAL that the wheel carries (3.12.4); a test asks its library again.
"""

from functools import cache
from pathlib import Path
from typing import Final

from ingest.gate.formats import Format

DRIVERS: Final = {
    Format.SHAPEFILE: "ESRI Shapefile",
    Format.GEOJSON: "GeoJSON",
    Format.FLATGEOBUF: "FlatGeobuf",
    Format.DXF: "DXF",
    Format.KML: "KML",
}
"""Formats that GDAL reads, each with the one driver that its process has; the others need none."""

SWITCHES: Final = {
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "CPL_CURL_ENABLE_VSIMEM": "NO",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_MAX_RETRY": "0",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_DRIVER_PATH": "disable",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_NUM_THREADS": "1",
    "GDAL_CACHEMAX": "64",
    "OGR_SQLITE_LOAD_EXTENSIONS": "NO",
    "OGR_GEOJSON_MAX_OBJ_SIZE": "32",
    "OGR_ARROW_MEM_LIMIT": str(64 << 20),
    "OGR_ARC_STEPSIZE": "0.5",
    "DXF_INCLUDE_RAW_CODE_VALUES": "TRUE",
    "OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES",
    "SHAPE_RESTORE_SHX": "NO",
    "PROJ_NETWORK": "OFF",
}
"""What A.4 of the security plan asks of GDAL, and what keeps it small. An arc is cut every half degree: less than
1 cm off up to a radius of 1 km. The extended data of a drawing come as raw codes. The driver's own Arrow of FlatGeobuf
has wrong offsets behind a row without a geometry (3.12.4)."""

OF_LIBRARIES: Final = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""Threads and pools of memory that a limited address space has no room for."""


def child_environment(format_: Format, folder: Path) -> dict[str, str]:
    """The whole environment of a process that reads one file of a format."""
    wanted = DRIVERS.get(format_)
    skipped = ",".join(name for name in _drivers() if name != wanted)
    temporary = {"TMPDIR": str(folder), "CPL_TMPDIR": str(folder), "HOME": str(folder)}
    return SWITCHES | OF_LIBRARIES | temporary | {"GDAL_SKIP": skipped}


@cache
def _drivers() -> tuple[str, ...]:
    import pyogrio  # noqa: PLC0415 - it brings pandas, half a second, and most processes read nothing by GDAL

    return tuple(pyogrio.list_drivers())
