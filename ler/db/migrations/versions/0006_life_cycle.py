"""The life of a request and of what it asks of each owner: states, due times, kind, contact, price."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_REQUEST_CHECKS = {
    "kind": "kind IN ('dig', 'planning', 'emergency')",
    "already_started": "NOT already_started OR kind = 'emergency'",
    "order_reference": "char_length(order_reference) BETWEEN 1 AND 12",
    "utility_types": "cardinality(utility_types) > 0 AND array_position(utility_types, NULL) IS NULL",
    "contact": "contact_email IS NOT NULL OR num_nonnulls(contact_person, contact_address, contact_phone) = 0",
    "state": "state IN ('priced', 'open', 'answered', 'complete', 'cancelled', 'ended', 'erased')",
    "price": "price >= 0",
    "currency": "currency ~ '^[A-Z]{3}$'",
}
_OWNER_CHECKS = {
    "state": (
        "state IN ('asked', 'acknowledged', 'taken-out', 'to-be-marked', 'answered', 'marked', 'withdrawn',"
        " 'cancelled', 'ended')"
    ),
    "due_at": "due_at > received_at",
}
_OWES = "state IN ('acknowledged', 'asked', 'taken-out', 'withdrawn')"

# What was matched before is where a match of today would have left it. Due times are not made up afterwards: nobody
# was told them, so nobody is late.
_ANSWERED = """
    UPDATE ler.owner_request AS q SET state = 'answered', answered_at = a.answered_at
    FROM ler.owner_answer AS a
    WHERE a.request_id = q.request_id AND a.owner_id = q.owner_id
"""
_COMPLETE = """
    UPDATE ler.excavation_request AS r SET state = 'complete'
    WHERE r.matched_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM ler.owner_request AS q WHERE q.request_id = r.id AND q.state <> 'answered'
    )
"""


def upgrade() -> None:
    """Add them, and put requests that were matched before into their states."""
    for table, columns, checks in (
        ("excavation_request", _request(), _REQUEST_CHECKS),
        ("owner_request", _owner(), _OWNER_CHECKS),
    ):
        for column in columns:
            op.add_column(table, column, schema="ler")
        for name, condition in checks.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition, schema="ler")
    op.execute("UPDATE ler.owner_request SET received_at = created_at")
    op.execute(_ANSWERED)
    op.execute(_COMPLETE)
    op.create_index(
        "ix_owner_request_due_at",
        "owner_request",
        ["due_at"],
        schema="ler",
        postgresql_where=sa.text(f"NOT late AND {_OWES}"),
    )


def downgrade() -> None:
    """Take them away; what was asked, answered and delivered stays. Checks and the index go with their columns."""
    for table, columns in (("owner_request", _owner()), ("excavation_request", _request())):
        for column in columns:
            op.drop_column(table, column.name, schema="ler")


def _request() -> list[sa.Column[Any]]:
    """What is kept of a request."""
    return [
        sa.Column("kind", sa.Text(), server_default=sa.text("'dig'"), nullable=False),
        sa.Column("already_started", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("order_reference", sa.Text(), nullable=True),
        sa.Column("utility_types", ARRAY(sa.Text()), nullable=True),
        sa.Column("contact_person", sa.Text(), nullable=True),
        sa.Column("contact_address", sa.Text(), nullable=True),
        sa.Column("contact_email", sa.Text(), nullable=True),
        sa.Column("contact_phone", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("price", sa.Numeric(12, 2), nullable=True),
        sa.Column("currency", sa.Text(), server_default=sa.text("'DKK'"), nullable=False),
    ]


def _owner() -> list[sa.Column[Any]]:
    """What is kept of what was asked of an owner."""
    return [
        sa.Column("state", sa.Text(), server_default=sa.text("'asked'"), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    ]
