"""Members: the people who may act for an organisation, entered and ended by its administrators or the operator."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ler.db.tables import account
from ler.domain.faults import Fault, refuse_faults
from ler.domain.registration import LONGEST_NAME, email_faults, text_faults
from ler.errors import NotFoundError, RefusedError
from ler.services.register_acts import record_act, refuse_by_mandate

LANGUAGES: Final = ("da", "en")
_LONGEST_EMAIL: Final = 254
_COLUMNS: Final = (
    *("id", "organisation_id", "name", "email", "language", "administrator", "created_at", "ended_at"),
)
_TAKEN: Final = ("member-taken", "there is a member with that e-mail address already")


@dataclass(frozen=True, slots=True)
class Member:
    """A person that acts for an organisation."""

    id: UUID
    organisation_id: UUID
    name: str
    email: str
    language: str
    administrator: bool
    """May change the organisation's entry, its members and its tokens."""
    created_at: datetime
    ended_at: datetime | None


def add_member(
    connection: Connection,
    acting: UUID,
    organisation_id: UUID,
    *,
    name: str,
    email: str,
    language: str = "da",
    administrator: bool = False,
) -> Member:
    """Enter a member of the acting organisation, or as the operator of any. FaultsError, RefusedError `member-taken`."""
    refuse_by_mandate(connection)
    _check(name, email, language)
    values = {
        "organisation_id": organisation_id,
        "name": name.strip(),
        "email": email,
        "language": language,
        "administrator": administrator,
    }
    try:
        with connection.begin_nested():
            made = connection.execute(account.insert().values(values).returning(account.c.id)).scalar_one()
    except IntegrityError:
        raise RefusedError(*_TAKEN) from None
    record_act(connection, acting, "account:add", made, {"organisation_id": str(organisation_id)})
    return get_member(connection, made)


def change_member(
    connection: Connection,
    acting: UUID,
    member_id: UUID,
    *,
    name: str,
    email: str,
    language: str,
    administrator: bool,
) -> Member:
    """Change a member. NotFoundError for one that has ended or is not the acting principal's to change."""
    refuse_by_mandate(connection)
    _check(name, email, language)
    get_member(connection, member_id)
    values = {"name": name.strip(), "email": email, "language": language, "administrator": administrator}
    query = update(account).where(account.c.id == member_id, account.c.ended_at.is_(None))
    try:
        with connection.begin_nested():
            changed = connection.execute(query.values(values)).rowcount
    except IntegrityError:
        raise RefusedError(*_TAKEN) from None
    if not changed:
        raise NotFoundError("no such member")
    record_act(connection, acting, "account:change", member_id, {"administrator": administrator})
    return get_member(connection, member_id)


def end_member(connection: Connection, acting: UUID, member_id: UUID) -> Member:
    """End a member at once; what it did stays recorded. NotFoundError as for `change_member`."""
    refuse_by_mandate(connection)
    query = update(account).where(account.c.id == member_id, account.c.ended_at.is_(None))
    if not connection.execute(query.values(ended_at=func.now())).rowcount:
        raise NotFoundError("no such member")
    record_act(connection, acting, "account:end", member_id)
    return get_member(connection, member_id)


def get_member(connection: Connection, member_id: UUID) -> Member:
    """Return a member that the acting principal may see; NotFoundError for any other."""
    row = connection.execute(_query().where(account.c.id == member_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no such member")
    return Member(**row)


def list_members(connection: Connection, organisation_id: UUID, *, ended: bool = False) -> list[Member]:
    """Return the members of an organisation that the acting principal may see, by name; with `ended` all that were."""
    query = _query().where(account.c.organisation_id == organisation_id)
    if not ended:
        query = query.where(account.c.ended_at.is_(None))
    rows = connection.execute(query.order_by(account.c.name, account.c.id)).mappings()
    return [Member(**row) for row in rows]


def _check(name: str, email: str, language: str) -> None:
    faults = [
        *text_faults("/name", name, LONGEST_NAME),
        *email_faults("/email", email, _LONGEST_EMAIL),
    ]
    if language not in LANGUAGES:
        faults.append(Fault("language-unknown", "/language", f"{language!r} is neither da nor en"))
    refuse_faults(faults)


def _query() -> Select[Any]:
    return select(*(account.c[name] for name in _COLUMNS))
