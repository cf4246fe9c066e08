"""What a file is by its first bytes."""

import re
from pathlib import Path
from typing import Final

from ingest.gate.formats import EXTENSIONS, Format
from ingest.readers.imkl.root import is_imkl
from ingest.readers.ler_gml import read_answer_prolog
from ingest.readers.prolog import read_prolog
from ler.errors import RefusedError

ZIP_MARK: Final = b"PK"

_MARKS: Final = (
    (b"SQLite format 3\0", Format.GEOPACKAGE),
    (b"fgb\x03fgb", Format.FLATGEOBUF),
    (b"PAR1", Format.GEOPARQUET),
    (b"\0\0\x27\x0a", Format.SHAPEFILE),
    (b"II*\0", Format.IMAGE),
    (b"MM\0*", Format.IMAGE),
    (b"II+\0", Format.IMAGE),
    (b"MM\0+", Format.IMAGE),
    (b"\x89PNG\r\n\x1a\n", Format.IMAGE),
    (b"\xff\xd8\xff", Format.IMAGE),
)
_OTHERS: Final = (
    (b"AutoCAD Binary DXF", "binary DXF: save the drawing as ASCII DXF"),
    (b"AC10", "DWG: save the drawing as ASCII DXF"),
    (b"\x1f\x8b", "a gzip archive: send a ZIP"),
    (b"7z\xbc\xaf", "a 7z archive: send a ZIP"),
    (b"Rar!", "a RAR archive: send a ZIP"),
    (b"\xfd7zXZ", "an xz archive: send a ZIP"),
    (b"BZh", "a bzip2 archive: send a ZIP"),
    (b"%PDF", "a PDF: send the drawing as GeoTIFF, or the network as data"),
)
_KML_ROOT: Final = "kml"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_DXF_START: Final = re.compile(rb"\s*(0\s*[\r\n]+\s*SECTION|999\s*[\r\n])")
_TAR_AT, _TAR_MARK = 257, b"ustar"


def sniff(path: Path, head: bytes) -> Format:
    """The format of a file with these first bytes. RefusedError `format-not-supported` for any but ours."""
    for mark, format_ in _MARKS:
        if head.startswith(mark):
            return format_
    for mark, what in _OTHERS:
        if head.startswith(mark):
            raise _not_supported(f"the file is {what}")
    if head[_TAR_AT : _TAR_AT + len(_TAR_MARK)] == _TAR_MARK:
        raise _not_supported("the file is a tar archive: send a ZIP")
    text = head.removeprefix(_UTF_8_MARK).lstrip()
    if text.startswith(b"<") or (head.startswith(_UTF_16) and b"<" in head[:8]):
        return _kind_of_xml(path)
    if text.startswith(b"{"):
        return Format.GEOJSON
    if _DXF_START.match(text):
        return Format.DXF
    if path.suffix[1:].lower() in EXTENSIONS[Format.CSV] and (b"\0" not in head or head.startswith(_UTF_16)):
        return Format.CSV
    raise _not_supported("the content of the file is none of the formats that are read here")


def _kind_of_xml(path: Path) -> Format:
    """By the root, before which no DOCTYPE may stand."""
    prolog = read_prolog(path)
    if prolog.name == _KML_ROOT:
        return Format.KML
    if is_imkl(prolog):
        return Format.IMKL
    read_answer_prolog(path)
    return Format.LER_GML


def _not_supported(what: str) -> RefusedError:
    return RefusedError("format-not-supported", what)
