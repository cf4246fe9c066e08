"""When a line was established, against the cut-off date.

After the cut-off date is a day later than it, a month later than its month, a year later than its year; what is only
known to lie before a date is not after it. A file repeats few dates, so that each is worked out once.
"""

from datetime import date
from typing import Final

from ler.model import Value
from ler.model.values import BEFORE

_MOST_REMEMBERED: Final = 50_000


class Established:
    """Answers the question for the texts of one file."""

    def __init__(self, cutoff: date) -> None:
        self._cutoff = cutoff.isoformat()
        self._known: dict[str, bool] = {}

    def after_cutoff(self, time: Value) -> bool:
        """Whether the time (`2024-05-13`, `2024-05`, `2024`, `before 2023-07-01` or None) lies after the cut-off."""
        if not isinstance(time, str):
            return False
        found = self._known.get(time)
        if found is None:
            if len(self._known) > _MOST_REMEMBERED:
                self._known.clear()
            found = self._known[time] = is_later(time, self._cutoff)
        return found


def is_later(time: Value, cutoff: str) -> bool:
    """Whether a time of establishment lies after an ISO date, compared to the precision that the time has."""
    return isinstance(time, str) and not time.startswith(BEFORE) and time > cutoff[: len(time)]
