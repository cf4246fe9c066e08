"""One door for every format: an owner's file, perhaps with its mapping, as a `Source`.

LER GML and IMKL say themselves what everything means and are read as they are. Any other file needs its mapping; it passes the gate and
is read in a process that may die.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ingest.child.options import ReadOptions
from ingest.gate.formats import Format, GatedFile
from ingest.gate.gate import gate_file
from ingest.gate.limits import GateLimits
from ingest.gate.unpack import unpack_gated
from ingest.mapped_source import MappedSource
from ingest.mapping import Mapping, read_mapping
from ingest.mapping.suggest import suggest_mapping
from ingest.readers.imkl.reader import ImklReader
from ingest.readers.imkl.root import is_imkl
from ingest.readers.ler_gml import LerGmlReader
from ingest.readers.prolog import read_prolog
from ingest.readers.vector import FORMATS, VectorFile, open_vector
from ingest.shapefile_set import ShapefileSet, gate_shapefiles
from ingest.source import Source
from ingest.workshop import workshop
from ler.errors import RefusedError
from ler.settings import Settings

GML_ENDINGS: Final = frozenset({".gml", ".xml"})
_SELF_EXPLAINED: Final = {Format.LER_GML: "LER GML", Format.IMKL: "IMKL"}
"""Formats that say themselves what everything in them means."""
_WITH_LAYERS: Final = frozenset({Format.GEOPACKAGE})
"""Formats whose layers have names that mean something."""
_SEVERAL: Final = "archive-ambiguous"
"""What the gate says of an archive with several datasets."""


@contextmanager
def open_source(
    path: Path,
    *,
    mapping: Mapping | Path | None = None,
    crs: str | None = None,
    settings: Settings,
    version: str | None = None,
) -> Iterator[Source]:
    """Open an owner's file as a source, and close it at the end of the block.

    `crs` names the coordinate system of a file that does not say it; `version` reads a GML file by that version of the
    model. RefusedError for what the gate, the mapping or the coordinate system keeps out, `mapping-missing` and
    `mapping-not-wanted` among it; UnreadableFileError for GML that cannot be read.
    """
    if mapping is None and crs is None and path.suffix.lower() in GML_ENDINGS:
        # Their readers refuse all that the gate would, and say at which line.
        yield _open_xml(path, settings, version)
        return
    gated = _gate(path, settings)
    if isinstance(gated, GatedFile) and gated.format in _SELF_EXPLAINED:
        if mapping is not None or crs is not None:
            raise RefusedError(
                "mapping-not-wanted",
                f"{path.name} is {_SELF_EXPLAINED[gated.format]}, which is read without a mapping or crs",
            )
        with _unpacked(gated) as plain:
            yield _open_xml(plain, settings, version)
        return
    if mapping is None:
        raise RefusedError(
            "mapping-missing",
            f"{path.name} is no LER GML and needs a mapping; make one with: ler mapping suggest {path.name}",
        )
    read = read_mapping(mapping) if isinstance(mapping, Path) else mapping
    with _open_gated(path, gated, read) as vector:
        yield MappedSource(vector, read, coverage=settings.coverage, crs=crs)


def draft_mapping(path: Path, *, settings: Settings) -> str:
    """Return the draft of a mapping for a file, as YAML. RefusedError for a file that needs none or cannot be read."""
    gated = _gate(path, settings)
    if isinstance(gated, GatedFile) and gated.format in _SELF_EXPLAINED:
        what = _SELF_EXPLAINED[gated.format]
        raise RefusedError("mapping-not-wanted", f"{path.name} is {what}, which is read without a mapping")
    named = isinstance(gated, dict) or gated.format in _WITH_LAYERS
    with _open_gated(path, gated, None) as vector:
        return suggest_mapping(vector, single=not named, name=path.name)


def check_mapping(mapping: Path, path: Path | None, *, crs: str | None, settings: Settings) -> Mapping:
    """Return a mapping that fits the model, and the file where one is given. RefusedError for one that does not."""
    read = read_mapping(mapping)
    if path is not None:
        with open_source(path, mapping=read, crs=crs, settings=settings):
            pass
    return read


def _open_xml(path: Path, settings: Settings, version: str | None) -> Source:
    if is_imkl(read_prolog(path)):
        return ImklReader(path, coverage=settings.coverage)
    return LerGmlReader(path, coverage=settings.coverage, version=version)


@contextmanager
def _unpacked(gated: GatedFile) -> Iterator[Path]:
    """The file itself, or the one that its archive holds, unpacked as long as it is needed."""
    if not gated.members:
        yield gated.path
        return
    with workshop() as folder:
        yield unpack_gated(gated, folder)[0]


def _gate(path: Path, settings: Settings) -> GatedFile | dict[str, GatedFile]:
    """The gated file, or the shapefiles of an archive that has several."""
    limits = GateLimits.of(settings)
    try:
        return gate_file(path, limits)
    except RefusedError as refused:
        if refused.code != _SEVERAL:
            raise
    return gate_shapefiles(path, limits)


def _open_gated(
    path: Path, gated: GatedFile | dict[str, GatedFile], mapping: Mapping | None
) -> VectorFile | ShapefileSet:
    options = _options(mapping) if mapping else ReadOptions()
    if isinstance(gated, dict):
        return ShapefileSet(gated, options)
    if gated.format not in FORMATS:
        raise RefusedError(
            "format-not-supported", f"{path.name} is {gated.format}, which holds no network of records"
        )
    return open_vector(gated, options=options)


def _options(mapping: Mapping) -> ReadOptions:
    csv = mapping.csv
    return ReadOptions(
        encoding=mapping.encoding,
        delimiter=csv.separator if csv else None,
        line_breaks=csv.line_breaks if csv else False,
        geometry=csv.geometry if csv else None,
    )
