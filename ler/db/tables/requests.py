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
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from ler.db.tables.base import (
    SRID,
    created_at_column,
    feature_items,
    id_column,
    metadata,
    uuid_column,
)
from ler.domain.request_rules import MOST_ADDRESSES, DigKind
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
    # Moves with every answer that is given, changed or taken back: what a package of it would say. 0: not matched.
    Column("revision", Integer, nullable=False, server_default=text("0")),
    # Number of its newest notice.
    Column("last_event", Integer, nullable=False, server_default=text("0")),
    # The request that this one renews or is a copy of.
    uuid_column("renews_id", nullable=True),
    # The same for all requests that were ordered together.
    uuid_column("order_id", nullable=True),
    # What is done there, by the codes of ler/domain/work_codes.toml; all NULL: not told.
    Column("work_kind", Text),
    Column("work_kind_other", Text),
    Column("work_method", Text),
    Column("depth_m", Double),
    # Of a request for orientation, which asks nobody: the owners with interest areas there, as they were then.
    Column("owners_named", JSONB),
    # The last revision of which all packages are made.
    Column("packed_revision", Integer, nullable=False, server_default=text("0")),
    # DAR ids of the addresses whose house connections are asked for, as the requester named them.
    Column("address_ids", ARRAY(PG_UUID(as_uuid=True)), nullable=False, server_default=text("'{}'::uuid[]")),
    # The revision of which its conflicts were found; NULL: nobody has looked for any.
    Column("conflicts_revision", Integer),
    # What a position may be off that nobody bounds: lines whose band reaches into the area are delivered too. NULL: they
    # are not.
    Column("unknown_accuracy_m", Double),
    ForeignKeyConstraint(["requester_id"], ["ler.organisation.id"]),
    ForeignKeyConstraint(
        ["requester_id", "renews_id"], ["ler.excavation_request.requester_id", "ler.excavation_request.id"]
    ),
    UniqueConstraint("order_number"),
    # Serves a requester's own list; the key by which the rows below carry the requester they are guarded by.
    UniqueConstraint("requester_id", "id"),
    CheckConstraint("NOT ST_IsEmpty(area) AND ST_IsValid(area)", name="area"),
    CheckConstraint("clip_buffer_m BETWEEN 0 AND 50", name="clip_buffer_m"),
    # How far around the area lines are looked for is this and more (ler.widest_band_m).
    CheckConstraint("unknown_accuracy_m > 0 AND unknown_accuracy_m <= 20", name="unknown_accuracy_m"),
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
    CheckConstraint(
        f"cardinality(address_ids) <= {MOST_ADDRESSES} AND array_position(address_ids, NULL) IS NULL",
        name="address_ids",
    ),
    CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
    CheckConstraint("depth_m > 0 AND depth_m <= 100", name="depth_m"),
    CheckConstraint("work_kind_other IS NULL OR work_kind IS NOT NULL", name="work_kind_other"),
    CheckConstraint("jsonb_typeof(owners_named) = 'array'", name="owners_named"),
    CheckConstraint("revision >= 0", name="revision"),
)
# Serves a requester's list, the newest first, page by page; and what it asked for in a year.
Index(
    "ix_excavation_request_requester_id_created_at",
    excavation_request.c.requester_id,
    excavation_request.c.created_at,
    excavation_request.c.id,
)
# Serves an order of several requests.
Index(
    "ix_excavation_request_order_id",
    excavation_request.c.order_id,
    postgresql_where=excavation_request.c.order_id.is_not(None),
)
# Serves ler.end_requests and ler.erase_requests: whose last day is over?
Index(
    "ix_excavation_request_period_to",
    excavation_request.c.period_to,
    postgresql_where=text("state <> 'erased'"),
)

