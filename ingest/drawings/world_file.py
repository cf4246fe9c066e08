"""World files: six lines of numbers beside a picture, which say where its pixels lie.

    A  east per column        D  north per column
    B  east per row           E  north per row
    C  east, and F  north, of the CENTRE of the upper left pixel

in the order A D B E C F. Read here and not by GDAL, which takes what it can of a broken one.
"""

import math
from pathlib import Path
from typing import Final

from ingest.drawings.faults import Faults

type Placement = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f: x = a·column + b·row + c, y = d·column + e·row + f, from the corner of the upper left pixel."""

_SUFFIXES: Final = {
    "GTiff": (".tfw", ".tifw", ".tiffw", ".wld"),
    "PNG": (".pgw", ".pngw", ".wld"),
    "JPEG": (".jgw", ".jpgw", ".jpegw", ".wld"),
}
_MAX_BYTES: Final = 4096


def find_world_file(image: Path, driver: str) -> Path | None:
    """Return the world file that lies beside an image under one of the usual names, None when there is none."""
    wanted = {f"{image.stem}{suffix}".lower() for suffix in _SUFFIXES[driver]}
    beside = sorted(path for path in image.parent.iterdir() if path.name.lower() in wanted)
    return beside[0] if beside else None


def read_world_file(path: Path, faults: Faults) -> Placement | None:
    """Return where the pixels lie; None, and a fault, when the file does not say it."""
    with path.open("rb") as stream:
        words = stream.read(_MAX_BYTES + 1).split()
    try:
        numbers = [float(word.replace(b",", b".")) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != 6 or not all(map(math.isfinite, numbers)):  # noqa: PLR2004 - see above
        faults.error("drawing-world-file", path.name, "A D B E C F")
        return None
    a, d, b, e, east, north = numbers
    if not is_plane(a, b, d, e):
        faults.error("drawing-world-file", path.name, "A·E − B·D ≠ 0")
        return None
    return a, b, east - (a + b) / 2, d, e, north - (d + e) / 2


def is_plane(a: float, b: float, d: float, e: float) -> bool:
    """Whether columns and rows of these steps span a plane: none is nothing, and they are not along each other."""
    across, along = math.hypot(a, d), math.hypot(b, e)
    return across > 0 and along > 0 and abs(a * e - b * d) > 1e-6 * across * along
