"""Rules on lines that are not shown to everybody, and what answers withheld by them."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ANSWER_KEY = ["answer_id", "request_id", "requester_id", "owner_id"]
_CLASSES = "class IN ('restricted', 'site-marking', 'never')"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "sensitivity_rule",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("class", sa.Text(), nullable=False),
        *[
            sa.Column(name, ARRAY(sa.Text()), nullable=True)
            for name in ("feature_types", "utility_types", "danger_classes", "gml_ids")
        ],
        sa.Column("area", _cells(), nullable=True),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(_CLASSES, name=op.f("ck_sensitivity_rule_class")),
        sa.CheckConstraint(
            "num_nonnulls(feature_types, utility_types, danger_classes, gml_ids, area) > 0",
            name=op.f("ck_sensitivity_rule_meets"),
        ),
        sa.CheckConstraint(
            "0 NOT IN (cardinality(feature_types), cardinality(utility_types), cardinality(danger_classes),"
            " cardinality(gml_ids))",
            name=op.f("ck_sensitivity_rule_names"),
        ),
        sa.CheckConstraint(
            "NOT ST_IsEmpty(area) AND ST_IsValid(area)", name=op.f("ck_sensitivity_rule_area")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ler.organisation.id"], name=op.f("fk_sensitivity_rule_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensitivity_rule")),
        schema="ler",
    )
    op.create_index(
        "ix_sensitivity_rule_owner_id",
        "sensitivity_rule",
        ["owner_id"],
        schema="ler",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "answer_withheld",
        *_answer_columns(),
        sa.Column("awaits_owner", sa.Boolean(), nullable=False),
        sa.Column("marking_area", _cells(), nullable=True),
        sa.PrimaryKeyConstraint("request_id", "answer_id", name=op.f("pk_answer_withheld")),
        _answer_reference("answer_withheld"),
        schema="ler",
    )
    op.create_index(
        "ix_answer_withheld_owner_id",
        "answer_withheld",
        ["owner_id"],
        schema="ler",
        postgresql_where=sa.text("awaits_owner"),
    )
    op.create_table(
        "withheld_feature",
        *_answer_columns(),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("gml_id", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("inside", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cells", _cells(), nullable=True),
        sa.PrimaryKeyConstraint("request_id", "answer_id", "seq", name=op.f("pk_withheld_feature")),
        _answer_reference("withheld_feature"),
        sa.CheckConstraint(_CLASSES, name=op.f("ck_withheld_feature_class")),
        schema="ler",
    )


def downgrade() -> None:
    """Take them away. The older program shows every line to everybody who asks: end no network's rules lightly."""
    for table in ("withheld_feature", "answer_withheld", "sensitivity_rule"):
        op.drop_table(table, schema="ler")


def _cells() -> Geometry:
    return Geometry("MULTIPOLYGON", srid=25832, spatial_index=False)


def _answer_columns() -> list[sa.Column[sa.UUID]]:
    return [sa.Column(name, sa.UUID(), nullable=False) for name in _ANSWER_KEY]


def _answer_reference(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        _ANSWER_KEY,
        [f"ler.owner_answer.{name}" for name in ("id", *_ANSWER_KEY[1:])],
        name=op.f(f"fk_{table}_answer_id_request_id_requester_id_owner_id"),
    )
