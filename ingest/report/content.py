"""What every report tells of a file: its findings by rule, errors first and the most frequent first."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.check import CheckResult
from ingest.findings import Finding, Severity
from ingest.readers.prolog import UnreadableFileError
from ingest.rules.catalogue import Rule, load_rules

CLEAN: Final = 0
FINDINGS: Final = 1
UNREADABLE: Final = 2


@dataclass(frozen=True, slots=True)
class RuleReport:
    """One rule that the file breaks: how often, and the first places."""

    rule: Rule
    severity: Severity
    count: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file that was to be checked: what the check gave, or why the file cannot be read."""

    path: Path
    result: CheckResult | None
    refusal: UnreadableFileError | None = None
    source: Path | None = None
    """Where the file lies, when that is not `path`, by which it is called."""

    @property
    def outcome(self) -> int:
        """0: clean, 1: findings, 2: cannot be read."""
        if self.result is None:
            return UNREADABLE
        return FINDINGS if self.result.findings.counts else CLEAN

    @property
    def feature_count(self) -> int:
        """How many features the file holds."""
        return sum(self.result.feature_counts.values()) if self.result else 0

    def rules(self) -> list[RuleReport]:
        """The rules that the file breaks; an error before a warning, the most frequent first."""
        if self.result is None:
            return []
        places: dict[tuple[Severity, str], list[Finding]] = {}
        for finding in self.result.findings.kept:
            places.setdefault((finding.severity, finding.code), []).append(finding)
        rules = load_rules()
        reports = [
            RuleReport(rules[code], severity, count, tuple(places.get((severity, code), ())))
            for (severity, code), count in self.result.findings.counts.items()
        ]
        return sorted(reports, key=lambda r: (r.severity is not Severity.ERROR, -r.count, r.rule.name))


def worst(reports: Sequence[FileReport]) -> int:
    """The worst outcome of several files."""
    return max((report.outcome for report in reports), default=CLEAN)
