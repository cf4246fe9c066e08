"""One number for how careful a dig must be: for putting requests in order, and for nothing else. It silences nothing.

The sum over all conflicts of the probability that the line lies nearer than machines may dig, times the weight of its danger
class: about how many harmless lines would be as bad. The weights are our choice; no source that was read gives any.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

WEIGHTS: Final[Mapping[str, int]] = {"ikke farlig": 1, "farlig": 3, "meget farlig": 10}
"""By LER fareklasse."""
_UNKNOWN: Final = max(WEIGHTS.values())


def risk(conflicts: Iterable[Mapping[str, Any]]) -> float:
    """Return the risk score of conflicts, each with `probability` and `danger_class`; a class not told counts as the worst."""
    found = sorted(
        float(one["probability"]) * WEIGHTS.get(one["danger_class"] or "", _UNKNOWN) for one in conflicts
    )
    return round(sum(found), 1)
