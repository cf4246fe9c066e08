"""To whom an owner offers its empty ducts."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    text,
)

from ler.db.tables.base import created_at_column, id_column, metadata, uuid_column

# An offer is never changed: it is ended and another one made, so that it can be told what held at a time.
duct_offer = Table(
    "duct_offer",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    # To whom: an organisation by its CVR number, registered here or not, so that naming it tells nothing; NULL: to all
    # that register works.
    Column("cvr", Text),
    # Offered are ducts of which at most this share of the capacity is used; 0: empty ones only.
    Column("most_used", Double, nullable=False, server_default=text("0")),
    # Whether it is shown where in the squares near a work they run.
    Column("shows_place", Boolean, nullable=False, server_default=text("false")),
    # Whom to turn to; NULL: as the register has it.
    Column("contact", Text),
    created_at_column(),
    Column("ended_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("cvr ~ '^[0-9]{8}$'", name="cvr"),
    CheckConstraint("most_used >= 0 AND most_used < 1", name="most_used"),
    CheckConstraint("char_length(contact) BETWEEN 1 AND 254", name="contact"),
)
# Serves ler.ducts_near, and keeps each that is named to one offer of an owner.
Index(
    "uq_duct_offer_in_force",
    duct_offer.c.owner_id,
    duct_offer.c.cvr,
    unique=True,
    postgresql_where=text("ended_at IS NULL"),
    postgresql_nulls_not_distinct=True,
)
