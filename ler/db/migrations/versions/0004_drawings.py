"""Owners' georeferenced drawings, and those that were delivered with a request."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "drawing",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        *_delivered("drawing"),
        sa.Column("original_sha256", sa.Text(), nullable=False),
        sa.Column("original_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("source_epsg", sa.Integer(), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("linked_gml_ids", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_drawing_name")),
        sa.CheckConstraint("original_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_drawing_original_sha256")),
        sa.CheckConstraint("columns > 0 AND rows > 0 AND resolution_m > 0", name=op.f("ck_drawing_size")),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f("ck_drawing_valid")),
        sa.CheckConstraint("NOT ST_IsEmpty(geom) AND ST_IsValid(geom)", name=op.f("ck_drawing_geom")),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_drawing_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drawing")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_drawing_owner_id_name")),
        schema="ler",
    )
    op.create_index("ix_drawing_geom", "drawing", ["geom"], schema="ler", postgresql_using="gist")
    op.create_table(
        "package_drawing",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("requester_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("drawing_id", sa.UUID(), nullable=False),
        *_delivered("package_drawing"),
        sa.Column("gml_ids", ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["requester_id", "request_id"],
            ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
            name=op.f("fk_package_drawing_requester_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("request_id", "owner_id", "drawing_id", name=op.f("pk_package_drawing")),
        schema="ler",
    )


def _delivered(table: str) -> list[Any]:
    """The columns that both have, and their checks."""
    return [
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cog_sha256", sa.Text(), nullable=False),
        sa.Column("cog_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("preview_sha256", sa.Text(), nullable=False),
        sa.Column("resolution_m", sa.Double(), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("taken_on", sa.Date(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("geom", Geometry("MULTIPOLYGON", srid=25832, spatial_index=False), nullable=False),
        sa.CheckConstraint("cog_sha256 ~ '^[0-9a-f]{64}$'", name=op.f(f"ck_{table}_cog_sha256")),
        sa.CheckConstraint("preview_sha256 ~ '^[0-9a-f]{64}$'", name=op.f(f"ck_{table}_preview_sha256")),
    ]


def downgrade() -> None:
    """Drop them; the files stay in the blob store until the next sweep."""
    op.drop_table("package_drawing", schema="ler")
    op.drop_table("drawing", schema="ler")
