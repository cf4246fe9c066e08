"""The register: utility owners and the areas in which they have lines. Registering is the operator's act.

Every function takes a connection whose transaction acts for a principal (`ler.db.engine.transaction`); what the
principal may not see does not exist for it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from geoalchemy2.shape import from_shape
from shapely import MultiPolygon
from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ler.db.functions import record_event
from ler.db.tables import PLATFORM_OPERATOR, SRID, grant, interest_area, organisation
from ler.domain.dig_area import Coverage, check_place
from ler.domain.faults import Fault, refuse_faults
from ler.domain.registration import LONGEST_NAME, Duty, email_faults, text_faults
from ler.domain.request_rules import LONGEST_EMAIL
from ler.domain.roles import Role
from ler.errors import NotFoundError, RefusedError
from ler.model import load_model
from ler.services.grants import grant_role
from ler.services.members import LANGUAGES
from ler.services.register_acts import record_act, require_operator

_CVR: Final = re.compile(r"[0-9]{8}")
_LONGEST_PHONE: Final = 40
_COLUMNS: Final = (
    organisation.c.id,
    organisation.c.cvr,
    organisation.c.name,
    organisation.c.email,
    organisation.c.phone,
    organisation.c.address,
    organisation.c.language,
    organisation.c.anonymous,
    organisation.c.duties,
)


@dataclass(frozen=True, slots=True)
class Organisation:
    """An owner or requester as the register knows it."""

    id: UUID
    cvr: str | None
    name: str
    email: str | None
    phone: str | None
    address: str | None = None
    language: str = "da"
    """In which notices come to it: da or en."""
    anonymous: bool = False
    """A private person's wish not to be named to those it asks."""
    duties: Sequence[str] = ()
    """Why it is registered as an owner: values of `ler.domain.registration.Duty`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an organisation may say of itself."""

    email: str | None = None
    phone: str | None = None
    address: str | None = None
    language: str = "da"
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """What only the operator says of an organisation."""

    name: str
    duties: Sequence[Duty] = ()


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
    duties: Sequence[Duty] = (),
) -> UUID:
    """Enter an organisation, or a private person without a CVR number, with its roles, granted everywhere.

    RefusedError for a CVR number that is none, is taken, or a name that is none.
    """
    if cvr is not None:
        _check_cvr(cvr)
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise RefusedError("name-invalid", f"a name is 1 to {LONGEST_NAME} printable characters")
    values = {
        "cvr": cvr,
        "name": name.strip(),
        "email": email,
        "phone": phone,
        "duties": sorted({duty.value for duty in duties}),
    }
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


def change_organisation(
    connection: Connection, acting: UUID, organisation_id: UUID, entry: Entry, name: Name | None = None
) -> Organisation:
    """Change what an organisation says of itself; its name and duties only as the operator.

    FaultsError; NotFoundError for an organisation that is not the acting principal's to change; RefusedError
    `role-missing` for a name that somebody else than the operator gives.
    """
    if name is not None:
        require_operator(acting)
    if acting not in {organisation_id, PLATFORM_OPERATOR}:
        raise NotFoundError("no such organisation")
    before = get_organisation(connection, organisation_id)
    refuse_faults([*_entry_faults(before, entry, name)])
    values: dict[str, object] = {
        "email": entry.email,
        "phone": entry.phone,
        "address": entry.address,
        "language": entry.language,
        "anonymous": entry.anonymous,
    }
    if name is not None:
        values |= {"name": name.name.strip(), "duties": sorted({duty.value for duty in name.duties})}
    connection.execute(update(organisation).where(organisation.c.id == organisation_id).values(values))
    # Which of them changed, not to what: the trail is kept for ever, and some of it is about persons.
    changed = sorted(key for key, value in values.items() if getattr(before, key) != value)
    record_act(connection, acting, "organisation:change", organisation_id, {"changed": changed})
    return get_organisation(connection, organisation_id)


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


def find_by_cvr(connection: Connection, cvr: str) -> Organisation | None:
    """Return the organisation with that CVR number that the acting principal may see."""
    row = connection.execute(select(*_COLUMNS).where(organisation.c.cvr == cvr)).one_or_none()
    return Organisation(*row) if row else None


def list_organisations(
    connection: Connection, *, after: UUID | None = None, limit: int | None = None
) -> list[Organisation]:
    """Return the organisations that the acting principal may see, in the order of their ids; those after one, at most `limit`."""
    query = select(*_COLUMNS).order_by(organisation.c.id).limit(limit)
    if after:
        query = query.where(organisation.c.id > after)
    return [Organisation(*row) for row in connection.execute(query)]


def list_owners(connection: Connection) -> list[tuple[Organisation, int]]:
    """Return all owners by name, each with the number of its interest areas."""
    areas = (
        select(interest_area.c.owner_id, func.count().label("areas"))
        .where(interest_area.c.ended_at.is_(None))
        .group_by(interest_area.c.owner_id)
        .subquery()
    )
    owners = select(grant.c.organisation_id).where(grant.c.role == Role.OWNER.value)
    query = (
        select(*_COLUMNS, func.coalesce(areas.c.areas, 0))
        .outerjoin(areas, areas.c.owner_id == organisation.c.id)
        .where(organisation.c.id.in_(owners))
        .order_by(organisation.c.name, organisation.c.cvr)
    )
    return [(Organisation(*row[:-1]), row[-1]) for row in connection.execute(query)]


def _check_cvr(cvr: str) -> None:
    if not _CVR.fullmatch(cvr):
        raise RefusedError("cvr-invalid", f"a CVR number has eight digits, not {cvr!r}")


def _entry_faults(before: Organisation, entry: Entry, name: Name | None) -> Iterator[Fault]:
    if name is not None:
        yield from text_faults("/name", name.name, LONGEST_NAME)
    if entry.email is not None:
        yield from email_faults("/email", entry.email, LONGEST_EMAIL)
    if entry.phone is not None:
        yield from text_faults("/phone", entry.phone, _LONGEST_PHONE)
    if entry.address is not None:
        yield from text_faults("/address", entry.address, LONGEST_NAME, lines=True)
    if entry.language not in LANGUAGES:
        yield Fault("language-unknown", "/language", f"{entry.language!r} is neither da nor en")
    if entry.anonymous and before.cvr is not None:
        yield Fault("anonymous-company", "/anonymous", "only private persons may wish to be unnamed")
