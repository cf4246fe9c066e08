"""Where notices are sent, what is still to be sent, whom the clock looks after, and which changes are still to be told.

Notices themselves stand beside the requests that they are about (`ler.db.tables.requests`). They are written by triggers
(`ler/db/sql/notices.sql`), and so is the outbox, in the transaction of the act that is told.
"""

from typing import Final

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
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from ler.db.tables.base import created_at_column, id_column, metadata, uuid_column
from ler.domain.delivery import Channel, DeliveryState, EndpointState


def _one_of(*values: str) -> str:
    return ", ".join(repr(str(value)) for value in values)


_CHANNELS: Final = f"channel IN ({_one_of(*Channel)})"

notice_endpoint = Table(
    "notice_endpoint",
    metadata,
    id_column(),
    uuid_column("organisation_id"),
    Column("channel", Text, nullable=False),
    # An https address, or one of e-mail.
    Column("address", Text, nullable=False),
    # Patterns like `owner.*`; NULL: whatever is told by this channel.
    Column("kinds", ARRAY(Text)),
    Column("language", Text, nullable=False, server_default=text("'da'")),
    # Told only of silence: the second contact.
    Column("escalation", Boolean, nullable=False, server_default=text("false")),
    Column("state", Text, nullable=False, server_default=text("'active'")),
    # Why it is paused or disabled.
    Column("reason", Text),
    # Keys by which payloads are signed, sealed (ler.signing); while a new one is taken into use both sign. Read by nobody
    # but the worker.
    Column("secret", Text),
    Column("old_secret", Text),
    Column("old_secret_until", DateTime(timezone=True)),
    # Sent to an address of e-mail, whose holder must want what is sent there. Read by nobody but the worker.
    Column("code", Text),
    # Tries that failed since the last that did not, and since when.
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("failing_since", DateTime(timezone=True)),
    # Until when its server asked not to be called.
    Column("hold_until", DateTime(timezone=True)),
    Column("delivered_at", DateTime(timezone=True)),
    created_at_column(),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
    CheckConstraint(_CHANNELS, name="channel"),
    CheckConstraint(f"state IN ({_one_of(*EndpointState)})", name="state"),
    CheckConstraint("char_length(address) BETWEEN 3 AND 2000", name="address"),
    CheckConstraint("language IN ('da', 'en')", name="language"),
    CheckConstraint("(channel = 'webhook') = (secret IS NOT NULL)", name="secret"),
    CheckConstraint("state <> 'unconfirmed' OR code IS NOT NULL", name="code"),
)
# Serves every notice: where does its audience want to be told?
Index(
    "ix_notice_endpoint_organisation_id",
    notice_endpoint.c.organisation_id,
    postgresql_where=text("state <> 'removed'"),
)

outbox = Table(
    "outbox",
    metadata,
    id_column(),
    uuid_column("notice_id"),
    uuid_column("organisation_id"),
    # NULL: the address with which the organisation is registered.
    uuid_column("endpoint_id", nullable=True),
    # What is tried one by one: an endpoint, or else the organisation. One that hangs holds up itself only.
    uuid_column("lane"),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("language", Text, nullable=False, server_default=text("'da'")),
    # What is sent, the same at each try. Of a webhook made with the notice, of a mail before its first try.
    Column("payload", Text),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_try_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    # A worker has taken it; when it is not heard of until then, another may.
    Column("taken_until", DateTime(timezone=True)),
    # What was answered to the last try: a status of HTTP or SMTP, and a code of ours when it failed.
    Column("status", Integer),
    Column("fault", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("done_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["notice_id"], ["ler.notice.id"]),
    ForeignKeyConstraint(["organisation_id"], ["ler.organisation.id"]),
    # Never deleted but marked as removed, so that no notice can fail because of one that goes in this moment.
    ForeignKeyConstraint(["endpoint_id"], ["ler.notice_endpoint.id"]),
    # A notice goes to each place once.
    UniqueConstraint("notice_id", "channel", "endpoint_id", postgresql_nulls_not_distinct=True),
    CheckConstraint(_CHANNELS, name="channel"),
    CheckConstraint(f"state IN ({_one_of(*DeliveryState)})", name="state"),
    CheckConstraint("octet_length(payload) < 20000 OR channel <> 'webhook'", name="payload"),
)
# Serves ler.claim_deliveries: what is due, lane by lane?
Index(
    "ix_outbox_lane_next_try_at",
    outbox.c.lane,
    outbox.c.next_try_at,
    postgresql_where=text("state = 'waiting'"),
)
# Serves the list of what was sent to an endpoint.
Index("ix_outbox_endpoint_id_created_at", outbox.c.endpoint_id, outbox.c.created_at)
# Serves ler.forget_deliveries.
Index("ix_outbox_done_at", outbox.c.done_at, postgresql_where=text("state <> 'waiting'"))

answer_watch = Table(
    "answer_watch",
    metadata,
    # An owner request whose answer is owed.
    Column("owner_request_id", PG_UUID(as_uuid=True), primary_key=True),
    uuid_column("request_id"),
    # When there is something to tell next.
    Column("next_at", DateTime(timezone=True), nullable=False),
    # Who has been told of the silence: 1 the owner's second contact, 2 the operator too.
    Column("silence", Integer, nullable=False, server_default=text("0")),
    ForeignKeyConstraint(["owner_request_id"], ["ler.owner_request.id"]),
    CheckConstraint("silence BETWEEN 0 AND 2", name="silence"),
)
# Serves ler.watched_owners: whose time has come?
Index("ix_answer_watch_next_at", answer_watch.c.next_at)

change_task = Table(
    "change_task",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    uuid_column("owner_id"),
    # A version that was published, or an interest area that is new.
    uuid_column("version_id", nullable=True),
    uuid_column("interest_area_id", nullable=True),
    created_at_column(),
    # How far the look through the valid requests has come.
    uuid_column("after_request", nullable=True),
    # The first look is followed by another, when every transaction has ended that may have read what was before.
    Column("horizon", BigInteger),
    Column("looked_at", DateTime(timezone=True)),
    Column("done_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    CheckConstraint("num_nonnulls(version_id, interest_area_id) = 1", name="subject"),
)
# Serves ler.tell_changes: is there anything to do?
Index("ix_change_task_open", change_task.c.id, postgresql_where=text("done_at IS NULL"))
