"""Acts on the register, recorded under the organisation that acts: the one they are about, or the operator."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from ler.db.functions import record_event
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError

_BY_MANDATE: Final = text("SELECT ler.provider() IS NOT NULL")


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


def refuse_by_mandate(connection: Connection) -> None:
    """RefusedError `role-missing` when a provider acts by mandate.

    What it let in here would outlive the mandate, and whom it shut out could not end it.
    """
    if connection.execute(_BY_MANDATE).scalar_one():
        raise RefusedError(
            "role-missing",
            "members, mandates, roles, tokens and offers are an organisation's own to make and end: nobody does so for it",
        )
