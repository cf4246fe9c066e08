"""Layers of an owner's file in any of the table-like formats, read in a process that may die without harm.

Where a ZIP holds the dataset, its members are first streamed out by our own walker under names of our making. GDAL
could read inside a ZIP (`/vsizip/`), but then a second ZIP reader, in C++, would see the owner's archive and might
read another member than the one that was judged; and tables that are read here and there would be inflated again and
again.
"""

import contextlib
import shutil
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from ingest.child.layers import FAULT, NOTE, RECORD, WKB, FieldInfo, LayerInfo, Note, layers_from_document
from ingest.child.limits import DEFAULT_LIMITS, ChildLimits
from ingest.child.options import ReadOptions
from ingest.child.process import ReadingProcess
from ingest.gate.formats import STEM, Format, GatedFile
from ingest.gate.unpack import unpack_gated
from ingest.workshop import make_workshop
from ler.errors import RefusedError

__all__ = [
    "FAULT",
    "NOTE",
    "RECORD",
    "WKB",
    "ChildLimits",
    "FieldInfo",
    "LayerInfo",
    "Note",
    "ReadOptions",
    "VectorFile",
    "open_vector",
]

FORMATS: Final = frozenset(Format) - {Format.LER_GML, Format.IMKL, Format.IMAGE, Format.KML}
"""Those that can hold a network."""
AREA_FORMATS: Final = FORMATS | {Format.KML}
"""Those that can hold an area."""
_NOTHING_DECLARED: Final = ReadOptions()


class VectorFile:
    """Layers of a gated file, read in a child process with limits on memory, time and files; no network.

    A context manager; what is not closed is closed when it is forgotten. Use it from one thread at a time.
    """

    def __init__(self, gated: GatedFile, limits: ChildLimits, options: ReadOptions) -> None:
        self.gated = gated
        self._limits = limits
        self._options = options
        self._child: ReadingProcess | None = None
        self._layers: tuple[LayerInfo, ...] | None = None
        self._notes: tuple[Note, ...] = ()
        self._inputs: list[Path] | None = None
        self._names: dict[str, str] = {}
        self._folder = make_workshop()
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def layers(self) -> tuple[LayerInfo, ...]:
        """Every layer; that of a format without names is called like the file. RefusedError for a file that cannot be read."""
        if self._layers is None:
            document = self._process().layers()
            try:
                layers, notes = layers_from_document(document)
                self._notes = tuple(replace(note, layer=self._told(note.layer)) for note in notes)
                self._names = {self._told(layer.name): layer.name for layer in layers}
                self._layers = tuple(replace(layer, name=self._told(layer.name)) for layer in layers)
            except (KeyError, TypeError, ValueError):
                self.close()
                raise RefusedError(
                    "parser-crashed", "the file could not be read; nothing was stored"
                ) from None
        return self._layers

    @property
    def notes(self) -> tuple[Note, ...]:
        """What an owner should know of the layers, and what keeps nothing out."""
        self.layers()
        return self._notes

    def batches(self, layer: str) -> Iterator[pa.RecordBatch]:
        """The rows of a layer in order: its fields as columns, and four more behind them.

        * `_record` int64, from 1;
        * `_wkb` binary: little-endian ISO WKB of Point, LineString, Polygon or their multiples (a multiple of one is
          the one), in the layer's own system, with z where the file has it (NaN: unknown); null where there is a fault;
        * `_geometry_fault` text: the code of what is wrong with the geometry, mostly null;
        * `_geometry_note` text: the code of a warning, `geometry-dimension` where measures were dropped, mostly null.

        RefusedError, also in the middle, when the file or the process that reads it fails.
        """
        self.layers()
        if layer not in self._names:
            raise RefusedError("layer-missing", f"the file has no layer {layer!r}")
        process = self._process()
        return process.batches(self._names[layer])

    def _told(self, name: str) -> str:
        """The name of a layer as the owner knows it: where it has none of its own, that of the file."""
        main = self.gated.members[0] if self.gated.members else self.gated.path.name
        return PurePosixPath(main).stem if name == STEM else name

    def close(self) -> None:
        """End the child and remove its folder."""
        child, self._child = self._child, None
        if child is not None:
            child.close()
        self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _process(self) -> ReadingProcess:
        """The child, started when it is first needed, and anew after it had to be ended."""
        if not self._remove.alive:
            raise ValueError("the file has been closed")
        if self._child is None or not self._child.alive:
            files = self._files()
            self._child = ReadingProcess(
                self.gated.format, files, self._workplace(), self._limits, self._options
            )
            weakref.finalize(self, self._child.close)
        return self._child

    def _workplace(self) -> Path:
        """The folder that the child may write in; what a former child left there is removed."""
        place = self._folder / "work"
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(place)
        place.mkdir()
        return place

    def _files(self) -> list[Path]:
        """The files to read under names of our making, the main one first."""
        if self._inputs is None:
            place = self._folder / "in"
            place.mkdir()
            if self.gated.members:
                self._inputs = unpack_gated(self.gated, place)
            else:
                link = place / f"{STEM}.{_SUFFIXES[self.gated.format]}"
                link.symlink_to(self.gated.path.resolve())
                self._inputs = [link]
        return self._inputs


_SUFFIXES: Final = {
    Format.GEOPACKAGE: "gpkg",
    Format.SHAPEFILE: "shp",
    Format.GEOJSON: "geojson",
    Format.FLATGEOBUF: "fgb",
    Format.GEOPARQUET: "parquet",
    Format.CSV: "csv",
    Format.DXF: "dxf",
    Format.KML: "kml",
}


def open_vector(
    gated: GatedFile, *, limits: ChildLimits = DEFAULT_LIMITS, options: ReadOptions = _NOTHING_DECLARED
) -> VectorFile:
    """Open a gated file of one of `AREA_FORMATS`; nothing is read before its layers are asked for."""
    if gated.format not in AREA_FORMATS:
        raise RefusedError("format-not-supported", f"a file of the format {gated.format} has no layers")
    return VectorFile(gated, limits, options)
