"""Programs that prove who they are by a key, and how much of everything a caller may have."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ler.db.tables.base import SRID, created_at_column, id_column, metadata, uuid_column
from ler.db.tables.requests import excavation_request

client = Table(
    "client",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    # Where its tokens may ask; NULL: wherever the organisation may.
    Column("area", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False)),
    created_at_column(),
    Column("revoked_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    UniqueConstraint("owner_id", "id"),
    CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name"),
    CheckConstraint("cardinality(scopes) > 0", name="scopes"),
    CheckConstraint("NOT ST_IsEmpty(area) AND ST_IsValid(area)", name="area"),
)

client_key = Table(
    "client_key",
    metadata,
    id_column(),
    uuid_column("client_id"),
    uuid_column("owner_id"),
    # What the header of an assertion calls it.
    Column("kid", Text, nullable=False),
    # Its public part, as `geoapi.assertions` lets it in.
    Column("jwk", JSONB, nullable=False),
    created_at_column(),
    Column("revoked_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["owner_id", "client_id"], ["ler.client.owner_id", "ler.client.id"]),
    UniqueConstraint("client_id", "kid"),
    CheckConstraint("char_length(kid) BETWEEN 1 AND 100", name="kid"),
    CheckConstraint("jsonb_typeof(jwk) = 'object' AND NOT jwk ?| '{d,k,p,q}'", name="jwk"),
)

used_assertion = Table(
    "used_assertion",
    metadata,
    uuid_column("client_id"),
    # Of the jti, which may be anything its client likes.
    Column("jti_sha256", Text, nullable=False),
    # When it may be forgotten: its end and twice the leeway.
    Column("expires_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(["client_id"], ["ler.client.id"]),
    # The insert that fails is the check: two calls at once cannot both be first.
    PrimaryKeyConstraint("client_id", "jti_sha256"),
    CheckConstraint("jti_sha256 ~ '^[0-9a-f]{64}$'", name="jti_sha256"),
)
# Serves ler.forget_assertions.
Index("ix_used_assertion_expires_at", used_assertion.c.expires_at)

call_bucket = Table(
    "call_bucket",
    metadata,
    # Whose calls of which kind: an organisation, or an address from which tokens are tried.
    Column("name", Text, nullable=False),
    # When the bucket will be empty again (theoretical arrival time of the generic cell rate algorithm).
    Column("empty_at", DateTime(timezone=True), nullable=False),
    # When it was last recorded that somebody called too often.
    Column("told_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("name"),
    CheckConstraint("char_length(name) BETWEEN 1 AND 200", name="name"),
    # Counts of a minute need not outlive a crash, nor be written twice.
    prefixes=["UNLOGGED"],
)
# Serves ler.forget_calls.
Index("ix_call_bucket_empty_at", call_bucket.c.empty_at)

request_limit = Table(
    "request_limit",
    metadata,
    id_column(),
    # NULL: whoever has no row of its own.
    uuid_column("owner_id", nullable=True),
    # Of the last 24 hours, and of the last 30 days. NULL: as many as one likes.
    Column("requests_per_day", Integer),
    Column("area_m2_per_day", Double),
    Column("area_m2_per_month", Double),
    # From how many dig areas side by side, together this large, on the operator is told.
    Column("tiles", Integer, nullable=False, server_default=text("4")),
    Column("tiles_area_m2", Double, nullable=False, server_default=text("1000000")),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    UniqueConstraint("owner_id", postgresql_nulls_not_distinct=True),
    CheckConstraint("requests_per_day >= 0", name="requests_per_day"),
    CheckConstraint("area_m2_per_day >= 0", name="area_m2_per_day"),
    CheckConstraint("area_m2_per_month >= 0", name="area_m2_per_month"),
    CheckConstraint("tiles > 1 AND tiles_area_m2 > 0", name="tiles"),
)

alarm = Table(
    "alarm",
    metadata,
    id_column(),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Who gave cause for it.
    uuid_column("owner_id"),
    Column("kind", Text, nullable=False),
    uuid_column("request_id", nullable=True),
    Column("data", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("kind IN ('tiling', 'limit')", name="kind"),
    CheckConstraint("jsonb_typeof(data) = 'object'", name="data"),
)
# Serves the operator's list, and the question whether one was given today.
Index("ix_alarm_owner_id_at", alarm.c.owner_id, alarm.c.at)
# Serves ler.check_asking: how much did a requester ask for lately?
Index(
    "ix_excavation_request_asked_lately",
    excavation_request.c.requester_id,
    excavation_request.c.created_at,
)
