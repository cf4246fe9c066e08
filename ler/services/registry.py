"""The register: utility owners and the areas in which they have lines. Registering is the operator's act.

Every function takes a connection whose transaction acts for a principal (`ler.db.engine.transaction`); what the
principal may not see does not exist for it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from geoalchemy2.shape import from_shape
from shapely import MultiPolygon
from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ler.db.functions import record_event
from ler.db.tables import PLATFORM_OPERATOR, SRID, interest_area, organisation
from ler.domain.dig_area import Coverage, check_place
from ler.domain.registration import LONGEST_NAME
from ler.domain.roles import Role
from ler.errors import NotFoundError, RefusedError
from ler.model import load_model
from ler.services.grants import grant_role

_CVR: Final = re.compile(r"[0-9]{8}")
_COLUMNS: Final = (
    organisation.c.id,
    organisation.c.cvr,
    organisation.c.name,
    organisation.c.email,
    organisation.c.phone,
)


@dataclass(frozen=True, slots=True)
class Organisation:
    """An owner or requester as the register knows it."""

    id: UUID
    cvr: str | None
    name: str
    email: str | None
    phone: str | None


def register_owner(
    connection: Connection, *, cvr: str, name: str, email: str | None = None, phone: str | None = None
) -> UUID:
    """Enter a utility owner, with the role of one. RefusedError as `register_organisation` says."""
    _check_cvr(cvr)
    return register_organisation(connection, name=name, roles=[Role.OWNER], cvr=cvr, email=email, phone=phone)


def register_organisation(
    connection: Connection,
    *,
    name: str,
    roles: Sequence[Role],
    cvr: str | None = None,
    email: str | None = None,
    phone: str | None = None,
) -> UUID:
    """Enter an organisation, or a private person without a CVR number, with its roles, granted everywhere.

    RefusedError for a CVR number that is none, is taken, or a name that is none.
    """
    if cvr is not None:
        _check_cvr(cvr)
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise RefusedError("name-invalid", f"a name is 1 to {LONGEST_NAME} printable characters")
    values = {"cvr": cvr, "name": name.strip(), "email": email, "phone": phone}
    try:
        with connection.begin_nested():
            made = connection.execute(
                organisation.insert().values(values).returning(organisation.c.id)
            ).scalar_one()
    except IntegrityError:
        raise RefusedError("cvr-taken", f"CVR {cvr} is registered already") from None
    record_event(
        connection, "operator:organisation:add", actor=PLATFORM_OPERATOR, object_id=made, details={"cvr": cvr}
    )
    for role in roles:
        grant_role(connection, made, role)
    return UUID(str(made))


def register_interest_area(
    connection: Connection,
    owner_id: UUID,
    *,
    utility_types: Sequence[str],
    area: MultiPolygon,
    coverage: Coverage,
) -> int:
    """Enter an area (EPSG:25832) in which an owner has lines; returns its registration number (indberetningsNr).

    `coverage` is west, south, east, north of what the platform covers, EPSG:25832. `utility_types` are values of the LER code list Forsyningsart. RefusedError for others, for none, and for an area
    that is not valid.
    """
    code_list = load_model().code_lists["Forsyningsart"]
    unknown = [value for value in utility_types if value not in code_list]
    if unknown or not utility_types:
        wanted = ", ".join(code_list.values)
        raise RefusedError(
            "utility-type-unknown", f"utility types are {wanted} or 'other: <word>', not {unknown}"
        )
    if area.is_empty or not area.is_valid:
        raise RefusedError("geometry-invalid", "the interest area is not a valid polygon")
    check_place(area, coverage)
    values = {"owner_id": owner_id, "utility_types": list(utility_types), "geom": from_shape(area, SRID)}
    number = connection.execute(
        interest_area.insert().values(values).returning(interest_area.c.registration_number)
    ).scalar_one()
    record_event(
        connection,
        "operator:interest_area:add",
        actor=PLATFORM_OPERATOR,
        object_id=owner_id,
        details={"registration_number": number},
    )
    return int(number)


def get_owner(connection: Connection, cvr: str) -> Organisation:
    """Return the owner with that CVR number; NotFoundError when the register has none."""
    _check_cvr(cvr)
    row = connection.execute(select(*_COLUMNS).where(organisation.c.cvr == cvr)).one_or_none()
    if row is None:
        raise NotFoundError(
            f"no owner with CVR {cvr} is registered; register it with: ler owner add {cvr} NAME"
        )
    return Organisation(*row)


def get_organisation(connection: Connection, organisation_id: UUID) -> Organisation:
    """Return an organisation that the acting principal may see; NotFoundError for any other."""
    row = connection.execute(select(*_COLUMNS).where(organisation.c.id == organisation_id)).one_or_none()
    if row is None:
        raise NotFoundError("no such organisation")
    return Organisation(*row)


def list_owners(connection: Connection) -> list[tuple[Organisation, int]]:
    """Return all owners by name, each with the number of its interest areas."""
    areas = (
        select(interest_area.c.owner_id, func.count().label("areas"))
        .group_by(interest_area.c.owner_id)
        .subquery()
    )
    query = (
        select(*_COLUMNS, func.coalesce(areas.c.areas, 0))
        .outerjoin(areas, areas.c.owner_id == organisation.c.id)
        .where(organisation.c.cvr.is_not(None))
        .order_by(organisation.c.name, organisation.c.cvr)
    )
    return [(Organisation(*row[:-1]), row[-1]) for row in connection.execute(query)]


def _check_cvr(cvr: str) -> None:
    if not _CVR.fullmatch(cvr):
        raise RefusedError("cvr-invalid", f"a CVR number has eight digits, not {cvr!r}")