# Serves ler.who_has_seen: which requests lie where something was asked about? And ler.tell_changes: where an owner is new?
Index("ix_excavation_request_area", excavation_request.c.area, postgresql_using="gist")
# Serves ler.tell_changes: which requests are under way?
Index(
    "ix_excavation_request_live",
    excavation_request.c.id,
    postgresql_where=text("state IN ('open', 'answered', 'complete')"),
)
# Serves ler.requests_to_pack.
Index(
    "ix_excavation_request_to_pack",
    excavation_request.c.order_number,
    postgresql_where=text("packed_revision < revision AND state NOT IN ('cancelled', 'erased')"),
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
    # How much of its time was gone when the owner was last reminded, percent.
    Column("reminded_percent", Integer, nullable=False, server_default=text("0")),
    # When and where lines are pointed out: starts_at, ends_at, place, contact. As last agreed.
    Column("appointment", JSONB),
    # The requester asked for lines to be pointed out that it did not find, and why.
    Column("marking_asked_at", DateTime(timezone=True)),
    Column("marking_reason", Text),
    Column("marked_at", DateTime(timezone=True)),
    Column("marking_note", Text),
    # The owner had a dispensation when it was asked, and so the longer deadline (LAW § 13(2), (3)).
    Column("dispensed", Boolean, nullable=False, server_default=text("false")),
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
    CheckConstraint("reminded_percent IN (0, 50, 90, 100)", name="reminded_percent"),
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
    # NULL: for all areas of the owner that were asked.
    uuid_column("interest_area_id", nullable=True),
    # Counts the owner's answers for that area; each stays as it was given.
    Column("revision", Integer, nullable=False, server_default=text("1")),
    # By the platform from the published network, or by the owner itself.
    Column("given_by", Text, nullable=False, server_default=text("'platform'")),
    # When another took its place or the owner took it back; NULL: it holds.
    Column("replaced_at", DateTime(timezone=True)),
    Column("withdrawn_at", DateTime(timezone=True)),
    # LER gyldigTil, typeSupplerendeInfo and forventetAfleveringstidspunkt.
    Column("valid_until", Date),
    Column("further_information", Text),
    Column("expected_time", DateTime(timezone=True)),
    # When and where lines are pointed out: starts_at, ends_at, place, contact.
    Column("appointment", JSONB),
    # What an owner's own file says of itself, and its digest; of the platform's answers the version keeps both.
    Column("header", JSONB),
    Column("source_sha256", Text),
    ForeignKeyConstraint(
        ["requester_id", "request_id"],
        ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
    ),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    ForeignKeyConstraint(
        ["owner_id", "interest_area_id"], ["ler.interest_area.owner_id", "ler.interest_area.id"]
    ),
    ForeignKeyConstraint(
        ["version_id", "owner_id"], ["ler.network_version.id", "ler.network_version.owner_id"]
    ),
    UniqueConstraint(
        "request_id", "owner_id", "interest_area_id", "revision", postgresql_nulls_not_distinct=True
    ),
    # The key by which features carry whom they are guarded by.
    UniqueConstraint("id", "request_id", "requester_id", "owner_id"),
    CheckConstraint(f"answer_type IN ({_one_of(ANSWER_TYPES)})", name="answer_type"),
    CheckConstraint("feature_count >= 0", name="feature_count"),
    CheckConstraint("revision > 0", name="revision"),
    CheckConstraint("given_by IN ('platform', 'owner')", name="given_by"),
    CheckConstraint("source_sha256 ~ '^[0-9a-f]{64}$'", name="source_sha256"),
    CheckConstraint("withdrawn_at IS NULL OR replaced_at IS NOT NULL", name="withdrawn_at"),
)

# Of an owner's answers for an area one holds.
Index(
    "ix_owner_answer_current",
    owner_answer.c.request_id,
    owner_answer.c.owner_id,
    owner_answer.c.interest_area_id,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=owner_answer.c.replaced_at.is_(None),
)
# Serves ler.purge_versions: does an answer refer to a version?
Index("ix_owner_answer_version_id", owner_answer.c.version_id)

package_feature = Table(
    "package_feature",
    metadata,
    uuid_column("request_id"),
    uuid_column("requester_id"),
    uuid_column("owner_id"),
    # NULL: of an answer that its owner gave itself.
    uuid_column("version_id", nullable=True),
    Column("seq", BigInteger, nullable=False),
    *feature_items(),
    # Whether the owner's geometry is longer, larger or more than what is delivered.
    Column("clipped", Boolean, nullable=False),
    # References to features that are not in the package, removed from this copy.
    Column("left_out_references", Integer, nullable=False, server_default=text("0")),
    uuid_column("answer_id"),
    # Serves every reader: the features of a request, answer by answer, in file order. No gist: a package is small.
    PrimaryKeyConstraint("request_id", "answer_id", "seq"),
    # Requester and owner written beside each feature, by which rows are guarded, are those of the answer.
    ForeignKeyConstraint(
        ["answer_id", "request_id", "requester_id", "owner_id"],
        [
            "ler.owner_answer.id",
            "ler.owner_answer.request_id",
            "ler.owner_answer.requester_id",
            "ler.owner_answer.owner_id",
        ],
    ),
    CheckConstraint("left_out_references >= 0", name="left_out_references"),
)
# Serves ler.who_has_seen: to whom was this line delivered?
Index("ix_package_feature_owner_id_gml_id", package_feature.c.owner_id, package_feature.c.gml_id)

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
    # Of the request, when this was made. An owner's package stays the newest until that owner's own answers change.
    Column("revision", Integer, nullable=False, server_default=text("1")),
    # What the file can be made from again (ler.packages.recipe).
    Column("recipe", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    # Printed in the package; NULL: an owner's package, or one that was made without the platform's secret.
    Column("verification_code", Text),
    ForeignKeyConstraint(["request_id"], ["ler.excavation_request.id"]),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    # One package of each kind for each state of the request; serves listing a request's packages.
    UniqueConstraint("request_id", "owner_id", "revision", postgresql_nulls_not_distinct=True),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("size_bytes >= 0", name="size_bytes"),
    CheckConstraint("feature_count >= 0", name="feature_count"),
    CheckConstraint("verification_code ~ '^[A-Z2-7]{24}$'", name="verification_code"),
    # Both serve ler.find_delivered.
    Index("ix_package_verification_code", "verification_code"),
    Index("ix_package_sha256", "sha256"),
)

