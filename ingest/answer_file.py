"""An owner's LER GML file that answers one request: checked by every rule that a network is checked by.

What lies outside the dig area is no fault here: it is cut off when the answer is entered, and told.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.check import check_features
from ingest.findings import Findings
from ingest.readers.gml_geometry import Coverage
from ingest.readers.ler_gml import LerGmlReader
from ler.errors import RefusedError
from ler.model import Feature

_ATTACHMENT: Final = "Informationsressource"


class AnswerRefusedError(RefusedError):
    """The file has faults; `findings` tells all of them."""

    def __init__(self, findings: Findings) -> None:
        super().__init__("answer-refused", f"the file has {findings.errors} faults; nothing was stored")
        self.findings = findings


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file without faults."""

    header: Feature
    """What it says of itself: type, validity, contact."""
    features: list[Feature]
    findings: Findings
    """Warnings."""
    sha256: str

    @property
    def attachment_paths(self) -> set[str]:
        """The paths of the files that it names (`sti`)."""
        named = (feature.attributes.get("sti") for feature in self.features if feature.type == _ATTACHMENT)
        return {path for path in named if isinstance(path, str)}


def read_answer(path: Path, *, coverage: Coverage, owner_cvr: str | None) -> AnswerFile:
    """Read and check a file, which is held in memory.

    UnreadableFileError for one that cannot be read at all, AnswerRefusedError for one with faults, RefusedError
    `owner-mismatch` for one that says it is another owner's.
    """
    source = LerGmlReader(path, coverage=coverage)
    features: list[Feature] = []
    result = check_features(source, path, features.append)
    if source.stated_owner not in {None, owner_cvr}:
        raise RefusedError(
            "owner-mismatch", f"the file says it is from CVR {source.stated_owner}, not {owner_cvr}"
        )
    if result.findings.errors:
        raise AnswerRefusedError(result.findings)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return AnswerFile(source.header, features, result.findings, digest)
