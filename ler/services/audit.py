"""The audit trail: who did what to which thing. Written in the transaction of the act: without event, no act."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.engine import Connection

from ler.db.tables import audit_event


def record_event(
    connection: Connection,
    actor: UUID | None,
    action: str,
    object_id: UUID,
    details: Mapping[str, object] | None = None,
) -> None:
    """Append an event. `action` is `source:subject:verb`; `actor` is None for a worker, which acts for nobody."""
    values = {"actor": actor, "action": action, "object_id": object_id, "details": dict(details or {})}
    # Inline: who may append may not read back.
    connection.execute(audit_event.insert().inline().values(values))
