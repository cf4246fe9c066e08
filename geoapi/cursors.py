"""Where a page of a list ended: a moment and a key, as one word that callers hand back and need not understand."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

from geoapi.problems import ProblemException


def cursor_of(moment: datetime, key: UUID) -> str:
    """Return the word for a place in a list that is ordered by moment and key."""
    return urlsafe_b64encode(f"{moment.isoformat()} {key}".encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[datetime, UUID]:
    """Return the place that a word stands for; a problem for one that is none of ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, key = urlsafe_b64decode(padded.encode("ascii")).decode("ascii").split(" ")
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(key)
    except (ValueError, OverflowError):
        raise ProblemException("parameter-invalid", "the cursor is none of ours") from None
