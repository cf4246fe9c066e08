"""The first tables: organisations, networks, requests, packages and the audit trail; and the platform operator."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them all."""
    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("actor", sa.UUID(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_id", sa.UUID(), nullable=True),
        sa.Column("details", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.CheckConstraint("action ~ '^[a-z_]+:[a-z_]+:[a-z_]+$'", name=op.f("ck_audit_event_action")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        schema="ler",
    )
    op.create_index("ix_audit_event_object_id", "audit_event", ["object_id", "at"], schema="ler")
    op.create_table(
        "organisation",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("cvr", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("cvr ~ '^[0-9]{8}$'", name=op.f("ck_organisation_cvr")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_organisation_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("cvr", name=op.f("uq_organisation_cvr")),
        schema="ler",
    )
    op.create_table(
        "excavation_request",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("order_number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("requester_id", sa.UUID(), nullable=False),
        sa.Column("area", Geometry("POLYGON", srid=25832, spatial_index=False), nullable=False),
        sa.Column("clip_buffer_m", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose <> ''", name=op.f("ck_excavation_request_purpose")),
        sa.CheckConstraint(
            "NOT ST_IsEmpty(area) AND ST_IsValid(area)", name=op.f("ck_excavation_request_area")
        ),
        sa.CheckConstraint("char_length(description) <= 100", name=op.f("ck_excavation_request_description")),
        sa.CheckConstraint(
            "clip_buffer_m BETWEEN 0 AND 50", name=op.f("ck_excavation_request_clip_buffer_m")
        ),
        sa.CheckConstraint("period_from <= period_to", name=op.f("ck_excavation_request_period")),
        sa.ForeignKeyConstraint(
            ["requester_id"], ["ler.organisation.id"], name=op.f("fk_excavation_request_requester_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_excavation_request")),
        sa.UniqueConstraint("order_number", name=op.f("uq_excavation_request_order_number")),
        sa.UniqueConstraint("requester_id", "id", name=op.f("uq_excavation_request_requester_id_id")),
        schema="ler",
    )
    op.create_table(
        "interest_area",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("registration_number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("utility_types", ARRAY(sa.Text()), nullable=False),
        sa.Column("geom", Geometry("MULTIPOLYGON", srid=25832, spatial_index=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("NOT ST_IsEmpty(geom) AND ST_IsValid(geom)", name=op.f("ck_interest_area_geom")),
        sa.CheckConstraint(
            "cardinality(utility_types) > 0 AND array_position(utility_types, NULL) IS NULL",
            name=op.f("ck_interest_area_utility_types"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ler.organisation.id"], name=op.f("fk_interest_area_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest_area")),
        sa.UniqueConstraint("owner_id", "id", name=op.f("uq_interest_area_owner_id_id")),
        sa.UniqueConstraint("registration_number", name=op.f("uq_interest_area_registration_number")),
        schema="ler",
    )
    op.create_index("ix_interest_area_geom", "interest_area", ["geom"], schema="ler", postgresql_using="gist")
    op.create_table(
        "network_dataset",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("current_version_id", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_network_dataset_name")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ler.organisation.id"], name=op.f("fk_network_dataset_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_dataset")),
        sa.UniqueConstraint("id", "owner_id", name=op.f("uq_network_dataset_id_owner_id")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_network_dataset_owner_id_name")),
        schema="ler",
    )
    op.create_index(
        "uq_network_dataset_published",
        "network_dataset",
        ["owner_id"],
        unique=True,
        schema="ler",
        postgresql_where=sa.text("current_version_id IS NOT NULL"),
    )
    op.create_table(
        "network_version",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("dataset_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'staged'"), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("header", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("feature_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "common_attachments",
            ARRAY(sa.Integer()),
            server_default=sa.text("'{}'::integer[]"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'staged') = (published_at IS NULL)", name=op.f("ck_network_version_published_at")
        ),
        sa.CheckConstraint("jsonb_typeof(header) = 'object'", name=op.f("ck_network_version_header")),
        sa.CheckConstraint("source_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_network_version_source_sha256")),
        sa.CheckConstraint(
            "state IN ('staged', 'published', 'superseded')", name=op.f("ck_network_version_state")
        ),
        sa.CheckConstraint("feature_count >= 0", name=op.f("ck_network_version_feature_count")),
        sa.CheckConstraint("number > 0", name=op.f("ck_network_version_number")),
        sa.ForeignKeyConstraint(
            ["dataset_id", "owner_id"],
            ["ler.network_dataset.id", "ler.network_dataset.owner_id"],
            name=op.f("fk_network_version_dataset_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_version")),
        sa.UniqueConstraint("id", "dataset_id", name=op.f("uq_network_version_id_dataset_id")),
        sa.UniqueConstraint("id", "owner_id", name=op.f("uq_network_version_id_owner_id")),
        sa.UniqueConstraint(
            "owner_id", "dataset_id", "number", name=op.f("uq_network_version_owner_id_dataset_id_number")
        ),
        schema="ler",
    )
    op.create_table(
        "owner_request",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("requester_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("interest_area_id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id", "interest_area_id"],
            ["ler.interest_area.owner_id", "ler.interest_area.id"],
            name=op.f("fk_owner_request_owner_id_interest_area_id"),
        ),
        sa.ForeignKeyConstraint(
            ["requester_id", "request_id"],
            ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
            name=op.f("fk_owner_request_requester_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner_request")),
        sa.UniqueConstraint(
            "request_id", "interest_area_id", name=op.f("uq_owner_request_request_id_interest_area_id")
        ),
        schema="ler",
    )
    op.create_index(
        "ix_owner_request_owner_id_created_at", "owner_request", ["owner_id", "created_at"], schema="ler"
    )
    op.create_index(
        "ix_owner_request_requester_id_owner_id", "owner_request", ["requester_id", "owner_id"], schema="ler"
    )
    op.create_table(
        "package",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("feature_count", sa.Integer(), nullable=False),
        sa.Column("manifest", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_package_sha256")),
        sa.CheckConstraint("feature_count >= 0", name=op.f("ck_package_feature_count")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_package_size_bytes")),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_package_owner_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["ler.excavation_request.id"], name=op.f("fk_package_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package")),
        schema="ler",
    )
    op.create_index("ix_package_request_id", "package", ["request_id"], schema="ler")
    op.create_table(
        "package_feature",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("requester_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("version_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("feature_type", sa.Text(), nullable=False),
        sa.Column("gml_id", sa.Text(), nullable=False),
        sa.Column("utility_type", sa.Text(), nullable=True),
        sa.Column("operational_status", sa.Text(), nullable=True),
        sa.Column("ownership", sa.Text(), nullable=True),
        sa.Column("established", sa.Text(), nullable=True),
        sa.Column("danger_class", sa.Text(), nullable=True),
        sa.Column("ler_id", sa.Text(), nullable=True),
        sa.Column("drawing_method", sa.Text(), nullable=True),
        sa.Column("horizontal_accuracy", sa.Text(), nullable=True),
        sa.Column("vertical_accuracy", sa.Text(), nullable=True),
        sa.Column("registered_from", sa.Text(), nullable=True),
        sa.Column("precautions", sa.Text(), nullable=True),
        sa.Column("indicative_depth_mm", sa.Double(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("attributes", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("voids", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("geom", Geometry("GEOMETRYZ", srid=25832, dimension=3, spatial_index=False), nullable=True),
        sa.Column("clipped", sa.Boolean(), nullable=False),
        sa.Column("left_out_references", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("gml_id <> ''", name=op.f("ck_package_feature_gml_id")),
        sa.CheckConstraint("jsonb_typeof(attributes) = 'object'", name=op.f("ck_package_feature_attributes")),
        sa.CheckConstraint("jsonb_typeof(voids) = 'object'", name=op.f("ck_package_feature_voids")),
        sa.CheckConstraint("left_out_references >= 0", name=op.f("ck_package_feature_left_out_references")),
        sa.ForeignKeyConstraint(
            ["requester_id", "request_id"],
            ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
            name=op.f("fk_package_feature_requester_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("request_id", "owner_id", "seq", name=op.f("pk_package_feature")),
        schema="ler",
    )
    op.create_table(
        "network_feature",
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("version_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("feature_type", sa.Text(), nullable=False),
        sa.Column("gml_id", sa.Text(), nullable=False),
        sa.Column("utility_type", sa.Text(), nullable=True),
        sa.Column("operational_status", sa.Text(), nullable=True),
        sa.Column("ownership", sa.Text(), nullable=True),
        sa.Column("established", sa.Text(), nullable=True),
        sa.Column("danger_class", sa.Text(), nullable=True),
        sa.Column("ler_id", sa.Text(), nullable=True),
        sa.Column("drawing_method", sa.Text(), nullable=True),
        sa.Column("horizontal_accuracy", sa.Text(), nullable=True),
        sa.Column("vertical_accuracy", sa.Text(), nullable=True),
        sa.Column("registered_from", sa.Text(), nullable=True),
        sa.Column("precautions", sa.Text(), nullable=True),
        sa.Column("indicative_depth_mm", sa.Double(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("attributes", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("voids", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("geom", Geometry("GEOMETRYZ", srid=25832, dimension=3, spatial_index=False), nullable=True),
        sa.CheckConstraint(
            "GeometryType(geom) IN ('POINT', 'LINESTRING', 'POLYGON', 'MULTIPOINT', 'MULTILINESTRING', 'MULTIPOLYGON', 'GEOMETRYCOLLECTION')",
            name=op.f("ck_network_feature_geom_type"),
        ),
        sa.CheckConstraint(
            "NOT ST_IsEmpty(geom) AND (ST_IsValid(geom) OR ST_Dimension(geom) = 1 AND starts_with(ST_IsValidReason(geom), 'Too few points'))",
            name=op.f("ck_network_feature_geom"),
        ),
        sa.CheckConstraint("gml_id <> ''", name=op.f("ck_network_feature_gml_id")),
        sa.CheckConstraint("jsonb_typeof(attributes) = 'object'", name=op.f("ck_network_feature_attributes")),
        sa.CheckConstraint("jsonb_typeof(voids) = 'object'", name=op.f("ck_network_feature_voids")),
        sa.ForeignKeyConstraint(
            ["version_id", "owner_id"],
            ["ler.network_version.id", "ler.network_version.owner_id"],
            name=op.f("fk_network_feature_version_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("version_id", "seq", name=op.f("pk_network_feature")),
        sa.UniqueConstraint("version_id", "gml_id", name=op.f("uq_network_feature_version_id_gml_id")),
        schema="ler",
    )
    op.create_index(
        "ix_network_feature_geom", "network_feature", ["geom"], schema="ler", postgresql_using="gist"
    )
    op.create_table(
        "owner_answer",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("requester_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("answer_type", sa.Text(), nullable=False),
        sa.Column("version_id", sa.UUID(), nullable=True),
        sa.Column("feature_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "answer_type IN ('ledningsoplysninger udleveret', 'ingen ledninger i graveområde', 'ledningsoplysninger udleveres ikke', 'udtaget til manuel behandling', 'udtaget til påvisning - ledningsoplysninger udleveres ikke', 'udtaget til påvisning - ledningsoplysninger udleveret')",
            name=op.f("ck_owner_answer_answer_type"),
        ),
        sa.CheckConstraint("feature_count >= 0", name=op.f("ck_owner_answer_feature_count")),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_owner_answer_owner_id")),
        sa.ForeignKeyConstraint(
            ["requester_id", "request_id"],
            ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
            name=op.f("fk_owner_answer_requester_id_request_id"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id", "owner_id"],
            ["ler.network_version.id", "ler.network_version.owner_id"],
            name=op.f("fk_owner_answer_version_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner_answer")),
        sa.UniqueConstraint("request_id", "owner_id", name=op.f("uq_owner_answer_request_id_owner_id")),
        schema="ler",
    )
    # After both tables: the pointer can only point to a version of its own dataset.
    op.create_foreign_key(
        op.f("fk_network_dataset_current_version_id_id"),
        "network_dataset",
        "network_version",
        ["current_version_id", "id"],
        ["id", "dataset_id"],
        source_schema="ler",
        referent_schema="ler",
    )
    op.execute(
        "INSERT INTO ler.organisation (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'Platform operator')"
    )


def downgrade() -> None:
    """Drop them all, with everything that is in them."""
    op.drop_constraint("fk_network_dataset_current_version_id_id", "network_dataset", schema="ler")
    op.drop_table("owner_answer", schema="ler")
    op.drop_table("network_feature", schema="ler")
    op.drop_table("package_feature", schema="ler")
    op.drop_table("package", schema="ler")
    op.drop_table("owner_request", schema="ler")
    op.drop_table("network_version", schema="ler")
    op.drop_table("network_dataset", schema="ler")
    op.drop_table("interest_area", schema="ler")
    op.drop_table("excavation_request", schema="ler")
    op.drop_table("organisation", schema="ler")
    op.drop_table("audit_event", schema="ler")
