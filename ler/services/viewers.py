"""Who has seen a line, or what lies in an area: asked by the owner of the lines, or by who audits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from shapely import Polygon
from sqlalchemy import text
from sqlalchemy.engine import Connection

from ler.db.functions import record_event, refusals
from ler.db.tables import SRID
from ler.errors import RefusedError

MOST_LINES: Final = 100
"""Lines asked about at a time."""

_SEEN: Final = text("""
    SELECT * FROM ler.who_has_seen(
        :owner, CAST(:gml_ids AS text[]), ST_GeomFromEWKT(:area),
        CAST(:since AS timestamptz), CAST(:until AS timestamptz), :most
    )
""")
_READ: Final = text("""
    SELECT * FROM ler.who_has_read(
        :owner, CAST(:gml_ids AS text[]), ST_GeomFromEWKT(:area),
        CAST(:since AS timestamptz), CAST(:until AS timestamptz), :most
    )
""")
_REFUSALS: Final = {"LE404": "There are no lines of yours."}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about: lines by gml:id, or an area in EPSG:25832; one of them."""

    owner_id: UUID | None
    """Whose lines; None for all owners', which only who audits may ask."""
    gml_ids: Sequence[str] = ()
    area: Polygon | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Viewed:
    """One answer by which lines were delivered."""

    owner_id: UUID
    request_id: UUID
    order_number: int
    requester_id: UUID
    requester_cvr: str | None
    requester_name: str
    kind: str
    purpose: str
    period_from: date
    period_to: date
    answer_type: str
    answer_revision: int
    delivered_at: datetime
    withdrawn_at: datetime | None
    lines: tuple[str, ...]
    downloads: Sequence[Mapping[str, Any]]
    """When packages of the request were fetched since, and by whom."""


@dataclass(frozen=True, slots=True)
class ReadByOwn:
    """One reading of the owner's own network."""

    at: datetime
    account_id: UUID | None
    provider_id: UUID | None
    version: int
    features: int


@dataclass(frozen=True, slots=True)
class Viewers:
    """The answer, the newest first."""

    viewed: list[Viewed]
    reads: list[ReadByOwn]
    more: bool
    """Whether there are older ones than these; ask with `until`."""


def find_viewers(connection: Connection, actor: UUID, asked: Question, *, most: int = 1000) -> Viewers:
    """Return who has seen the lines or the area; that it was asked is recorded.

    RefusedError `question-invalid` unless it is about lines or an area; NotFoundError for another owner's lines, or all
    owners', when the acting organisation does not audit.
    """
    if bool(asked.gml_ids) == (asked.area is not None) or len(asked.gml_ids) > MOST_LINES:
        raise RefusedError("question-invalid", f"ask about 1 to {MOST_LINES} lines, or about an area")
    values = {
        "owner": asked.owner_id,
        "gml_ids": list(asked.gml_ids) or None,
        "area": f"SRID={SRID};{asked.area.wkt}" if asked.area is not None else None,
        "since": asked.since,
        "until": asked.until,
        "most": most + 1,
    }
    with refusals(_REFUSALS):
        viewed = [
            Viewed(**{**row, "lines": tuple(row["lines"])})
            for row in connection.execute(_SEEN, values).mappings()
        ]
        reads = [ReadByOwn(*row) for row in connection.execute(_READ, values)] if asked.owner_id else []
    details = {
        "owner_id": str(asked.owner_id) if asked.owner_id else None,
        "gml_ids": list(asked.gml_ids),
        "area": asked.area.wkt if asked.area is not None else None,
    }
    record_event(connection, "audit:viewer:search", actor=actor, object_id=asked.owner_id, details=details)
    return Viewers(viewed[:most], reads[:most], more=len(viewed) > most or len(reads) > most)
