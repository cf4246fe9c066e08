"""What a check found, as it is kept in a database: without texts, which are written anew in the reader's language."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ingest.check import CheckResult
from ingest.findings import Finding, Findings, Severity
from ingest.readers.prolog import UnreadableFileError
from ingest.report.content import FileReport
from ler.model import ANSWER, Feature


def to_stored(
    findings: Findings,
    *,
    version: str = "",
    header: Feature | None = None,
    feature_counts: dict[str, int] | None = None,
) -> dict[str, Any]:
    """Return what was found in one file as plain values."""
    return {
        "version": version,
        "header": {
            "gml_id": header.gml_id if header else "",
            "id": str(header.attributes.get("id") or "") if header else "",
            "type": str(header.attributes.get("type") or "") if header else "",
        },
        "features": feature_counts or {},
        "counts": [[str(severity), code, count] for (severity, code), count in findings.counts.items()],
        "findings": [asdict(finding) | {"severity": str(finding.severity)} for finding in findings.kept],
    }


def refusal_to_stored(code: str, message: str, line: int = 0) -> dict[str, Any]:
    """Return why a file could not be read at all, as plain values."""
    return {"refusal": {"code": code, "message": message, "line": line}}


def from_stored(stored: dict[str, Any], name: str, source: Path | None = None) -> FileReport:
    """Return the report of a file that its owner calls `name` and that lies at `source`, if it still lies anywhere."""
    path = Path(name)
    refusal = stored.get("refusal")
    if refusal is not None:
        told = UnreadableFileError(refusal["code"], refusal["message"])
        told.line = refusal["line"]
        return FileReport(path, None, told)
    findings = Findings(
        kept=[_finding(values) for values in stored["findings"]],
        counts=Counter({(Severity(severity), code): count for severity, code, count in stored["counts"]}),
    )
    header = stored["header"]
    answer = Feature(
        ANSWER, header["gml_id"], {name: header[name] for name in ("id", "type") if header[name]}
    )
    result = CheckResult(path, stored["version"], answer, dict(stored["features"]), findings)
    return FileReport(path, result, source=source)


def _finding(values: dict[str, Any]) -> Finding:
    place = values["place"]
    return Finding(
        **values
        | {"severity": Severity(values["severity"]), "place": (place[0], place[1]) if place else None}
    )
