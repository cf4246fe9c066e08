"""An owner's file from one version of the LER model to another, feature by feature, in constant memory.

A file with faults is refused: what the reader could not read would be missing in the copy without a word. The copy is
written beside its name and moved there whole; an existing file is never written over.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.findings import Findings
from ingest.readers.gml_geometry import Coverage
from ingest.readers.ler_gml import LerGmlReader
from ler.errors import RefusedError
from ler.model import Feature, load_model
from ler.model.convert import Conversion
from ler.packages.files import check_new_file
from ler.packages.gml import GEOMETRY_PREFIX, IdTakenError, stream_answer

_REPORT_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Converted:
    """A finished copy: how many features it has, what changed, and what the reader did not keep (its warnings)."""

    path: Path
    feature_count: int
    conversion: Conversion
    findings: Findings

    @property
    def faithful(self) -> bool:
        """Whether nothing was lost and nothing must be added."""
        return self.conversion.faithful and not self.findings.counts


class FaultyFileError(RefusedError):
    """The file has faults, so that a copy would lack what could not be read."""

    def __init__(self, path: Path, findings: Findings) -> None:
        super().__init__(
            "file-has-faults",
            f"{path} has {findings.errors:,} faults and is not converted; see them with: ler check {path}",
        )
        self.findings = findings


def check_files(source: Path, target: Path) -> None:
    """Refuse a file that is not there, and a copy that cannot be made. RefusedError."""
    if not source.is_file():
        raise RefusedError("file-missing", f"there is no file {source}")
    check_new_file(target)


def convert_file(
    source: Path,
    target: Path,
    *,
    version: str,
    coverage: Coverage,
    progress: Callable[[int], None] = lambda _: None,
) -> Converted:
    """Write the copy. Raises UnreadableFileError, FaultyFileError, RefusedError when the target is there already."""
    check_files(source, target)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".ler-convert-") as folder:
        workshop = Path(folder) / "copy.gml"
        prefix = GEOMETRY_PREFIX
        while True:
            try:
                converted = _write(
                    source,
                    workshop,
                    version=version,
                    coverage=coverage,
                    prefix=prefix,
                    progress=progress,
                )
                break
            except IdTakenError:
                prefix = f"_{prefix}"
        if converted.findings.errors:
            raise FaultyFileError(source, converted.findings)
        try:
            os.link(workshop, target)
        except FileExistsError:
            raise RefusedError("file-exists", f"{target} is there already and is not written over") from None
        except OSError:  # a file system without links
            workshop.replace(target)
    return Converted(target, converted.feature_count, converted.conversion, converted.findings)


def _write(
    source: Path,
    target: Path,
    *,
    version: str,
    coverage: Coverage,
    prefix: str,
    progress: Callable[[int], None],
) -> Converted:
    reader = LerGmlReader(source, coverage=coverage)
    conversion = Conversion(reader.model, load_model(version))
    features = iter(reader)
    first = next(features, None)  # the header is complete when the first member is
    with target.open("wb") as stream:
        count = stream_answer(
            stream,
            conversion.convert(reader.header),
            _converted(first, features, reader, conversion, progress),
            conversion.target,
            owner=(reader.stated_owner, reader.stated_name),
            geometry_prefix=prefix,
        )
    return Converted(target, count, conversion, reader.findings)


def _converted(
    first: Feature | None,
    others: Iterator[Feature],
    reader: LerGmlReader,
    conversion: Conversion,
    progress: Callable[[int], None],
) -> Iterator[Feature]:
    """The features as the target has them. Stops to write at the first fault, but reads on, so that all are found."""
    number = 0
    feature = first
    while feature is not None:
        number += 1
        if number % _REPORT_EVERY == 0:
            progress(number)
        if not reader.findings.errors:
            yield conversion.convert(feature)
        feature = next(others, None)
