"""What each package is made of, and up to which revision a request's packages are made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; the packages of requests that were matched before are made anew, and then kept."""
    op.add_column(
        "package",
        sa.Column("recipe", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        schema="ler",
    )
    op.add_column(
        "excavation_request",
        sa.Column("packed_revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema="ler",
    )
    # What was written into folders only was never kept.
    op.execute("DELETE FROM ler.package")
    op.create_index(
        "ix_excavation_request_to_pack",
        "excavation_request",
        ["order_number"],
        schema="ler",
        postgresql_where=sa.text("packed_revision < revision AND state NOT IN ('cancelled', 'erased')"),
    )


def downgrade() -> None:
    """Take both away; the packages stay, and can no longer be made again."""
    op.drop_index("ix_excavation_request_to_pack", "excavation_request", schema="ler")
    op.drop_column("excavation_request", "packed_revision", schema="ler")
    op.drop_column("package", "recipe", schema="ler")
