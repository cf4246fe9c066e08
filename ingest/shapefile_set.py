"""Several shapefiles in one ZIP as one file of layers: a network has points, lines and areas, a shapefile one of them.

The gate lets one dataset through at a time. Here each shapefile of the archive is gated and read as if it were alone,
in a process of its own; each is a layer with the name of its files.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from ingest.child.options import ReadOptions
from ingest.gate.archive import Member, open_archive
from ingest.gate.archive_names import find_dataset, is_document
from ingest.gate.formats import Format, GatedFile
from ingest.gate.limits import GateLimits
from ingest.gate.shapefile import check_shapefile
from ingest.gate.unpack import unpack
from ingest.readers.vector import LayerInfo, Note, VectorFile, open_vector
from ler.errors import RefusedError

_MAIN: Final = ".shp"
_MOST: Final = 50
"""Shapefiles in one archive; each is read by a process of its own, one at a time."""


def gate_shapefiles(path: Path, limits: GateLimits) -> dict[str, GatedFile]:
    """Return the shapefiles of an archive by name, each gated. RefusedError as the gate gives it for one."""
    members = {member.name: member for member in open_archive(path, limits)}
    mains = sorted(name for name in members if PurePosixPath(name).suffix.lower() == _MAIN)
    names = [PurePosixPath(main).stem for main in mains]
    if len({name.casefold() for name in names}) < len(names) or len(names) > _MOST:
        raise RefusedError(
            "archive-ambiguous", f"the archive has two shapefiles of one name, or more than {_MOST}"
        )
    groups = {main: [name for name in members if _belongs(name, main)] for main in mains}
    taken = {name for group in groups.values() for name in group}
    for name in members:
        if name not in taken and not is_document(name):
            raise RefusedError(
                "archive-ambiguous",
                f"the archive holds shapefiles, and {name!r} besides: send one kind of dataset at a time",
            )
    size = path.stat().st_size
    return {
        called: _gate_one(path, [members[name] for name in groups[main]], limits, size)
        for called, main in zip(names, mains, strict=True)
    }


def _belongs(name: str, main: str) -> bool:
    return name.casefold().startswith(main[: -len(_MAIN)].casefold() + ".")


def _gate_one(path: Path, members: list[Member], limits: GateLimits, size: int) -> GatedFile:
    _, own = find_dataset([member.name for member in members])
    chosen = {member.name: member for member in members}
    with tempfile.TemporaryDirectory(prefix="ler-gate-") as folder:
        main = unpack(path, [chosen[name] for name in own], Path(folder))[0]
        check_shapefile(main, limits)
    return GatedFile(path, Format.SHAPEFILE, size, own)


class ShapefileSet:
    """The shapefiles of one archive, each a layer. A context manager, like `VectorFile`."""

    def __init__(self, gated: dict[str, GatedFile], options: ReadOptions) -> None:
        self._stack = ExitStack()
        self._files: dict[str, VectorFile] = {
            name: self._stack.enter_context(open_vector(file, options=options))
            for name, file in gated.items()
        }
        self._layers: tuple[LayerInfo, ...] | None = None

    def layers(self) -> Sequence[LayerInfo]:
        """One layer a shapefile."""
        if self._layers is None:
            self._layers = tuple(replace(file.layers()[0], name=name) for name, file in self._files.items())
        return self._layers

    @property
    def notes(self) -> Sequence[Note]:
        """What an owner should know of the shapefiles."""
        return [replace(note, layer=name) for name, file in self._files.items() for note in file.notes]

    def batches(self, layer: str) -> Iterator[pa.RecordBatch]:
        """The records of one shapefile, in order."""
        file = self._files[layer]
        return file.batches(file.layers()[0].name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
