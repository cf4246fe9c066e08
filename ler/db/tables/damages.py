"""Damages and deviations: what owners report of their lines, and what who digs reports to owners."""

from collections.abc import Iterable
from typing import Final

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from ler.db.tables.base import SRID, created_at_column, id_column, metadata, uuid_column
from ler.domain.damages import damage_codes
from ler.domain.deviations import DeviationKind, DeviationState


def _one_of(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


_CODES: Final = damage_codes()

damage = Table(
    "damage",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    Column("reference", Text, nullable=False),
    Column("utility_type", Text, nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("date_is", Text, nullable=False),
    Column("place", Geometry("POINT", srid=SRID, spatial_index=False), nullable=False),
    Column("cause", Text, nullable=False),
    Column("caused_by", Text, nullable=False),
    Column("caused_by_cvr", Text),
    Column("caused_by_name", Text),
    # The number of a request; it may be one of the time before this register, and so refers to nothing.
    Column("order_number", BigInteger),
    Column("gml_id", Text),
    Column("environment", Text),
    # DKK.
    Column("repair_cost", Numeric(14, 2)),
    Column("administration_cost", Numeric(14, 2)),
    Column("description", Text),
    created_at_column(),
    # A report is not changed: it is withdrawn and made anew.
    Column("withdrawn_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("date_is IN ('happened', 'discovered')", name="date_is"),
    CheckConstraint(f"cause IN ({_one_of(_CODES['causes'])})", name="cause"),
    CheckConstraint(f"caused_by IN ({_one_of(_CODES['causers'])})", name="caused_by"),
    CheckConstraint(f"environment IN ({_one_of(_CODES['environment'])})", name="environment"),
    CheckConstraint("caused_by_cvr ~ '^[0-9]{8}$'", name="caused_by_cvr"),
    CheckConstraint("repair_cost >= 0 AND administration_cost >= 0", name="cost"),
)
# The same damage is not reported twice.
Index(
    "ix_damage_reference",
    damage.c.owner_id,
    damage.c.reference,
    unique=True,
    postgresql_where=damage.c.withdrawn_at.is_(None),
)
# Serves an owner's list, and what it has reported of a year.
Index("ix_damage_owner_id", damage.c.owner_id, damage.c.happened_on)

# The statement that a year had none.
damage_free_year = Table(
    "damage_free_year",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    Column("year", Integer, nullable=False),
    created_at_column(),
    # By its owner, or because a damage of the year was reported.
    Column("withdrawn_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("year >= 2020", name="year"),
)
Index(
    "ix_damage_free_year_owner_id",
    damage_free_year.c.owner_id,
    damage_free_year.c.year,
    unique=True,
    postgresql_where=damage_free_year.c.withdrawn_at.is_(None),
)

deviation = Table(
    "deviation",
    metadata,
    id_column(),
    uuid_column("reporter_id"),
    # NULL: whose line it is, is not known.
    uuid_column("owner_id", nullable=True),
    uuid_column("request_id", nullable=True),
    Column("kind", Text, nullable=False),
    # The line as it was shown.
    Column("gml_id", Text),
    # As measured; a height that was not is NaN.
    Column("geom", Geometry("GEOMETRYZ", srid=SRID, dimension=3, spatial_index=False), nullable=False),
    Column("measured_on", Date, nullable=False),
    # How far off the measurement may be, m.
    Column("accuracy_m", Double),
    Column("depth_m", Double),
    # What the reporter takes the line for.
    Column("utility_type", Text),
    Column("description", Text),
    # From the line as it was delivered, the largest distance of what was measured, m; a trigger fills it.
    Column("offset_m", Double),
    Column("state", Text, nullable=False, server_default=text("'reported'")),
    created_at_column(),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The owner's words.
    Column("note", Text),
    # The published version that has the correction.
    Column("corrected_in", Integer),
    ForeignKeyConstraint(["reporter_id"], ["ler.organisation.id"]),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    ForeignKeyConstraint(
        ["reporter_id", "request_id"], ["ler.excavation_request.requester_id", "ler.excavation_request.id"]
    ),
    CheckConstraint(f"kind IN ({_one_of(DeviationKind)})", name="kind"),
    CheckConstraint(f"state IN ({_one_of(DeviationState)})", name="state"),
    CheckConstraint("NOT ST_IsEmpty(geom)", name="geom"),
    CheckConstraint("accuracy_m > 0", name="accuracy_m"),
    CheckConstraint("char_length(description) <= 1000", name="description"),
    CheckConstraint("(state = 'corrected') = (corrected_in IS NOT NULL)", name="corrected_in"),
    CheckConstraint(
        "owner_id IS NOT NULL OR kind = 'unknown' AND state IN ('offered', 'orphan', 'withdrawn')",
        name="owner_id",
    ),
)
# Serve the lists of who reported and of who owns.
Index("ix_deviation_reporter_id", deviation.c.reporter_id, deviation.c.created_at)
Index("ix_deviation_owner_id", deviation.c.owner_id, deviation.c.created_at)

# Who was asked whether an unknown line is its own.
line_claim = Table(
    "line_claim",
    metadata,
    uuid_column("deviation_id"),
    uuid_column("owner_id"),
    # As in the deviation: rows are guarded by it.
    uuid_column("reporter_id"),
    Column("state", Text, nullable=False, server_default=text("'asked'")),
    created_at_column(),
    Column("answered_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("deviation_id", "owner_id"),
    ForeignKeyConstraint(["deviation_id"], ["ler.deviation.id"]),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("state IN ('asked', 'claimed', 'denied')", name="state"),
)
# Serves an owner's list of lines that may be its own.
Index("ix_line_claim_owner_id", line_claim.c.owner_id)

deviation_photo = Table(
    "deviation_photo",
    metadata,
    uuid_column("deviation_id"),
    Column("number", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    created_at_column(),
    PrimaryKeyConstraint("deviation_id", "number"),
    UniqueConstraint("deviation_id", "sha256"),
    ForeignKeyConstraint(["deviation_id"], ["ler.deviation.id"]),
    CheckConstraint("number BETWEEN 1 AND 10", name="number"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("media_type IN ('image/jpeg', 'image/png')", name="media_type"),
)
