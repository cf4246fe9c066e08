"""Owners' tables of precautions with their areas, and which of their rows hold for a request."""

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

# A table is never changed: it is ended and another one set.
owner_precaution = Table(
    "owner_precaution",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    # As ler.domain.precaution_tables writes them.
    Column("rows", JSONB, nullable=False),
    created_at_column(),
    Column("ended_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    UniqueConstraint("id", "owner_id"),
    CheckConstraint("jsonb_typeof(rows) = 'array'", name="rows"),
)
# One is in force; serves reading those of owners.
Index(
    "ix_owner_precaution_current",
    owner_precaution.c.owner_id,
    unique=True,
    postgresql_where=owner_precaution.c.ended_at.is_(None),
)

precaution_area = Table(
    "precaution_area",
    metadata,
    id_column(),
    uuid_column("table_id"),
    uuid_column("owner_id"),
    Column("name", Text, nullable=False),
    Column("geom", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False), nullable=False),
    ForeignKeyConstraint(
        ["table_id", "owner_id"], ["ler.owner_precaution.id", "ler.owner_precaution.owner_id"]
    ),
    UniqueConstraint("table_id", "name"),
    # Serves the job of a request, which reads those that delivered lines may reach.
    Index("ix_precaution_area_geom", "geom", postgresql_using="gist"),
)

# Written anew as a whole for each revision of a request, by ler.enter_precautions.
precaution_hit = Table(
    "precaution_hit",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", PG_UUID(as_uuid=True), nullable=False, server_default=text("gen_random_uuid()")),
    uuid_column("request_id"),
    uuid_column("requester_id"),
    uuid_column("owner_id"),
    # In which the nearest line was delivered.
    uuid_column("answer_id"),
    # Of the request, when this was found.
    Column("revision", Integer, nullable=False),
    # NULL: its lines do not tell it.
    Column("utility_type", Text),
    Column("priority", Integer, nullable=False),
    # Whether it is the one that is shown of its owner and utility type.
    Column("highest", Boolean, nullable=False),
    Column("measure_da", Text, nullable=False),
    Column("measure_en", Text, nullable=False),
    Column("contact", Text),
    # Working days.
    Column("notice_days", Integer),
    # How many lines meet it, and the nearest of them.
    Column("lines", Integer, nullable=False),
    Column("gml_id", Text, nullable=False),
    Column("feature_type", Text, nullable=False),
    Column("distance_min_m", Double, nullable=False),
    Column("distance_max_m", Double),
    # What was not known and was taken for the worst.
    Column("reasons", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("reason_da", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("geom", Geometry("GEOMETRY", srid=SRID, spatial_index=False)),
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
    CheckConstraint("priority > 0 AND lines > 0 AND notice_days > 0", name="numbers"),
    # Serves ler.enter_precautions, and whoever reads those of a request.
    Index("ix_precaution_hit_request_id", "request_id", "seq"),
    # Serve ler.ogc_precaution.
    Index("ix_precaution_hit_geom", "geom", postgresql_using="gist"),
    Index("ix_precaution_hit_requester_id", "requester_id", "seq"),
)
