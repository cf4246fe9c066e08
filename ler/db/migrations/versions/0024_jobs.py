"""Jobs of the OGC API."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_OPEN = "status IN ('accepted', 'running')"
_DIGEST = "'^[0-9a-f]{64}$'"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "ogc_job",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organisation_id", sa.UUID(), nullable=False),
        sa.Column("token_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID()),
        sa.Column("provider_id", sa.UUID()),
        sa.Column("acting_cvr", sa.Text()),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("inputs", sa.JSON()),
        sa.Column("inputs_sha256", sa.Text()),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("progress", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("message", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("result", sa.JSON()),
        sa.Column("result_sha256", sa.Text()),
        sa.Column("problem", sa.JSON()),
        sa.Column("key", sa.Text()),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("success_uri", sa.Text()),
        sa.Column("in_progress_uri", sa.Text()),
        sa.Column("failed_uri", sa.Text()),
        sa.Column("call_due", sa.Text()),
        sa.Column("call_at", sa.DateTime(timezone=True)),
        sa.Column("call_attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('accepted', 'running', 'successful', 'failed', 'dismissed')",
            name=op.f("ck_ogc_job_status"),
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_ogc_job_progress")),
        sa.CheckConstraint(f"(finished_at IS NULL) = ({_OPEN})", name=op.f("ck_ogc_job_finished_at")),
        sa.CheckConstraint("num_nonnulls(inputs, inputs_sha256) <= 1", name=op.f("ck_ogc_job_inputs")),
        sa.CheckConstraint("num_nonnulls(result, result_sha256) <= 1", name=op.f("ck_ogc_job_result")),
        sa.CheckConstraint(f"inputs_sha256 ~ {_DIGEST}", name=op.f("ck_ogc_job_inputs_sha256")),
        sa.CheckConstraint(f"result_sha256 ~ {_DIGEST}", name=op.f("ck_ogc_job_result_sha256")),
        sa.CheckConstraint(
            "call_due IN ('running', 'ended') AND call_at IS NOT NULL OR num_nonnulls(call_due, call_at) = 0",
            name=op.f("ck_ogc_job_call_due"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["ler.organisation.id"], name=op.f("fk_ogc_job_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ogc_job")),
        schema="ler",
    )
    op.create_index(
        "uq_ogc_job_key", "ogc_job", ["organisation_id", "process", "key"], unique=True, schema="ler"
    )
    op.create_index(
        "ix_ogc_job_organisation_id",
        "ogc_job",
        ["organisation_id", sa.text("created_at DESC"), sa.text("id DESC")],
        schema="ler",
    )
    op.create_index(
        "ix_ogc_job_open", "ogc_job", ["created_at"], schema="ler", postgresql_where=sa.text(_OPEN)
    )
    op.create_index(
        "ix_ogc_job_call_at",
        "ogc_job",
        ["call_at"],
        schema="ler",
        postgresql_where=sa.text("call_due IS NOT NULL"),
    )
    op.create_index("ix_ogc_job_expires_at", "ogc_job", ["expires_at"], schema="ler")


def downgrade() -> None:
    """Take it away."""
    op.drop_table("ogc_job", schema="ler")
