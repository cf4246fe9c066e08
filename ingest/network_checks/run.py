"""Runs the network checks over one staged version and adds what they find to the findings of its upload.

The version is read once, into temporary tables; all that follows reads those. They are dropped at the end but for
`pg_temp.ler_network_finding` with every place found, and `pg_temp.ler_network_checked` with the version: they stay
until the transaction ends, for `measure_quality`. Every fault is counted; at most `findings.cap` a code are told.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

import psycopg
import shapely
from sqlalchemy import Connection

from ingest.findings import Finding, Findings
from ingest.network_checks.crossing import first_crossing
from ingest.network_checks.rules import PREPARATIONS, RULES, NetworkRule, statement
from ingest.network_checks.settings import NetworkCheckSettings
from ingest.placing import place_of
from ingest.rules.catalogue import load_rules
from ingest.severity import Severity
from ler.errors import UnavailableError
from ler.model import Kind, Model

type Watch = Callable[[str], None]
"""Told the name of each step as it begins."""

_KINDS: Final = {"Ledning": "line", "Ledningstrace": "trace", "Ledningskomponent": "component"}
_ACCURACIES: Final = {"<= 0.25 m": 0.25, "<= 0.50 m": 0.5, "<= 1.00 m": 1.0, "<= 2.00 m": 2.0}
_ROUGH: Final = "> 2.00 m"
_WORK_TABLES: Final = (
    "neighbour",
    "feature",
    "given",
    "reference",
    "contained",
    "part",
    "piece",
    "component",
    "same",
    "type",
    "wanted",
    "accuracy",
)

_CREATE: Final = """
    CREATE TEMP TABLE ler_check_type (feature_type text PRIMARY KEY, kind text NOT NULL) ON COMMIT DROP;
    CREATE TEMP TABLE ler_check_accuracy (class text PRIMARY KEY, accuracy_m double precision) ON COMMIT DROP;
    CREATE TEMP TABLE ler_check_wanted (feature_type text, attribute text, wanted text, allowed text[]) ON COMMIT DROP;
    CREATE TEMP TABLE ler_network_checked (version_id uuid) ON COMMIT DROP;
    CREATE TEMP TABLE ler_network_finding (
        code text NOT NULL, seq integer NOT NULL, attribute text, found text, wanted text, place geometry(Point)
    ) ON COMMIT DROP
"""
_INSERT: Final = """
    INSERT INTO pg_temp.ler_network_finding (code, seq, attribute, found, wanted, place)
    SELECT %(code)s, rule.seq, rule.attribute, rule.found, rule.wanted, rule.place FROM ({}) AS rule
"""
_KEPT: Final = """
    SELECT f.line, f.gml_id, f.feature_type, n.attribute, n.found, n.wanted, ST_X(n.place), ST_Y(n.place), f.geom
    FROM pg_temp.ler_network_finding AS n
    JOIN pg_temp.ler_check_feature AS f ON f.seq = n.seq
    WHERE n.code = %(code)s
    ORDER BY f.line, f.gml_id COLLATE "C", n.attribute, n.found COLLATE "C"
    LIMIT %(limit)s
"""


def check_network(
    connection: Connection,
    version_id: UUID,
    findings: Findings,
    model: Model,
    settings: NetworkCheckSettings | None = None,
    *,
    watch: Watch = lambda _: None,
) -> None:
    """Check the version in `ler.staged_feature` that the connection's principal owns; add what is wrong to `findings`.

    Unresolved and wrong references and lines without length are errors, all else are warnings. Lifts the
    transaction's `statement_timeout`. A fault that the check of the file has told already is not told again.
    """
    values = {"version": version_id, **_values(model), **asdict(settings or NetworkCheckSettings())}
    with psycopg.ClientCursor(_driver(connection)) as cursor:
        # Whole networks take minutes; sorts and hashes of a million rows should not go to disk.
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '128MB'; SET LOCAL jit = off")
        _forget(cursor, "network_checked", "network_finding", *(f"check_{name}" for name in _WORK_TABLES))
        cursor.execute(_CREATE)
        _describe_model(cursor, model, values)
        for name in PREPARATIONS:
            watch(name)
            cursor.execute(statement(name), values)
        for rule in RULES:
            watch(rule.code)
            if not any(findings.counts[Severity.ERROR, code] for code in rule.told_by):
                _run(cursor, rule, values, findings)
        watch("")
        _forget(cursor, *(f"check_{name}" for name in _WORK_TABLES))
        cursor.execute("INSERT INTO pg_temp.ler_network_checked VALUES (%s)", [version_id])


def checked_version(connection: Connection) -> UUID | None:
    """Return the version whose places found are in `pg_temp.ler_network_finding`; None when there is none."""
    with _driver(connection).cursor() as cursor:
        if cursor.execute("SELECT to_regclass('pg_temp.ler_network_checked')").fetchone() == (None,):
            return None
        row = cursor.execute("SELECT version_id FROM pg_temp.ler_network_checked").fetchone()
        return row[0] if row else None


def _run(
    cursor: psycopg.ClientCursor[Any], rule: NetworkRule, values: Mapping[str, object], findings: Findings
) -> None:
    cursor.execute(_INSERT.format(statement(rule.code)), {**values, "code": rule.code})
    broken = cursor.rowcount
    if not broken:
        return
    severity = load_rules()[rule.code].severity
    cursor.execute(_KEPT, {"code": rule.code, "limit": findings.cap})
    kept = 0
    for finding in _findings(rule, severity, cursor):
        findings.add(finding)
        kept += 1
    findings.counts[severity, rule.code] += broken - kept


def _findings(rule: NetworkRule, severity: Severity, rows: psycopg.ClientCursor[Any]) -> Iterator[Finding]:
    for line, gml_id, feature_type, attribute, found, wanted, x, y, geom in rows:
        place = None if x is None else (x, y)
        if place is None and geom is not None:
            geometry = shapely.from_wkb(geom)
            place = (rule.code == "line-crosses-itself" and first_crossing(geometry)) or place_of(geometry)
        yield Finding(
            code=rule.code,
            line=line,
            gml_id=gml_id,
            severity=severity,
            feature_type=feature_type,
            attribute=attribute or "",
            found=found or "",
            wanted=wanted or "",
            place=place,
        )


def _values(model: Model) -> dict[str, object]:
    references = {a.name for t in model.types.values() for a in t.attributes if a.kind is Kind.REFERENCE}
    return {"reference_attributes": sorted(references)}


def _describe_model(cursor: psycopg.ClientCursor[Any], model: Model, values: Mapping[str, object]) -> None:
    types = list(model.types.values())
    kinds = [(t.name, next((kind for name, kind in _KINDS.items() if t.is_a(name)), "other")) for t in types]
    wanted = [
        (t.name, a.name, a.target, [other.name for other in types if other.is_a(a.target)])
        for t in types
        for a in t.attributes
        if a.kind is Kind.REFERENCE and a.target != "AbstractFeature"
    ]
    classes = [*_ACCURACIES.items(), (_ROUGH, values["rough_accuracy_m"])]
    cursor.executemany("INSERT INTO pg_temp.ler_check_type VALUES (%s, %s)", kinds)
    cursor.executemany("INSERT INTO pg_temp.ler_check_wanted VALUES (%s, %s, %s, %s)", wanted)
    cursor.executemany("INSERT INTO pg_temp.ler_check_accuracy VALUES (%s, %s)", classes)


def _forget(cursor: psycopg.ClientCursor[Any], *tables: str) -> None:
    for table in tables:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.ler_{table}")


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
    if driver is None:
        raise UnavailableError("The connection to the database was lost.")
    return driver
