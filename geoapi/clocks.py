"""The clock of this machine beside the database's, by which alone is judged what is due, late or expired."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

_LOG: Final = logging.getLogger("ler.clocks")

MOST_APART: Final = timedelta(seconds=2)


def look_at_clocks(database_time: Callable[[], datetime]) -> datetime:
    """Return the database's time, aware, as `database_time` asks for it; an error is logged when ours is another.

    How long the answer takes is no difference of clocks.
    """
    before = datetime.now(UTC)
    there = database_time()
    after = datetime.now(UTC)
    apart = max(before - there, there - after)
    if apart > MOST_APART:
        _LOG.error("the clocks of this machine and of the database are %.1f s apart", apart.total_seconds())
    return there
