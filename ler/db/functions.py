"""The database functions that other parts call, with their refusals as errors of ours."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ler.db.engine import sqlstate
from ler.errors import InputError, NotFoundError, RefusedError

# As text: SQLAlchemy's insert would ask for the new key, and those who append may not read it.
_RECORD: Final = text(
    "INSERT INTO ler.audit_event (actor, action, object_id, details)"
    " VALUES (:actor, :action, :object, CAST(:details AS jsonb))"
)
_PUBLISH: Final = text("SELECT ler.publish_version(:version, :confirm_empty)")
_DISCARD: Final = text("SELECT ler.discard_version(:version)")

_PUBLISHING: Final[Mapping[str, str | tuple[str, str]]] = {
    "LE404": "There is no such version.",
    "LE409": ("version-not-staged", "The version has been published or discarded before."),
    "LE410": (
        "staging-lost",
        "The features of the version were lost when the database stopped. Upload the file again.",
    ),
    "LE412": (
        "version-stale",
        "Another version was published since this one was compared. Upload the file again.",
    ),
    "LE422": (
        "replacement-empty",
        "The version has no features. Publishing it would take the whole network away.",
    ),
    "LE423": (
        "dataset-second",
        "You already publish another dataset. Make this a new version of it.",
    ),
}


def publish_version(connection: Connection, version_id: UUID, *, confirm_empty: bool = False) -> int:
    """Make a staged version the one that answers requests; return the number of its features.

    The connection's principal must be the owner. Raises NotFoundError for a version that is not there or not the
    principal's; RefusedError for one that is not staged, that was compared with another version than the current one,
    whose features were lost in a crash, that is empty (unless `confirm_empty`), or whose owner already publishes
    another dataset.
    """
    with refusals(_PUBLISHING):
        count: int = connection.execute(
            _PUBLISH, {"version": version_id, "confirm_empty": confirm_empty}
        ).scalar_one()
    return count


def discard_version(connection: Connection, version_id: UUID) -> None:
    """Give a staged version up; its features are removed.

    The connection's principal must be the owner. Raises NotFoundError for a version that is not there or not the
    principal's, RefusedError for one that is not staged.
    """
    with refusals(_PUBLISHING):
        connection.execute(_DISCARD, {"version": version_id})


def record_event(
    connection: Connection,
    action: str,
    *,
    actor: UUID | None,
    object_id: UUID | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Append to the audit trail in the transaction of what is recorded, so that neither is without the other.

    `action` is `source:subject:action`; `actor` is the connection's principal, None for a worker.
    """
    values = {"actor": actor, "action": action, "object": object_id, "details": json.dumps(details or {})}
    connection.execute(_RECORD, values)


@contextmanager
def refusals(messages: Mapping[str, str | tuple[str, str]]) -> Iterator[None]:
    """Turn the refusals of our SQL functions, known by SQLSTATE, into errors with these messages.

    A message may come with the name of its reason before it.
    """
    try:
        yield
    except DBAPIError as error:
        message = messages.get(sqlstate(error) or "")
        if message is None:
            raise
        if isinstance(message, tuple):
            raise RefusedError(*message) from error
        if sqlstate(error) == "LE404":
            raise NotFoundError(message) from error
        raise InputError(message) from error
