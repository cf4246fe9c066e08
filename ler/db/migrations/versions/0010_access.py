"""Programs with keys, logins, tokens that persons and programs make themselves, and limits on calls and requests."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0010"
down_revision = "0014"
branch_labels = None
depends_on = None

_TOKEN_CHECKS = {
    "kind": "kind IN ('personal', 'client', 'session')",
    "client": "(kind = 'client') = (client_id IS NOT NULL)",
    "session": "kind <> 'session' OR account_id IS NOT NULL",
    "area": "NOT ST_IsEmpty(area) AND ST_IsValid(area)",
    "idle_s": "idle_s > 0",
}
_LIMITS = (
    "INSERT INTO ler.request_limit (requests_per_day, area_m2_per_day, area_m2_per_month)"
    " VALUES (1000, 10000000, 100000000)"
)


def upgrade() -> None:
    """Make them. Tokens that were handed out before are the organisation's own and stay as they are."""
    _make_clients()
    _make_limits()
    for column in _token_columns():
        op.add_column("access_token", column, schema="ler")
    op.create_unique_constraint(
        op.f("uq_access_token_owner_id_id"), "access_token", ["owner_id", "id"], schema="ler"
    )
    for name, target, key in (
        ("account_id", "account", ["organisation_id", "id"]),
        ("client_id", "client", ["owner_id", "id"]),
        ("made_by", "access_token", ["owner_id", "id"]),
    ):
        op.create_foreign_key(
            op.f(f"fk_access_token_owner_id_{name}"),
            "access_token",
            target,
            ["owner_id", name],
            key,
            source_schema="ler",
            referent_schema="ler",
        )
    for name, check in _TOKEN_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_access_token_{name}"), "access_token", check, schema="ler")
    op.create_index("ix_access_token_made_by", "access_token", ["made_by"], schema="ler")
    op.create_index(
        "ix_access_token_expires_at",
        "access_token",
        ["expires_at"],
        schema="ler",
        postgresql_where=sa.text("kind IN ('client', 'session')"),
    )
    op.create_index(
        "ix_excavation_request_asked_lately",
        "excavation_request",
        ["requester_id", "created_at"],
        schema="ler",
    )


def downgrade() -> None:
    """Take them away. Logins and tokens of clients end: the older program would take them for an owner's own."""
    op.drop_index("ix_excavation_request_asked_lately", "excavation_request", schema="ler")
    op.execute("UPDATE ler.access_token SET made_by = NULL")
    op.execute("DELETE FROM ler.access_token WHERE kind <> 'personal' OR account_id IS NOT NULL")
    op.drop_index("ix_access_token_expires_at", "access_token", schema="ler")
    op.drop_index("ix_access_token_made_by", "access_token", schema="ler")
    for name in _TOKEN_CHECKS:
        op.drop_constraint(op.f(f"ck_access_token_{name}"), "access_token", schema="ler")
    for name in ("made_by", "client_id", "account_id"):
        op.drop_constraint(op.f(f"fk_access_token_owner_id_{name}"), "access_token", schema="ler")
    op.drop_constraint(op.f("uq_access_token_owner_id_id"), "access_token", schema="ler")
    for column in _token_columns():
        op.drop_column("access_token", column.name, schema="ler")
    for table in ("alarm", "request_limit", "call_bucket", "used_assertion", "client_key", "client"):
        op.drop_table(table, schema="ler")


def _token_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("kind", sa.Text(), server_default=sa.text("'personal'"), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=True),
        sa.Column("client_id", sa.UUID(), nullable=True),
        sa.Column("made_by", sa.UUID(), nullable=True),
        sa.Column("area", Geometry("MULTIPOLYGON", srid=25832, spatial_index=False), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("idle_s", sa.Integer(), nullable=True),
        sa.Column("acr", sa.Text(), nullable=True),
        sa.Column("amr", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
    ]


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False)


