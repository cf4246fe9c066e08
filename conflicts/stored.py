"""Conflicts of requests, and which precautions hold: found by the job of the package, kept with the request, read again.

The job sees one request and what was delivered for it, and so do the conflicts: of lines that are not shown to the
requester there are none. They are of a revision of the request, as the package is, and are found anew with it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, text
from sqlalchemy.engine import Connection

from conflicts.clearances import Clearances, Rule, load_clearances, read_rule
from conflicts.detect import Conflict, detect_among
from conflicts.dig import Dig
from conflicts.existing import Delivered, existing_of
from conflicts.owner_tables import tables_of_owners
from conflicts.precaution_words import hit_reason
from conflicts.precautions import OwnersHit, hits_of_owners
from conflicts.vertical import Ground
from conflicts.warn import theme_of, warnings_of
from conflicts.words import reason
from ler.db.functions import refusals
from ler.db.tables import SRID, excavation_request, owner_clearance
from ler.domain.precautions import highest
from ler.errors import NotFoundError
from ler.packages.content import OwnerStatus, RequestInfo
from ler.packages.contents import PackageOptions
from ler.packages.terrain import open_terrain
from ler.packages.warnings import UtilityWarning

_ENTER: Final = text("SELECT ler.enter_conflicts(:request, :revision, CAST(:conflicts AS jsonb))")
_ENTER_PRECAUTIONS: Final = text(
    "SELECT ler.enter_precautions(:request, :revision, CAST(:precautions AS jsonb))"
)
_LIST: Final = text("SELECT * FROM ler.ogc_conflict AS c WHERE c.request_id = :request ORDER BY c.seq")
_LIST_PRECAUTIONS: Final = text(
    "SELECT * FROM ler.ogc_precaution AS p WHERE p.request_id = :request ORDER BY p.seq"
)
_REFUSALS: Final = {"LE404": "There is no such request, or no such answer of it."}


@dataclass(frozen=True, slots=True)
class Found:
    """The conflicts of a request, the rules by which they were found, and the precautions that hold."""

    conflicts: Sequence[Conflict]
    hits: Sequence[OwnersHit]
    """Of which a line's number is its place in `delivered`."""
    delivered: Sequence[Delivered]
    answers: Sequence[UUID]
    """Of each line delivered, in which it was."""
    clearances: Clearances
    owners: Sequence[UUID]
    """As they are asked."""

    def warnings(self) -> list[UtilityWarning]:
        """Return what the package warns of."""
        return warnings_of(self.conflicts, self.hits, self.delivered, self.clearances, self.owners)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a request's conflicts."""

    order_number: int
    revision: int
    """Of the request, now."""
    found_at_revision: int | None
    """None: nobody has looked for any yet."""
    rows: Sequence[Mapping[str, Any]]
    """Columns of `ler.ogc_conflict`; `geom` as a geometry in EPSG:25832 or None."""
    precautions: Sequence[Mapping[str, Any]]
    """Columns of `ler.ogc_precaution`, likewise."""


def find_conflicts(
    connection: Connection, request: RequestInfo, owners: Sequence[OwnerStatus], options: PackageOptions
) -> Found:
    """Return what a request's dig comes too near of what was delivered; the connection is that of its job."""
    dig = _dig_of(connection, request)
    answers: list[UUID] = []
    delivered: list[Delivered] = []
    for owner in owners:
        for answer in owner.deliveries:
            delivered += [Delivered(owner.id, feature) for feature in answer.features]
            answers += [answer.answer_id] * len(answer.features)
    clearances = load_clearances(options.clearances, of_owners=rules_of_owners(connection)).on(
        request.period_from
    )
    ground = ground_of(options)
    existing = existing_of(delivered, clearances, options.unknown_accuracy_m)
    found = detect_among(dig, existing, clearances, ground)
    tables = tables_of_owners(connection, existing.extent)
    of_tables = existing.of_owners(tables.keys())
    hits = hits_of_owners(
        dig, of_tables, tables, request_kind=str(request.kind), clearances=clearances, ground=ground
    )
    return Found(found, hits, delivered, answers, clearances, [owner.id for owner in owners])


def enter_conflicts(connection: Connection, request_id: UUID, revision: int, found: Found) -> int:
    """Keep the conflicts and precautions of a request in the place of those found before; return how many conflicts."""
    told = [
        {"number": number, "answer_id": str(found.answers[one.number]), **conflict_row(one, found.clearances)}
        for number, one in enumerate(found.conflicts)
    ]
    values = {
        "request": request_id,
        "revision": revision,
        "conflicts": json.dumps(told),
        "precautions": json.dumps(_precaution_rows(found)),
    }
    with refusals(_REFUSALS):
        entered: int = connection.execute(_ENTER, values).scalar_one()
        connection.execute(_ENTER_PRECAUTIONS, values)
    return entered


