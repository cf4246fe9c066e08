"""Matching a request with the networks: one call, in the database, where the networks stay.

`ler.match_request` asks every owner with an interest area in the dig area, clips the current network of each to the
area, and stores the result with the request. What it returns here is only the sum of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True)
class OwnerMatch:
    """What the match found of one owner that was asked."""

    owner_id: UUID
    interest_areas: Sequence[UUID]
    answer_type: str | None
    """A value of the LER code list Graveforespoergselssvartype; None while the owner has not answered."""
    feature_count: int


def match_request(connection: Connection, request_id: UUID) -> list[OwnerMatch]:
    """Match a request of the acting requester; a request is matched once. The order is by owner."""
    rows = connection.execute(
        text(
            "SELECT owner_id, interest_area_ids, answer_type, feature_count FROM ler.match_request(:request)"
        ),
        {"request": request_id},
    )
    return [OwnerMatch(row[0], tuple(row[1]), row[2], row[3] or 0) for row in rows]
