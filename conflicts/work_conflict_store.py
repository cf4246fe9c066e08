"""Keeps `ler.work_conflict` true: after a change, what clashes with what was changed is found anew and compared with what is kept.

The transaction acts for the organisation of what was changed, or for the operator, who may look at all. Those who change
works at the same time wait for each other here, so that none misses the other.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from geoalchemy2.shape import from_shape
from sqlalchemy import Select, func, insert, or_, select, text, update
from sqlalchemy.engine import Connection

from conflicts.work_conflicts import find_work_conflicts
from ler.db.tables import SRID, planned_work, restriction, work_conflict
from ler.domain.calendar import WorkingCalendar
from ler.domain.restrictions import Restriction
from ler.domain.work_conflicts import WorkConflict
from ler.domain.works import ACTIVE, WIDEST_M, PlannedWork
from ler.services.restrictions import restriction_of
from ler.services.works import work_of

type CalendarBetween = Callable[[date, date], WorkingCalendar]
"""The working calendar of the years of two days."""

MOST_LOOKED_UP: Final = 500
"""Changed things whose surroundings are looked up; for more of them everything is read."""

# A file of 20,000 works takes seconds; who changes one work meanwhile waits for it.
_PATIENT: Final = text("SELECT set_config('lock_timeout', '50s', true)")
_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('work conflicts', 0))")
_NEAR: Final = text("SELECT work_id, restriction_id FROM ler.works_near(:things, :reach_m)")
_ROADS_M: Final = 10.0
"""More than a line of a restriction reaches to its sides, and a pit beyond the end of a bore."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of the conflicts of what was changed."""

    entered: tuple[UUID, ...]
    changed: tuple[UUID, ...]
    """Still there, and to be judged anew."""
    ended: tuple[UUID, ...]


def refresh_work_conflicts(
    connection: Connection,
    things: AbstractSet[UUID] | None,
    *,
    calendar_between: CalendarBetween,
    adjacent_m: float,
) -> Refreshed:
    """Find the conflicts of these works and restrictions (None: of all) anew, and enter, change or end what is kept of them."""
    connection.execute(_PATIENT)
    connection.execute(_ALONE)
    works, restrictions = _surroundings(connection, things, adjacent_m)
    found = _find(works, restrictions, things, calendar_between, adjacent_m)
    kept = {_sides(row): row for row in connection.execute(_kept(things)).mappings()}
    now = {one.sides: one for one in found}
    entered = [one for sides, one in now.items() if sides not in kept]
    changed = [
        (kept[sides]["id"], one)
        for sides, one in now.items()
        if sides in kept and kept[sides]["fingerprint"] != one.fingerprint
    ]
    ended = [row["id"] for sides, row in kept.items() if sides not in now]
    return Refreshed(_enter(connection, entered), _change(connection, changed), _end(connection, ended))


def _find(
    works: list[PlannedWork],
    restrictions: list[Restriction],
    things: AbstractSet[UUID] | None,
    calendar_between: CalendarBetween,
    adjacent_m: float,
) -> list[WorkConflict]:
    if not works:
        return []
    calendar = calendar_between(
        min(one.earliest_start for one in works), max(one.latest_end for one in works)
    )
    return find_work_conflicts(works, restrictions, calendar=calendar, adjacent_m=adjacent_m, touching=things)


def _surroundings(
    connection: Connection, things: AbstractSet[UUID] | None, adjacent_m: float
) -> tuple[list[PlannedWork], list[Restriction]]:
    """The works and restrictions that may clash with these; more than do."""
    works, restrictions = select(planned_work), select(restriction)
    if things is not None and len(things) <= MOST_LOOKED_UP:
        # Two trenches of the greatest width may reach each other corner to corner.
        values = {"things": [*things], "reach_m": adjacent_m + 2 * WIDEST_M + _ROADS_M}
        near = connection.execute(_NEAR, values).all()
        works = works.where(planned_work.c.id.in_([row.work_id for row in near if row.work_id]))
        restrictions = restrictions.where(
            restriction.c.id.in_([row.restriction_id for row in near if row.restriction_id])
        )
    works = works.where(
        planned_work.c.ended_at.is_(None), planned_work.c.status.in_([one.value for one in ACTIVE])
    )
    restrictions = restrictions.where(restriction.c.ended_at.is_(None))
    return (
        [work_of(row) for row in connection.execute(works).mappings()],
        [restriction_of(row) for row in connection.execute(restrictions).mappings()],
    )


def _kept(things: AbstractSet[UUID] | None) -> Select[Any]:
    columns = work_conflict.c
    query = select(
        columns.id, columns.work_id, columns.other_work_id, columns.restriction_id, columns.fingerprint
    ).where(columns.ended_at.is_(None))
    if things is None:
        return query
    ids = [*things]
    return query.where(
        or_(columns.work_id.in_(ids), columns.other_work_id.in_(ids), columns.restriction_id.in_(ids))
    )


def _sides(row: Mapping[Any, Any]) -> tuple[UUID, UUID]:
    return row["work_id"], row["other_work_id"] or row["restriction_id"]


def _columns(conflict: WorkConflict) -> dict[str, Any]:
    return {
        "kind": conflict.kind.value,
        "geom": from_shape(conflict.place, srid=SRID),
        "distance_m": conflict.distance_m,
        "first_day": conflict.first_day,
        "last_day": conflict.last_day,
        "certain": conflict.certain,
        "fingerprint": conflict.fingerprint,
    }


def _enter(connection: Connection, conflicts: list[WorkConflict]) -> tuple[UUID, ...]:
    if not conflicts:
        return ()
    rows = [
        _columns(one)
        | {
            "work_id": one.work_id,
            "other_work_id": one.other_work_id,
            "restriction_id": one.restriction_id,
        }
        for one in conflicts
    ]
    made = insert(work_conflict).returning(work_conflict.c.id)
    return tuple(connection.execute(made, rows).scalars())


def _change(connection: Connection, changed: list[tuple[UUID, WorkConflict]]) -> tuple[UUID, ...]:
    for conflict_id, conflict in changed:
        connection.execute(
            update(work_conflict)
            .where(work_conflict.c.id == conflict_id)
            .values(**_columns(conflict), changed_at=func.now())
        )
    return tuple(conflict_id for conflict_id, _ in changed)


def _end(connection: Connection, ended: list[UUID]) -> tuple[UUID, ...]:
    if ended:
        connection.execute(
            update(work_conflict)
            .where(work_conflict.c.id.in_(ended))
            .values(ended_at=func.now(), changed_at=func.now())
        )
    return tuple(ended)
