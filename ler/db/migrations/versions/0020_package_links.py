"""Links by which a package is fetched without a token."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "package_link",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("package_id", sa.UUID(), nullable=False),
        sa.Column("organisation_id", sa.UUID(), nullable=False),
        sa.Column("token_id", sa.UUID(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("secret_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_package_link_secret_sha256")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_package_link_expires_at")),
        sa.ForeignKeyConstraint(
            ["package_id"],
            ["ler.package.id"],
            name=op.f("fk_package_link_package_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["ler.organisation.id"], name=op.f("fk_package_link_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_link")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_package_link_secret_sha256")),
        schema="ler",
    )
    op.create_index("ix_package_link_package_id", "package_link", ["package_id"], schema="ler")


def downgrade() -> None:
    """Take it away."""
    op.drop_table("package_link", schema="ler")
