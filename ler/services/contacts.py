"""Contacts of owners: kept by the owner, shown to whoever asked it, and delivered in the package."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ler.db.tables import contact, excavation_request, interest_area, owner_request
from ler.domain.contacts import ContactForm, contact_faults, fitting
from ler.domain.faults import refuse_faults
from ler.domain.roles import Role
from ler.errors import NotFoundError, RefusedError
from ler.model import load_model
from ler.services.grants import roles_now
from ler.services.register_acts import record_act

_TAKEN: Final = (
    "contact-taken",
    "there is a contact of that rank for that purpose and kind of line already",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerContact(ContactForm):
    """A contact as it is kept."""

    id: UUID
    owner_id: UUID
    changed_at: datetime


def add_contact(connection: Connection, owner_id: UUID, form: ContactForm) -> OwnerContact:
    """Enter a contact of the acting owner. FaultsError, and RefusedError when its place is taken."""
    _check(form)
    if Role.OWNER not in roles_now(connection, owner_id):
        raise RefusedError("role-missing", "contacts are of owners of lines: this is none")
    try:
        with connection.begin_nested():
            made = connection.execute(
                contact.insert().values(_values(form) | {"owner_id": owner_id}).returning(contact.c.id)
            ).scalar_one()
    except IntegrityError:
        raise RefusedError(*_TAKEN) from None
    record_act(connection, owner_id, "contact:add", made)
    return get_contact(connection, made)


def change_contact(
    connection: Connection, owner_id: UUID, contact_id: UUID, form: ContactForm
) -> OwnerContact:
    """Change a contact of the acting owner; errors as for `add_contact`, and NotFoundError."""
    _check(form)
    get_contact(connection, contact_id, owner_id)
    query = update(contact).where(contact.c.id == contact_id, contact.c.owner_id == owner_id)
    try:
        with connection.begin_nested():
            connection.execute(query.values(_values(form) | {"changed_at": func.now()}))
    except IntegrityError:
        raise RefusedError(*_TAKEN) from None
    record_act(connection, owner_id, "contact:change", contact_id)
    return get_contact(connection, contact_id, owner_id)


def remove_contact(connection: Connection, owner_id: UUID, contact_id: UUID) -> None:
    """Remove a contact of the acting owner, which may be about a person: nothing of it is kept. NotFoundError."""
    gone = connection.execute(
        delete(contact).where(contact.c.id == contact_id, contact.c.owner_id == owner_id)
    )
    if not gone.rowcount:
        raise NotFoundError("no such contact")
    record_act(connection, owner_id, "contact:remove", contact_id)


def get_contact(connection: Connection, contact_id: UUID, owner_id: UUID | None = None) -> OwnerContact:
    """Return a contact that the acting principal may see, of that owner; NotFoundError for any other."""
    query = _query().where(contact.c.id == contact_id)
    if owner_id:
        query = query.where(contact.c.owner_id == owner_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no such contact")
    return OwnerContact(**row)


def list_contacts(connection: Connection, owner_id: UUID) -> list[OwnerContact]:
    """Return an owner's contacts that the acting principal may see."""
    columns = contact.c
    query = _query().where(columns.owner_id == owner_id)
    rows = connection.execute(query.order_by(columns.utility_type, columns.purpose, columns.rank))
    return [OwnerContact(**row) for row in rows.mappings()]


def list_request_contacts(
    connection: Connection, request_id: UUID, purpose: str | None = None
) -> dict[UUID, list[ContactForm]]:
    """Return by owner whom to turn to about a request: for its kind, or for a purpose; the first to try first.

    What the acting requester, or the worker's job about the request, may see; the job is told the contacts of the areas
    that were asked as well, after those of their owner. An owner without contacts is not there: it is reached as it is
    registered.
    """
    kind = connection.execute(
        select(excavation_request.c.kind).where(excavation_request.c.id == request_id)
    ).scalar_one_or_none()
    if kind is None:
        return {}
    types: dict[UUID, set[str] | None] = {}
    of_areas: dict[UUID, list[ContactForm]] = {}
    for row in connection.execute(_areas_asked(request_id)):
        before = types.setdefault(row.owner_id, set())
        types[row.owner_id] = (
            None if before is None or row.utility_types is None else before | {*row.utility_types}
        )
        if row.contact_email:
            name = row.contact_person or row.contact_address
            one = ContactForm(name=name, email=row.contact_email)
            if one not in of_areas.setdefault(row.owner_id, []):
                of_areas[row.owner_id].append(one)
    kept: dict[UUID, list[OwnerContact]] = {}
    for found in connection.execute(_query().where(contact.c.owner_id.in_(types))).mappings():
        kept.setdefault(found["owner_id"], []).append(OwnerContact(**found))
    told = {
        owner: [*fitting(kept.get(owner, ()), purpose or kind, types[owner]), *of_areas.get(owner, ())]
        for owner in types
    }
    return {owner: contacts for owner, contacts in told.items() if contacts}


def _areas_asked(request_id: UUID) -> Select[Any]:
    """The areas that a request asked. Where an owner's interest lies, and in which lines, only the job is told."""
    columns = interest_area.c
    return (
        select(
            owner_request.c.owner_id,
            columns.utility_types,
            columns.contact_person,
            columns.contact_address,
            columns.contact_email,
        )
        .outerjoin(interest_area, columns.id == owner_request.c.interest_area_id)
        .where(owner_request.c.request_id == request_id)
        .order_by(owner_request.c.owner_id, columns.registration_number)
    )


def _check(form: ContactForm) -> None:
    code_list = load_model().code_lists["Forsyningsart"]
    # What is no value of the list may yet be one of its pattern, "other: <word>".
    named = [form.utility_type] if form.utility_type and form.utility_type in code_list else []
    refuse_faults(contact_faults(form, {*code_list.values, *named}))


def _values(form: ContactForm) -> dict[str, Any]:
    return {field.name: getattr(form, field.name) for field in fields(ContactForm)}


def _query() -> Select[Any]:
    return select(*(contact.c[field.name] for field in fields(OwnerContact)))
