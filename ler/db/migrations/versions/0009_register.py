"""Members, roles, mandates and contacts; interest areas that end instead of changing."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

_OPERATOR: Final = "00000000-0000-4000-8000-000000000001"
_TIME: Final = sa.DateTime(timezone=True)
_NOW: Final = sa.text("now()")
_NOTHING: Final = sa.text("''")
_DUTIES: Final = (
    "'supply-network', 'service-line', 'public-line', 'road-drain', 'digital-infrastructure', 'waste-water', 'duct',"
    " 'voluntary'"
)
_ORGANISATION_CHECKS: Final = {
    "language": "language IN ('da', 'en')",
    "anonymous": "NOT anonymous OR cvr IS NULL",
    "duties": f"duties <@ ARRAY[{_DUTIES}]",
}
_AREA_CHECKS: Final = {
    "revision": "revision > 0",
    "ended_at": "ended_at >= created_at",
    "remark": "char_length(remark) <= 4000",
    "contact": "num_nonnulls(contact_person, contact_address) = num_nonnulls(contact_email)",
    "contact_email": "contact_email ~ '^[^@ ]+@[^@ ]+$' AND char_length(contact_email) <= 50",
}
_CURRENT: Final = sa.text("ended_at IS NULL")

# Whoever had a CVR number was registered as an owner: there was no other way to come in. Who had none and asked,
# digs.
_FIRST_GRANTS: Final = f"""
    INSERT INTO ler."grant" (organisation_id, role, note)
    SELECT o.id, found.role, 'before roles were kept'
    FROM ler.organisation AS o
    CROSS JOIN LATERAL (
        SELECT 'operator' AS role WHERE o.id = '{_OPERATOR}'
        UNION ALL
        SELECT 'owner' WHERE o.id <> '{_OPERATOR}' AND (
            o.cvr IS NOT NULL
            OR EXISTS (SELECT FROM ler.interest_area AS i WHERE i.owner_id = o.id)
            OR EXISTS (SELECT FROM ler.network_dataset AS d WHERE d.owner_id = o.id)
        )
        UNION ALL
        SELECT 'excavator' WHERE o.id <> '{_OPERATOR}'
            AND EXISTS (SELECT FROM ler.excavation_request AS r WHERE r.requester_id = o.id)
    ) AS found
