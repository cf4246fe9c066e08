"""Planned works: entered, replaced, changed and ended by their organisation, and read by everybody who takes part.

The transaction acts for `organisation_id`. Each change names the version that it was made of, so that nobody undoes what
another has done meanwhile. Works near a work are found by `conflicts`, not here: who changes works calls it in the same
transaction (`geoapi.works_desk`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import shapely
from geoalchemy2.shape import from_shape, to_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ler.db.engine import sqlstate
from ler.db.functions import record_event
from ler.db.tables import SRID, planned_work
from ler.domain.faults import Fault, refuse_faults
from ler.domain.work_record import WORK_FIELDS, Values, merged, read_work, record_of
from ler.domain.works import (
    Method,
    PlannedWork,
    RoadOccupation,
    Surface,
    WorkRules,
    WorkStatus,
    status_fault,
)
from ler.errors import NotFoundError, RefusedError

MOST_AT_ONCE: Final = 20_000
"""Works of one file."""

_NOBODY: Final = UUID(int=0)
_CHANGED: Final = "the work has changed since you read it; read it again"
_CODES: Final[Mapping[str, Callable[[str], object]]] = {
    "method": Method,
    "road": RoadOccupation,
    "surface": Surface,
    "status": WorkStatus,
}
_TAKEN: Final = "23505"
_BESIDE: Final = text("SELECT ler.works_beside(:works, :within_m)")


@dataclass(frozen=True, slots=True)
class StoredWork:
    """A work as it is kept. Moments are aware UTC."""

    work: PlannedWork
    seq: int
    """Its place in the order of entry."""
    changed_at: datetime
    ended_at: datetime | None


def create_work(
    connection: Connection,
    organisation_id: UUID,
    values: Values,
    geometry: BaseGeometry,
    *,
    rules: WorkRules,
    base: str = "",
) -> StoredWork:
    """Enter a work of the acting organisation, geometry in EPSG:25832. FaultsError; `base` leads to the values."""
    wanted, faults = judged_work(values, geometry, organisation_id, rules, base=base)
    refuse_faults(faults)
    return get_work(connection, enter_works(connection, organisation_id, [wanted] if wanted else [])[0])


def judged_work(
    values: Values, geometry: BaseGeometry, organisation_id: UUID, rules: WorkRules, *, base: str = ""
) -> tuple[PlannedWork | None, list[Fault]]:
    """Return the work of a record that is not entered yet, or None, and all that is wrong with it."""
    wanted, faults = read_work(values, geometry, work_id=_NOBODY, organisation_id=organisation_id, base=base)
    return wanted, faults or (rules.faults(wanted, base) if wanted else [])


def enter_works(
    connection: Connection, organisation_id: UUID, works: Sequence[PlannedWork], *, source: str | None = None
) -> list[UUID]:
    """Enter works in which no fault was found, all or none; return their ids in the order given.

    `source` names the file that they came from, for the record. RefusedError `work-reference` for a reference that names
    another work of the organisation.
    """
    if not works:
        return []
    rows = [_columns(one) | {"organisation_id": organisation_id} for one in works]
    made = planned_work.insert().returning(planned_work.c.id, sort_by_parameter_order=True)
    with _references():
        ids = [UUID(str(found)) for found in connection.execute(made, rows).scalars()]
    details: dict[str, object] = {"works": len(ids)} | ({"file": source} if source else {})
    first = ids[0] if len(ids) == 1 else None
    record_event(connection, "owner:work:add", actor=organisation_id, object_id=first, details=details)
    return ids


def replace_work(
    connection: Connection,
    organisation_id: UUID,
    work_id: UUID,
    values: Values,
    geometry: BaseGeometry,
    *,
    rules: WorkRules,
    expected_version: int,
    base: str = "",
) -> StoredWork:
    """Say a work anew, all of it: what is not said has its default, but for the status, which stays.

    NotFoundError for none of the acting organisation's, RefusedError `precondition-failed` when it has another version than
    the one expected, FaultsError for what is wrong with it and for a status that cannot follow.
    """
    before = _own(connection, organisation_id, work_id, expected_version)
    told = {"status": before.work.status.value} | dict(values)
    wanted, faults = read_work(
        told, geometry, work_id=work_id, organisation_id=organisation_id, version=expected_version, base=base
    )
    refuse_faults(faults)
    if wanted is None:
        raise TypeError("a work without faults is there")
    step = status_fault(before.work.status, wanted.status)
    refuse_faults(
        [
            *rules.faults(wanted, base),
            *([Fault(step.code, base + step.pointer, step.message)] if step else []),
        ]
    )
    changed = changed_names(before.work, wanted)
    if not changed:
        return before
    moved = (
        update(planned_work)
        .where(planned_work.c.id == work_id, planned_work.c.version == expected_version)
        .values(**_columns(wanted), version=expected_version + 1, changed_at=func.now())
    )
    with _references():
        if not connection.execute(moved).rowcount:
            raise RefusedError("precondition-failed", _CHANGED)
    details = {"version": expected_version + 1, "changed": changed}
    record_event(connection, "owner:work:change", actor=organisation_id, object_id=work_id, details=details)
    return get_work(connection, work_id)


def change_work(
    connection: Connection,
    organisation_id: UUID,
    work_id: UUID,
    patch: Values,
    *,
    rules: WorkRules,
    geometry: BaseGeometry | None = None,
    expected_version: int,
    base: str = "",
) -> StoredWork:
    """Change what a patch names (JSON merge patch, RFC 7396): null takes a value away; the place when one is given.

    Errors as for `replace_work`.
    """
    before = _own(connection, organisation_id, work_id, expected_version)
    return replace_work(
        connection,
        organisation_id,
        work_id,
        merged(record_of(before.work), patch),
        before.work.geometry if geometry is None else geometry,
        rules=rules,
        expected_version=expected_version,
        base=base,
    )


def end_work(
    connection: Connection, organisation_id: UUID, work_id: UUID, *, expected_version: int
) -> StoredWork:
    """Take a work out of what is planned; it stays on record, and ends the diversions past it.

    NotFoundError and `precondition-failed` as for `replace_work`.
    """
    _own(connection, organisation_id, work_id, expected_version)
    ended = (
        update(planned_work)
        .where(planned_work.c.id == work_id, planned_work.c.version == expected_version)
        .values(version=expected_version + 1, changed_at=func.now(), ended_at=func.now())
    )
    if not connection.execute(ended).rowcount:
        raise RefusedError("precondition-failed", _CHANGED)
    details = {"version": expected_version + 1}
    record_event(connection, "owner:work:end", actor=organisation_id, object_id=work_id, details=details)
    return get_work(connection, work_id)


def find_work(connection: Connection, work_id: UUID) -> StoredWork | None:
    """Return a work that the acting organisation may see, its own ended ones too; None for any other."""
    row = (
        connection.execute(select(planned_work).where(planned_work.c.id == work_id)).mappings().one_or_none()
    )
    return None if row is None else _stored(row)


def get_work(connection: Connection, work_id: UUID) -> StoredWork:
    """Return a work that the acting organisation may see; NotFoundError for any other."""
    found = find_work(connection, work_id)
    if found is None:
        raise NotFoundError("There is no such work.")
    return found


def list_works(
    connection: Connection,
    *,
    organisation_id: UUID | None = None,
    ids: Collection[UUID] | None = None,
    statuses: Collection[WorkStatus] | None = None,
    area: BaseGeometry | None = None,
    period: tuple[date, date] | None = None,
    after: int = 0,
    limit: int | None = None,
) -> list[StoredWork]:
    """Return the works that hold and that the acting organisation may see, in the order in which they were entered.

    Those of one organisation, with these ids, of these statuses, that touch an area (EPSG:25832), that may be going on in a period; after a
    place in that order, at most `limit`.
    """
    columns = planned_work.c
    query = (
        select(planned_work)
        .where(columns.ended_at.is_(None), columns.seq > after)
        .order_by(columns.seq)
        .limit(limit)
    )
    if organisation_id is not None:
        query = query.where(columns.organisation_id == organisation_id)
    if ids is not None:
        query = query.where(columns.id.in_(sorted(ids)))
    if statuses is not None:
        query = query.where(columns.status.in_([one.value for one in statuses]))
    if area is not None:
        query = query.where(columns.status != WorkStatus.DRAFT.value, _touches(area))
    if period is not None:
        query = query.where(columns.earliest_start <= period[1], columns.latest_end >= period[0])
    return [_stored(row) for row in connection.execute(query).mappings()]


def works_beside(connection: Connection, work_ids: Collection[UUID], within_m: float) -> set[UUID]:
    """Return the ids of all published works whose footprint lies within a distance of that of one of these, and of some more."""
    values = {"works": sorted(work_ids), "within_m": within_m}
    return {UUID(str(one)) for one in connection.execute(_BESIDE, values).scalars()}


def works_by_reference(
    connection: Connection, organisation_id: UUID, references: Collection[str]
) -> dict[str, StoredWork]:
    """Return the works of the acting organisation that hold, by their own numbers."""
    columns = planned_work.c
    query = select(planned_work).where(
        columns.organisation_id == organisation_id,
        columns.ended_at.is_(None),
        columns.reference.in_(sorted(references)),
    )
    found = [_stored(row) for row in connection.execute(query).mappings()]
    return {str(one.work.reference): one for one in found}


def changed_names(before: PlannedWork, after: PlannedWork) -> list[str]:
    """Return the names of what two states of a work say differently."""
    names = [name for name in WORK_FIELDS if getattr(before, name) != getattr(after, name)]
    return names if shapely.equals_identical(before.geometry, after.geometry) else [*names, "geometry"]


def work_of(row: Mapping[Any, Any]) -> PlannedWork:
    """Return the work of a row of `ler.planned_work`."""
    values = {name: row[name] for name in WORK_FIELDS}
    values |= {name: kind(values[name]) for name, kind in _CODES.items()}
    return PlannedWork(
        id=row["id"],
        organisation_id=row["organisation_id"],
        version=row["version"],
        geometry=to_shape(row["geom"]),
        **values,
    )


def _own(connection: Connection, organisation_id: UUID, work_id: UUID, expected_version: int) -> StoredWork:
    found = find_work(connection, work_id)
    if found is None or found.work.organisation_id != organisation_id or found.ended_at is not None:
        raise NotFoundError("There is no such work.")
    if found.work.version != expected_version:
        raise RefusedError("precondition-failed", _CHANGED)
    return found


def _columns(work: PlannedWork) -> dict[str, object]:
    values = {name: getattr(work, name) for name in WORK_FIELDS}
    values |= {name: values[name].value for name in _CODES}
    return values | {"geom": from_shape(work.geometry, srid=SRID)}


@contextmanager
def _references() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if sqlstate(error) != _TAKEN:
            raise
        raise RefusedError(
            "work-reference", "a reference names another work of yours: change that one, or end it"
        ) from error


def _touches(area: BaseGeometry) -> ColumnElement[bool]:
    return func.ST_Intersects(planned_work.c.geom, from_shape(area, srid=SRID))


def _stored(row: Mapping[Any, Any]) -> StoredWork:
    return StoredWork(work_of(row), row["seq"], row["changed_at"], row["ended_at"])
