"""What is wrong with an owner's file, one value a fault: code, severity, place, what was found, what was wanted.

A finding is never an exception: the reader goes on and collects them, so that an owner sees all faults of a file at
once. An error keeps the file out; a warning lets it in and is told.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from ingest.rules.catalogue import load_rules
from ingest.severity import Severity

__all__ = ["Finding", "Findings", "Severity"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at one place of a file."""

    code: str
    """Name of the rule: ours in kebab-case, or the official name of an LER rule."""
    line: int
    """Line of the file, from 1, or the record of the layer; 0 when it is not known."""
    gml_id: str = ""
    """The feature it concerns; empty outside features."""
    severity: Severity = Severity.ERROR
    column: int = 0
    """Column of the line, from 1; 0 when it is not known."""
    feature_type: str = ""
    attribute: str = ""
    found: str = ""
    """The value as it stands in the file, shortened."""
    wanted: str = ""
    """What the rule wants, in values that need no language: codes, units, patterns."""
    place: tuple[float, float] | None = None
    """A point of the feature, EPSG:25832, for the map of a report."""
    layer: str = ""
    """Layer of the file; where it is set, `line` is the number of a record of that layer, from 1."""

    def __str__(self) -> str:
        """The finding on one line in English, as it is printed."""
        at = f" ({self.gml_id})" if self.gml_id else ""
        says = load_rules()[self.code].message(self, "en")
        return f"{self._where()}{at}: {says} [{self.code}]"

    def _where(self) -> str:
        if self.layer:
            return f"layer {self.layer}" + (f", record {self.line}" if self.line else "")
        return f"line {self.line}" + (f", column {self.column}" if self.column else "")


@dataclass(slots=True)
class Findings:
    """Findings of one file in the order they were met; at most `cap` a code are kept, all are counted."""

    cap: int = 20
    kept: list[Finding] = field(default_factory=list)
    counts: Counter[tuple[Severity, str]] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it unless there are enough of its kind already."""
        key = (finding.severity, finding.code)
        self.counts[key] += 1
        if self.counts[key] <= self.cap:
            self.kept.append(finding)

    def drop(self, codes: Collection[str]) -> None:
        """Forget what was found under these codes, which the caller will find anew."""
        self.kept[:] = [finding for finding in self.kept if finding.code not in codes]
        for key in [key for key in self.counts if key[1] in codes]:
            del self.counts[key]

    def sort(self) -> None:
        """Put the kept findings in the order of the file."""
        self.kept.sort(key=lambda finding: (finding.layer, finding.line, finding.column))

    @property
    def errors(self) -> int:
        """How many findings keep the file out."""
        return sum(count for (severity, _), count in self.counts.items() if severity is Severity.ERROR)

    @property
    def warnings(self) -> int:
        """How many findings are only told."""
        return self.counts.total() - self.errors
