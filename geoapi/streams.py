"""Streams of events that stay open: so many an organisation and process, and none for who may no longer listen."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from uuid import UUID

from geoapi.problems import ProblemException

_RETRY_S = 10


class StreamLimit:
    """Counts the streams that are open."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[UUID] = Counter()
        self._guard = Lock()

    def check(self, organisation_id: UUID) -> None:
        """Refuse one more stream where there are as many as may be, before the answer begins."""
        with self._guard:
            if self._open[organisation_id] >= self._most:
                raise ProblemException(
                    "streams-too-many",
                    f"{self._most} streams of your organisation are open here",
                    headers={"Retry-After": str(_RETRY_S)},
                )

    @contextmanager
    def opened(self, organisation_id: UUID) -> Iterator[None]:
        """Count a stream while it is open."""
        with self._guard:
            self._open[organisation_id] += 1
        try:
            yield
        finally:
            with self._guard:
                self._open[organisation_id] -= 1
                if not self._open[organisation_id]:
                    del self._open[organisation_id]
