"""Who takes part - utility owners, excavators, the operator itself - and where owners have lines."""

from typing import Final
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ler.db.tables.base import SRID, created_at_column, id_column, metadata, uuid_column
from ler.domain.registration import Duty

PLATFORM_OPERATOR: Final = UUID("00000000-0000-4000-8000-000000000001")
"""The organisation that runs the platform: seeded, without CVR number, the default requester, and the only
principal that may register organisations and grant roles."""

organisation = Table(
    "organisation",
    metadata,
    id_column(),
    Column("cvr", Text),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("phone", Text),
    created_at_column(),
    Column("address", Text),
    # In which notices come to it.
    Column("language", Text, nullable=False, server_default=text("'da'")),
    # The wish of a private person: owners that it asks are not told who it is.
    Column("anonymous", Boolean, nullable=False, server_default=text("false")),
    # Why it is in the register as an owner: `ler.domain.registration.Duty`. Empty: nobody has said.
    Column("duties", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    UniqueConstraint("cvr"),
    CheckConstraint("cvr ~ '^[0-9]{8}$'", name="cvr"),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint("language IN ('da', 'en')", name="language"),
    CheckConstraint("NOT anonymous OR cvr IS NULL", name="anonymous"),
    CheckConstraint(f"duties <@ ARRAY[{', '.join(repr(str(duty)) for duty in Duty)}]", name="duties"),
)

interest_area = Table(
    "interest_area",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    # The number that LER calls indberetningsNr.
    Column("registration_number", BigInteger, Identity(always=True), nullable=False),
    Column("utility_types", ARRAY(Text), nullable=False),
    Column("geom", Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False), nullable=False),
    created_at_column(),
    # An area is never changed: a change ends it and enters the next revision under the same number, so that who was
    # asked can still be told why.
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("ended_at", DateTime(timezone=True)),
    # LER bemaerkning.
    Column("remark", Text, nullable=False, server_default=text("''")),
    # LER kontaktperson or kontaktadresse, and the e-mail of either; all NULL: as the owner is registered.
    Column("contact_person", Text),
    Column("contact_address", Text),
    Column("contact_email", Text),
    # Registered without a duty to (LAW § 6).
    Column("voluntary", Boolean, nullable=False, server_default=text("false")),
    # Who answers for it: the platform from the published network, or the owner itself.
    Column("answered_by", Text, nullable=False, server_default=text("'platform'")),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    UniqueConstraint("registration_number", "revision"),
    # Serves an owner's own list; the key of owner_request, which must name an area of the owner it asks.
    UniqueConstraint("owner_id", "id"),
    CheckConstraint(
        "cardinality(utility_types) > 0 AND array_position(utility_types, NULL) IS NULL", name="utility_types"
    ),
    CheckConstraint("NOT ST_IsEmpty(geom) AND ST_IsValid(geom)", name="geom"),
    CheckConstraint("revision > 0", name="revision"),
    CheckConstraint("ended_at >= created_at", name="ended_at"),
    CheckConstraint("char_length(remark) <= 4000", name="remark"),
    CheckConstraint(
        "num_nonnulls(contact_person, contact_address) = num_nonnulls(contact_email)", name="contact"
    ),
    CheckConstraint(
        "contact_email ~ '^[^@ ]+@[^@ ]+$' AND char_length(contact_email) <= 50", name="contact_email"
    ),
    CheckConstraint("answered_by IN ('platform', 'owner')", name="answered_by"),
)

# Serves ler.match_request and ler.find_owners: whose interest areas does a dig area touch?
Index(
    "ix_interest_area_geom",
    interest_area.c.geom,
    postgresql_using="gist",
    postgresql_where=interest_area.c.ended_at.is_(None),
)
# Of a number one revision holds.
Index(
    "ix_interest_area_registration_number",
    interest_area.c.registration_number,
    unique=True,
    postgresql_where=interest_area.c.ended_at.is_(None),
)
