"""Planned works, restrictions, the conflicts between them with their judgements, and subscriptions to areas."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TABLES = ("planned_work", "restriction", "work_conflict", "work_judgement", "area_subscription")


def upgrade() -> None:
    """Make them."""
    _make_works()
    _make_restrictions()
    _make_conflicts()
    _make_judgements()
    _make_subscriptions()


def downgrade() -> None:
    """Drop them."""
    for table in reversed(_TABLES):
        op.drop_table(table, schema="ler")


def _make_works() -> None:
    op.create_table(
        "planned_work",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organisation_id", sa.UUID(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("depth_m", sa.Double(), nullable=True),
        sa.Column("duration_days", sa.Integer(), nullable=False),
        sa.Column("earliest_start", sa.Date(), nullable=False),
        sa.Column("latest_end", sa.Date(), nullable=False),
        sa.Column("planned_start", sa.Date(), nullable=True),
        sa.Column("road", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("willing_to_share", sa.Boolean(), nullable=False),
        sa.Column("ducts_wanted", sa.Integer(), nullable=False),
        sa.Column("ducts_offered", sa.Integer(), nullable=False),
        sa.Column("width_m", sa.Double(), nullable=True),
        sa.Column("road_area_m2", sa.Double(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("geom", Geometry("GEOMETRY", srid=25832, spatial_index=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "method IN ('hand', 'vacuum', 'open-trench', 'milling', 'ploughing', 'moling', 'directional-drilling', 'boring', 'other')",
            name=op.f("ck_planned_work_method"),
        ),
        sa.CheckConstraint(
            "road IN ('none', 'footway', 'cycle-path', 'lane', 'closed')", name=op.f("ck_planned_work_road")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'planned', 'agreed', 'frozen', 'running', 'done', 'cancelled')",
            name=op.f("ck_planned_work_status"),
        ),
        sa.CheckConstraint(
            "surface IN ('asphalt', 'concrete', 'paving', 'gravel', 'grass', 'soil', 'other')",
            name=op.f("ck_planned_work_surface"),
        ),
        sa.CheckConstraint("ducts_wanted >= 0 AND ducts_offered >= 0", name=op.f("ck_planned_work_ducts")),
        sa.CheckConstraint("duration_days >= 1", name=op.f("ck_planned_work_duration_days")),
        sa.CheckConstraint("earliest_start <= latest_end", name=op.f("ck_planned_work_window")),
        sa.CheckConstraint(
            "planned_start BETWEEN earliest_start AND latest_end", name=op.f("ck_planned_work_planned_start")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_planned_work_version")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["ler.organisation.id"], name=op.f("fk_planned_work_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_work")),
        sa.UniqueConstraint("seq", name=op.f("uq_planned_work_seq")),
        schema="ler",
    )
    op.create_index(
        "ix_planned_work_geom",
        "planned_work",
        ["geom"],
        unique=False,
        schema="ler",
        postgresql_using="gist",
        postgresql_where=sa.text("ended_at IS NULL AND status <> 'draft'"),
    )
    op.create_index(
        "ix_planned_work_reference",
        "planned_work",
        ["organisation_id", "reference"],
        unique=True,
        schema="ler",
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _make_restrictions() -> None:
    op.create_table(
        "restriction",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organisation_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("work_id", sa.UUID(), nullable=True),
        sa.Column("geom", Geometry("GEOMETRY", srid=25832, spatial_index=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('moratorium', 'closed-period', 'event', 'bus-line', 'diversion')",
            name=op.f("ck_restriction_kind"),
        ),
        sa.CheckConstraint("work_id IS NULL OR kind = 'diversion'", name=op.f("ck_restriction_work_id")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_restriction_days")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_restriction_version")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["ler.organisation.id"], name=op.f("fk_restriction_organisation_id")
        ),
        sa.ForeignKeyConstraint(["work_id"], ["ler.planned_work.id"], name=op.f("fk_restriction_work_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restriction")),
        sa.UniqueConstraint("seq", name=op.f("uq_restriction_seq")),
        schema="ler",
    )
    op.create_index(
        "ix_restriction_geom",
        "restriction",
        ["geom"],
        unique=False,
        schema="ler",
        postgresql_using="gist",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_restriction_work_id", "restriction", ["work_id"], unique=False, schema="ler")


def _make_conflicts() -> None:
    op.create_table(
        "work_conflict",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("work_id", sa.UUID(), nullable=False),
        sa.Column("other_work_id", sa.UUID(), nullable=True),
        sa.Column("restriction_id", sa.UUID(), nullable=True),
        sa.Column("geom", Geometry("GEOMETRY", srid=25832, spatial_index=False), nullable=False),
        sa.Column("distance_m", sa.Double(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('same-place', 'adjacent', 'moratorium', 'closed-period', 'event', 'bus-line', 'diversion')",
            name=op.f("ck_work_conflict_kind"),
        ),
        sa.CheckConstraint(
            "(other_work_id IS NULL) <> (restriction_id IS NULL)", name=op.f("ck_work_conflict_sides")
        ),
        sa.CheckConstraint("work_id < other_work_id", name=op.f("ck_work_conflict_order")),
        sa.ForeignKeyConstraint(
            ["other_work_id"], ["ler.planned_work.id"], name=op.f("fk_work_conflict_other_work_id")
        ),
        sa.ForeignKeyConstraint(
            ["restriction_id"], ["ler.restriction.id"], name=op.f("fk_work_conflict_restriction_id")
        ),
        sa.ForeignKeyConstraint(["work_id"], ["ler.planned_work.id"], name=op.f("fk_work_conflict_work_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_conflict")),
        schema="ler",
    )
    op.create_index(
        "ix_work_conflict_other_work_id",
        "work_conflict",
        ["other_work_id"],
        unique=False,
        schema="ler",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_work_conflict_restriction_id",
        "work_conflict",
        ["restriction_id", "work_id"],
        unique=True,
        schema="ler",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_work_conflict_work_id",
        "work_conflict",
        ["work_id", "other_work_id"],
        unique=True,
        schema="ler",
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _make_judgements() -> None:
    op.create_table(
        "work_judgement",
        sa.Column("conflict_id", sa.UUID(), nullable=False),
        sa.Column("organisation_id", sa.UUID(), nullable=False),
        sa.Column("is_conflict", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["conflict_id"], ["ler.work_conflict.id"], name=op.f("fk_work_judgement_conflict_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["ler.organisation.id"], name=op.f("fk_work_judgement_organisation_id")
        ),
        sa.PrimaryKeyConstraint("conflict_id", "organisation_id", name=op.f("pk_work_judgement")),
        schema="ler",
    )


def _make_subscriptions() -> None:
    op.create_table(
        "area_subscription",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("organisation_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("geom", Geometry("MULTIPOLYGON", srid=25832, spatial_index=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["ler.organisation.id"], name=op.f("fk_area_subscription_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_subscription")),
        schema="ler",
    )
    op.create_index(
        "ix_area_subscription_geom",
        "area_subscription",
        ["geom"],
        unique=False,
        schema="ler",
        postgresql_using="gist",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_area_subscription_organisation_id",
        "area_subscription",
        ["organisation_id"],
        unique=False,
        schema="ler",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
