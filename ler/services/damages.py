"""Damages: reported one by one or as a year's file, withdrawn, listed; and the statement that a year had none.

Owners act for themselves. Who supervises a place sees what was reported there; everybody sees counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from geoalchemy2.shape import from_shape, to_shape
from shapely import Point
from sqlalchemy import extract, func, select, text, tuple_, update
from sqlalchemy.engine import Connection

from ler.db.functions import record_event
from ler.db.tables import SRID, damage, damage_free_year
from ler.domain.damages import FIRST_YEAR, Damage, check_damage, check_year, report_due
from ler.domain.dig_area import Coverage
from ler.domain.faults import Fault, refuse_faults
from ler.errors import NotFoundError, RefusedError
from ler.model import load_model

MOST_AT_ONCE: Final = 5000
"""Damages of one file."""

# A damage and the statement that its year had none, sent at once, would not see each other.
_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('damage ' || :owner, 0))")
_STATISTICS: Final = text("SELECT * FROM ler.damage_statistics(:first, :last)")
_REPORTING: Final = text("SELECT * FROM ler.damage_reporting(:first, :last)")
_FIELDS: Final = (
    *("reference", "utility_type", "happened_on", "cause", "caused_by", "date_is", "caused_by_cvr"),
    *("caused_by_name", "order_number", "gml_id", "environment", "repair_cost", "administration_cost"),
    "description",
)


@dataclass(frozen=True, slots=True)
class StoredDamage:
    """A report as it is kept."""

    id: UUID
    owner_id: UUID
    damage: Damage
    created_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Year:
    """What an owner has said of a year."""

    year: int
    damages: int
    none: bool
    """Stated that there were none."""
    due: date
    """The day before which it must be reported."""

    @property
    def reported(self) -> bool:
        """Whether anything was said."""
        return self.none or self.damages > 0


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts for everybody."""

    counts: Sequence[tuple[int, str, str, int]]
    """Year, utility type, cause, damages."""
    reporting: Sequence[tuple[int, int, int, int]]
    """Year, owners with damages, without any, and those that have said nothing."""


def add_damages(
    connection: Connection,
    owner_id: UUID,
    given: Sequence[Damage],
    *,
    today: date,
    coverage: Coverage,
    base: str,
) -> list[UUID]:
    """Enter damages of the acting owner, all or none; return their ids in the order given.

    A statement that their year had none is withdrawn by them. FaultsError with a pointer for each fault, led to by
    `base` and the place in the list; a reference that is taken is a fault.
    """
    faults = _faults(given, today, coverage, base)
    refuse_faults(faults)
    connection.execute(_ALONE, {"owner": str(owner_id)})
    refuse_faults(_taken(connection, owner_id, given, base))
    rows = [
        {name: getattr(one, name) for name in _FIELDS}
        | {"owner_id": owner_id, "place": from_shape(one.place, SRID)}
        for one in given
    ]
    made = damage.insert().returning(damage.c.id, sort_by_parameter_order=True)
    ids = [UUID(str(found)) for found in connection.execute(made, rows).scalars()]
    years = sorted({one.happened_on.year for one in given})
    columns = damage_free_year.c
    connection.execute(
        update(damage_free_year)
        .where(columns.owner_id == owner_id, columns.year.in_(years), columns.withdrawn_at.is_(None))
        .values(withdrawn_at=func.now())
    )
    details = {"damages": len(ids), "years": years}
    first = ids[0] if len(ids) == 1 else None
    record_event(connection, "owner:damage:add", actor=owner_id, object_id=first, details=details)
    return ids


def withdraw_damage(connection: Connection, owner_id: UUID, damage_id: UUID) -> StoredDamage:
    """Take a report back; it stays, and counts no more.

    NotFoundError for one that is not the acting owner's, RefusedError `damage-withdrawn` for one that is withdrawn.
    """
    found = get_damage(connection, damage_id)
    if found.owner_id != owner_id:
        raise NotFoundError
    columns = damage.c
    taken = update(damage).where(columns.id == damage_id, columns.withdrawn_at.is_(None))
    if not connection.execute(taken.values(withdrawn_at=func.now())).rowcount:
        raise RefusedError("damage-withdrawn", "the report has been withdrawn before")
    record_event(connection, "owner:damage:withdraw", actor=owner_id, object_id=damage_id)
    return get_damage(connection, damage_id)


