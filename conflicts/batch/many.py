"""Many works against the lines of a partition: those that no rule reaches are left out at once, the rest goes to `detect`."""

from collections.abc import Iterator

import numpy as np

from conflicts.batch.reach import Grounds, near
from conflicts.clearances import Clearances
from conflicts.detect import Conflict, detect_among
from conflicts.existing import Existing
from conflicts.vertical import Ground


def conflicts_of_grounds(
    grounds: Grounds, existing: Existing, ground: Ground
) -> Iterator[tuple[int, Conflict, Clearances]]:
    """Give the conflicts of each work, in the order of works and lines, with its place and the rules in force for it."""
    whose, places = near(grounds, existing)
    bounds = np.searchsorted(whose, np.arange(len(grounds.digs) + 1))
    for work, (dig, rules) in enumerate(zip(grounds.digs, grounds.rules, strict=True)):
        close = np.sort(np.concatenate([existing.placeless, places[bounds[work] : bounds[work + 1]]]))
        if len(close):
            for one in detect_among(dig, existing.only(close), rules, ground):
                yield work, one, rules
