"""Who acts for an organisation, what it is to the register, who acts for it by mandate, and whom to turn to there."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ler.db.tables.base import SRID, created_at_column, id_column, metadata, uuid_column
from ler.db.tables.organisations import PLATFORM_OPERATOR
from ler.domain.request_rules import DigKind
from ler.domain.roles import Role


def _one_of(*values: str) -> str:
    return ", ".join(repr(str(value)) for value in values)


account = Table(
    "account",
    metadata,
    id_column(),
    uuid_column("organisation_id"),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    # In which notices and pages come.
    Column("language", Text, nullable=False, server_default=text("'da'")),
    # May change the organisation's entry, its members and its tokens.
    Column("administrator", Boolean, nullable=False, server_default=text("false")),
    # Who it is to the identity provider; NULL until the first login.
    Column("issuer", Text),
    Column("subject", Text),
    created_at_column(),
    # Ended, not deleted: what somebody did stays his.
    Column("ended_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
    # The key by which what a member did carries the organisation it was done for.
    UniqueConstraint("organisation_id", "id"),
    CheckConstraint("char_length(name) BETWEEN 1 AND 200", name="name"),
    CheckConstraint("email ~ '^[^@ ]+@[^@ ]+$' AND char_length(email) <= 254", name="email"),
    CheckConstraint("language IN ('da', 'en')", name="language"),
    CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="subject"),
)
# One person is one member; with the organisation first, so that no address tells of another organisation.
Index(
    "ix_account_organisation_id_email",
    account.c.organisation_id,
    func.lower(account.c.email),
    unique=True,
    postgresql_where=account.c.ended_at.is_(None),
)
# Serves the login.
Index(
    "ix_account_subject",
    account.c.issuer,
    account.c.subject,
    account.c.organisation_id,
    unique=True,
    postgresql_where=account.c.ended_at.is_(None),
)

grant = Table(
    "grant",
    metadata,
    id_column(),
    uuid_column("organisation_id"),
    Column("role", Text, nullable=False),
    # NULL: everywhere.
    Column("area", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False)),
    Column("valid_from", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The first moment at which it holds no longer; NULL: until it is ended.
    Column("valid_to", DateTime(timezone=True)),
    # On what it rests, for example the declaration of an authority.
    Column("note", Text, nullable=False, server_default=text("''")),
    created_at_column(),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
    CheckConstraint(f"role IN ({_one_of(*Role)})", name="role"),
    # Whoever else were the operator could make anybody anything.
    CheckConstraint(f"role <> 'operator' OR organisation_id = '{PLATFORM_OPERATOR}'", name="operator"),
    CheckConstraint("NOT ST_IsEmpty(area) AND ST_IsValid(area)", name="area"),
    CheckConstraint("valid_from <= valid_to", name="valid"),
    CheckConstraint("char_length(note) <= 200", name="note"),
)
# Serves every call: which roles are granted now?
Index("ix_grant_organisation_id", grant.c.organisation_id)

mandate = Table(
    "mandate",
    metadata,
    id_column(),
    # Who gives it: an owner, or whoever else lets somebody act for it.
    uuid_column("owner_id"),
    uuid_column("provider_id"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("valid_to", DateTime(timezone=True)),
    # Taken back by the one or laid down by the other.
    Column("revoked_at", DateTime(timezone=True)),
    Column("note", Text, nullable=False, server_default=text("''")),
    created_at_column(),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    ForeignKeyConstraint(["provider_id"], ["ler.organisation.id"]),
    CheckConstraint("owner_id <> provider_id", name="provider"),
    CheckConstraint("cardinality(scopes) > 0 AND array_position(scopes, NULL) IS NULL", name="scopes"),
    CheckConstraint("valid_from <= valid_to", name="valid"),
    CheckConstraint("char_length(note) <= 200", name="note"),
)
# Serve the lists of both, and each call that is made by mandate.
Index("ix_mandate_owner_id", mandate.c.owner_id)
Index("ix_mandate_provider_id_owner_id", mandate.c.provider_id, mandate.c.owner_id)

contact = Table(
    "contact",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    # For which kind of line, a value of the LER code list Forsyningsart; NULL: for all.
    Column("utility_type", Text),
    # For what: a kind of request, or `damage`; NULL: for all.
    Column("purpose", Text),
    # Whom to try first: 1, and who comes next when nobody answers there.
    Column("rank", Integer, nullable=False, server_default=text("1")),
    # As LER Kontaktprofil: navn, mailadresse, telefonnummer.
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("phone", Text),
    created_at_column(),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    UniqueConstraint("owner_id", "utility_type", "purpose", "rank", postgresql_nulls_not_distinct=True),
    CheckConstraint(f"purpose IN ({_one_of(*DigKind, 'damage')})", name="purpose"),
    CheckConstraint("rank BETWEEN 1 AND 9", name="rank"),
    CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name"),
    CheckConstraint("email ~ '^[^@ ]+@[^@ ]+$' AND char_length(email) <= 254", name="email"),
    CheckConstraint("char_length(phone) BETWEEN 1 AND 15", name="phone"),
    CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name="reachable"),
)
