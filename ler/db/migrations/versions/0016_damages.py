"""Damages, years without, deviations with their photographs, and claims of lines that nobody has shown."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import UUID

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_CAUSES = (
    "'no-request', 'request-not-valid', 'data-missing', 'data-misplaced', 'not-marked', 'data-not-used',"
    " 'careless-digging', 'too-shallow', 'line-condition', 'other', 'unknown'"
)
_CAUSERS = "'excavator', 'owner', 'other-owner', 'authority', 'farmer', 'private', 'unknown'"
_STATES = "'offered', 'orphan', 'reported', 'acknowledged', 'accepted', 'rejected', 'corrected', 'withdrawn'"
_HOLDS = sa.text("withdrawn_at IS NULL")


def upgrade() -> None:
    """Make them."""
    _make_damages()
    _make_deviations()
    _make_claims()


def downgrade() -> None:
    """Drop them; photographs stay in the blob store until the next sweep."""
    for table in ("deviation_photo", "line_claim", "deviation", "damage_free_year", "damage"):
        op.drop_table(table, schema="ler")


def _make_damages() -> None:
    op.create_table(
        "damage",
        _id(),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("utility_type", sa.Text(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("date_is", sa.Text(), nullable=False),
        sa.Column("place", Geometry("POINT", srid=25832, spatial_index=False), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("caused_by", sa.Text(), nullable=False),
        sa.Column("caused_by_cvr", sa.Text(), nullable=True),
        sa.Column("caused_by_name", sa.Text(), nullable=True),
        sa.Column("order_number", sa.BigInteger(), nullable=True),
        sa.Column("gml_id", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("repair_cost", sa.Numeric(14, 2), nullable=True),
        sa.Column("administration_cost", sa.Numeric(14, 2), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        _made(),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        _of("damage", "owner_id"),
        sa.CheckConstraint("date_is IN ('happened', 'discovered')", name=op.f("ck_damage_date_is")),
        sa.CheckConstraint(f"cause IN ({_CAUSES})", name=op.f("ck_damage_cause")),
        sa.CheckConstraint(f"caused_by IN ({_CAUSERS})", name=op.f("ck_damage_caused_by")),
        sa.CheckConstraint(
            "environment IN ('none', 'slight', 'serious')", name=op.f("ck_damage_environment")
        ),
        sa.CheckConstraint("caused_by_cvr ~ '^[0-9]{8}$'", name=op.f("ck_damage_caused_by_cvr")),
        sa.CheckConstraint("repair_cost >= 0 AND administration_cost >= 0", name=op.f("ck_damage_cost")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_damage")),
        schema="ler",
    )
    op.create_index(
        "ix_damage_reference",
        "damage",
        ["owner_id", "reference"],
        unique=True,
        schema="ler",
        postgresql_where=_HOLDS,
    )
    op.create_index("ix_damage_owner_id", "damage", ["owner_id", "happened_on"], schema="ler")
    op.create_table(
        "damage_free_year",
        _id(),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        _made(),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        _of("damage_free_year", "owner_id"),
        sa.CheckConstraint("year >= 2020", name=op.f("ck_damage_free_year_year")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_damage_free_year")),
        schema="ler",
    )
    op.create_index(
        "ix_damage_free_year_owner_id",
        "damage_free_year",
        ["owner_id", "year"],
        unique=True,
        schema="ler",
        postgresql_where=_HOLDS,
    )


def _make_deviations() -> None:
    op.create_table(
        "deviation",
        _id(),
        sa.Column("reporter_id", UUID(as_uuid=True), nullable=False),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=True),
        sa.Column("request_id", UUID(as_uuid=True), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("gml_id", sa.Text(), nullable=True),
        sa.Column(
            "geom", Geometry("GEOMETRYZ", srid=25832, dimension=3, spatial_index=False), nullable=False
        ),
        sa.Column("measured_on", sa.Date(), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("depth_m", sa.Double(), nullable=True),
        sa.Column("utility_type", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("offset_m", sa.Double(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'reported'"), nullable=False),
        _made(),
        _made("changed_at"),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("corrected_in", sa.Integer(), nullable=True),
        _of("deviation", "reporter_id"),
        _of("deviation", "owner_id"),
        sa.ForeignKeyConstraint(
            ["reporter_id", "request_id"],
            ["ler.excavation_request.requester_id", "ler.excavation_request.id"],
            name=op.f("fk_deviation_reporter_id_request_id"),
        ),
        sa.CheckConstraint(
            "kind IN ('misplaced', 'missing', 'unknown', 'uncovered')", name=op.f("ck_deviation_kind")
        ),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_deviation_state")),
        sa.CheckConstraint("NOT ST_IsEmpty(geom)", name=op.f("ck_deviation_geom")),
        sa.CheckConstraint("accuracy_m > 0", name=op.f("ck_deviation_accuracy_m")),
        sa.CheckConstraint("char_length(description) <= 1000", name=op.f("ck_deviation_description")),
        sa.CheckConstraint(
            "(state = 'corrected') = (corrected_in IS NOT NULL)", name=op.f("ck_deviation_corrected_in")
        ),
        sa.CheckConstraint(
            "owner_id IS NOT NULL OR kind = 'unknown' AND state IN ('offered', 'orphan', 'withdrawn')",
            name=op.f("ck_deviation_owner_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviation")),
        schema="ler",
    )
    for column in ("reporter_id", "owner_id"):
        op.create_index(f"ix_deviation_{column}", "deviation", [column, "created_at"], schema="ler")


def _make_claims() -> None:
    op.create_table(
        "line_claim",
        sa.Column("deviation_id", UUID(as_uuid=True), nullable=False),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=False),
        sa.Column("reporter_id", UUID(as_uuid=True), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'asked'"), nullable=False),
        _made(),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        _of_deviation("line_claim"),
        _of("line_claim", "owner_id"),
        sa.CheckConstraint("state IN ('asked', 'claimed', 'denied')", name=op.f("ck_line_claim_state")),
        sa.PrimaryKeyConstraint("deviation_id", "owner_id", name=op.f("pk_line_claim")),
        schema="ler",
    )
    op.create_index("ix_line_claim_owner_id", "line_claim", ["owner_id"], schema="ler")
    op.create_table(
        "deviation_photo",
        sa.Column("deviation_id", UUID(as_uuid=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        _made(),
        _of_deviation("deviation_photo"),
        sa.CheckConstraint("number BETWEEN 1 AND 10", name=op.f("ck_deviation_photo_number")),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_deviation_photo_sha256")),
        sa.CheckConstraint(
            "media_type IN ('image/jpeg', 'image/png')", name=op.f("ck_deviation_photo_media_type")
        ),
        sa.PrimaryKeyConstraint("deviation_id", "number", name=op.f("pk_deviation_photo")),
        sa.UniqueConstraint("deviation_id", "sha256", name=op.f("uq_deviation_photo_deviation_id_sha256")),
        schema="ler",
    )


def _id() -> sa.Column[object]:
    return sa.Column("id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False)


def _made(name: str = "created_at") -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _of(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["ler.organisation.id"], name=op.f(f"fk_{table}_{column}"))


def _of_deviation(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_deviation_id")
    return sa.ForeignKeyConstraint(["deviation_id"], ["ler.deviation.id"], name=name)
