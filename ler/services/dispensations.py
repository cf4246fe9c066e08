"""Dispensations: the operator lets an owner answer within days instead of hours, for a reason and a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.engine import Connection

from ler.db.tables import dispensation
from ler.domain.faults import refuse_faults
from ler.domain.registration import text_faults
from ler.errors import NotFoundError, RefusedError
from ler.services.register_acts import record_act, refuse_by_mandate, require_operator

_LONGEST_REASON: Final = 500
_COLUMNS: Final = (
    dispensation.c.id,
    dispensation.c.owner_id,
    dispensation.c.valid_from,
    dispensation.c.valid_to,
    dispensation.c.reason,
)


@dataclass(frozen=True, slots=True)
class Dispensation:
    """Leave of an owner to answer by the longer deadline. Moments are aware UTC."""

    id: UUID
    owner_id: UUID
    valid_from: datetime
    valid_to: datetime | None
    """The first moment at which it holds no longer; None: until it is ended."""
    reason: str


def give_dispensation(
    connection: Connection,
    acting: UUID,
    owner_id: UUID,
    reason: str,
    *,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> Dispensation:
    """Record a dispensation of a registered organisation from now on, or from a later moment; the operator acts.

    It counts for what the owner is asked while it holds. RefusedError `role-missing` for anybody else, `period-invalid`
    for a time that ends before it begins; FaultsError for a reason that is none.
    """
    _check_acting(connection, acting)
    refuse_faults([*text_faults("/reason", reason, _LONGEST_REASON)])
    if valid_from and valid_to and valid_to <= valid_from:
        raise RefusedError("period-invalid", "the dispensation ends before it begins")
    if valid_to and not valid_from and valid_to <= connection.execute(select(func.now())).scalar_one():
        raise RefusedError("period-invalid", "the dispensation would be over already")
    values = {
        "owner_id": owner_id,
        "valid_from": valid_from or func.now(),
        "valid_to": valid_to,
        "reason": reason.strip(),
    }
    made = connection.execute(dispensation.insert().values(values).returning(dispensation.c.id)).scalar_one()
    record_act(connection, acting, "dispensation:give", made, {"owner_id": str(owner_id)})
    return get_dispensation(connection, made)


def end_dispensation(connection: Connection, acting: UUID, dispensation_id: UUID) -> Dispensation:
    """End a dispensation now; who was asked while it held keeps its time. NotFoundError for none that holds."""
    get_dispensation(connection, dispensation_id)
    _check_acting(connection, acting)
    columns, now = dispensation.c, func.greatest(func.now(), dispensation.c.valid_from)
    ended = connection.execute(
        update(dispensation)
        .where(columns.id == dispensation_id, or_(columns.valid_to.is_(None), columns.valid_to > now))
        .values(valid_to=now)
    )
    if not ended.rowcount:
        raise NotFoundError("no such dispensation holds")
    record_act(connection, acting, "dispensation:end", dispensation_id)
    return get_dispensation(connection, dispensation_id)


def get_dispensation(connection: Connection, dispensation_id: UUID) -> Dispensation:
    """Return a dispensation that the acting principal may see; NotFoundError for any other."""
    row = connection.execute(select(*_COLUMNS).where(dispensation.c.id == dispensation_id)).one_or_none()
    if row is None:
        raise NotFoundError("no such dispensation")
    return Dispensation(*row)


def list_dispensations(connection: Connection, owner_id: UUID | None = None) -> list[Dispensation]:
    """Return the dispensations that the acting principal may see, of one owner or of all, the newest first."""
    query = select(*_COLUMNS).order_by(dispensation.c.created_at.desc(), dispensation.c.id)
    if owner_id:
        query = query.where(dispensation.c.owner_id == owner_id)
    return [Dispensation(*row) for row in connection.execute(query)]


def _check_acting(connection: Connection, acting: UUID) -> None:
    require_operator(acting)
    refuse_by_mandate(connection)
