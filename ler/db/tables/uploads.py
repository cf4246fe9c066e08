"""Uploads of owners' files, what was told of their progress, access tokens, and answers kept for repeated calls."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
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

upload = Table(
    "upload",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    Column("state", Text, nullable=False, server_default=text("'receiving'")),
    # Counts the changes of state, for If-Match.
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("file_name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    # Bytes that lie safely on disk.
    Column("received_bytes", BigInteger, nullable=False, server_default=text("0")),
    # As the owner stated it at first, as we found it in the end.
    Column("sha256", Text),
    Column("mode", Text, nullable=False, server_default=text("'full'")),
    Column("deletes", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("crs", Text),
    Column("mapping", Text),
    Column("auto_approve", Boolean, nullable=False, server_default=text("false")),
    Column("confirm_empty", Boolean, nullable=False, server_default=text("false")),
    uuid_column("version_id", nullable=True),
    Column("version_number", Integer),
    Column("feature_count", Integer),
    # What was found in the file, as `ingest.report` writes it.
    Column("report", JSONB),
    Column("comparison", JSONB),
    # Why its owner must decide.
    Column("reasons", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    # Why it was rejected or failed: code and message.
    Column("problem", JSONB),
    # How often a worker began with it and did not come to an end.
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("last_event", Integer, nullable=False, server_default=text("0")),
    created_at_column(),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    UniqueConstraint("owner_id", "id"),
    CheckConstraint(
        "state IN ('receiving', 'received', 'checking', 'rejected', 'unchanged', 'needs_approval', 'approved',"
        " 'publishing', 'published', 'discarded', 'expired', 'failed')",
        name="state",
    ),
    CheckConstraint("mode IN ('full', 'delta')", name="mode"),
    CheckConstraint("file_name <> '' AND char_length(file_name) <= 255", name="file_name"),
    CheckConstraint("size_bytes > 0", name="size_bytes"),
    CheckConstraint("received_bytes BETWEEN 0 AND size_bytes", name="received_bytes"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
)

# Serves an owner's list, page by page.
Index("ix_upload_owner_id_created_at_id", upload.c.owner_id, upload.c.created_at, upload.c.id)
# Serves ler.uploads_at_work: what the sweep looks at every 15 s, a few among many that have ended.
Index(
    "ix_upload_state",
    upload.c.state,
    postgresql_where=upload.c.state.in_(
        ("receiving", "received", "checking", "needs_approval", "approved", "publishing")
    ),
)

upload_event = Table(
    "upload_event",
    metadata,
    uuid_column("upload_id"),
    uuid_column("owner_id"),
    # Numbered under the lock of the upload's row, so that numbers become visible in their order.
    Column("number", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("kind", Text, nullable=False),
    Column("data", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    PrimaryKeyConstraint("upload_id", "number"),
    ForeignKeyConstraint(["owner_id", "upload_id"], ["ler.upload.owner_id", "ler.upload.id"]),
    CheckConstraint("kind IN ('state', 'progress')", name="kind"),
    CheckConstraint("jsonb_typeof(data) = 'object'", name="data"),
)

access_token = Table(
    "access_token",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    # Stands in the token in clear, to find the row by.
    Column("prefix", Text, nullable=False),
    # Of 190 random bits, which nobody can try out: no slow hash is needed.
    Column("secret_sha256", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("note", Text, nullable=False, server_default=text("''")),
    created_at_column(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    # Of a person's or an organisation's own making; of a client that proved who it is; of a browser's login.
    Column("kind", Text, nullable=False, server_default=text("'personal'")),
    # The person whose it is and whose rights bound it; NULL: the organisation's, made by the operator or by a client.
    uuid_column("account_id", nullable=True),
    uuid_column("client_id", nullable=True),
    # The token that made it: it ends with that one. NULL: made by a login, a client's key or the operator.
    uuid_column("made_by", nullable=True),
    # Where it may ask; NULL: wherever its organisation may.
    Column("area", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False)),
    # To the minute.
    Column("last_used_at", DateTime(timezone=True)),
    # Seconds after which it ends unused.
    Column("idle_s", Integer),
    # How the person proved who it is.
    Column("acr", Text),
    Column("amr", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    ForeignKeyConstraint(["owner_id", "account_id"], ["ler.account.organisation_id", "ler.account.id"]),
    ForeignKeyConstraint(["owner_id", "client_id"], ["ler.client.owner_id", "ler.client.id"]),
    UniqueConstraint("prefix"),
    # The key by which a token says which other one of its organisation made it.
    UniqueConstraint("owner_id", "id"),
    ForeignKeyConstraint(["owner_id", "made_by"], ["ler.access_token.owner_id", "ler.access_token.id"]),
    CheckConstraint("kind IN ('personal', 'client', 'session')", name="kind"),
    CheckConstraint("(kind = 'client') = (client_id IS NOT NULL)", name="client"),
    CheckConstraint("kind <> 'session' OR account_id IS NOT NULL", name="session"),
    CheckConstraint("NOT ST_IsEmpty(area) AND ST_IsValid(area)", name="area"),
    CheckConstraint("idle_s > 0", name="idle_s"),
    CheckConstraint("prefix ~ '^[0-9A-Za-z]{8}$'", name="prefix"),
    CheckConstraint("secret_sha256 ~ '^[0-9a-f]{64}$'", name="secret_sha256"),
    CheckConstraint("cardinality(scopes) > 0", name="scopes"),
)

# Serves the list of an owner's tokens.
Index("ix_access_token_owner_id", access_token.c.owner_id)
# Serves the end of a token, with which those end that it made.
Index("ix_access_token_made_by", access_token.c.made_by)
# Serves ler.forget_tokens: of clients and logins, of which there are many.
Index(
    "ix_access_token_expires_at",
    access_token.c.expires_at,
    postgresql_where=access_token.c.kind.in_(("client", "session")),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    uuid_column("owner_id"),
    Column("route", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("request_sha256", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", JSONB, nullable=False),
    created_at_column(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    # With the owner first: a key never tells which keys another owner has used.
    PrimaryKeyConstraint("owner_id", "route", "key"),
    CheckConstraint("char_length(key) BETWEEN 1 AND 255", name="key"),
    CheckConstraint("request_sha256 ~ '^[0-9a-f]{64}$'", name="request_sha256"),
)

# Serves ler.forget_old_keys.
Index("ix_idempotency_key_expires_at", idempotency_key.c.expires_at)
