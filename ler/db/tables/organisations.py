"""Who takes part - utility owners, excavators, the operator itself - and where owners have lines."""

from typing import Final
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ler.db.tables.base import SRID, created_at_column, id_column, metadata, uuid_column

PLATFORM_OPERATOR: Final = UUID("00000000-0000-4000-8000-000000000001")
"""The organisation that runs the platform: seeded, without CVR number, the default requester, and the only
principal that may register organisations and interest areas."""

organisation = Table(
    "organisation",
    metadata,
    id_column(),
    Column("cvr", Text),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("phone", Text),
    created_at_column(),
    UniqueConstraint("cvr"),
    CheckConstraint("cvr ~ '^[0-9]{8}$'", name="cvr"),
    CheckConstraint("name <> ''", name="name"),
)

interest_area = Table(
    "interest_area",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    # The number that LER calls indberetningsNr.
    Column("registration_number", BigInteger, Identity(always=True), nullable=False),
    Column("utility_types", ARRAY(Text), nullable=False),
    Column("geom", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False), nullable=False),
    created_at_column(),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    UniqueConstraint("registration_number"),
    # Serves an owner's own list; the key of owner_request, which must name an area of the owner it asks.
    UniqueConstraint("owner_id", "id"),
    CheckConstraint(
        "cardinality(utility_types) > 0 AND array_position(utility_types, NULL) IS NULL", name="utility_types"
    ),
    CheckConstraint("NOT ST_IsEmpty(geom) AND ST_IsValid(geom)", name="geom"),
)

# Serves ler.match_request and ler.find_owners: whose interest areas does a dig area touch?
Index("ix_interest_area_geom", interest_area.c.geom, postgresql_using="gist")
