"""Audit events with who acted for whom, and their chain."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0012"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; what was recorded before waits to be sealed like what comes."""
    op.add_column(
        "audit_event",
        sa.Column("key", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False),
        schema="ler",
    )
    for name in ("account", "provider"):
        column = sa.Column(f"{name}_id", UUID(as_uuid=True), nullable=True)
        op.add_column("audit_event", column, schema="ler")
    op.create_unique_constraint("uq_audit_event_key", "audit_event", ["key"], schema="ler")
    op.create_index("ix_audit_event_actor", "audit_event", ["actor", "id"], schema="ler")
    op.create_index("ix_audit_event_provider_id", "audit_event", ["provider_id", "id"], schema="ler")
    op.create_index(
        "ix_excavation_request_area", "excavation_request", ["area"], schema="ler", postgresql_using="gist"
    )
    op.create_index(
        "ix_package_feature_owner_id_gml_id", "package_feature", ["owner_id", "gml_id"], schema="ler"
    )
    _make_chain()


def downgrade() -> None:
    """Take them away; the events stay."""
    op.drop_table("audit_unsealed", schema="ler")
    op.drop_table("audit_link", schema="ler")
    op.drop_index("ix_package_feature_owner_id_gml_id", "package_feature", schema="ler")
    op.drop_index("ix_excavation_request_area", "excavation_request", schema="ler")
    op.drop_index("ix_audit_event_provider_id", "audit_event", schema="ler")
    op.drop_index("ix_audit_event_actor", "audit_event", schema="ler")
    for column in ("provider_id", "account_id", "key"):
        op.drop_column("audit_event", column, schema="ler")


def _make_chain() -> None:
    op.create_table(
        "audit_link",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_audit_link_number")),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_audit_link_digest")),
        sa.ForeignKeyConstraint(["event_id"], ["ler.audit_event.id"], name=op.f("fk_audit_link_event_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_link_event_id")),
        schema="ler",
    )
    op.create_table(
        "audit_unsealed",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["ler.audit_event.id"], name=op.f("fk_audit_unsealed_event_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_audit_unsealed")),
        schema="ler",
    )
    op.execute("INSERT INTO ler.audit_unsealed (event_id) SELECT id FROM ler.audit_event")
