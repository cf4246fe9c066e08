"""Matching a request with the networks: one call, in the database, where the networks stay.

`ler.match_request` asks every owner with an interest area in the dig area, clips the current network of each to the
area, and stores the result with the request. What is returned here is only the sum of it.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from ler.db.functions import refusals
from ler.rules_in_force import Due, due_by_default_rules

_MATCH: Final = text("SELECT * FROM ler.match_request(:request, :due_at, :dispensed_due_at, :manual_due_at)")
_NOW: Final = text("SELECT now()")

_REFUSALS: Final = {
    "LE404": "There is no such request.",
    "LE409": "The request has been matched or cancelled already.",
}


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


def match_request(
    connection: Connection, request_id: UUID, due: Due = due_by_default_rules
) -> list[OwnerMatch]:
    """Ask the owners, match their networks and store what lies inside, once; one item for each owner asked.

    They receive it at the database's time, and `due` says until when they must answer: with a dispensation, with lines
    that await the owner's word, or else. The connection's principal must be the requester. Raises NotFoundError for a request that is not there or not the principal's, InputError for one
    that is matched or cancelled already.
    """
    received_at = connection.execute(_NOW).scalar_one()
    with refusals(_REFUSALS):
        values = {
            "request": request_id,
            "due_at": due(received_at),
            "dispensed_due_at": due(received_at, dispensed=True),
            "manual_due_at": due(received_at, manual=True),
        }
        rows = connection.execute(_MATCH, values).all()
    return [
        OwnerMatch(
            row.owner_id, tuple(row.interest_area_ids), row.version_id, row.feature_count, row.answer_type
        )
        for row in rows
    ]
