"""What a request says of the work, requests for orientation, and how requests are listed and ended."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_KINDS = "'dig', 'planning', 'emergency', 'orientation'"
_OLDER_KINDS = "'dig', 'planning', 'emergency'"
_CHECKS = {
    "depth_m": "depth_m > 0 AND depth_m <= 100",
    "work_kind_other": "work_kind_other IS NULL OR work_kind IS NOT NULL",
    "owners_named": "jsonb_typeof(owners_named) = 'array'",
}
# Requests for orientation have asked nobody: as requests for planning they say the same.
_NO_ORIENTATION = "UPDATE ler.excavation_request SET kind = 'planning' WHERE kind = 'orientation'"
_NO_CONTACTS = "DELETE FROM ler.contact WHERE purpose = 'orientation'"


def upgrade() -> None:
    """Add them."""
    for column in _columns():
        op.add_column("excavation_request", column, schema="ler")
    for name, condition in _CHECKS.items():
        op.create_check_constraint(
            op.f(f"ck_excavation_request_{name}"), "excavation_request", condition, schema="ler"
        )
    _replace_kinds(_KINDS)
    op.create_index(
        "ix_excavation_request_requester_id_created_at",
        "excavation_request",
        ["requester_id", "created_at", "id"],
        schema="ler",
    )
    op.create_index(
        "ix_excavation_request_order_id",
        "excavation_request",
        ["order_id"],
        schema="ler",
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        "ix_excavation_request_period_to",
        "excavation_request",
        ["period_to"],
        schema="ler",
        postgresql_where=sa.text("state <> 'erased'"),
    )


def downgrade() -> None:
    """Take them away; what was asked stays, without what it said of the work."""
    for name in ("period_to", "order_id", "requester_id_created_at"):
        op.drop_index(f"ix_excavation_request_{name}", "excavation_request", schema="ler")
    op.execute(_NO_ORIENTATION)
    op.execute(_NO_CONTACTS)
    _replace_kinds(_OLDER_KINDS)
    for column in _columns():
        op.drop_column("excavation_request", column.name, schema="ler")


def _replace_kinds(kinds: str) -> None:
    for table, name, condition in (
        ("excavation_request", "kind", f"kind IN ({kinds})"),
        ("contact", "purpose", f"purpose IN ({kinds}, 'damage')"),
    ):
        op.drop_constraint(f"ck_{table}_{name}", table, schema="ler")
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition, schema="ler")


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("work_kind", sa.Text(), nullable=True),
        sa.Column("work_kind_other", sa.Text(), nullable=True),
        sa.Column("work_method", sa.Text(), nullable=True),
        sa.Column("depth_m", sa.Double(), nullable=True),
        sa.Column("owners_named", JSONB(), nullable=True),
    ]
