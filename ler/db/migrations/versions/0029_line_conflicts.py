"""What planned works come too near, of an owner's lines, found by a batch over all of them."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, UUID

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty until a batch is run."""
    op.create_table(
        "line_conflict",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("work_id", UUID(as_uuid=True), nullable=False),
        sa.Column("work_version", sa.Integer(), nullable=False),
        sa.Column("network_version", sa.Integer(), nullable=False),
        sa.Column("gml_id", sa.Text(), nullable=False),
        sa.Column("feature_type", sa.Text(), nullable=False),
        sa.Column("utility_type", sa.Text(), nullable=True),
        sa.Column("danger_class", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("unverified", sa.Boolean(), nullable=False),
        sa.Column("limit_m", sa.Double(), nullable=False),
        sa.Column("arrangement", sa.Text(), nullable=False),
        sa.Column("angle_deg", sa.Double(), nullable=True),
        sa.Column("drawn_m", sa.Double(), nullable=True),
        sa.Column("distance_min_m", sa.Double(), nullable=False),
        sa.Column("distance_max_m", sa.Double(), nullable=True),
        sa.Column("below_min_m", sa.Double(), nullable=True),
        sa.Column("below_max_m", sa.Double(), nullable=True),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("reasons", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("reason_da", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("geom", Geometry("GEOMETRY", srid=25832, spatial_index=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint(
            "zone IN ('no-machine', 'hand-dig', 'stand-by', 'notify')", name=op.f("ck_line_conflict_zone")
        ),
        sa.CheckConstraint(
            "distance_min_m >= 0 AND distance_min_m <= distance_max_m",
            name=op.f("ck_line_conflict_distance"),
        ),
        sa.CheckConstraint(
            "below_min_m >= 0 AND below_min_m <= below_max_m", name=op.f("ck_line_conflict_below")
        ),
        sa.CheckConstraint("probability BETWEEN 0 AND 1", name=op.f("ck_line_conflict_probability")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ler.organisation.id"], name=op.f("fk_line_conflict_owner_id")
        ),
        sa.ForeignKeyConstraint(["work_id"], ["ler.planned_work.id"], name=op.f("fk_line_conflict_work_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_conflict")),
        schema="ler",
    )
    op.create_index("ix_line_conflict_owner_id", "line_conflict", ["owner_id", "work_id"], schema="ler")
    op.create_index("ix_line_conflict_geom", "line_conflict", ["geom"], schema="ler", postgresql_using="gist")


def downgrade() -> None:
    """Take it away with what was found."""
    op.drop_table("line_conflict", schema="ler")
