"""Answers in revisions with their features, revisions of requests and packages, and notices."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ANSWER_CHECKS = {
    "revision": "revision > 0",
    "given_by": "given_by IN ('platform', 'owner')",
    "source_sha256": "source_sha256 ~ '^[0-9a-f]{64}$'",
    "withdrawn_at": "withdrawn_at IS NULL OR replaced_at IS NOT NULL",
}
_ANSWER_KEY = ["answer_id", "request_id", "requester_id", "owner_id"]
_REQUEST_KEY = ["requester_id", "request_id"]

# A request that was matched has said what it says now: revision 1. Of several packages of a kind the last stays, which
# is what their readers were given; each was written by a command into a folder, where the others still lie.
_MATCHED = "UPDATE ler.excavation_request SET revision = 1 WHERE matched_at IS NOT NULL"
_ANSWERS = """
    UPDATE ler.package_feature AS p SET answer_id = a.id
    FROM ler.owner_answer AS a
    WHERE a.request_id = p.request_id AND a.owner_id = p.owner_id
"""
_ONE_PACKAGE = """
    DELETE FROM ler.package AS p
    USING ler.package AS newer
    WHERE newer.request_id = p.request_id AND newer.owner_id IS NOT DISTINCT FROM p.owner_id
        AND (newer.created_at, newer.id) > (p.created_at, p.id)
"""
# One answer an owner fits into the older tables, and packages of one revision.
_OLDER_PACKAGES = """
    DELETE FROM ler.package AS p
    USING ler.package AS newer
    WHERE newer.request_id = p.request_id AND newer.owner_id IS NOT DISTINCT FROM p.owner_id
        AND newer.revision > p.revision
"""
_OLDER_FEATURES = """
    DELETE FROM ler.package_feature AS p
    USING ler.owner_answer AS a
    WHERE a.id = p.answer_id AND (a.replaced_at IS NOT NULL OR a.interest_area_id IS NOT NULL OR p.version_id IS NULL)