"""  # noqa: S608 - a constant


def upgrade() -> None:
    """Make them; what was registered before gets the roles that it had without a name."""
    for table, columns, checks in (
        ("organisation", _organisation(), _ORGANISATION_CHECKS),
        ("interest_area", _area(), _AREA_CHECKS),
    ):
        for column in columns:
            op.add_column(table, column, schema="ler")
        for name, condition in checks.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition, schema="ler")
    _number_by_revision()
    _account()
    _grant()
    _mandate()
    _contact()
    op.execute(_FIRST_GRANTS)


def downgrade() -> None:
    """Take them away. Ended areas go too, unless somebody was asked for them: the older program knows no end."""
    for table in ("contact", "mandate", "grant", "account"):
        op.drop_table(table, schema="ler")
    op.execute(
        "DELETE FROM ler.interest_area AS i WHERE i.ended_at IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM ler.owner_request AS q WHERE q.interest_area_id = i.id)"
    )
    op.drop_index("ix_interest_area_registration_number", "interest_area", schema="ler")
    op.drop_index("ix_interest_area_geom", "interest_area", schema="ler")
    # Two revisions that were both asked about: the newest keeps the number.
    op.execute(
        "UPDATE ler.interest_area AS i SET registration_number = DEFAULT WHERE EXISTS ("
        " SELECT FROM ler.interest_area AS n"
        " WHERE n.registration_number = i.registration_number AND n.revision > i.revision)"
    )
    op.drop_constraint("uq_interest_area_registration_number_revision", "interest_area", schema="ler")
    op.create_unique_constraint(
        op.f("uq_interest_area_registration_number"), "interest_area", ["registration_number"], schema="ler"
    )
    op.create_index("ix_interest_area_geom", "interest_area", ["geom"], schema="ler", postgresql_using="gist")
    for table, columns in (("interest_area", _area()), ("organisation", _organisation())):
        for column in columns:
            op.drop_column(table, column.name, schema="ler")


def _organisation() -> list[sa.Column[Any]]:
    return [
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), server_default=sa.text("'da'"), nullable=False),
        sa.Column("anonymous", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("duties", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
    ]


def _area() -> list[sa.Column[Any]]:
    return [
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("remark", sa.Text(), server_default=_NOTHING, nullable=False),
        sa.Column("contact_person", sa.Text(), nullable=True),
        sa.Column("contact_address", sa.Text(), nullable=True),
        sa.Column("contact_email", sa.Text(), nullable=True),
        sa.Column("voluntary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    ]


def _number_by_revision() -> None:
    op.drop_constraint("uq_interest_area_registration_number", "interest_area", schema="ler")
    op.create_unique_constraint(
        op.f("uq_interest_area_registration_number_revision"),
        "interest_area",
        ["registration_number", "revision"],
        schema="ler",
    )
    op.create_index(
        "ix_interest_area_registration_number",
        "interest_area",
        ["registration_number"],
        unique=True,
        schema="ler",
        postgresql_where=_CURRENT,
    )
    op.drop_index("ix_interest_area_geom", "interest_area", schema="ler")
    op.create_index(
        "ix_interest_area_geom",
        "interest_area",
        ["geom"],
        schema="ler",
        postgresql_using="gist",
        postgresql_where=_CURRENT,
    )


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False)


def _made() -> sa.Column[Any]:
    return sa.Column("created_at", _TIME, server_default=_NOW, nullable=False)


def _note() -> sa.Column[Any]:
    return sa.Column("note", sa.Text(), server_default=_NOTHING, nullable=False)


def _belongs(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["ler.organisation.id"], name=op.f(f"fk_{table}_{column}"))


def _checks(table: str, **conditions: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}")) for name, rule in conditions.items()]


def _account() -> None:
    op.create_table(
        "account",
        _id(),
        sa.Column("organisation_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default=sa.text("'da'"), nullable=False),
        sa.Column("administrator", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        _made(),
        sa.Column("ended_at", _TIME, nullable=True),
        _belongs("account", "organisation_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_account_organisation_id_id")),
        *_checks(
            "account",
            name="char_length(name) BETWEEN 1 AND 200",
            email="email ~ '^[^@ ]+@[^@ ]+$' AND char_length(email) <= 254",
            language="language IN ('da', 'en')",
            subject="(issuer IS NULL) = (subject IS NULL)",
        ),
        schema="ler",
    )
    for name, columns in (
        ("organisation_id_email", ["organisation_id", sa.text("lower(email)")]),
        ("subject", ["issuer", "subject", "organisation_id"]),
    ):
        op.create_index(
            f"ix_account_{name}", "account", columns, unique=True, schema="ler", postgresql_where=_CURRENT
        )


def _grant() -> None:
    op.create_table(
        "grant",
        _id(),
        sa.Column("organisation_id", sa.UUID(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("area", Geometry("MULTIPOLYGON", srid=25832, spatial_index=False), nullable=True),
        sa.Column("valid_from", _TIME, server_default=_NOW, nullable=False),
        sa.Column("valid_to", _TIME, nullable=True),
        _note(),
        _made(),
        _belongs("grant", "organisation_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
        *_checks(
            "grant",
            role=(
                "role IN ('owner', 'provider', 'excavator', 'private', 'authority', 'operator', 'auditor')"
            ),
            operator=f"role <> 'operator' OR organisation_id = '{_OPERATOR}'",
            area="NOT ST_IsEmpty(area) AND ST_IsValid(area)",
            valid="valid_from <= valid_to",
            note="char_length(note) <= 200",
        ),
        schema="ler",
    )
    op.create_index("ix_grant_organisation_id", "grant", ["organisation_id"], schema="ler")


def _mandate() -> None:
    op.create_table(
        "mandate",
        _id(),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("provider_id", sa.UUID(), nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", _TIME, server_default=_NOW, nullable=False),
        sa.Column("valid_to", _TIME, nullable=True),
        sa.Column("revoked_at", _TIME, nullable=True),
        _note(),
        _made(),
        _belongs("mandate", "owner_id"),
        _belongs("mandate", "provider_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
        *_checks(
            "mandate",
            provider="owner_id <> provider_id",
            scopes="cardinality(scopes) > 0 AND array_position(scopes, NULL) IS NULL",
            valid="valid_from <= valid_to",
            note="char_length(note) <= 200",
        ),
        schema="ler",
    )
    op.create_index("ix_mandate_owner_id", "mandate", ["owner_id"], schema="ler")
    op.create_index("ix_mandate_provider_id_owner_id", "mandate", ["provider_id", "owner_id"], schema="ler")


def _contact() -> None:
    op.create_table(
        "contact",
        _id(),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("utility_type", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("rank", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        _made(),
        sa.Column("changed_at", _TIME, server_default=_NOW, nullable=False),
        _belongs("contact", "owner_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint(
            *("owner_id", "utility_type", "purpose", "rank"),
            name=op.f("uq_contact_owner_id_utility_type_purpose_rank"),
            postgresql_nulls_not_distinct=True,
        ),
        *_checks(
            "contact",
            purpose="purpose IN ('dig', 'planning', 'emergency', 'damage')",
            rank="rank BETWEEN 1 AND 9",
            name="char_length(name) BETWEEN 1 AND 100",
            email="email ~ '^[^@ ]+@[^@ ]+$' AND char_length(email) <= 254",
            phone="char_length(phone) BETWEEN 1 AND 15",
            reachable="email IS NOT NULL OR phone IS NOT NULL",
        ),
        schema="ler",
    )
