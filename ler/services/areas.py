"""Interest areas: where an owner has lines, each entered, changed and ended by the owner itself or by the operator.

An area is never changed under those who were asked for it: a change ends it and enters the next revision under the
same registration number. Every function takes a connection whose transaction acts for `acting`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import shapely
from geoalchemy2.shape import from_shape, to_shape
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Select, func, select, text, update
from sqlalchemy.engine import Connection, RowMapping

from ler.db.functions import refusals
from ler.db.tables import SRID, interest_area
from ler.domain.dig_area import Coverage, check_place
from ler.domain.faults import refuse_faults
from ler.domain.registration import AreaForm, area_faults
from ler.domain.roles import Role
from ler.errors import NotFoundError, RefusedError
from ler.model import load_model
from ler.services.grants import roles_now
from ler.services.register_acts import record_act

_REVISE: Final = text(
    "SELECT ler.revise_interest_area(:area, :seen, :utility_types, CAST(:geom AS geometry), :remark, :person, :address,"
    " :email, :voluntary)"
)
_CHOOSE: Final = text("SELECT ler.choose_answering(:area, :answered_by)")
_CHANGED: Final = ("precondition-failed", "The interest area has changed since you read it. Read it again.")
_COLUMNS: Final = (
    "id",
    "owner_id",
    "registration_number",
    "revision",
    "utility_types",
    "remark",
    "contact_person",
    "contact_address",
    "contact_email",
    "voluntary",
    "answered_by",
    "created_at",
    "ended_at",
)


@dataclass(frozen=True, slots=True)
class InterestArea:
    """One revision of an interest area. Moments are aware UTC."""

    id: UUID
    owner_id: UUID
    registration_number: int
    """LER indberetningsNr; the same for all revisions."""
    revision: int
    utility_types: Sequence[str]
    remark: str
    contact_person: str | None
    contact_address: str | None
    contact_email: str | None
    voluntary: bool
    answered_by: str
    """`platform`: from the published network; `owner`: by the owner itself, request by request."""
    created_at: datetime
    """Of this revision."""
    ended_at: datetime | None
    """None: it holds."""
    area: MultiPolygon
    """EPSG:25832."""

    @property
    def form(self) -> AreaForm:
        """As it was filled in."""
        return AreaForm(
            utility_types=self.utility_types,
            remark=self.remark,
            contact_person=self.contact_person,
            contact_address=self.contact_address,
            contact_email=self.contact_email,
            voluntary=self.voluntary,
        )


def merged_area(parts: Sequence[BaseGeometry], coverage: Coverage) -> MultiPolygon:
    """Return the polygons of an interest area as one, in EPSG:25832. RefusedError for one that is not valid or lies elsewhere.

    `coverage` is west, south, east, north of what the platform covers, metres.
    """
    for part in parts:
        if not part.is_valid:
            reason = shapely.is_valid_reason(part)
            raise RefusedError("geometry-invalid", f"a polygon of the area is not valid ({reason})")
    merged = shapely.union_all([shapely.force_2d(part) for part in parts])
    area = MultiPolygon([part for part in shapely.get_parts(merged) if isinstance(part, Polygon)])
    if area.is_empty:
        raise RefusedError("geometry-empty", "the area holds no polygon")
    check_place(area, coverage)
    return area


def create_area(
    connection: Connection,
    acting: UUID,
    owner_id: UUID,
    form: AreaForm,
    area: MultiPolygon,
    *,
    answered_by: str | None = None,
) -> InterestArea:
    """Enter an area of an owner, who may say who answers for it. FaultsError for a form with faults, RefusedError when it is none's who has lines."""
    _check(form)
    if Role.OWNER not in roles_now(connection, owner_id):
        raise RefusedError("role-missing", "interest areas are of owners of lines: this is none")
    values = {
        "owner_id": owner_id,
        "utility_types": list(form.utility_types),
        "geom": from_shape(area, SRID),
        "remark": form.remark,
        "contact_person": form.contact_person,
        "contact_address": form.contact_address,
        "contact_email": form.contact_email,
        "voluntary": form.voluntary,
    }
    columns = interest_area.c
    row = connection.execute(
        interest_area.insert().values(values).returning(columns.id, columns.registration_number)
    ).one()
    details = {"registration_number": row.registration_number, "owner_id": str(owner_id)}
    record_act(connection, acting, "interest_area:add", row.id, details)
    if answered_by:
        _choose(connection, row.id, answered_by)
    return get_area(connection, row.registration_number)


