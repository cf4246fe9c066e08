"""Excavation requests, who was asked, what was answered and delivered; and the audit trail of it all."""

from collections.abc import Iterable
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
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ler.db.tables.base import (
    SRID,
    created_at_column,
    feature_items,
    id_column,
    metadata,
    uuid_column,
)
from ler.domain.request_rules import DigKind
from ler.domain.states import OWES_ANSWER, OwnerState, RequestState

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


def _one_of(values: Iterable[str]) -> str:
    return ", ".join(repr(str(value)) for value in values)


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
    Column("kind", Text, nullable=False, server_default=text("'dig'")),
    Column("already_started", Boolean, nullable=False, server_default=text("false")),
    # The requester's own number; LER calls it ordrenummer too.
    Column("order_reference", Text),
    # NULL: lines of all kinds are asked for.
    Column("utility_types", ARRAY(Text)),
    # Whom owners turn to; all NULL: the contact with which the requester is registered.
    Column("contact_person", Text),
    Column("contact_address", Text),
    Column("contact_email", Text),
    Column("contact_phone", Text),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    # As charged, without VAT. NULL: entered before prices were kept.
    Column("price", Numeric(12, 2)),
    Column("currency", Text, nullable=False, server_default=text("'DKK'")),
    ForeignKeyConstraint(["requester_id"], ["ler.organisation.id"]),
    UniqueConstraint("order_number"),
    # Serves a requester's own list; the key by which the rows below carry the requester they are guarded by.
    UniqueConstraint("requester_id", "id"),
    CheckConstraint("NOT ST_IsEmpty(area) AND ST_IsValid(area)", name="area"),
    CheckConstraint("clip_buffer_m BETWEEN 0 AND 50", name="clip_buffer_m"),
    CheckConstraint("period_from <= period_to", name="period"),
    CheckConstraint("purpose <> ''", name="purpose"),
    CheckConstraint("char_length(description) <= 100", name="description"),
    CheckConstraint(f"kind IN ({_one_of(DigKind)})", name="kind"),
    CheckConstraint("NOT already_started OR kind = 'emergency'", name="already_started"),
    CheckConstraint("char_length(order_reference) BETWEEN 1 AND 12", name="order_reference"),
    CheckConstraint(
        "cardinality(utility_types) > 0 AND array_position(utility_types, NULL) IS NULL", name="utility_types"
    ),
    CheckConstraint(
        "contact_email IS NOT NULL OR num_nonnulls(contact_person, contact_address, contact_phone) = 0",
        name="contact",
    ),
    CheckConstraint(f"state IN ({_one_of(RequestState)})", name="state"),
    CheckConstraint("price >= 0", name="price"),
    CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
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
    Column("state", Text, nullable=False, server_default=text("'asked'")),
    # When the owner could fetch it: its clock starts then (LAW § 10(1)).
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # As computed when it was asked; a later reading of the law changes nothing. NULL: asked before due times were kept.
    Column("due_at", DateTime(timezone=True)),
    Column("acknowledged_at", DateTime(timezone=True)),
    Column("answered_at", DateTime(timezone=True)),
    # Not answered when the due time had passed; stays when the answer comes.
    Column("late", Boolean, nullable=False, server_default=text("false")),
    ForeignKeyConstraint(
        ["requester_id", "request_id"],
        ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
    ),
    ForeignKeyConstraint(
        ["owner_id", "interest_area_id"], ["ler.interest_area.owner_id", "ler.interest_area.id"]
    ),
    UniqueConstraint("request_id", "interest_area_id"),
    CheckConstraint(f"state IN ({_one_of(OwnerState)})", name="state"),
    CheckConstraint("due_at > received_at", name="due_at"),
)
# Serves an owner's inbox.
Index("ix_owner_request_owner_id_created_at", owner_request.c.owner_id, owner_request.c.created_at)
# Serves the policy by which a requester sees whom it asked.
Index("ix_owner_request_requester_id_owner_id", owner_request.c.requester_id, owner_request.c.owner_id)
# Serves ler.mark_late: whose time is up?
Index(
    "ix_owner_request_due_at",
    owner_request.c.due_at,
    postgresql_where=text(f"NOT late AND state IN ({_one_of(sorted(OWES_ANSWER))})"),
)

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
