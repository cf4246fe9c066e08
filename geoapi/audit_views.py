"""How the audit trail is shown in JSON, over HTTP and by commands."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from ler.services.audit import AuditEvent
from ler.services.viewers import Viewers


def viewers_view(found: Viewers) -> dict[str, Any]:
    """Return who has seen what, as JSON has it."""
    return {
        "deliveries": [{name: _plain(value) for name, value in asdict(one).items()} for one in found.viewed],
        "own_reads": [{name: _plain(value) for name, value in asdict(one).items()} for one in found.reads],
        "more": found.more,
    }


def audit_event_view(event: AuditEvent) -> dict[str, Any]:
    """Return one act; its place in the chain only for who may read that."""
    told = {
        "id": event.key,
        "at": event.at,
        "actor": event.actor,
        "account": event.account,
        "provider": event.provider,
        "action": event.action,
        "object": event.object_id,
        "details": event.details,
    }
    return {name: _plain(value) for name, value in told.items()} | (
        {"number": event.number} if event.number is not None else {}
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    if isinstance(value, UUID):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
