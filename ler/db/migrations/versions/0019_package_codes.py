"""Codes by which anybody asks whether a package was delivered; packages that were made before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the code, and find packages by it and by their digest."""
    op.add_column("package", sa.Column("verification_code", sa.Text(), nullable=True), schema="ler")
    op.create_check_constraint(
        op.f("ck_package_verification_code"), "package", "verification_code ~ '^[A-Z2-7]{24}$'", schema="ler"
    )
    op.create_index("ix_package_verification_code", "package", ["verification_code"], schema="ler")
    op.create_index("ix_package_sha256", "package", ["sha256"], schema="ler")


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_package_sha256", "package", schema="ler")
    op.drop_column("package", "verification_code", schema="ler")
