"""Addresses of whose house connections a request asks for sketches, and which of an answer's files is one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; what was asked before named no address."""
    op.add_column(
        "excavation_request",
        sa.Column(
            "address_ids",
            ARRAY(UUID(as_uuid=True)),
            server_default=sa.text("'{}'::uuid[]"),
            nullable=False,
        ),
        schema="ler",
    )
    op.create_check_constraint(
        op.f("ck_excavation_request_address_ids"),
        "excavation_request",
        "cardinality(address_ids) <= 50 AND array_position(address_ids, NULL) IS NULL",
        schema="ler",
    )
    op.add_column(
        "answer_attachment", sa.Column("address_id", UUID(as_uuid=True), nullable=True), schema="ler"
    )


def downgrade() -> None:
    """Take both away."""
    op.drop_column("answer_attachment", "address_id", schema="ler")
    op.drop_column("excavation_request", "address_ids", schema="ler")
