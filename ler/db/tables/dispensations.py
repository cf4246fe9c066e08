"""Dispensations: leave of an owner to answer within days instead of hours (LAW § 13(2), (3))."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKeyConstraint, Index, Table, Text, func

from ler.db.tables.base import created_at_column, id_column, metadata, uuid_column

dispensation = Table(
    "dispensation",
    metadata,
    id_column(),
    uuid_column("owner_id"),
    Column("valid_from", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The first moment at which it holds no longer; NULL: until it is ended.
    Column("valid_to", DateTime(timezone=True)),
    # The special circumstances for which it was given.
    Column("reason", Text, nullable=False),
    created_at_column(),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("valid_from <= valid_to", name="valid"),
    CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name="reason"),
)
# Serves ler.match_request: has an owner that is asked a dispensation now?
Index("ix_dispensation_owner_id", dispensation.c.owner_id)
