"""How much an organisation may ask for: set by the operator, for one or for all that have no limits of their own."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from ler.db.tables import PLATFORM_OPERATOR, request_limit
from ler.errors import NotFoundError, RefusedError
from ler.services.register_acts import record_act, refuse_by_mandate, require_operator

_FIELDS: Final = ("requests_per_day", "area_m2_per_day", "area_m2_per_month")


@dataclass(frozen=True, slots=True)
class AskingLimit:
    """What may be asked for in 24 hours and in 30 days; None: as much as one likes."""

    owner_id: UUID | None
    """None: for all that have none of their own."""
    requests_per_day: int | None
    area_m2_per_day: float | None
    area_m2_per_month: float | None


def set_limit(connection: Connection, acting: UUID, limit: AskingLimit) -> None:
    """Set the limits of an organisation, or of all that have none of their own; the operator acts.

    RefusedError `role-missing` for anybody else, `limit-invalid` for less than nothing.
    """
    _check_acting(connection, acting)
    values = {name: getattr(limit, name) for name in _FIELDS}
    if any(value is not None and not 0 <= value < float("inf") for value in values.values()):
        raise RefusedError("limit-invalid", "a limit is nothing or more than that")
    changed = values | {"changed_at": func.now()}
    made = insert(request_limit).values(owner_id=limit.owner_id, **changed)
    connection.execute(
        made.on_conflict_do_update(index_elements=[request_limit.c.owner_id], set_=changed).returning(
            request_limit.c.owner_id
        )
    )
    record_act(connection, acting, "request_limit:set", limit.owner_id or PLATFORM_OPERATOR, values)


def remove_limit(connection: Connection, acting: UUID, owner_id: UUID) -> None:
    """Take an organisation's own limits away: those of all hold for it; NotFoundError when it has none."""
    _check_acting(connection, acting)
    if not connection.execute(delete(request_limit).where(request_limit.c.owner_id == owner_id)).rowcount:
        raise NotFoundError("the organisation has no limits of its own")
    record_act(connection, acting, "request_limit:remove", owner_id)


def list_limits(connection: Connection) -> list[AskingLimit]:
    """Return the limits that the acting principal may see, those of all first."""
    columns = request_limit.c
    query = select(columns.owner_id, *(columns[name] for name in _FIELDS)).order_by(
        columns.owner_id.nulls_first()
    )
    return [AskingLimit(*row) for row in connection.execute(query)]


def _check_acting(connection: Connection, acting: UUID) -> None:
    require_operator(acting)
    refuse_by_mandate(connection)
