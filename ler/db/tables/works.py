"""Planned works, restrictions, what of them clashes, and who wants to be told of works in an area."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from ler.db.tables.base import SRID, created_at_column, id_column, metadata, uuid_column
from ler.domain.restrictions import RestrictionKind
from ler.domain.work_conflicts import WorkConflictKind
from ler.domain.works import Method, RoadOccupation, Surface, WorkStatus

PUBLISHED: Final = text("ended_at IS NULL AND status <> 'draft'")
_HOLDS: Final = text("ended_at IS NULL")


def _one_of(column: str, values: Iterable[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(f"'{one}'" for one in values)})", name=column)


def _place(kind: str = "GEOMETRY") -> Column[Any]:
    return Column("geom", Geometry(kind, srid=SRID, spatial_index=False), nullable=False)


def _seq() -> Column[Any]:
    """Its place in the order of entry, by which pages go on and rows that are entered together are told apart."""
    return Column("seq", BigInteger, Identity(always=True), nullable=False, insert_sentinel=True)


def _versioned() -> tuple[Column[Any], ...]:
    return (
        Column("version", Integer, nullable=False, server_default=text("1")),
        created_at_column(),
        Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        # A row that ended stays, and is shown to its organisation only.
        Column("ended_at", DateTime(timezone=True)),
    )


planned_work = Table(
    "planned_work",
    metadata,
    id_column(),
    _seq(),
    uuid_column("organisation_id"),
    Column("title", Text, nullable=False),
    Column("activity", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("depth_m", Double),
    # Working days.
    Column("duration_days", Integer, nullable=False),
    Column("earliest_start", Date, nullable=False),
    Column("latest_end", Date, nullable=False),
    Column("planned_start", Date),
    Column("road", Text, nullable=False),
    Column("surface", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("willing_to_share", Boolean, nullable=False),
    Column("ducts_wanted", Integer, nullable=False),
    Column("ducts_offered", Integer, nullable=False),
    Column("width_m", Double),
    Column("road_area_m2", Double),
    Column("reference", Text),
    # Not for the public.
    Column("contact", Text),
    _place(),
    *_versioned(),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
    UniqueConstraint("seq"),
    _one_of("method", Method),
    _one_of("road", RoadOccupation),
    _one_of("surface", Surface),
    _one_of("status", WorkStatus),
    CheckConstraint("earliest_start <= latest_end", name="window"),
    CheckConstraint("planned_start BETWEEN earliest_start AND latest_end", name="planned_start"),
    CheckConstraint("duration_days >= 1", name="duration_days"),
    CheckConstraint("ducts_wanted >= 0 AND ducts_offered >= 0", name="ducts"),
    CheckConstraint("version >= 1", name="version"),
)
# Serves what lies near a work or in an area.
Index("ix_planned_work_geom", planned_work.c.geom, postgresql_using="gist", postgresql_where=PUBLISHED)
# An organisation's own number names one work; a file that comes again finds it.
Index(
    "ix_planned_work_reference",
    planned_work.c.organisation_id,
    planned_work.c.reference,
    unique=True,
    postgresql_where=_HOLDS,
)

restriction = Table(
    "restriction",
    metadata,
    id_column(),
    _seq(),
    uuid_column("organisation_id"),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    # NULL: until it is ended.
    Column("last_day", Date),
    # Who says so, and where it can be read.
    Column("source", Text, nullable=False),
    # Of a diversion, the work past which traffic is led.
    uuid_column("work_id", nullable=True),
    _place(),
    *_versioned(),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
    ForeignKeyConstraint(["work_id"], ["ler.planned_work.id"]),
    UniqueConstraint("seq"),
    _one_of("kind", RestrictionKind),
    CheckConstraint("first_day <= last_day", name="days"),
    CheckConstraint("work_id IS NULL OR kind = 'diversion'", name="work_id"),
    CheckConstraint("version >= 1", name="version"),
)
Index("ix_restriction_geom", restriction.c.geom, postgresql_using="gist", postgresql_where=_HOLDS)
# Serves the end of a work, which ends its diversions.
Index("ix_restriction_work_id", restriction.c.work_id)

# An organisation is told of works that are planned, changed or ended there.
area_subscription = Table(
    "area_subscription",
    metadata,
    id_column(),
    uuid_column("organisation_id"),
    Column("name", Text, nullable=False),
    _place("MULTIPOLYGON"),
    created_at_column(),
    Column("ended_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
)
Index("ix_area_subscription_geom", area_subscription.c.geom, postgresql_using="gist", postgresql_where=_HOLDS)
Index("ix_area_subscription_organisation_id", area_subscription.c.organisation_id, postgresql_where=_HOLDS)

# Two works, or a work and a restriction, at one place in the same days.
work_conflict = Table(
    "work_conflict",
    metadata,
    id_column(),
    Column("kind", Text, nullable=False),
    uuid_column("work_id"),
    uuid_column("other_work_id", nullable=True),
    uuid_column("restriction_id", nullable=True),
    # Where they meet, or the shortest way between them.
    _place(),
    Column("distance_m", Double, nullable=False),
    # Days on which both may be going on.
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    # Whether they meet wherever in their windows they are put.
    Column("certain", Boolean, nullable=False),
    # SHA-256 of what of both sides was compared: a judgement of another one is to be given anew.
    Column("fingerprint", Text, nullable=False),
    created_at_column(),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("ended_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["work_id"], ["ler.planned_work.id"]),
    ForeignKeyConstraint(["other_work_id"], ["ler.planned_work.id"]),
    ForeignKeyConstraint(["restriction_id"], ["ler.restriction.id"]),
    _one_of("kind", WorkConflictKind),
    CheckConstraint("(other_work_id IS NULL) <> (restriction_id IS NULL)", name="sides"),
    CheckConstraint("work_id < other_work_id", name="order"),
)
# Serve the conflicts of a work or restriction, and keep each pair to one row.
Index(
    "ix_work_conflict_work_id",
    work_conflict.c.work_id,
    work_conflict.c.other_work_id,
    unique=True,
    postgresql_where=_HOLDS,
)
Index(
    "ix_work_conflict_restriction_id",
    work_conflict.c.restriction_id,
    work_conflict.c.work_id,
    unique=True,
    postgresql_where=_HOLDS,
)
Index("ix_work_conflict_other_work_id", work_conflict.c.other_work_id, postgresql_where=_HOLDS)

# Each side's word on a conflict.
work_judgement = Table(
    "work_judgement",
    metadata,
    uuid_column("conflict_id"),
    uuid_column("organisation_id"),
    Column("is_conflict", Boolean, nullable=False),
    Column("note", Text, nullable=False, server_default=text("''")),
    # Of the conflict as it was judged.
    Column("fingerprint", Text, nullable=False),
    Column("judged_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("conflict_id", "organisation_id"),
    ForeignKeyConstraint(["conflict_id"], ["ler.work_conflict.id"]),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
)
