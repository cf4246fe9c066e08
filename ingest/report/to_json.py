"""The report as JSON, for programs; the shape is described in `docs/reference/check.md` and named in `format`.

Names and their meaning stay as they are within one format number; new ones may be added.
"""

from collections.abc import Sequence
from typing import Any, Final

from ingest.check import CheckResult
from ingest.findings import Finding
from ingest.report.content import FileReport, RuleReport
from ingest.rules.catalogue import Language, load_rules

FORMAT: Final = "ler-check/1"


def json_report(reports: Sequence[FileReport], language: Language) -> dict[str, Any]:
    """Return the report of several files, fit for `json.dumps`."""
    return {"format": FORMAT, "language": language, "files": [_file(report, language) for report in reports]}


def _file(report: FileReport, language: Language) -> dict[str, Any]:
    if report.result is None:
        return {"file": str(report.path), "outcome": "unreadable", "refusal": _refusal(report)}
    findings = report.result.findings
    return {
        "file": str(report.path),
        "outcome": "findings" if findings.counts else "clean",
        "version": report.result.version,
        "answer": _answer(report.result),
        "features": dict(sorted(report.result.feature_counts.items())),
        "errors": findings.errors,
        "warnings": findings.warnings,
        "rules": [_rule(rule) for rule in report.rules()],
        "findings": [finding_row(finding, language) for finding in findings.kept],
    }


def _answer(result: CheckResult) -> dict[str, Any]:
    attributes = result.header.attributes
    return {"gml_id": result.header.gml_id, "id": attributes.get("id"), "type": attributes.get("type")}


def _refusal(report: FileReport) -> dict[str, Any]:
    refusal = report.refusal
    if refusal is None:
        raise ValueError("a report has a result or a refusal")
    return {"code": refusal.code, "line": refusal.line, "message": str(refusal)}


def _rule(report: RuleReport) -> dict[str, Any]:
    return {
        "rule": report.rule.name,
        "severity": str(report.severity),
        "origin": report.rule.origin,
        "count": report.count,
        "listed": len(report.findings),
        "basis": report.rule.basis,
    }


def finding_row(finding: Finding, language: Language) -> dict[str, Any]:
    """One finding as names and plain values; the place is `[easting, northing]` in EPSG:25832 or None."""
    rule = load_rules()[finding.code]
    return {
        "rule": finding.code,
        "severity": str(finding.severity),
        "layer": finding.layer,
        "line": finding.line,
        "column": finding.column,
        "gml_id": finding.gml_id,
        "feature_type": finding.feature_type,
        "attribute": finding.attribute,
        "found": finding.found,
        "wanted": finding.wanted,
        "place": list(finding.place) if finding.place else None,
        "message": rule.message(finding, language),
        "mend": rule.remedy(finding, language),
        "basis": rule.basis,
    }
