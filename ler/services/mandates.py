"""Mandates: an organisation lets a provider act for it, for named rights and a time, until either ends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.engine import Connection

from ler.db.tables import mandate, organisation
from ler.domain.access import Scope
from ler.domain.faults import refuse_faults
from ler.domain.registration import text_faults
from ler.domain.roles import MANDATABLE
from ler.errors import NotFoundError, RefusedError
from ler.services.register_acts import record_act, refuse_by_mandate

_PROVIDERS: Final = text("SELECT ler.providers()")
_LONGEST_NOTE: Final = 200


@dataclass(frozen=True, slots=True)
class Mandate:
    """Who lets whom do what, and for how long. Moments are aware UTC."""

    id: UUID
    owner_id: UUID
    provider_id: UUID
    owner_cvr: str | None
    owner_name: str
    provider_cvr: str | None
    provider_name: str
    scopes: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime | None
    """The first moment at which it holds no longer; None: until it is ended."""
    revoked_at: datetime | None
    note: str


def give_mandate(
    connection: Connection,
    owner_id: UUID,
    provider_cvr: str,
    scopes: Sequence[Scope],
    *,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    note: str = "",
) -> Mandate:
    """Let a provider act for the acting organisation from now on, or from a later moment.

    RefusedError `provider-unknown` for a number under which no provider is registered, and for a right that nobody
    can hand on, for none, or for a time that ends before it begins.
    """
    refuse_by_mandate(connection)
    refuse_faults([*text_faults("/note", note, _LONGEST_NOTE, empty=True)])
    never = [scope for scope in scopes if scope not in MANDATABLE]
    if never or not scopes:
        raise RefusedError(
            "mandate-scope",
            f"a mandate names at least one of {', '.join(sorted(MANDATABLE))}; not {', '.join(never) or 'nothing'}",
        )
    if valid_from and valid_to and valid_to <= valid_from:
        raise RefusedError("period-invalid", "the mandate ends before it begins")
    columns = organisation.c
    provider = connection.execute(
        select(columns.id).where(
            columns.cvr == provider_cvr, columns.id != owner_id, columns.id.in_(_PROVIDERS)
        )
    ).scalar_one_or_none()
    if provider is None:
        raise RefusedError("provider-unknown", f"no provider is registered with CVR {provider_cvr}")
    values = {
        "owner_id": owner_id,
        "provider_id": provider,
        "scopes": sorted({scope.value for scope in scopes}),
        "valid_from": valid_from or func.now(),
        "valid_to": valid_to,
        "note": note.strip(),
    }
    made = connection.execute(mandate.insert().values(values).returning(mandate.c.id)).scalar_one()
    details = {"provider_id": str(provider), "scopes": values["scopes"]}
    record_act(connection, owner_id, "mandate:give", made, details)
    return get_mandate(connection, made)


def end_mandate(connection: Connection, acting: UUID, mandate_id: UUID) -> Mandate:
    """Take a mandate back, or lay it down; NotFoundError for none, RefusedError for one that has ended.

    RefusedError `role-missing` for a provider that acts by one: it lays its own down as itself.
    """
    get_mandate(connection, mandate_id)
    refuse_by_mandate(connection)
    columns = mandate.c
    query = update(mandate).where(columns.id == mandate_id, columns.revoked_at.is_(None))
    if not connection.execute(query.values(revoked_at=func.now())).rowcount:
        raise RefusedError("mandate-ended", "the mandate has ended before")
    record_act(connection, acting, "mandate:end", mandate_id)
    return get_mandate(connection, mandate_id)


def get_mandate(connection: Connection, mandate_id: UUID) -> Mandate:
    """Return a mandate that the acting principal gave or holds; NotFoundError for any other."""
    found = [one for one in list_mandates(connection) if one.id == mandate_id]
    if not found:
        raise NotFoundError("no such mandate")
    return found[0]


def list_mandates(connection: Connection) -> list[Mandate]:
    """Return the mandates that the acting principal may see, the newest first."""
    giver, holder, columns = organisation.alias("giver"), organisation.alias("holder"), mandate.c
    query = (
        select(
            columns.id,
            columns.owner_id,
            columns.provider_id,
            giver.c.cvr.label("owner_cvr"),
            giver.c.name.label("owner_name"),
            holder.c.cvr.label("provider_cvr"),
            holder.c.name.label("provider_name"),
            columns.scopes,
            columns.valid_from,
            columns.valid_to,
            columns.revoked_at,
            columns.note,
        )
        .join(giver, giver.c.id == columns.owner_id)
        .join(holder, holder.c.id == columns.provider_id)
        .order_by(columns.created_at.desc(), columns.id)
    )
    return [
        Mandate(**{**row, "scopes": tuple(row["scopes"])}) for row in connection.execute(query).mappings()
    ]
