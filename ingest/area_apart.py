"""An area in a file, read for a service that must go on whatever the file does: in a process of its own.

The gate reads a GeoPackage with SQLite and inflates archives; the layers are then read by a second process that may do
nothing else (`ingest.child`). JSON and WKT are read by Python alone and need neither.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from ingest.area_file import read_area_file
from ler.errors import RefusedError

TIME_S: Final = 90.0
"""Longest time for one file; half of it is the start of two processes on a busy machine."""

_MEMORY_BYTES: Final = 2 << 30
_CPU_S: Final = 30


def read_area_apart(path: Path, crs: str | None = None, *, lines: bool = False) -> list[BaseGeometry]:
    """Return what `ingest.area_file.read_area_file` returns. RefusedError, `parser-crashed` when reading took too much."""
    order = json.dumps({"path": str(path), "crs": crs, "lines": lines})
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "ingest.area_apart"],
            input=order,
            capture_output=True,
            text=True,
            timeout=TIME_S,
            check=True,
            env={"LC_ALL": "C.UTF-8", "PROJ_NETWORK": "OFF"},
        )
        told = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        raise RefusedError(
            "parser-crashed", "the file could not be read; export it again, or draw the area"
        ) from None
    if "code" in told:
        raise RefusedError(told["code"], told["message"])
    return [shapely.from_wkb(bytes.fromhex(wkb)) for wkb in told["areas"]]


def _answer(order: dict[str, Any]) -> dict[str, Any]:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        found = read_area_file(Path(order["path"]), order["crs"], lines=order["lines"])
    except RefusedError as refused:
        return {"code": refused.code, "message": str(refused)}
    return {"areas": [shapely.to_wkb(geometry, hex=True) for geometry in found]}


if __name__ == "__main__":
    json.dump(_answer(json.load(sys.stdin)), sys.stdout)
