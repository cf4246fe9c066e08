"""Lines that must never be stored: a file that holds one is refused before any of it is.

The finding names the feature and its line, and not its place: findings are stored.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from ingest.findings import Finding, Findings
from ler.domain.sensitivity import SensitivityClass, SensitivityRule, class_of
from ler.model import Feature

CODE: Final = "line-forbidden"

_LEFT_ALONE: Final = text("SELECT * FROM ler.staged_forbidden(:version)")


class ForbiddenLines:
    """Judges the features of a file by the rules that forbid to store what they meet."""

    def __init__(self, rules: Collection[SensitivityRule], findings: Findings) -> None:
        self._rules = [rule for rule in rules if rule.sensitivity is SensitivityClass.NEVER]
        self._findings = findings
        self._named: set[str] = set()

    def check(self, feature: Feature) -> None:
        """Add a finding for a feature that must not be stored."""
        if self._rules and class_of(self._rules, feature) is SensitivityClass.NEVER:
            self._named.add(feature.gml_id)
            self._findings.add(_finding(feature.type, feature.gml_id, feature.line))

    def hide_places(self) -> None:
        """Take the places out of all findings about such features, whatever else is wrong with them."""
        kept = self._findings.kept
        kept[:] = [replace(one, place=None) if one.gml_id in self._named else one for one in kept]

    def check_left_alone(self, connection: Connection, version_id: UUID) -> None:
        """Add findings for what a delta left as it was: it was stored before the rule, and must be deleted now."""
        if self._rules:
            for row in connection.execute(_LEFT_ALONE, {"version": version_id}):
                self._findings.add(_finding(row.feature_type, row.gml_id, 0))


def _finding(feature_type: str, gml_id: str, line: int) -> Finding:
    return Finding(CODE, line, gml_id, feature_type=feature_type)