def get_damage(connection: Connection, damage_id: UUID) -> StoredDamage:
    """Return a report that the acting organisation may see; NotFoundError for any other."""
    row = connection.execute(select(damage).where(damage.c.id == damage_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError
    return _stored(row)


def list_damages(
    connection: Connection,
    *,
    limit: int,
    year: int | None = None,
    before: tuple[datetime, UUID] | None = None,
) -> list[StoredDamage]:
    """Return the reports that the acting organisation may see, the newest first, withdrawn ones too."""
    columns = damage.c
    query = select(damage).order_by(columns.created_at.desc(), columns.id.desc()).limit(limit)
    if year is not None:
        query = query.where(extract("year", columns.happened_on) == year)
    if before is not None:
        query = query.where(tuple_(columns.created_at, columns.id) < tuple_(*before))
    return [_stored(row) for row in connection.execute(query).mappings()]


def state_no_damages(connection: Connection, owner_id: UUID, year: int, *, today: date) -> Year:
    """State that a year that is over had no damages; stating it again changes nothing.

    FaultsError `damage-year` for another year; RefusedError `damage-reported` when damages of it were reported.
    """
    refuse_faults(check_year(year, today=today, pointer="/year"))
    connection.execute(_ALONE, {"owner": str(owner_id)})
    before = _year(connection, owner_id, year)
    if before.damages:
        raise RefusedError(
            "damage-reported", f"{before.damages} damages of {year} are reported; withdraw them first"
        )
    if before.none:
        return before
    connection.execute(damage_free_year.insert().values(owner_id=owner_id, year=year).inline())
    details = {"year": year}
    record_event(
        connection, "owner:damage_free_year:add", actor=owner_id, object_id=owner_id, details=details
    )
    return _year(connection, owner_id, year)


def list_years(connection: Connection, owner_id: UUID, *, today: date) -> list[Year]:
    """Return what an owner has said of each year since reporting is a duty, the newest first."""
    return [_year(connection, owner_id, year) for year in range(today.year, FIRST_YEAR - 1, -1)]


def get_statistics(connection: Connection, first: int, last: int) -> Statistics:
    """Return counts of the years from `first` to `last`, whoever asks. RefusedError `damage-years` for others."""
    if not FIRST_YEAR <= first <= last <= FIRST_YEAR + 200:
        raise RefusedError(
            "period-invalid", f"years from {FIRST_YEAR} on are wanted, the first before the last"
        )
    years = {"first": first, "last": last}
    return Statistics(
        [tuple(row) for row in connection.execute(_STATISTICS, years)],
        [tuple(row) for row in connection.execute(_REPORTING, years)],
    )


def _faults(given: Sequence[Damage], today: date, coverage: Coverage, base: str) -> list[Fault]:
    if not 0 < len(given) <= MOST_AT_ONCE:
        return [Fault("damage-count", base, f"1 to {MOST_AT_ONCE} damages are wanted")]
    types = load_model().code_lists["Forsyningsart"]
    faults: list[Fault] = []
    seen: set[str] = set()
    for number, one in enumerate(given):
        pointer = f"{base}/{number}" if base else ""
        faults += check_damage(one, today=today, coverage=coverage, utility_types=types, pointer=pointer)
        if one.reference in seen:
            faults.append(
                Fault("damage-reference", f"{pointer}/reference", "the reference stands twice in the file")
            )
        seen.add(one.reference)
    return faults


def _taken(connection: Connection, owner_id: UUID, given: Sequence[Damage], base: str) -> list[Fault]:
    columns = damage.c
    query = select(columns.reference).where(
        columns.owner_id == owner_id,
        columns.withdrawn_at.is_(None),
        columns.reference.in_([one.reference for one in given]),
    )
    taken = set(connection.execute(query).scalars())
    message = "a damage with this reference is reported; withdraw that one to report it anew"
    return [
        Fault("damage-reference", f"{base}/{number}/reference" if base else "/reference", message)
        for number, one in enumerate(given)
        if one.reference in taken
    ]


def _year(connection: Connection, owner_id: UUID, year: int) -> Year:
    columns, free = damage.c, damage_free_year.c
    damages = connection.execute(
        select(func.count())
        .select_from(damage)
        .where(
            columns.owner_id == owner_id,
            columns.withdrawn_at.is_(None),
            columns.happened_on.between(date(year, 1, 1), date(year, 12, 31)),
        )
    ).scalar_one()
    none = connection.execute(
        select(free.id).where(free.owner_id == owner_id, free.year == year, free.withdrawn_at.is_(None))
    ).first()
    return Year(year, damages, none is not None, report_due(year))


def _stored(row: Any) -> StoredDamage:  # noqa: ANN401 - a mapping of columns
    place = to_shape(row["place"])
    if not isinstance(place, Point):
        raise TypeError("a damage has a point")
    values = {name: row[name] for name in _FIELDS}
    return StoredDamage(
        row["id"], row["owner_id"], Damage(place=place, **values), row["created_at"], row["withdrawn_at"]
    )
