"""Answers that owners give themselves: their files, the links to answer by, who answers for an area, marking on site."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0009"
branch_labels = None
depends_on = None

_ANSWER_KEY = ["answer_id", "request_id", "requester_id", "owner_id"]


def upgrade() -> None:
    """Make them. Areas that there are go on being answered by the platform."""
    op.add_column("interest_area", _answered_by(), schema="ler")
    op.create_check_constraint(
        op.f("ck_interest_area_answered_by"),
        "interest_area",
        "answered_by IN ('platform', 'owner')",
        schema="ler",
    )
    for column in _marking():
        op.add_column("owner_request", column, schema="ler")
    op.create_table(
        "answer_attachment",
        *(sa.Column(name, sa.UUID(), nullable=False) for name in _ANSWER_KEY),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "path <> '' AND path !~ '(^/|\\\\|(^|/)\\.\\.?(/|$))'", name=op.f("ck_answer_attachment_path")
        ),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_answer_attachment_sha256")),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_answer_attachment_size_bytes")),
        sa.ForeignKeyConstraint(
            _ANSWER_KEY,
            [f"ler.owner_answer.{name}" for name in ("id", *_ANSWER_KEY[1:])],
            name=op.f("fk_answer_attachment_answer_id_request_id_requester_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("request_id", "answer_id", "path", name=op.f("pk_answer_attachment")),
        schema="ler",
    )
    op.create_table(
        "answer_link",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_request_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("secret_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_answer_link_secret_sha256")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_answer_link_expires_at")),
        sa.ForeignKeyConstraint(
            ["owner_request_id"], ["ler.owner_request.id"], name=op.f("fk_answer_link_owner_request_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_answer_link_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_link")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_answer_link_secret_sha256")),
        schema="ler",
    )


def downgrade() -> None:
    """Drop them; the files stay in the blob store until the next sweep."""
    op.drop_table("answer_link", schema="ler")
    op.drop_table("answer_attachment", schema="ler")
    for column in _marking():
        op.drop_column("owner_request", column.name, schema="ler")
    op.drop_column("interest_area", "answered_by", schema="ler")


def _answered_by() -> sa.Column[Any]:
    return sa.Column("answered_by", sa.Text(), server_default=sa.text("'platform'"), nullable=False)


def _marking() -> list[sa.Column[Any]]:
    """What is kept of lines being pointed out on site."""
    return [
        sa.Column("appointment", JSONB(), nullable=True),
        sa.Column("marking_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("marking_reason", sa.Text(), nullable=True),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("marking_note", sa.Text(), nullable=True),
    ]
