"""What a request's dig comes too near, and what owners ask to be kept from their own lines."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all; requests that were packed before have no conflicts until they are packed anew, and keep their reach."""
    op.create_table(
        "object_conflict",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("request_id", UUID(as_uuid=True), nullable=False),
        sa.Column("requester_id", UUID(as_uuid=True), nullable=False),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("answer_id", UUID(as_uuid=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
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
        sa.CheckConstraint(
            "zone IN ('no-machine', 'hand-dig', 'stand-by', 'notify')", name=op.f("ck_object_conflict_zone")
        ),
        sa.CheckConstraint(
            "distance_min_m >= 0 AND distance_min_m <= distance_max_m",
            name=op.f("ck_object_conflict_distance"),
        ),
        sa.CheckConstraint(
            "below_min_m >= 0 AND below_min_m <= below_max_m", name=op.f("ck_object_conflict_below")
        ),
        sa.CheckConstraint("probability BETWEEN 0 AND 1", name=op.f("ck_object_conflict_probability")),
        sa.ForeignKeyConstraint(
            ["answer_id", "request_id", "requester_id", "owner_id"],
            [
                "ler.owner_answer.id",
                "ler.owner_answer.request_id",
                "ler.owner_answer.requester_id",
                "ler.owner_answer.owner_id",
            ],
            name=op.f("fk_object_conflict_answer_id_request_id_requester_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_object_conflict")),
        sa.UniqueConstraint("id", name=op.f("uq_object_conflict_id")),
        schema="ler",
    )
    op.create_index("ix_object_conflict_request_id", "object_conflict", ["request_id", "seq"], schema="ler")
    op.create_index(
        "ix_object_conflict_requester_id", "object_conflict", ["requester_id", "seq"], schema="ler"
    )
    op.create_index(
        "ix_object_conflict_geom", "object_conflict", ["geom"], schema="ler", postgresql_using="gist"
    )
    op.create_table(
        "owner_clearance",
        sa.Column("id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("name ~ '^[a-z0-9][a-z0-9-]{0,63}$'", name=op.f("ck_owner_clearance_name")),
        sa.CheckConstraint("jsonb_typeof(rule) = 'object'", name=op.f("ck_owner_clearance_rule")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ler.organisation.id"], name=op.f("fk_owner_clearance_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner_clearance")),
        schema="ler",
    )
    op.create_index(
        "ix_owner_clearance_current",
        "owner_clearance",
        ["owner_id", "name"],
        unique=True,
        schema="ler",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.add_column(
        "excavation_request", sa.Column("conflicts_revision", sa.Integer(), nullable=True), schema="ler"
    )
    op.add_column(
        "excavation_request", sa.Column("unknown_accuracy_m", sa.Double(), nullable=True), schema="ler"
    )
    op.create_check_constraint(
        op.f("ck_excavation_request_unknown_accuracy_m"),
        "excavation_request",
        "unknown_accuracy_m > 0 AND unknown_accuracy_m <= 20",
        schema="ler",
    )


def downgrade() -> None:
    """Take both away."""
    op.drop_column("excavation_request", "unknown_accuracy_m", schema="ler")
    op.drop_column("excavation_request", "conflicts_revision", schema="ler")
    op.drop_table("owner_clearance", schema="ler")
    op.drop_table("object_conflict", schema="ler")
