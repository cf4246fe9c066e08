"""Owners' tables of precautions, and which of their rows hold for a request."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all; requests that were packed before have none until they are packed anew."""
    op.create_table(
        "owner_precaution",
        sa.Column("id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("rows", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("jsonb_typeof(rows) = 'array'", name=op.f("ck_owner_precaution_rows")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ler.organisation.id"], name=op.f("fk_owner_precaution_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner_precaution")),
        sa.UniqueConstraint("id", "owner_id", name=op.f("uq_owner_precaution_id_owner_id")),
        schema="ler",
    )
    op.create_index(
        "ix_owner_precaution_current",
        "owner_precaution",
        ["owner_id"],
        unique=True,
        schema="ler",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "precaution_area",
        sa.Column("id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("table_id", UUID(as_uuid=True), nullable=False),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("geom", Geometry("MULTIPOLYGON", srid=25832, spatial_index=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["table_id", "owner_id"],
            ["ler.owner_precaution.id", "ler.owner_precaution.owner_id"],
            name=op.f("fk_precaution_area_table_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_precaution_area")),
        sa.UniqueConstraint("table_id", "name", name=op.f("uq_precaution_area_table_id_name")),
        schema="ler",
    )
    op.create_index(
        "ix_precaution_area_geom", "precaution_area", ["geom"], schema="ler", postgresql_using="gist"
    )
    op.create_table(
        "precaution_hit",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("request_id", UUID(as_uuid=True), nullable=False),
        sa.Column("requester_id", UUID(as_uuid=True), nullable=False),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("answer_id", UUID(as_uuid=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("utility_type", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("highest", sa.Boolean(), nullable=False),
        sa.Column("measure_da", sa.Text(), nullable=False),
        sa.Column("measure_en", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("notice_days", sa.Integer(), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("gml_id", sa.Text(), nullable=False),
        sa.Column("feature_type", sa.Text(), nullable=False),
        sa.Column("distance_min_m", sa.Double(), nullable=False),
        sa.Column("distance_max_m", sa.Double(), nullable=True),
        sa.Column("reasons", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("reason_da", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("geom", Geometry("GEOMETRY", srid=25832, spatial_index=False), nullable=True),
        sa.CheckConstraint(
            "priority > 0 AND lines > 0 AND notice_days > 0", name=op.f("ck_precaution_hit_numbers")
        ),
        sa.ForeignKeyConstraint(
            ["answer_id", "request_id", "requester_id", "owner_id"],
            [
                "ler.owner_answer.id",
                "ler.owner_answer.request_id",
                "ler.owner_answer.requester_id",
                "ler.owner_answer.owner_id",
            ],
            name=op.f("fk_precaution_hit_answer_id_request_id_requester_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_precaution_hit")),
        sa.UniqueConstraint("id", name=op.f("uq_precaution_hit_id")),
        schema="ler",
    )
    op.create_index("ix_precaution_hit_request_id", "precaution_hit", ["request_id", "seq"], schema="ler")
    op.create_index("ix_precaution_hit_requester_id", "precaution_hit", ["requester_id", "seq"], schema="ler")
    op.create_index(
        "ix_precaution_hit_geom", "precaution_hit", ["geom"], schema="ler", postgresql_using="gist"
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("precaution_hit", schema="ler")
    op.drop_table("precaution_area", schema="ler")
    op.drop_table("owner_precaution", schema="ler")
