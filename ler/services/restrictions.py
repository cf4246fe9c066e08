"""Restrictions on digging, entered by the road authority of a place, by the operator, and diversions by who digs.

The transaction acts for `organisation_id`; the database refuses who may not restrict a place. Everybody who takes part reads
those that hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from geoalchemy2.shape import from_shape, to_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ProgrammingError

from ler.db.engine import sqlstate
from ler.db.functions import record_event
from ler.db.tables import SRID, restriction
from ler.domain.dig_area import Coverage
from ler.domain.faults import Fault
from ler.domain.restrictions import Restriction, RestrictionKind, restriction_faults
from ler.domain.work_record import RESTRICTION_FIELDS, Values, read_restriction
from ler.domain.works import WorkLimits
from ler.errors import NotFoundError, RefusedError

_NOBODY: Final = UUID(int=0)
_FORBIDDEN: Final = "42501"


@dataclass(frozen=True, slots=True)
class StoredRestriction:
    """A restriction as it is kept. Moments are aware UTC."""

    restriction: Restriction
    seq: int
    changed_at: datetime
    ended_at: datetime | None


def judged_restriction(
    values: Values, geometry: BaseGeometry, organisation_id: UUID, *, coverage: Coverage, base: str = ""
) -> tuple[Restriction | None, list[Fault]]:
    """Return the restriction of a record that is not entered yet, or None, and all that is wrong with it."""
    wanted, faults = read_restriction(
        values, geometry, restriction_id=_NOBODY, organisation_id=organisation_id, base=base
    )
    if wanted and not faults:
        faults = restriction_faults(wanted, coverage=coverage, limits=WorkLimits(), base=base)
    return wanted, faults


def enter_restrictions(
    connection: Connection,
    organisation_id: UUID,
    restrictions: Sequence[Restriction],
    *,
    source: str | None = None,
) -> list[UUID]:
    """Enter restrictions in which no fault was found, all or none; return their ids in the order given.

    RefusedError `restriction-not-yours` for a place where the organisation has no say.
    """
    if not restrictions:
        return []
    rows = [
        {name: getattr(one, name) for name in RESTRICTION_FIELDS}
        | {"kind": one.kind.value, "organisation_id": organisation_id, "geom": from_shape(one.geometry, SRID)}
        for one in restrictions
    ]
    made = restriction.insert().returning(restriction.c.id, sort_by_parameter_order=True)
    try:
        ids = [UUID(str(found)) for found in connection.execute(made, rows).scalars()]
    except ProgrammingError as error:
        if sqlstate(error) != _FORBIDDEN:
            raise
        raise RefusedError(
            "restriction-not-yours", "you are not the road authority of each place that you restrict"
        ) from error
    details: dict[str, object] = {"restrictions": len(ids)} | ({"file": source} if source else {})
    first = ids[0] if len(ids) == 1 else None
    record_event(connection, "owner:restriction:add", actor=organisation_id, object_id=first, details=details)
    return ids


def end_restriction(
    connection: Connection, organisation_id: UUID, restriction_id: UUID, *, expected_version: int
) -> StoredRestriction:
    """End a restriction; it stays on record.

    NotFoundError for none of the acting organisation's that holds, RefusedError `precondition-failed` for another version.
    """
    found = get_restriction(connection, restriction_id)
    if found.restriction.organisation_id != organisation_id or found.ended_at:
        raise NotFoundError("There is no such restriction.")
    ended = (
        update(restriction)
        .where(restriction.c.id == restriction_id, restriction.c.version == expected_version)
        .values(version=expected_version + 1, changed_at=func.now(), ended_at=func.now())
    )
    if not connection.execute(ended).rowcount:
        raise RefusedError(
            "precondition-failed", "the restriction has changed since you read it; read it again"
        )
    record_event(connection, "owner:restriction:end", actor=organisation_id, object_id=restriction_id)
    return get_restriction(connection, restriction_id)


def find_restriction(connection: Connection, restriction_id: UUID) -> StoredRestriction | None:
    """Return a restriction that the acting organisation may see, its own ended ones too; None for any other."""
    query = select(restriction).where(restriction.c.id == restriction_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _stored(row)


def get_restriction(connection: Connection, restriction_id: UUID) -> StoredRestriction:
    """Return a restriction that the acting organisation may see; NotFoundError for any other."""
    found = find_restriction(connection, restriction_id)
    if found is None:
        raise NotFoundError("There is no such restriction.")
    return found


def list_restrictions(
    connection: Connection,
    *,
    organisation_id: UUID | None = None,
    area: BaseGeometry | None = None,
    period: tuple[date, date] | None = None,
    after: int = 0,
    limit: int | None = None,
) -> list[StoredRestriction]:
    """Return the restrictions that hold, in the order in which they were entered; filters as for `list_works`."""
    columns = restriction.c
    query = (
        select(restriction)
        .where(columns.ended_at.is_(None), columns.seq > after)
        .order_by(columns.seq)
        .limit(limit)
    )
    if organisation_id is not None:
        query = query.where(columns.organisation_id == organisation_id)
    if area is not None:
        query = query.where(func.ST_Intersects(columns.geom, from_shape(area, srid=SRID)))
    if period is not None:
        query = query.where(
            columns.first_day <= period[1], or_(columns.last_day.is_(None), columns.last_day >= period[0])
        )
    return [_stored(row) for row in connection.execute(query).mappings()]


def restriction_of(row: Mapping[Any, Any]) -> Restriction:
    """Return the restriction of a row of `ler.restriction`."""
    values = {name: row[name] for name in RESTRICTION_FIELDS} | {"kind": RestrictionKind(row["kind"])}
    return Restriction(
        id=row["id"],
        organisation_id=row["organisation_id"],
        version=row["version"],
        geometry=to_shape(row["geom"]),
        **values,
    )


def _stored(row: Mapping[Any, Any]) -> StoredRestriction:
    return StoredRestriction(restriction_of(row), row["seq"], row["changed_at"], row["ended_at"])
