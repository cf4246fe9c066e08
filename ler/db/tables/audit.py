"""The chain over the audit trail (`ler.domain.audit`), and what waits to be put into it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    func,
)

from ler.db.tables.base import metadata

audit_link = Table(
    "audit_link",
    metadata,
    # The place in the chain, without gaps: events are sealed in the order in which they became visible, not in that of
    # their ids, since a transaction may commit long after it took its id.
    Column("number", BigInteger, autoincrement=False, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("sealed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("number"),
    UniqueConstraint("event_id"),
    ForeignKeyConstraint(["event_id"], ["ler.audit_event.id"]),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint("octet_length(digest) = 32", name="digest"),
)

# Written by a trigger in the transaction of the event, so that one that commits late is still found: a mark such as
# "sealed up to this id" would pass it by.
audit_unsealed = Table(
    "audit_unsealed",
    metadata,
    Column("event_id", BigInteger, autoincrement=False, nullable=False),
    PrimaryKeyConstraint("event_id"),
    ForeignKeyConstraint(["event_id"], ["ler.audit_event.id"]),
)