"""
_OLDER_ANSWERS = "DELETE FROM ler.owner_answer WHERE replaced_at IS NOT NULL OR interest_area_id IS NOT NULL"


def upgrade() -> None:
    """Add them; what was answered before is the first revision of its answer."""
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column, schema="ler")
    op.create_check_constraint(
        op.f("ck_excavation_request_revision"), "excavation_request", "revision >= 0", schema="ler"
    )
    op.create_check_constraint(
        op.f("ck_owner_request_reminded_percent"),
        "owner_request",
        "reminded_percent IN (0, 50, 90, 100)",
        schema="ler",
    )
    op.create_foreign_key(
        "fk_excavation_request_requester_id_renews_id",
        *("excavation_request", "excavation_request", ["requester_id", "renews_id"], ["requester_id", "id"]),
        source_schema="ler",
        referent_schema="ler",
    )
    for name, condition in _ANSWER_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_owner_answer_{name}"), "owner_answer", condition, schema="ler")
    op.execute(_MATCHED)
    _number_answers()
    _give_features_to_answers()
    _number_packages()
    _make_notices()


def downgrade() -> None:
    """Take them away; of each answer and package the one that holds stays, without what an owner answered itself."""
    op.drop_table("notice", schema="ler")
    op.execute(_OLDER_PACKAGES)
    op.drop_constraint("uq_package_request_id_owner_id_revision", "package", schema="ler")
    op.create_index("ix_package_request_id", "package", ["request_id"], schema="ler")
    op.execute(_OLDER_FEATURES)
    op.drop_constraint(
        "fk_package_feature_answer_id_request_id_requester_id_owner_id", "package_feature", schema="ler"
    )
    op.drop_constraint("pk_package_feature", "package_feature", schema="ler")
    op.create_primary_key(
        "pk_package_feature", "package_feature", ["request_id", "owner_id", "seq"], schema="ler"
    )
    op.create_foreign_key(
        "fk_package_feature_requester_id_request_id",
        *("package_feature", "excavation_request", _REQUEST_KEY, ["requester_id", "id"]),
        source_schema="ler",
        referent_schema="ler",
    )
    op.alter_column("package_feature", "version_id", nullable=False, schema="ler")
    op.execute(_OLDER_ANSWERS)
    op.drop_index("ix_owner_answer_current", "owner_answer", schema="ler")
    op.drop_constraint("uq_owner_answer_id_request_id_requester_id_owner_id", "owner_answer", schema="ler")
    op.create_unique_constraint(
        "uq_owner_answer_request_id_owner_id", "owner_answer", ["request_id", "owner_id"], schema="ler"
    )
    for table, columns in _columns().items():
        for column in columns:
            op.execute(f"ALTER TABLE ler.{table} DROP COLUMN {column.name} CASCADE")


def _number_answers() -> None:
    op.drop_constraint("uq_owner_answer_request_id_owner_id", "owner_answer", schema="ler")
    op.create_unique_constraint(
        "uq_owner_answer_request_id_owner_id_interest_area_id_revision",
        *("owner_answer", ["request_id", "owner_id", "interest_area_id", "revision"]),
        schema="ler",
        postgresql_nulls_not_distinct=True,
    )
    op.create_unique_constraint(
        "uq_owner_answer_id_request_id_requester_id_owner_id",
        *("owner_answer", ["id", "request_id", "requester_id", "owner_id"]),
        schema="ler",
    )
    op.create_foreign_key(
        "fk_owner_answer_owner_id_interest_area_id",
        *("owner_answer", "interest_area", ["owner_id", "interest_area_id"], ["owner_id", "id"]),
        source_schema="ler",
        referent_schema="ler",
    )
    op.create_index(
        "ix_owner_answer_current",
        *("owner_answer", ["request_id", "owner_id", "interest_area_id"]),
        unique=True,
        schema="ler",
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )


def _give_features_to_answers() -> None:
    op.execute(_ANSWERS)
    op.alter_column("package_feature", "answer_id", nullable=False, schema="ler")
    op.alter_column("package_feature", "version_id", nullable=True, schema="ler")
    op.drop_constraint("pk_package_feature", "package_feature", schema="ler")
    op.create_primary_key(
        "pk_package_feature", "package_feature", ["request_id", "answer_id", "seq"], schema="ler"
    )
    op.alter_column("package_feature", "version_id", nullable=True, schema="ler")
    op.drop_constraint("fk_package_feature_requester_id_request_id", "package_feature", schema="ler")
    op.create_foreign_key(
        "fk_package_feature_answer_id_request_id_requester_id_owner_id",
        *("package_feature", "owner_answer", _ANSWER_KEY, ["id", *_ANSWER_KEY[1:]]),
        source_schema="ler",
        referent_schema="ler",
    )


def _number_packages() -> None:
    op.execute(_ONE_PACKAGE)
    op.drop_index("ix_package_request_id", "package", schema="ler")
    op.create_unique_constraint(
        "uq_package_request_id_owner_id_revision",
        *("package", ["request_id", "owner_id", "revision"]),
        schema="ler",
        postgresql_nulls_not_distinct=True,
    )


def _make_notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("audience_id", UUID(as_uuid=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("request_id", UUID(as_uuid=True), nullable=True),
        sa.Column("owner_id", UUID(as_uuid=True), nullable=True),
        sa.Column("data", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.CheckConstraint("kind ~ '^[a-z_]+[.][a-z_]+$'", name=op.f("ck_notice_kind")),
        sa.CheckConstraint("jsonb_typeof(data) = 'object'", name=op.f("ck_notice_data")),
        sa.CheckConstraint("(number IS NULL) = (request_id IS NULL)", name=op.f("ck_notice_number")),
        sa.ForeignKeyConstraint(["audience_id"], ["ler.organisation.id"], name=op.f("fk_notice_audience_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["ler.excavation_request.id"], name=op.f("fk_notice_request_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_notice_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        schema="ler",
    )
    op.create_index("ix_notice_request_id", "notice", ["request_id", "number"], schema="ler")
    op.create_index("ix_notice_audience_id", "notice", ["audience_id", "at"], schema="ler")


def _columns() -> dict[str, list[sa.Column[Any]]]:
    """What older tables gain."""
    zero = sa.text("0")
    one = sa.text("1")
    return {
        "excavation_request": [
            sa.Column("revision", sa.Integer(), server_default=zero, nullable=False),
            sa.Column("last_event", sa.Integer(), server_default=zero, nullable=False),
            sa.Column("renews_id", UUID(as_uuid=True), nullable=True),
            sa.Column("order_id", UUID(as_uuid=True), nullable=True),
        ],
        "owner_request": [sa.Column("reminded_percent", sa.Integer(), server_default=zero, nullable=False)],
        "owner_answer": [
            sa.Column("interest_area_id", UUID(as_uuid=True), nullable=True),
            sa.Column("revision", sa.Integer(), server_default=one, nullable=False),
            sa.Column("given_by", sa.Text(), server_default=sa.text("'platform'"), nullable=False),
            sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("valid_until", sa.Date(), nullable=True),
            sa.Column("further_information", sa.Text(), nullable=True),
            sa.Column("expected_time", sa.DateTime(timezone=True), nullable=True),
            sa.Column("appointment", JSONB(), nullable=True),
            sa.Column("header", JSONB(), nullable=True),
            sa.Column("source_sha256", sa.Text(), nullable=True),
        ],
        "package_feature": [sa.Column("answer_id", UUID(as_uuid=True), nullable=True)],
        "package": [sa.Column("revision", sa.Integer(), server_default=one, nullable=False)],
    }
