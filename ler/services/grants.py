"""Roles: granted for an area and a time by the operator, told to whoever asks what may be done now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import shapely
from geoalchemy2.shape import from_shape, to_shape
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, or_, select, text, update
from sqlalchemy.engine import Connection, RowMapping

from ler.db.functions import record_event
from ler.db.tables import PLATFORM_OPERATOR, SRID, grant
from ler.domain.access import Scope
from ler.domain.faults import refuse_faults
from ler.domain.registration import text_faults
from ler.domain.roles import Role, known_roles, known_scopes, permitted_by_mandate
from ler.errors import NotFoundError, RefusedError
from ler.services.register_acts import refuse_by_mandate

_ROLES: Final = text("SELECT ler.granted_roles(:organisation, CAST(:place AS geometry))")
_MANDATE: Final = text("SELECT * FROM ler.mandate_of(:provider, :cvr)")
_LONGEST_NOTE: Final = 200
_COLUMNS: Final = (
    grant.c.id,
    grant.c.organisation_id,
    grant.c.role,
    grant.c.area,
    grant.c.valid_from,
    grant.c.valid_to,
    grant.c.note,
)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role of an organisation, for an area and a time. Moments are aware UTC."""

    id: UUID
    organisation_id: UUID
    role: Role
    area: MultiPolygon | None
    """EPSG:25832; None: everywhere."""
    valid_from: datetime
    valid_to: datetime | None
    """The first moment at which it holds no longer; None: until it is ended."""
    note: str


@dataclass(frozen=True, slots=True)
class ActingFor:
    """An organisation for which a provider acts, and what it may do there."""

    organisation_id: UUID
    scopes: frozenset[Scope]


def grant_role(
    connection: Connection,
    organisation_id: UUID,
    role: Role,
    *,
    area: MultiPolygon | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    note: str = "",
) -> UUID:
    """Grant a role from now on, or from a later moment; the operator acts.

    RefusedError for a time that ends before it begins, an area that is not valid, a note that is no text, and for the
    role of operator to anybody but the operator.
    """
    refuse_by_mandate(connection)
    refuse_faults([*text_faults("/note", note, _LONGEST_NOTE, empty=True)])
    if role is Role.OPERATOR and organisation_id != PLATFORM_OPERATOR:
        raise RefusedError("role-not-grantable", "the operator's role is granted to nobody else")
    if valid_from and valid_to and valid_to <= valid_from:
        raise RefusedError("period-invalid", "the grant ends before it begins")
    if area is not None and (area.is_empty or not area.is_valid):
        raise RefusedError("geometry-invalid", "the area of the grant is not a valid polygon")
    values = {
        "organisation_id": organisation_id,
        "role": role.value,
        "area": from_shape(area, SRID) if area is not None else None,
        "valid_from": valid_from or func.now(),
        "valid_to": valid_to,
        "note": note.strip(),
    }
    grant_id = connection.execute(grant.insert().values(values).returning(grant.c.id)).scalar_one()
    record_event(
        connection,
        "operator:grant:add",
        actor=PLATFORM_OPERATOR,
        object_id=grant_id,
        details={"organisation_id": str(organisation_id), "role": role.value},
    )
    return UUID(str(grant_id))


def end_grant(connection: Connection, grant_id: UUID) -> None:
    """End a grant now, one that has not begun before it begins; NotFoundError for none that holds."""
    refuse_by_mandate(connection)
    columns = grant.c
    ended = connection.execute(
        update(grant)
        .where(
            columns.id == grant_id,
            or_(columns.valid_to.is_(None), columns.valid_to > func.greatest(func.now(), columns.valid_from)),
        )
        .values(valid_to=func.greatest(func.now(), columns.valid_from))
    )
    if not ended.rowcount:
        raise NotFoundError("no such grant holds")
    record_event(connection, "operator:grant:end", actor=PLATFORM_OPERATOR, object_id=grant_id)


def list_grants(connection: Connection, organisation_id: UUID | None = None) -> list[Grant]:
    """Return the grants that the acting principal may see, of one organisation or of all, the oldest first."""
    query = select(*_COLUMNS).order_by(grant.c.created_at, grant.c.id)
    if organisation_id:
        query = query.where(grant.c.organisation_id == organisation_id)
    return [_grant(row) for row in connection.execute(query).mappings()]


def get_grant(connection: Connection, grant_id: UUID) -> Grant:
    """Return a grant that the acting principal may see; NotFoundError for any other."""
    row = connection.execute(select(*_COLUMNS).where(grant.c.id == grant_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no such grant")
    return _grant(row)


def roles_now(
    connection: Connection, organisation_id: UUID, place: BaseGeometry | None = None
) -> frozenset[Role]:
    """Return the roles that an organisation has at this moment; with a place (EPSG:25832), in all of that place.

    The transaction may act for anybody or nobody.
    """
    values = {
        "organisation": organisation_id,
        "place": shapely.to_wkb(shapely.set_srid(place, SRID), hex=True, include_srid=True)
        if place is not None
        else None,
    }
    stored: list[str] = connection.execute(_ROLES, values).scalar_one()
    return known_roles(stored)


def find_acting_for(connection: Connection, provider_id: UUID, cvr: str) -> ActingFor | None:
    """Return for whom a provider may act under that CVR number at this moment, and what it may do there.

    None without a mandate that holds, whoever the number belongs to. The transaction may act for anybody or nobody.
    """
    row = connection.execute(_MANDATE, {"provider": provider_id, "cvr": cvr}).one_or_none()
    if row is None:
        return None
    scopes = permitted_by_mandate(known_scopes(row.scopes), known_roles(row.roles))
    return ActingFor(row.owner_id, scopes)


def _grant(row: RowMapping) -> Grant:
    return Grant(**{**row, "role": Role(row["role"]), "area": _area(row["area"])})


def _area(stored: object) -> MultiPolygon | None:
    shape = to_shape(stored) if stored is not None else None  # type: ignore[arg-type]
    return shape if isinstance(shape, MultiPolygon) else None