package_link = Table(
    "package_link",
    metadata,
    id_column(),
    uuid_column("package_id"),
    # Who made it, and for whom who holds it acts.
    uuid_column("organisation_id"),
    # By which it was made; when that is revoked, or gone, the link is over. No foreign key: tokens are forgotten.
    uuid_column("token_id"),
    # The secret itself is with who made it and nowhere else.
    Column("secret_sha256", Text, nullable=False),
    created_at_column(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(["package_id"], ["ler.package.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
    # Serves ler.find_package_link.
    UniqueConstraint("secret_sha256"),
    CheckConstraint("secret_sha256 ~ '^[0-9a-f]{64}$'", name="secret_sha256"),
    CheckConstraint("expires_at > created_at", name="expires_at"),
    # Serves the list of a package's links.
    Index("ix_package_link_package_id", "package_id"),
)

notice = Table(
    "notice",
    metadata,
    id_column(),
    # Counts what happened to a request; NULL: it is not about one.
    Column("number", Integer),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    # Who is told.
    uuid_column("audience_id"),
    Column("kind", Text, nullable=False),
    uuid_column("request_id", nullable=True),
    # The owner that it is about.
    uuid_column("owner_id", nullable=True),
    # Small, without geometry and without names of persons.
    Column("data", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    # Its place in its audience's feed, by ler.place_notices; NULL: nobody has looked since.
    Column("position", BigInteger),
    ForeignKeyConstraint(["audience_id"], ["ler.organisation.id"]),
    ForeignKeyConstraint(["request_id"], ["ler.excavation_request.id"]),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("kind ~ '^[a-z_]+[.][a-z_]+$'", name="kind"),
    CheckConstraint("jsonb_typeof(data) = 'object'", name="data"),
    CheckConstraint("(number IS NULL) = (request_id IS NULL)", name="number"),
)
# Serves the stream of a request.
Index("ix_notice_request_id", notice.c.request_id, notice.c.number)
# Serves an organisation's feed.
Index("ix_notice_audience_id", notice.c.audience_id, notice.c.at)
# Serves reading on from a place.
Index("ix_notice_position", notice.c.audience_id, notice.c.position, unique=True)
# Serves ler.place_notices: what is new?
Index("ix_notice_unplaced", notice.c.audience_id, postgresql_where=notice.c.position.is_(None))

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    uuid_column("actor", nullable=True),
    Column("action", Text, nullable=False),
    uuid_column("object_id", nullable=True),
    Column("details", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    # By which others name the event: the id counts what everybody does.
    Column("key", PG_UUID(as_uuid=True), nullable=False, server_default=text("gen_random_uuid()")),
    # The person and the provider that acted for the actor; a trigger writes them, nobody who appends.
    uuid_column("account_id", nullable=True),
    uuid_column("provider_id", nullable=True),
    UniqueConstraint("key"),
    CheckConstraint("action ~ '^[a-z_]+:[a-z_]+:[a-z_]+$'", name="action"),
)
# Serves the history of one thing.
Index("ix_audit_event_object_id", audit_event.c.object_id, audit_event.c.at)
# Serve an organisation that looks at what it did, or what was done for others by it.
Index("ix_audit_event_actor", audit_event.c.actor, audit_event.c.id)
Index("ix_audit_event_provider_id", audit_event.c.provider_id, audit_event.c.id)
