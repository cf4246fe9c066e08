"""The database functions that other parts call, with their refusals as errors of ours."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ler.db.engine import sqlstate
from ler.errors import InputError, NotFoundError

_MATCH: Final = text("SELECT * FROM ler.match_request(:request)")
# As text: SQLAlchemy's insert would ask for the new key, and those who append may not read it.
_RECORD: Final = text(
    "INSERT INTO ler.audit_event (actor, action, object_id, details)"
    " VALUES (:actor, :action, :object, CAST(:details AS jsonb))"
)
_PUBLISH: Final = text("SELECT ler.publish_version(:version, :confirm_empty)")


@dataclass(frozen=True, slots=True)
class OwnerMatch:
    """What became of a request at one owner that was asked."""

    owner_id: UUID
    interest_area_ids: tuple[UUID, ...]
    """The owner's interest areas that the dig area touches; never empty."""
    version_id: UUID | None
    """The network version that was matched; None when the owner has published none."""
    feature_count: int | None
    """Features stored for delivery; None when the owner has not answered."""
    answer_type: str | None
    """LER value (Graveforespoergselssvartype); None when the owner has not answered."""


def match_request(connection: Connection, request_id: UUID) -> list[OwnerMatch]:
    """Ask the owners, match their networks and store what lies inside, once; one item for each owner asked.

    The connection's principal must be the requester. Raises NotFoundError for a request that is not there or not the
    principal's, InputError for one that is matched already.
    """
    with _refusals({"LE404": "There is no such request.", "LE409": "The request has been matched already."}):
        rows = connection.execute(_MATCH, {"request": request_id}).all()
    return [
        OwnerMatch(
            row.owner_id, tuple(row.interest_area_ids), row.version_id, row.feature_count, row.answer_type
        )
        for row in rows
    ]


def publish_version(connection: Connection, version_id: UUID, *, confirm_empty: bool = False) -> int:
    """Make a staged version the one that answers requests; return the number of its features.

    The connection's principal must be the owner. Raises NotFoundError for a version that is not there or not the
    principal's; InputError for one that is not staged, that is empty (unless `confirm_empty`), or whose owner already
    publishes another dataset.
    """
    messages = {
        "LE404": "There is no such version.",
        "LE409": "The version has been published before.",
        "LE422": "The version has no features. Publishing it would take the whole network away.",
        "LE423": "You already publish another dataset. Make this a new version of it.",
    }
    with _refusals(messages):
        count: int = connection.execute(
            _PUBLISH, {"version": version_id, "confirm_empty": confirm_empty}
        ).scalar_one()
    return count


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
def _refusals(messages: dict[str, str]) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        code = sqlstate(error)
        if code == "LE404":
            raise NotFoundError(messages[code]) from error
        if code in messages:
            raise InputError(messages[code]) from error
        raise
