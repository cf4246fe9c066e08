"""Where notices are sent, the outbox, whose answers are watched, and changes to be told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.text("gen_random_uuid()")
_NOW = sa.text("now()")
_CLOCK = sa.text("clock_timestamp()")
_LIVE = "state IN ('open', 'answered', 'complete')"
_WATCH = """
    INSERT INTO ler.answer_watch (owner_request_id, request_id, next_at)
    SELECT q.id, q.request_id, now()
    FROM ler.owner_request AS q
    WHERE q.due_at IS NOT NULL AND q.state IN ('asked', 'acknowledged', 'taken-out', 'withdrawn')
"""


def upgrade() -> None:
    """Add them; who owes an answer now is watched from now on."""
    op.add_column("notice", sa.Column("position", sa.BigInteger()), schema="ler")
    op.create_index("ix_notice_position", "notice", ["audience_id", "position"], unique=True, schema="ler")
    op.create_index(
        "ix_notice_unplaced",
        "notice",
        ["audience_id"],
        schema="ler",
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_index(
        "ix_excavation_request_live",
        "excavation_request",
        ["id"],
        schema="ler",
        postgresql_where=sa.text(_LIVE),
    )
    _make_endpoints()
    _make_outbox()
    _make_watch()
    op.execute(_WATCH)


def downgrade() -> None:
    """Take them away."""
    for table in ("change_task", "answer_watch", "outbox", "notice_endpoint"):
        op.drop_table(table, schema="ler")
    op.drop_index("ix_excavation_request_live", "excavation_request", schema="ler")
    op.execute("ALTER TABLE ler.notice DROP COLUMN position")


def _make_endpoints() -> None:
    op.create_table(
        "notice_endpoint",
        sa.Column("id", UUID(as_uuid=True), server_default=_ID, nullable=False),
        sa.Column("organisation_id", UUID(as_uuid=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("kinds", ARRAY(sa.Text())),
        sa.Column("language", sa.Text(), server_default=sa.text("'da'"), nullable=False),
        sa.Column("escalation", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("secret", sa.Text()),
        sa.Column("old_secret", sa.Text()),
        sa.Column("old_secret_until", sa.DateTime(timezone=True)),
        sa.Column("code", sa.Text()),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True)),
        sa.Column("hold_until", sa.DateTime(timezone=True)),
        sa.Column("delivered_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.CheckConstraint("channel IN ('webhook', 'email')", name=op.f("ck_notice_endpoint_channel")),
        sa.CheckConstraint(
            "state IN ('unconfirmed', 'active', 'paused', 'disabled', 'removed')",
            name=op.f("ck_notice_endpoint_state"),
        ),
        sa.CheckConstraint(
            "char_length(address) BETWEEN 3 AND 2000", name=op.f("ck_notice_endpoint_address")
        ),
        sa.CheckConstraint("language IN ('da', 'en')", name=op.f("ck_notice_endpoint_language")),
        sa.CheckConstraint(
            "(channel = 'webhook') = (secret IS NOT NULL)", name=op.f("ck_notice_endpoint_secret")
        ),
        sa.CheckConstraint(
            "state <> 'unconfirmed' OR code IS NOT NULL", name=op.f("ck_notice_endpoint_code")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["ler.organisation.id"], name="fk_notice_endpoint_organisation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notice_endpoint"),
        schema="ler",
    )
    op.create_index(
        "ix_notice_endpoint_organisation_id",
        "notice_endpoint",
        ["organisation_id"],
        schema="ler",
        postgresql_where=sa.text("state <> 'removed'"),
    )


def _make_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", UUID(as_uuid=True), server_default=_ID, nullable=False),
        sa.Column("notice_id", UUID(as_uuid=True), nullable=False),
        sa.Column("organisation_id", UUID(as_uuid=True), nullable=False),
        sa.Column("endpoint_id", UUID(as_uuid=True)),
        sa.Column("lane", UUID(as_uuid=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default=sa.text("'da'"), nullable=False),
        sa.Column("payload", sa.Text()),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=_CLOCK, nullable=False),
        sa.Column("taken_until", sa.DateTime(timezone=True)),
        sa.Column("status", sa.Integer()),
        sa.Column("fault", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_CLOCK, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("channel IN ('webhook', 'email')", name=op.f("ck_outbox_channel")),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed', 'dropped')", name=op.f("ck_outbox_state")
        ),
        sa.CheckConstraint(
            "octet_length(payload) < 20000 OR channel <> 'webhook'", name=op.f("ck_outbox_payload")
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["ler.notice.id"], name="fk_outbox_notice_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["ler.organisation.id"], name="fk_outbox_organisation_id"
        ),
        sa.ForeignKeyConstraint(["endpoint_id"], ["ler.notice_endpoint.id"], name="fk_outbox_endpoint_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint(
            "notice_id",
            "channel",
            "endpoint_id",
            name="uq_outbox_notice_id_channel_endpoint_id",
            postgresql_nulls_not_distinct=True,
        ),
        schema="ler",
    )
    op.create_index(
        "ix_outbox_lane_next_try_at",
        "outbox",
        ["lane", "next_try_at"],
        schema="ler",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_outbox_endpoint_id_created_at", "outbox", ["endpoint_id", "created_at"], schema="ler")
    op.create_index(
        "ix_outbox_done_at",
        "outbox",
        ["done_at"],
        schema="ler",
        postgresql_where=sa.text("state <> 'waiting'"),
    )


def _make_watch() -> None:
    op.create_table(
        "answer_watch",
        sa.Column("owner_request_id", UUID(as_uuid=True), nullable=False),
        sa.Column("request_id", UUID(as_uuid=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("silence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("silence BETWEEN 0 AND 2", name=op.f("ck_answer_watch_silence")),
        sa.ForeignKeyConstraint(
            ["owner_request_id"], ["ler.owner_request.id"], name="fk_answer_watch_owner_request_id"
        ),
        sa.PrimaryKeyConstraint("owner_request_id", name="pk_answer_watch"),
        schema="ler",
    )
    op.create_index("ix_answer_watch_next_at", "answer_watch", ["next_at"], schema="ler")
    op.create_table(
        "change_task",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("version_id", UUID(as_uuid=True)),
        sa.Column("interest_area_id", UUID(as_uuid=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("after_request", UUID(as_uuid=True)),
        sa.Column("horizon", sa.BigInteger()),
        sa.Column("looked_at", sa.DateTime(timezone=True)),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "num_nonnulls(version_id, interest_area_id) = 1", name=op.f("ck_change_task_subject")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name="fk_change_task_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_change_task"),
        schema="ler",
    )
    op.create_index(
        "ix_change_task_open",
        "change_task",
        ["id"],
        schema="ler",
        postgresql_where=sa.text("done_at IS NULL"),
    )
