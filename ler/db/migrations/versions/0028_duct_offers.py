"""Owners' offers of their empty ducts."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; nobody offers anything yet."""
    op.create_table(
        "duct_offer",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("cvr", sa.Text(), nullable=True),
        sa.Column("most_used", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("shows_place", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("cvr ~ '^[0-9]{8}$'", name=op.f("ck_duct_offer_cvr")),
        sa.CheckConstraint("most_used >= 0 AND most_used < 1", name=op.f("ck_duct_offer_most_used")),
        sa.CheckConstraint("char_length(contact) BETWEEN 1 AND 254", name=op.f("ck_duct_offer_contact")),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_duct_offer_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duct_offer")),
        schema="ler",
    )
    op.create_index(
        "uq_duct_offer_in_force",
        "duct_offer",
        ["owner_id", "cvr"],
        unique=True,
        schema="ler",
        postgresql_where=sa.text("ended_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("duct_offer", schema="ler")