def _moment(name: str, *, now: bool = False, nullable: bool = False) -> sa.Column[Any]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _make_clients() -> None:
    op.create_table(
        "client",
        _id(),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), nullable=False),
        sa.Column("area", Geometry("MULTIPOLYGON", srid=25832, spatial_index=False), nullable=True),
        _moment("created_at", now=True),
        _moment("revoked_at", nullable=True),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name=op.f("ck_client_name")),
        sa.CheckConstraint("cardinality(scopes) > 0", name=op.f("ck_client_scopes")),
        sa.CheckConstraint("NOT ST_IsEmpty(area) AND ST_IsValid(area)", name=op.f("ck_client_area")),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_client_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("owner_id", "id", name=op.f("uq_client_owner_id_id")),
        schema="ler",
    )
    op.create_table(
        "client_key",
        _id(),
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("jwk", JSONB(), nullable=False),
        _moment("created_at", now=True),
        _moment("revoked_at", nullable=True),
        sa.CheckConstraint("char_length(kid) BETWEEN 1 AND 100", name=op.f("ck_client_key_kid")),
        sa.CheckConstraint(
            "jsonb_typeof(jwk) = 'object' AND NOT jwk ?| '{d,k,p,q}'", name=op.f("ck_client_key_jwk")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id", "client_id"],
            ["ler.client.owner_id", "ler.client.id"],
            name=op.f("fk_client_key_owner_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_key")),
        sa.UniqueConstraint("client_id", "kid", name=op.f("uq_client_key_client_id_kid")),
        schema="ler",
    )
    op.create_table(
        "used_assertion",
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("jti_sha256", sa.Text(), nullable=False),
        _moment("expires_at"),
        sa.CheckConstraint("jti_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_used_assertion_jti_sha256")),
        sa.ForeignKeyConstraint(["client_id"], ["ler.client.id"], name=op.f("fk_used_assertion_client_id")),
        sa.PrimaryKeyConstraint("client_id", "jti_sha256", name=op.f("pk_used_assertion")),
        schema="ler",
    )
    op.create_index("ix_used_assertion_expires_at", "used_assertion", ["expires_at"], schema="ler")


def _make_limits() -> None:
    op.create_table(
        "call_bucket",
        sa.Column("name", sa.Text(), nullable=False),
        _moment("empty_at"),
        _moment("told_at", nullable=True),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 200", name=op.f("ck_call_bucket_name")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_call_bucket")),
        schema="ler",
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_call_bucket_empty_at", "call_bucket", ["empty_at"], schema="ler")
    op.create_table(
        "request_limit",
        _id(),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("requests_per_day", sa.Integer(), nullable=True),
        sa.Column("area_m2_per_day", sa.Double(), nullable=True),
        sa.Column("area_m2_per_month", sa.Double(), nullable=True),
        sa.Column("tiles", sa.Integer(), server_default=sa.text("4"), nullable=False),
        sa.Column("tiles_area_m2", sa.Double(), server_default=sa.text("1000000"), nullable=False),
        _moment("changed_at", now=True),
        sa.CheckConstraint("requests_per_day >= 0", name=op.f("ck_request_limit_requests_per_day")),
        sa.CheckConstraint("area_m2_per_day >= 0", name=op.f("ck_request_limit_area_m2_per_day")),
        sa.CheckConstraint("area_m2_per_month >= 0", name=op.f("ck_request_limit_area_m2_per_month")),
        sa.CheckConstraint("tiles > 1 AND tiles_area_m2 > 0", name=op.f("ck_request_limit_tiles")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ler.organisation.id"], name=op.f("fk_request_limit_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_limit")),
        sa.UniqueConstraint(
            "owner_id", name=op.f("uq_request_limit_owner_id"), postgresql_nulls_not_distinct=True
        ),
        schema="ler",
    )
    op.execute(_LIMITS)
    op.create_table(
        "alarm",
        _id(),
        _moment("at", now=True),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=True),
        sa.Column("data", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.CheckConstraint("kind IN ('tiling', 'limit')", name=op.f("ck_alarm_kind")),
        sa.CheckConstraint("jsonb_typeof(data) = 'object'", name=op.f("ck_alarm_data")),
        sa.ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"], name=op.f("fk_alarm_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
        schema="ler",
    )
    op.create_index("ix_alarm_owner_id_at", "alarm", ["owner_id", "at"], schema="ler")
