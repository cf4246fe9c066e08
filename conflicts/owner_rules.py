"""What owners ask to be kept from their own lines: said, ended and listed by themselves, and recorded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, ProgrammingError

from conflicts.clearances import Rule, load_clearances, read_rule
from ler.db.engine import sqlstate
from ler.db.functions import record_event
from ler.db.tables import owner_clearance
from ler.errors import NotFoundError, RefusedError

_TAKEN: Final = "23505"
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """A rule of an owner's. Moments are aware UTC."""

    rule: Rule
    created_at: datetime
    ended_at: datetime | None


def add_owner_rule(connection: Connection, owner_id: UUID, rule: Rule) -> None:
    """Let a rule hold for the acting owner's lines from now on.

    RefusedError `clearance-exists` when one of that id holds, `clearances-invalid` when it is not sound together with the
    others, or there would be too many, `role-missing` for who is no owner.
    """
    others = [one.rule for one in list_owner_rules(connection, owner_id) if one.ended_at is None]
    if len(others) >= _MOST:
        raise RefusedError("clearances-invalid", f"an owner may have {_MOST} rules")
    if rule.id in {one.id for one in others}:
        raise RefusedError("clearance-exists", f"you have a rule {rule.id}: end it first")
    load_clearances(of_owners={owner_id: [*others, rule]})
    values = {"owner_id": owner_id, "name": rule.id, "rule": rule.model_dump(mode="json", exclude_none=True)}
    try:
        connection.execute(owner_clearance.insert().inline().values(values))
    except ProgrammingError as error:
        raise RefusedError("role-missing", "only owners of lines say what is kept from them") from error
    except DBAPIError as error:
        if sqlstate(error) != _TAKEN:
            raise
        raise RefusedError("clearance-exists", f"you have a rule {rule.id}: end it first") from error
    record_event(connection, "ler:owner_clearance:add", actor=owner_id, details={"name": rule.id})


def end_owner_rule(connection: Connection, owner_id: UUID, name: str) -> None:
    """End a rule of the acting owner's. NotFoundError for none that holds."""
    columns = owner_clearance.c
    ended = connection.execute(
        update(owner_clearance)
        .where(columns.owner_id == owner_id, columns.name == name, columns.ended_at.is_(None))
        .values(ended_at=func.now())
    )
    if not ended.rowcount:
        raise NotFoundError(f"you have no rule {name}")
    record_event(connection, "ler:owner_clearance:end", actor=owner_id, details={"name": name})


def list_owner_rules(connection: Connection, owner_id: UUID) -> list[OwnerRule]:
    """Return the rules of the acting owner, by name, those that have ended too."""
    columns = owner_clearance.c
    query = select(columns.rule, columns.created_at, columns.ended_at).where(columns.owner_id == owner_id)
    rows = connection.execute(query.order_by(columns.name, columns.created_at))
    return [OwnerRule(read_rule(row.rule), row.created_at, row.ended_at) for row in rows]
