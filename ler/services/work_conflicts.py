"""Conflicts of works as those who take part see them, and each side's word on them.

The transaction acts for `organisation_id`. Conflicts are found by `conflicts.work_conflict_store`; nothing here computes any.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import ProgrammingError

from ler.db.engine import sqlstate
from ler.db.functions import record_event
from ler.db.tables import planned_work, restriction, work_conflict, work_judgement
from ler.domain.faults import refuse_faults
from ler.domain.registration import text_faults
from ler.domain.work_conflicts import JudgementState, WorkConflictKind, judgement_state
from ler.errors import NotFoundError

LONGEST_NOTE = 500
_FORBIDDEN = "42501"


@dataclass(frozen=True, slots=True)
class KeptConflict:
    """A conflict as it is kept, and where it stands with the acting organisation. Moments are aware UTC."""

    id: UUID
    kind: WorkConflictKind
    work_id: UUID
    other_work_id: UUID | None
    restriction_id: UUID | None
    place: BaseGeometry
    """EPSG:25832."""
    distance_m: float
    first_day: date
    last_day: date
    certain: bool
    found_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    state: JudgementState
    is_conflict: bool | None
    """The acting organisation's word, also one that is to be given anew; None: not given."""
    note: str


def list_conflicts(
    connection: Connection,
    organisation_id: UUID,
    *,
    thing_id: UUID | None = None,
    own: bool = False,
    state: JudgementState | None = None,
    limit: int | None = None,
) -> list[KeptConflict]:
    """Return the conflicts that hold, in the order of their first days.

    Those of a work or restriction, those of which the organisation is a side (`own`), those in a state with it.
    """
    columns = work_conflict.c
    query = _query(organisation_id).where(columns.ended_at.is_(None)).order_by(columns.first_day, columns.id)
    if thing_id is not None:
        query = query.where(
            or_(
                columns.work_id == thing_id,
                columns.other_work_id == thing_id,
                columns.restriction_id == thing_id,
            )
        )
    if own:
        mine = select(planned_work.c.id).where(planned_work.c.organisation_id == organisation_id)
        rules = select(restriction.c.id).where(restriction.c.organisation_id == organisation_id)
        query = query.where(
            or_(
                columns.work_id.in_(mine),
                columns.other_work_id.in_(mine),
                columns.restriction_id.in_(rules),
            )
        )
    found = [_conflict(row) for row in connection.execute(query)]
    return [one for one in found if state in {None, one.state}][:limit]


def get_conflict(connection: Connection, organisation_id: UUID, conflict_id: UUID) -> KeptConflict:
    """Return a conflict, also one that is over; NotFoundError for none."""
    row = connection.execute(_query(organisation_id).where(work_conflict.c.id == conflict_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such conflict.")
    return _conflict(row)


def judge_conflict(
    connection: Connection, organisation_id: UUID, conflict_id: UUID, *, is_conflict: bool, note: str = ""
) -> KeptConflict:
    """Say whether a conflict is one; a later word takes the place of an earlier one.

    FaultsError for a note that is none; NotFoundError for one that is over, and for who is neither a side nor supervises it.
    """
    refuse_faults([*text_faults("/note", note, LONGEST_NOTE, empty=True)])
    row = connection.execute(
        select(work_conflict.c.fingerprint).where(
            work_conflict.c.id == conflict_id, work_conflict.c.ended_at.is_(None)
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such conflict.")
    word = {"is_conflict": is_conflict, "note": note.strip(), "fingerprint": row.fingerprint}
    given = insert(work_judgement).values(conflict_id=conflict_id, organisation_id=organisation_id, **word)
    try:
        connection.execute(
            given.on_conflict_do_update(
                index_elements=["conflict_id", "organisation_id"], set_=word | {"judged_at": func.now()}
            )
        )
    except ProgrammingError as error:
        if sqlstate(error) != _FORBIDDEN:
            raise
        raise NotFoundError("There is no such conflict of yours.") from error
    details = {"is_conflict": is_conflict}
    record_event(
        connection, "owner:work_conflict:judge", actor=organisation_id, object_id=conflict_id, details=details
    )
    return get_conflict(connection, organisation_id, conflict_id)


def _query(organisation_id: UUID) -> Select[Any]:
    """Conflicts, each with the organisation's word."""
    own = and_(
        work_judgement.c.conflict_id == work_conflict.c.id,
        work_judgement.c.organisation_id == organisation_id,
    )
    return select(
        work_conflict,
        work_judgement.c.is_conflict,
        work_judgement.c.note,
        work_judgement.c.fingerprint.label("judged"),
    ).outerjoin(work_judgement, own)


def _conflict(row: Row[Any]) -> KeptConflict:
    return KeptConflict(
        id=row.id,
        kind=WorkConflictKind(row.kind),
        work_id=row.work_id,
        other_work_id=row.other_work_id,
        restriction_id=row.restriction_id,
        place=to_shape(row.geom),
        distance_m=row.distance_m,
        first_day=row.first_day,
        last_day=row.last_day,
        certain=row.certain,
        found_at=row.created_at,
        changed_at=row.changed_at,
        ended_at=row.ended_at,
        state=judgement_state(row.judged, row.fingerprint),
        is_conflict=row.is_conflict,
        note=row.note or "",
    )
