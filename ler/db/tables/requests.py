"""Excavation requests, who was asked, what was answered and delivered; and the audit trail of it all."""

from typing import Final

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
from sqlalchemy.dialects.postgresql import JSONB

from ler.db.tables.base import (
    SRID,
    created_at_column,
    feature_items,
    id_column,
    metadata,
    uuid_column,
)

DELIVERED: Final = "ledningsoplysninger udleveret"
NO_LINES: Final = "ingen ledninger i graveområde"
ANSWER_TYPES: Final = (
    DELIVERED,
    NO_LINES,
    "ledningsoplysninger udleveres ikke",
    "udtaget til manuel behandling",
    "udtaget til påvisning - ledningsoplysninger udleveres ikke",
    "udtaget til påvisning - ledningsoplysninger udleveret",
)
"""LER code list Graveforespoergselssvartype."""

excavation_request = Table(
    "excavation_request",
    metadata,
    id_column(),
    # The number that LER calls ordrenummer.
    Column("order_number", BigInteger, Identity(always=True), nullable=False),
    uuid_column("requester_id"),
    Column("area", Geometry("POLYGON", srid=SRID, spatial_index=False), nullable=False),
    # How far outside the dig area lines are still delivered, metres.
    Column("clip_buffer_m", Double, nullable=False, server_default=text("0")),
    Column("period_from", Date, nullable=False),
    Column("period_to", Date, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("description", Text),
    created_at_column(),
    # When ler.match_request answered it; a request is matched once.
    Column("matched_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["requester_id"], ["ler.organisation.id"]),
    UniqueConstraint("order_number"),
    # Serves a requester's own list; the key by which the rows below carry the requester they are guarded by.
    UniqueConstraint("requester_id", "id"),
    CheckConstraint("NOT ST_IsEmpty(area) AND ST_IsValid(area)", name="area"),
    CheckConstraint("clip_buffer_m BETWEEN 0 AND 50", name="clip_buffer_m"),
    CheckConstraint("period_from <= period_to", name="period"),
    CheckConstraint("purpose <> ''", name="purpose"),
    CheckConstraint("char_length(description) <= 100", name="description"),
)

owner_request = Table(
    "owner_request",
    metadata,
    id_column(),
    uuid_column("request_id"),
    uuid_column("requester_id"),
    uuid_column("owner_id"),
    uuid_column("interest_area_id"),
    created_at_column(),
    ForeignKeyConstraint(
        ["requester_id", "request_id"],
        ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
    ),
    ForeignKeyConstraint(
        ["owner_id", "interest_area_id"], ["ler.interest_area.owner_id", "ler.interest_area.id"]
    ),
    UniqueConstraint("request_id", "interest_area_id"),
)
# Serves an owner's inbox.
Index("ix_owner_request_owner_id_created_at", owner_request.c.owner_id, owner_request.c.created_at)
# Serves the policy by which a requester sees whom it asked.
Index("ix_owner_request_requester_id_owner_id", owner_request.c.requester_id, owner_request.c.owner_id)

owner_answer = Table(
    "owner_answer",
    metadata,
    id_column(),
    uuid_column("request_id"),
    uuid_column("requester_id"),
    uuid_column("owner_id"),
    Column("answer_type", Text, nullable=False),
    # The version that was matched; later versions change nothing in what was delivered.
    uuid_column("version_id", nullable=True),
    Column("feature_count", Integer, nullable=False, server_default=text("0")),
    Column("answered_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ForeignKeyConstraint(
        ["requester_id", "request_id"],
        ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
    ),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    ForeignKeyConstraint(
        ["version_id", "owner_id"], ["ler.network_version.id", "ler.network_version.owner_id"]
    ),
    UniqueConstraint("request_id", "owner_id"),
    CheckConstraint(
        f"answer_type IN ({', '.join(repr(value) for value in ANSWER_TYPES)})",
        name="answer_type",
    ),
    CheckConstraint("feature_count >= 0", name="feature_count"),
)

# Serves ler.purge_versions: does an answer refer to a version?
Index("ix_owner_answer_version_id", owner_answer.c.version_id)

package_feature = Table(
    "package_feature",
    metadata,
    uuid_column("request_id"),
    uuid_column("requester_id"),
    uuid_column("owner_id"),
    uuid_column("version_id"),
    Column("seq", BigInteger, nullable=False),
    *feature_items(),
    # Whether the owner's geometry is longer, larger or more than what is delivered.
    Column("clipped", Boolean, nullable=False),
    # References to features that are not in the package, removed from this copy.
    Column("left_out_references", Integer, nullable=False, server_default=text("0")),
    # Serves every reader: the features of a request, owner by owner, in file order. No gist: a package is small.
    PrimaryKeyConstraint("request_id", "owner_id", "seq"),
    # The requester written beside each feature, by which rows are guarded, is the request's requester.
    ForeignKeyConstraint(
        ["requester_id", "request_id"],
        ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
    ),
    CheckConstraint("left_out_references >= 0", name="left_out_references"),
)

package = Table(
    "package",
    metadata,
    id_column(),
    uuid_column("request_id"),
    # NULL: the consolidated package of all owners.
    uuid_column("owner_id", nullable=True),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("feature_count", Integer, nullable=False),
    Column("manifest", JSONB, nullable=False),
    created_at_column(),
    ForeignKeyConstraint(["request_id"], ["ler.excavation_request.id"]),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("size_bytes >= 0", name="size_bytes"),
    CheckConstraint("feature_count >= 0", name="feature_count"),
)
# Serves listing a request's packages.
Index("ix_package_request_id", package.c.request_id)

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    uuid_column("actor", nullable=True),
    Column("action", Text, nullable=False),
    uuid_column("object_id", nullable=True),
    Column("details", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    CheckConstraint("action ~ '^[a-z_]+:[a-z_]+:[a-z_]+$'", name="action"),
)
# Serves the history of one thing.
Index("ix_audit_event_object_id", audit_event.c.object_id, audit_event.c.at)
