"""Pages of lists that grow at their head: a cursor names the last row of the page before, and is none of the caller's."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

from geoapi.problems import ProblemException


def cursor_of(created_at: datetime, row_id: UUID) -> str:
    """Return the cursor behind a row."""
    return urlsafe_b64encode(f"{created_at.isoformat()} {row_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """Return the row that a cursor names; a problem for one that we have not made."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        created_at, row_id = urlsafe_b64decode(padded.encode("ascii")).decode("ascii").split(" ")
        return datetime.fromisoformat(created_at).astimezone(UTC), UUID(row_id)
    except (ValueError, OverflowError):
        raise ProblemException("parameter-invalid", "the cursor is none of ours") from None
