"""Dispensations of owners, and who was asked with one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; who was asked before had none."""
    op.create_table(
        "dispensation",
        sa.Column("id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f("ck_dispensation_valid")),
        sa.CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name=op.f("ck_dispensation_reason")),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_dispensation_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispensation")),
        schema="ler",
    )
    op.create_index("ix_dispensation_owner_id", "dispensation", ["owner_id"], schema="ler")
    op.add_column(
        "owner_request",
        sa.Column("dispensed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="ler",
    )


def downgrade() -> None:
    """Take both away; due times stay as they were computed."""
    op.drop_column("owner_request", "dispensed", schema="ler")
    op.drop_table("dispensation", schema="ler")