def list_conflicts(connection: Connection, request_id: UUID) -> Kept:
    """Return what is kept of a request of the acting principal; NotFoundError for any other."""
    columns = excavation_request.c
    query = select(columns.order_number, columns.revision, columns.conflicts_revision)
    request = connection.execute(query.where(columns.id == request_id)).one_or_none()
    if request is None:
        raise NotFoundError("There is no such request.")
    conflicts, precautions = (
        [
            {**row, "geom": None if row["geom"] is None else shapely.from_wkb(row["geom"])}
            for row in connection.execute(each, {"request": request_id}).mappings()
        ]
        for each in (_LIST, _LIST_PRECAUTIONS)
    )
    return Kept(request.order_number, request.revision, request.conflicts_revision, conflicts, precautions)


def conflict_row(one: Conflict, clearances: Clearances) -> dict[str, Any]:
    """Return a conflict as the columns in which it is kept, fit for JSON; `geom` as EWKB in hexadecimal."""
    feature = one.delivered.feature
    return {
        "gml_id": feature.gml_id,
        "feature_type": feature.type,
        "utility_type": theme_of(one.delivered),
        "danger_class": feature.attributes.get("fareklasse"),
        "zone": one.zone.value,
        "rule": one.rule,
        "unverified": one.unverified,
        "limit_m": one.limit_m,
        "arrangement": one.arrangement.value,
        "angle_deg": one.angle_deg,
        "drawn_m": one.drawn_m,
        "distance_min_m": one.least_m,
        "distance_max_m": one.most_m,
        "below_min_m": one.below_least_m,
        "below_max_m": one.below_most_m,
        "probability": one.probability,
        "reasons": list(one.reasons),
        "reason_da": reason(one, clearances, "da"),
        "reason_en": reason(one, clearances, "en"),
        "geom": _hex(one.geometry),
    }


def _precaution_rows(found: Found) -> list[dict[str, Any]]:
    shown = {
        (owner, hit.theme, hit.row.priority)
        for owner in {one.owner_id for one in found.hits}
        for hit in highest(one.hit for one in found.hits if one.owner_id == owner).values()
    }
    rows = []
    for number, one in enumerate(found.hits):
        hit, row, nearest = one.hit, one.hit.row, one.hit.nearest
        kind = found.delivered[nearest.number].feature.type
        rows.append(
            {
                "number": number,
                "answer_id": str(found.answers[nearest.number]),
                "utility_type": hit.theme,
                "priority": row.priority,
                "highest": (one.owner_id, hit.theme, row.priority) in shown,
                "measure_da": row.da,
                "measure_en": row.en,
                "contact": row.contact,
                "notice_days": row.notice_days,
                "lines": hit.lines,
                "gml_id": nearest.gml_id,
                "feature_type": kind,
                "distance_min_m": nearest.least_m,
                "distance_max_m": nearest.most_m,
                "reasons": list(hit.reasons),
                "reason_da": hit_reason(hit, kind, found.clearances, "da"),
                "reason_en": hit_reason(hit, kind, found.clearances, "en"),
                "geom": _hex(one.geometry),
            }
        )
    return rows


def _hex(geometry: BaseGeometry | None) -> str | None:
    if geometry is None:
        return None
    return str(shapely.to_wkb(shapely.set_srid(geometry, SRID), hex=True, include_srid=True))


def rules_of_owners(connection: Connection) -> dict[UUID, list[Rule]]:
    """Return what owners ask for their own lines, as far as the connection's principal or job may know it."""
    columns = owner_clearance.c
    query = select(columns.owner_id, columns.rule).where(columns.ended_at.is_(None))
    found: dict[UUID, list[Rule]] = {}
    for owner, rule in connection.execute(query.order_by(columns.owner_id, columns.name)):
        found.setdefault(owner, []).append(read_rule(rule))
    return found


def ground_of(options: PackageOptions) -> Ground:
    """Return the surface as far as the operator knows it."""
    terrain = (
        None if options.terrain is None else open_terrain(options.terrain, is_dvr90=options.terrain_is_dvr90)
    )
    return Ground(terrain, options.terrain_accuracy_m)


def _dig_of(connection: Connection, request: RequestInfo) -> Dig:
    columns = excavation_request.c
    query = select(columns.work_kind, columns.work_method, columns.depth_m)
    work = connection.execute(query.where(columns.id == request.id)).one()
    return Dig(request.area, work.work_kind, work.work_method, work.depth_m, on=request.period_from)
