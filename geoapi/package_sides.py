"""Packages as somebody has them on disk, read to be compared: a ZIP, the folder it was unpacked to, or one GML file."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ingest.readers.ler_gml import LerGmlReader
from ingest.severity import Severity
from ler.domain.dig_area import Coverage
from ler.errors import InputError
from ler.model import Feature
from ler.packages.difference import Side
from ler.packages.opened import DamagedMemberError, OpenedPackage, open_package

_MANIFEST: Final = "manifest.json"
_LARGEST: Final = 2 << 30
"""Bytes of a member that are read."""


def read_side(path: Path, coverage: Coverage) -> Side:
    """Read a package, or an owner's answer as a file alone.

    RefusedError for what is no package, InputError for one that cannot be read: see what `ler package verify` says.
    """
    if path.suffix.lower() == ".gml":
        return _of_answer(path, coverage)
    opened = open_package(path)
    try:
        with tempfile.TemporaryDirectory(prefix="ler-") as folder:
            return _of_package(opened, Path(folder), coverage)
    finally:
        opened.close()


def _of_answer(path: Path, coverage: Coverage) -> Side:
    reader = LerGmlReader(path, coverage=coverage)
    features = list(reader)
    cvr = reader.stated_owner or ""
    return Side({"owners": [{"cvr": cvr, "name": reader.stated_name or cvr}]}, {cvr: features})


def _of_package(opened: OpenedPackage, folder: Path, coverage: Coverage) -> Side:
    try:
        manifest = json.loads(b"".join(opened.read(_MANIFEST, _LARGEST)))
        features = {
            str(owner["cvr"]): [
                feature
                for name in _answers(opened, owner)
                for feature in _read_gml(opened, name, folder, coverage)
            ]
            for owner in manifest["owners"]
        }
    except (DamagedMemberError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            "The package cannot be read: `ler package verify` tells what was changed."
        ) from error
    return Side(manifest, features)


def _answers(opened: OpenedPackage, owner: Mapping[str, Any]) -> Iterator[str]:
    """Name the members that hold an owner's answers, as `ler.packages.files.answer_name` calls them."""
    answers = owner["answers"]
    for answer in answers:
        number = f"-{min(answer['interest_areas'])}" if len(answers) > 1 else ""
        yield _member(opened, str(owner["cvr"]), f"ledningsoplysninger{number}.gml")


def _member(opened: OpenedPackage, cvr: str, wanted: str) -> str:
    """Find a file in an owner's folder, or at the top in the owner's own package."""
    if wanted in opened.files:
        return wanted
    for name in sorted(opened.files):
        folder, _, last = name.partition("/")
        if last == wanted and folder.startswith(f"{cvr}-"):
            return name
    raise KeyError(wanted)


def _read_gml(opened: OpenedPackage, name: str, folder: Path, coverage: Coverage) -> Iterator[Feature]:
    place = folder / "answer.gml"
    with place.open("wb") as copy:
        for part in opened.read(name, _LARGEST):
            copy.write(part)
    reader = LerGmlReader(place, coverage=coverage)
    yield from reader
    if any(severity is Severity.ERROR for severity, _ in reader.findings.counts):
        raise ValueError(name)
