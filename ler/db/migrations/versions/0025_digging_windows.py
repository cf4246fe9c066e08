"""Digging windows and their works."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "digging_window",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("geom", Geometry("GEOMETRY", srid=25832, spatial_index=False), nullable=False),
        sa.Column("pilot_work_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("days_saved", sa.Double(), nullable=False),
        sa.Column("surface_saved_m2", sa.Double(), nullable=False),
        sa.Column("openings_saved", sa.Integer(), nullable=False),
        sa.Column("gain_dkk", sa.BigInteger(), nullable=False),
        sa.Column("move_dkk", sa.BigInteger(), nullable=False),
        sa.Column("gap", sa.Double(), nullable=False),
        sa.Column("reason_da", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('proposed', 'invited', 'agreed', 'declined', 'expired', 'withdrawn')",
            name=op.f("ck_digging_window_state"),
        ),
        sa.CheckConstraint("start_on <= end_on", name=op.f("ck_digging_window_days")),
        sa.CheckConstraint("gap >= 0", name=op.f("ck_digging_window_gap")),
        sa.ForeignKeyConstraint(
            ["pilot_work_id"], ["ler.planned_work.id"], name=op.f("fk_digging_window_pilot_work_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digging_window")),
        sa.UniqueConstraint("seq", name=op.f("uq_digging_window_seq")),
        schema="ler",
    )
    op.create_index(
        "ix_digging_window_geom", "digging_window", ["geom"], schema="ler", postgresql_using="gist"
    )
    op.create_index(
        "ix_digging_window_answer_by",
        "digging_window",
        ["answer_by"],
        schema="ler",
        postgresql_where=sa.text("state = 'invited'"),
    )
    op.create_index("ix_digging_window_pilot_work_id", "digging_window", ["pilot_work_id"], schema="ler")
    op.create_table(
        "window_work",
        sa.Column("window_id", sa.UUID(), nullable=False),
        sa.Column("work_id", sa.UUID(), nullable=False),
        sa.Column("organisation_id", sa.UUID(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("stands_on", sa.Date(), nullable=False),
        sa.Column("moved_days", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "answer IN ('open', 'accepted', 'declined', 'silent')", name=op.f("ck_window_work_answer")
        ),
        sa.CheckConstraint("start_on <= end_on", name=op.f("ck_window_work_days")),
        sa.CheckConstraint("place >= 1", name=op.f("ck_window_work_place")),
        sa.ForeignKeyConstraint(
            ["window_id"], ["ler.digging_window.id"], name=op.f("fk_window_work_window_id")
        ),
        sa.ForeignKeyConstraint(["work_id"], ["ler.planned_work.id"], name=op.f("fk_window_work_work_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["ler.organisation.id"], name=op.f("fk_window_work_organisation_id")
        ),
        sa.PrimaryKeyConstraint("window_id", "work_id", name=op.f("pk_window_work")),
        schema="ler",
    )
    op.create_index("ix_window_work_organisation_id", "window_work", ["organisation_id"], schema="ler")
    op.create_index("ix_window_work_work_id", "window_work", ["work_id"], schema="ler")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("window_work", schema="ler")
    op.drop_table("digging_window", schema="ler")
