"""How often each caller read through the OGC API in this minute, in this process, and what was told of it."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from typing import Final

from geoapi.problems import ProblemException

_MINUTE_S: Final = 60.0
_MOST_KEPT: Final = 100_000


@dataclass
class Counts:
    """Buckets that fill by a call and run dry in a minute; lost with the process, which is a minute's counting."""

    most: int
    clock: Callable[[], float] = time.monotonic
    """Seconds."""
    _empty_at: dict[str, float] = field(default_factory=dict)
    _told_at: dict[Hashable, float] = field(default_factory=dict)
    _whose: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def count(self, who: str) -> dict[str, str]:
        """Count a call; return the headers that tell what is left. A problem `rate-limited` when nothing is."""
        now = self.clock()
        step = _MINUTE_S / self.most
        with self._lock:
            _forget(self._empty_at, now)
            empty_at = max(self._empty_at.get(who, now), now) + step
            taken = empty_at <= now + _MINUTE_S + step / 2
            if taken:
                self._empty_at[who] = empty_at
        full_in_s = min(empty_at - now, _MINUTE_S)
        headers = {
            "RateLimit-Limit": f"{self.most}, {self.most};w=60",
            "RateLimit-Remaining": str(max(int((_MINUTE_S - full_in_s) / step + 1e-6), 0)),
            "RateLimit-Reset": str(ceil(full_in_s)),
        }
        if not taken:
            raise ProblemException("rate-limited", headers=headers | {"Retry-After": str(max(1, ceil(step)))})
        return headers

    def whose(self, proof: str) -> str | None:
        """Return whose calls are counted that come with the secret of this digest; None: it was not proved here yet."""
        return self._whose.get(proof)

    def remember(self, proof: str, organisation: str) -> None:
        """Keep whose a token is, which never changes; that it is still good is asked of the database each time."""
        with self._lock:
            if len(self._whose) >= _MOST_KEPT:
                self._whose.clear()
            self._whose[proof] = organisation

    def is_news(self, what: Hashable) -> bool:
        """Whether something was not told for a minute; it counts as told from now on."""
        now = self.clock()
        with self._lock:
            _forget(self._told_at, now - _MINUTE_S)
            if self._told_at.get(what, -_MINUTE_S) > now - _MINUTE_S:
                return False
            self._told_at[what] = now
            return True


def _forget[Key: Hashable](kept: dict[Key, float], before: float) -> None:
    if len(kept) > _MOST_KEPT:
        for name in [name for name, at in kept.items() if at < before]:
            del kept[name]
