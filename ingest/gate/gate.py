"""From a path to a file that may be read: what it is by its bytes, whether it keeps to the limits and is whole.

Names decide nothing but between kinds of text; a name that contradicts the bytes is refused, since one of the two is
a mistake or a trick. A ZIP is judged by its structure; its dataset is then streamed to a folder of our own, judged
there like any other file, and the folder removed.
"""

from pathlib import Path
from typing import Final

from ingest.gate.archive import open_archive
from ingest.gate.archive_names import find_dataset
from ingest.gate.columnar import check_flatgeobuf, check_parquet
from ingest.gate.comma_text import check_csv
from ingest.gate.drawing_text import check_dxf
from ingest.gate.formats import EXTENSIONS, Format, GatedFile
from ingest.gate.geojson import check_geojson
from ingest.gate.geopackage import check_geopackage
from ingest.gate.limits import DEFAULT_LIMITS, MIB, GateLimits
from ingest.gate.shapefile import check_shapefile
from ingest.gate.sniff import ZIP_MARK, sniff
from ingest.gate.unpack import unpack
from ingest.workshop import workshop
from ler.errors import RefusedError

ZIP_EXTENSION: Final = "zip"
_HEAD_BYTES: Final = 4096
_CHECKS: Final = {
    Format.GEOPACKAGE: check_geopackage,
    Format.SHAPEFILE: check_shapefile,
    Format.GEOJSON: check_geojson,
    Format.FLATGEOBUF: check_flatgeobuf,
    Format.GEOPARQUET: check_parquet,
    Format.CSV: check_csv,
    Format.DXF: check_dxf,
}


def gate_file(path: Path, limits: GateLimits = DEFAULT_LIMITS) -> GatedFile:
    """Say what a file is. RefusedError with the code of what keeps it out; nothing of it is executed, nothing stays."""
    size, head = _first_look(path, limits)
    if not head.startswith(ZIP_MARK):
        format_ = sniff(path, head)
        _check_name(path.name, format_)
        if format_ is Format.SHAPEFILE:
            raise RefusedError(
                "shapefile-incomplete",
                "a shapefile is several files: pack .shp, .shx, .dbf and .prj in a ZIP",
            )
        _check_content(path, format_, limits)
        return GatedFile(path, format_, size)
    if _ending(path.name) in set().union(*EXTENSIONS.values()):
        raise RefusedError(
            "format-not-supported", f"{path.name} is a ZIP, and its name says otherwise: call it .zip"
        )
    members = {member.name: member for member in open_archive(path, limits)}
    format_, names = find_dataset(list(members))
    with workshop() as folder:
        main = unpack(path, [members[name] for name in names], folder)[0]
        with main.open("rb") as stream:
            found = sniff(main, stream.read(_HEAD_BYTES))
        _check_name(names[0], found)
        _check_content(main, found, limits)
    return GatedFile(path, format_, size, names)


def _first_look(path: Path, limits: GateLimits) -> tuple[int, bytes]:
    """Size and first bytes of a file."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise RefusedError("file-missing", f"{path} is not a file")
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise RefusedError("file-missing", f"{path}: {error.strerror}") from None
    if size > limits.max_file_bytes:
        raise RefusedError(
            "body-too-large", f"{path.name} is larger than {limits.max_file_bytes // MIB:,} MiB"
        )
    if not size:
        raise RefusedError("format-not-supported", f"{path.name} is empty")
    return size, head


def _check_name(name: str, format_: Format) -> None:
    """A name may say nothing; it may not say something else."""
    ending = _ending(name)
    says = {kind for kind, endings in EXTENSIONS.items() if ending in endings}
    if (says and format_ not in says) or ending == ZIP_EXTENSION:
        raise RefusedError(
            "format-not-supported",
            f"{name[:80]} is called .{ending}, and its content is {format_}: give it its right name",
        )


def _check_content(path: Path, format_: Format, limits: GateLimits) -> None:
    if (check := _CHECKS.get(format_)) is not None:
        check(path, limits)


def _ending(name: str) -> str:
    return Path(name).suffix[1:].lower()
