"""Which of the three formats a file is, by its first bytes; its name decides nothing."""

from pathlib import Path
from typing import Final

from ler.errors import RefusedError

_SIGNATURES: Final = {
    b"II*\x00": "GTiff",
    b"MM\x00*": "GTiff",
    b"II+\x00": "GTiff",  # BigTIFF
    b"MM\x00+": "GTiff",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
}
MEDIA_TYPES: Final = {"GTiff": "image/tiff", "PNG": "image/png", "JPEG": "image/jpeg"}


def driver_of(path: Path) -> str:
    """Return GDAL's name of the format. RefusedError for a file that is not there or of another format."""
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise RefusedError("file-missing", f"{path}: {error.strerror}") from None
    for signature, driver in _SIGNATURES.items():
        if head.startswith(signature):
            return driver
    raise RefusedError(
        "format-not-supported",
        f"{path.name} is no drawing that can be read: give a GeoTIFF, or a TIFF, PNG or JPEG with a world file",
    )
