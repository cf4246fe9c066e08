"""From distances to zones, and how likely the worst is.

A line lies in a zone when it may be nearer than the zone's distance, in space: beside and below. At exactly the distance it
does not. The likelihood takes the accuracy class as what 95 of 100 positions keep to; it orders conflicts, and silences
none.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from conflicts.clearances import ZONES, Needed, Zone
from conflicts.distance import DECIMALS
from conflicts.existing import Floats

_STANDARD_DEVIATIONS: Final = 1.96
_NORMAL: Final = NormalDist()
_HAND_DIG: Final = 1


def in_space(beside_m: Floats, below_m: Floats) -> Floats:
    """Return the distance in space of what is so far beside and so far below."""
    found: Floats = np.round(np.hypot(beside_m, below_m), DECIMALS)
    return found


def zones(least_m: Floats, needed: Sequence[Needed]) -> NDArray[np.int64]:
    """Return the place in `ZONES` of each line by its least distance in space."""
    limits = np.array([one.distances_m for one in needed], dtype=np.float64).reshape(-1, len(ZONES) - 1)
    inside = least_m[:, None] < limits
    found: NDArray[np.int64] = np.where(inside.any(axis=1), inside.argmax(axis=1), len(ZONES) - 1)
    return found


def rule_of(zone: Zone, needed: Needed) -> tuple[str, bool, float]:
    """Return the rule by which a line is in a zone, whether its figure is unverified, and its distance, m."""
    place = min(ZONES.index(zone), len(needed.rules) - 1)
    return needed.rules[place], needed.unverified[place], needed.distances_m[place]


def probability(drawn_m: float, off_m: float, nearer_m: float, below_m: float, needed: Needed) -> float:
    """Return how likely a line is nearer than machines may dig, 0 to 1.

    `drawn_m` is that of its drawn middle, less than 0 inside the dig; `below_m` the least distance below it.
    """
    wanted_m = needed.distances_m[_HAND_DIG]
    if below_m >= wanted_m:
        return 0.0
    beside_m = float(np.sqrt(wanted_m**2 - below_m**2))
    spare_m = beside_m + nearer_m - drawn_m
    if off_m == 0:
        return 1.0 if spare_m > 0 else 0.0
    return round(_NORMAL.cdf(spare_m / (off_m / _STANDARD_DEVIATIONS)), 4)


def together(probabilities: Sequence[float]) -> float:
    """Return how likely at least one of them is, if none knows of the others."""
    return round(1.0 - float(np.prod([1.0 - one for one in probabilities])), 4)
