"""Measures a staged version, stores the figures, and reads them over the versions of a network."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, select, text

from ingest.network_checks import checked_version
from ingest.quality.figures import WEIGHTS, Figure, Group, Quality, quality_from_json
from ler.db.tables import network_quality, network_version
from ler.errors import UnavailableError
from ler.model import Kind, load_model


@dataclass(frozen=True, slots=True)
class VersionQuality:
    """The quality of a version, as it was when the version was staged."""

    number: int
    state: str
    measured_at: datetime
    score: float
    quality: Quality

    def to_json(self) -> dict[str, Any]:
        """The figures as they are told."""
        return {
            "version": self.number,
            "state": self.state,
            "measured_at": self.measured_at.isoformat(),
            "score": round(self.score, 1),
            **self.quality.to_json(),
        }


def measure_quality(connection: Connection, version_id: UUID) -> Quality:
    """Measure a version in `ler.staged_feature` and store the figures; the connection's principal must be its owner.

    Must follow `check_network` of the same version in the same transaction, which knows what is broken; otherwise
    ValueError.
    """
    if checked_version(connection) != version_id:
        raise ValueError("a network is measured after it was checked, in the same transaction")
    driver = connection.connection.driver_connection
    if driver is None:
        raise UnavailableError("The connection to the database was lost.")
    model = load_model()
    kinds = {
        t.name: "trace" if t.name == "Ledningstrace" else "line" if t.is_a("Ledning") else "component"
        for t in model.types.values()
        if t.is_a("LedningEllerLedningstrace") or t.is_a("Ledningskomponent")
    }
    values = {
        "version": version_id,
        "types": list(kinds),
        "kinds": list(kinds.values()),
        "reference_attributes": sorted(
            {a.name for t in model.types.values() for a in t.attributes if a.kind is Kind.REFERENCE}
        ),
    }
    with psycopg.ClientCursor(driver) as cursor:
        quality = _quality(cursor.execute(_statement(), values))
    connection.execute(
        text(
            "INSERT INTO ler.network_quality (version_id, owner_id, score, figures)"
            " SELECT v.id, v.owner_id, :score, CAST(:figures AS jsonb)"
            " FROM ler.network_version AS v WHERE v.id = :version"
        ),
        {"version": version_id, "score": quality.score, "figures": json.dumps(quality.to_json())},
    )
    return quality


def list_quality(connection: Connection, owner_id: UUID) -> list[VersionQuality]:
    """The quality of an owner's versions that were published or are staged, oldest first.

    Shows what the connection's principal may read: an owner its own.
    """
    version, quality = network_version.c, network_quality.c
    query = (
        select(version.number, version.state, quality.created_at, quality.score, quality.figures)
        .join(network_quality, quality.version_id == version.id)
        .where(quality.owner_id == owner_id, version.state != "discarded")
        .order_by(version.number)
    )
    return [
        VersionQuality(row.number, row.state, row.created_at, row.score, quality_from_json(row.figures))
        for row in connection.execute(query)
    ]


def _quality(rows: Iterable[tuple[Any, ...]]) -> Quality:
    groups: dict[str, Group] = {}
    for feature_type, features, length_m, figure, *numbers in rows:
        base, known, base_m, known_m = numbers
        figures = groups[feature_type].figures if feature_type in groups else {}
        one = Figure(int(base), int(known), float(base_m), float(known_m))
        groups[feature_type] = Group(features, float(length_m), {**figures, figure: one})
    nothing = Figure(0, 0)
    total = {
        name: sum((group.figures.get(name, nothing) for group in groups.values()), nothing)
        for name in WEIGHTS
    }
    features = sum(group.features for group in groups.values())
    return Quality(Group(features, sum(group.length_m for group in groups.values()), total), groups)


@cache
def _statement() -> str:
    return files(__package__).joinpath("measure.sql").read_text(encoding="utf-8")
