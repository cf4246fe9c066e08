"""Uploads, their events, access tokens, and answers kept for repeated calls."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "upload",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'receiving'"), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), server_default=sa.text("'full'"), nullable=False),
        sa.Column("deletes", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("crs", sa.Text(), nullable=True),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.Column("auto_approve", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("confirm_empty", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version_id", sa.UUID(), nullable=True),
        sa.Column("version_number", sa.Integer(), nullable=True),
        sa.Column("feature_count", sa.Integer(), nullable=True),
        sa.Column("report", JSONB(), nullable=True),
        sa.Column("comparison", JSONB(), nullable=True),
        sa.Column("reasons", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("problem", JSONB(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_event", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "file_name <> '' AND char_length(file_name) <= 255", name=op.f("ck_upload_file_name")
        ),
        sa.CheckConstraint("mode IN ('full', 'delta')", name=op.f("ck_upload_mode")),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_upload_sha256")),
        sa.CheckConstraint(
            "state IN ('receiving', 'received', 'checking', 'rejected', 'unchanged', 'needs_approval', 'approved', 'publishing', 'published', 'discarded', 'expired', 'failed')",
            name=op.f("ck_upload_state"),
        ),
        sa.CheckConstraint("received_bytes BETWEEN 0 AND size_bytes", name=op.f("ck_upload_received_bytes")),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_upload_size_bytes")),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_upload_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sa.UniqueConstraint("owner_id", "id", name=op.f("uq_upload_owner_id_id")),
        schema="ler",
    )
    op.create_index(
        "ix_upload_owner_id_created_at_id",
        "upload",
        ["owner_id", "created_at", "id"],
        unique=False,
        schema="ler",
    )
    op.create_index(
        "ix_upload_state",
        "upload",
        ["state"],
        unique=False,
        schema="ler",
        postgresql_where=sa.text(
            "state IN ('receiving', 'received', 'checking', 'needs_approval', 'approved', 'publishing')"
        ),
    )
    op.create_table(
        "upload_event",
        sa.Column("upload_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.CheckConstraint("jsonb_typeof(data) = 'object'", name=op.f("ck_upload_event_data")),
        sa.CheckConstraint("kind IN ('state', 'progress')", name=op.f("ck_upload_event_kind")),
        sa.ForeignKeyConstraint(
            ["owner_id", "upload_id"],
            ["ler.upload.owner_id", "ler.upload.id"],
            name=op.f("fk_upload_event_owner_id_upload_id"),
        ),
        sa.PrimaryKeyConstraint("upload_id", "number", name=op.f("pk_upload_event")),
        schema="ler",
    )
    op.create_table(
        "access_token",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("prefix ~ '^[0-9A-Za-z]{8}$'", name=op.f("ck_access_token_prefix")),
        sa.CheckConstraint("secret_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_access_token_secret_sha256")),
        sa.CheckConstraint("cardinality(scopes) > 0", name=op.f("ck_access_token_scopes")),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_access_token_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("prefix", name=op.f("uq_access_token_prefix")),
        schema="ler",
    )
    op.create_index("ix_access_token_owner_id", "access_token", ["owner_id"], unique=False, schema="ler")
    op.create_table(
        "idempotency_key",
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", JSONB(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "request_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_idempotency_key_request_sha256")
        ),
        sa.CheckConstraint("char_length(key) BETWEEN 1 AND 255", name=op.f("ck_idempotency_key_key")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ler.organisation.id"], name=op.f("fk_idempotency_key_owner_id")
        ),
        sa.PrimaryKeyConstraint("owner_id", "route", "key", name=op.f("pk_idempotency_key")),
        schema="ler",
    )
    op.create_index(
        "ix_idempotency_key_expires_at", "idempotency_key", ["expires_at"], unique=False, schema="ler"
    )


def downgrade() -> None:
    """Drop them, with every token and all that is known of uploads; published networks stay."""
    op.drop_table("idempotency_key", schema="ler")
    op.drop_table("access_token", schema="ler")
    op.drop_table("upload_event", schema="ler")
    op.drop_table("upload", schema="ler")
