"""Digging windows: works that are to dig together, and what their organisations say to it."""

from collections.abc import Iterable
from enum import StrEnum

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
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
from ler.domain.windows import WindowAnswer, WindowState


def _one_of(column: str, values: Iterable[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(f"'{one}'" for one in values)})", name=column)


digging_window = Table(
    "digging_window",
    metadata,
    id_column(),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    # What its works cover together.
    Column("geom", Geometry("GEOMETRY", srid=SRID, spatial_index=False), nullable=False),
    # The work that opens most of the road; its organisation leads.
    uuid_column("pilot_work_id"),
    Column("state", Text, nullable=False, server_default=text("'proposed'")),
    Column("start_on", Date, nullable=False),
    Column("end_on", Date, nullable=False),
    # What is saved at least: working days of occupied road, surface, openings, DKK without VAT.
    Column("days_saved", Double, nullable=False),
    Column("surface_saved_m2", Double, nullable=False),
    Column("openings_saved", Integer, nullable=False),
    Column("gain_dkk", BigInteger, nullable=False),
    Column("move_dkk", BigInteger, nullable=False),
    # How far from the best its plan may be, as part of it.
    Column("gap", Double, nullable=False),
    Column("reason_da", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    # Until when who is invited answers.
    Column("answer_by", DateTime(timezone=True)),
    Column("version", Integer, nullable=False, server_default=text("1")),
    created_at_column(),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ForeignKeyConstraint(["pilot_work_id"], ["ler.planned_work.id"]),
    UniqueConstraint("seq"),
    _one_of("state", WindowState),
    CheckConstraint("start_on <= end_on", name="days"),
    CheckConstraint("gap >= 0", name="gap"),
)
Index("ix_digging_window_geom", digging_window.c.geom, postgresql_using="gist")
# Serves the sweep of invitations that ran out.
Index("ix_digging_window_answer_by", digging_window.c.answer_by, postgresql_where=text("state = 'invited'"))
Index("ix_digging_window_pilot_work_id", digging_window.c.pilot_work_id)

window_work = Table(
    "window_work",
    metadata,
    uuid_column("window_id"),
    uuid_column("work_id"),
    uuid_column("organisation_id"),
    # Its turn, from 1: deep before shallow, the surface last.
    Column("place", Integer, nullable=False),
    Column("start_on", Date, nullable=False),
    Column("end_on", Date, nullable=False),
    # First day when it digs apart.
    Column("stands_on", Date, nullable=False),
    # Working days from there; earlier is less than nothing.
    Column("moved_days", Integer, nullable=False),
    Column("answer", Text, nullable=False, server_default=text("'open'")),
    Column("answered_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("window_id", "work_id"),
    ForeignKeyConstraint(["window_id"], ["ler.digging_window.id"]),
    ForeignKeyConstraint(["work_id"], ["ler.planned_work.id"]),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
    _one_of("answer", WindowAnswer),
    CheckConstraint("start_on <= end_on", name="days"),
    CheckConstraint("place >= 1", name="place"),
)
# Serves what an organisation is invited to, and the windows of a work.
Index("ix_window_work_organisation_id", window_work.c.organisation_id)
Index("ix_window_work_work_id", window_work.c.work_id)
