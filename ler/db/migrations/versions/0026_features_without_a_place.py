"""An index of the features that have no place: every box finds them (Features 1, requirement 24)."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index; it is as good as empty."""
    op.create_index(
        "ix_network_feature_placeless",
        "network_feature",
        ["dataset_id"],
        schema="ler",
        postgresql_where=sa.text("geom IS NULL"),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_network_feature_placeless", "network_feature", schema="ler")