def revise_area(
    connection: Connection,
    acting: UUID,
    number: int,
    form: AreaForm,
    area: MultiPolygon | None,
    *,
    answered_by: str | None = None,
    seen: int | None = None,
) -> InterestArea:
    """Enter the next revision of an area; `area` None keeps where it is, `seen` is the revision that was read.

    Who answers for it is the owner's choice and changes without a revision: it says nothing of the area.

    NotFoundError for none that holds, RefusedError `precondition-failed` for another revision than was read, and
    `no-changes` when it says what it said before (27-420).
    """
    before = get_area(connection, number)
    _check(form)
    same_place = area is None or shapely.equals(shapely.normalize(before.area), shapely.normalize(area))
    same_form = replace(form, utility_types=tuple(form.utility_types)) == replace(
        before.form, utility_types=tuple(before.utility_types)
    )
    if same_place and same_form:
        if answered_by in {None, before.answered_by}:
            raise RefusedError("no-changes", "the interest area says this already")
        _choose(connection, before.id, str(answered_by))
        return get_area(connection, number)
    values = {
        "area": before.id,
        "seen": seen or before.revision,
        "utility_types": list(form.utility_types),
        "geom": _ewkb(area) if area is not None else None,
        "remark": form.remark,
        "person": form.contact_person,
        "address": form.contact_address,
        "email": form.contact_email,
        "voluntary": form.voluntary,
    }
    with refusals({"LE404": "There is no such interest area.", "LE409": _CHANGED}):
        made = connection.execute(_REVISE, values).scalar_one()
    details = {"registration_number": number, "replaces": str(before.id)}
    record_act(connection, acting, "interest_area:change", made, details)
    if answered_by:
        _choose(connection, made, answered_by)
    return get_area(connection, number)


def end_area(connection: Connection, acting: UUID, number: int, *, seen: int | None = None) -> None:
    """End an area: nobody who asks from now on is sent to its owner for it. Errors as for `revise_area`."""
    found = get_area(connection, number)
    columns = interest_area.c
    ended = connection.execute(
        update(interest_area)
        .where(columns.id == found.id, columns.revision == (seen or found.revision))
        .values(ended_at=func.now())
    )
    if not ended.rowcount:
        raise RefusedError(*_CHANGED)
    record_act(connection, acting, "interest_area:end", found.id, {"registration_number": number})


def get_area(connection: Connection, number: int) -> InterestArea:
    """Return the area that holds under a number; NotFoundError for none that the acting principal may see."""
    found = [one for one in list_revisions(connection, number) if one.ended_at is None]
    if not found:
        raise NotFoundError(f"no interest area {number}")
    return found[0]


def list_revisions(connection: Connection, number: int) -> list[InterestArea]:
    """Return all revisions of an area that the acting principal may see, the oldest first."""
    columns = interest_area.c
    query = _query().where(columns.registration_number == number).order_by(columns.revision)
    return [_area(row) for row in connection.execute(query).mappings()]


def list_areas(
    connection: Connection,
    *,
    owner_id: UUID | None = None,
    after: int = 0,
    limit: int | None = None,
    ended: bool = False,
) -> list[InterestArea]:
    """Return the areas that hold, or the last revision of those that ended, by number; those after a number, at most `limit`."""
    columns = interest_area.c
    query = _query().where(columns.registration_number > after).order_by(columns.registration_number)
    if owner_id:
        query = query.where(columns.owner_id == owner_id)
    if ended:
        # Of one number only the last can have ended with nothing after it.
        later = interest_area.alias("later")
        query = query.where(
            columns.ended_at.is_not(None),
            ~select(later.c.id)
            .where(
                later.c.registration_number == columns.registration_number,
                later.c.revision > columns.revision,
            )
            .exists(),
        )
    else:
        query = query.where(columns.ended_at.is_(None))
    return [_area(row) for row in connection.execute(query.limit(limit)).mappings()]


def _choose(connection: Connection, area_id: UUID, answered_by: str) -> None:
    """Say who answers for an area; the operator cannot say so for its owner."""
    with refusals({"LE404": "Only its owner says who answers for an interest area."}):
        connection.execute(_CHOOSE, {"area": area_id, "answered_by": answered_by})


def _check(form: AreaForm) -> None:
    code_list = load_model().code_lists["Forsyningsart"]
    # What is no value of the list may yet be one of its pattern, "other: <word>".
    known = {*code_list.values, *(name for name in form.utility_types if name in code_list)}
    refuse_faults(area_faults(form, known))


def _query() -> Select[Any]:
    return select(*(interest_area.c[name] for name in _COLUMNS), interest_area.c.geom)


def _area(row: RowMapping) -> InterestArea:
    shape = to_shape(row["geom"])
    if not isinstance(shape, MultiPolygon):
        raise TypeError("the database holds an interest area that is none")
    return InterestArea(**{name: row[name] for name in _COLUMNS}, area=shape)


def _ewkb(area: MultiPolygon) -> str:
    return shapely.to_wkb(shapely.set_srid(area, SRID), hex=True, include_srid=True)
