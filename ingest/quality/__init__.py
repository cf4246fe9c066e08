"""How much an owner's network tells of itself: shares with known accuracy, depth, age and size, and a score of them.

Measured once for each version when it is staged, readable for as long as the version is. Figures only: no line, no place
and no identifier is in them, so that an authority may read them where it may read no network.
"""

from ingest.quality.figures import WEIGHTS, Figure, Group, Quality
from ingest.quality.measure import VersionQuality, list_quality, measure_quality

__all__ = [
    "WEIGHTS",
    "Figure",
    "Group",
    "Quality",
    "VersionQuality",
    "list_quality",
    "measure_quality",
]
