"""Acts on the register, recorded under the organisation that acts: the one they are about, or the operator."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.engine import Connection

from ler.db.functions import record_event
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError


def record_act(
    connection: Connection,
    acting: UUID,
    what: str,
    object_id: UUID,
    details: Mapping[str, object] | None = None,
) -> None:
    """Append to the audit trail that the acting principal did something, `subject:action`."""
    source = "operator" if acting == PLATFORM_OPERATOR else "organisation"
    record_event(connection, f"{source}:{what}", actor=acting, object_id=object_id, details=details)


def require_operator(acting: UUID) -> None:
    """RefusedError `role-missing` for anybody else. The database refuses as well, in words for nobody."""
    if acting != PLATFORM_OPERATOR:
        raise RefusedError("role-missing", "only the operator of the register may do this")
