"""What a request's dig comes too near, line by line, and what owners ask to be kept from their own lines."""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from ler.db.tables.base import SRID, created_at_column, id_column, metadata, uuid_column

CONFLICT_ZONES = ("no-machine", "hand-dig", "stand-by", "notify")


def _found() -> list[Column[Any]]:
    """Return what is told of a line that a dig comes too near."""
    return [
        Column("gml_id", Text, nullable=False),
        Column("feature_type", Text, nullable=False),
        Column("utility_type", Text),
        Column("danger_class", Text),
        Column("zone", Text, nullable=False),
        # The rule by which it is in that zone, and the rule's distance.
        Column("rule", Text, nullable=False),
        Column("unverified", Boolean, nullable=False),
        Column("limit_m", Double, nullable=False),
        Column("arrangement", Text, nullable=False),
        Column("angle_deg", Double),
        # As drawn; NULL: it has no place.
        Column("drawn_m", Double),
        Column("distance_min_m", Double, nullable=False),
        Column("distance_max_m", Double),
        # Of its top below the bottom of the dig; NULL: not known.
        Column("below_min_m", Double),
        Column("below_max_m", Double),
        Column("probability", Double, nullable=False),
        # What was not known and was taken for the worst.
        Column("reasons", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
        Column("reason_da", Text, nullable=False),
        Column("reason_en", Text, nullable=False),
        Column("geom", Geometry("GEOMETRY", srid=SRID, spatial_index=False)),
    ]


def _found_checks() -> list[CheckConstraint]:
    return [
        CheckConstraint(
            f"zone IN ({', '.join(repr(zone) for zone in CONFLICT_ZONES)})",
            name="zone",
        ),
        CheckConstraint("distance_min_m >= 0 AND distance_min_m <= distance_max_m", name="distance"),
        CheckConstraint("below_min_m >= 0 AND below_min_m <= below_max_m", name="below"),
        CheckConstraint("probability BETWEEN 0 AND 1", name="probability"),
    ]


# Written anew as a whole for each revision of a request, by ler.enter_conflicts.
object_conflict = Table(
    "object_conflict",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", PG_UUID(as_uuid=True), nullable=False, server_default=text("gen_random_uuid()")),
    uuid_column("request_id"),
    uuid_column("requester_id"),
    uuid_column("owner_id"),
    uuid_column("answer_id"),
    # Of the request, when this was found.
    Column("revision", Integer, nullable=False),
    *_found(),
    ForeignKeyConstraint(
        ["answer_id", "request_id", "requester_id", "owner_id"],
        [
            "ler.owner_answer.id",
            "ler.owner_answer.request_id",
            "ler.owner_answer.requester_id",
            "ler.owner_answer.owner_id",
        ],
    ),
    UniqueConstraint("id"),
    *_found_checks(),
    # Serves ler.enter_conflicts, and whoever reads those of a request.
    Index("ix_object_conflict_request_id", "request_id", "seq"),
    # Serves ler.ogc_conflict.
    Index("ix_object_conflict_geom", "geom", postgresql_using="gist"),
    Index("ix_object_conflict_requester_id", "requester_id", "seq"),
)

# Written anew as a whole for an owner by each batch over all planned works (`ler conflicts batch`).
line_conflict = Table(
    "line_conflict",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    uuid_column("owner_id"),
    uuid_column("work_id"),
    # Of the work and of the owner's network, when this was found.
    Column("work_version", Integer, nullable=False),
    Column("network_version", Integer, nullable=False),
    *_found(),
    created_at_column(),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    ForeignKeyConstraint(["work_id"], ["ler.planned_work.id"]),
    *_found_checks(),
    # Serves replacing an owner's, and whoever reads those of a work.
    Index("ix_line_conflict_owner_id", "owner_id", "work_id"),
    # Serves whoever looks at a place.
    Index("ix_line_conflict_geom", "geom", postgresql_using="gist"),
)

# A rule is never changed: it is ended and another one made.
owner_clearance = Table(
    "owner_clearance",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    Column("name", Text, nullable=False),
    # As a rule stands in conflicts/clearances.toml.
    Column("rule", JSONB, nullable=False),
    created_at_column(),
    Column("ended_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("name ~ '^[a-z0-9][a-z0-9-]{0,63}$'", name="name"),
    CheckConstraint("jsonb_typeof(rule) = 'object'", name="rule"),
)
# Of each name one is in force; serves reading those of an owner.
Index(
    "ix_owner_clearance_current",
    owner_clearance.c.owner_id,
    owner_clearance.c.name,
    unique=True,
    postgresql_where=owner_clearance.c.ended_at.is_(None),
)
