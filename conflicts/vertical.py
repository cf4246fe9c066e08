"""How far below a dig the tops of lines are, where their levels, the terrain and the depth of the dig are known.

Only levels count: an indicative depth was never measured. The top must be known along the whole line, how far it and the
terrain may be off must be told, and the terrain is looked at wherever in its band the line may lie. In all other cases
nothing is known, and nothing is silenced.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely

from conflicts.dig import Dig
from conflicts.distance import DECIMALS, Distances
from conflicts.existing import Existing, Floats
from ler.model import Feature
from ler.packages.cover import covers_of
from ler.packages.terrain import Terrain

_DIRECTIONS: Final = 8
_RINGS: Final = (1.0, 0.5)
"""Of the half width of the band."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The surface above, as far as the operator knows it."""

    terrain: Terrain | None = None
    accuracy_m: float | None = None
    """What its heights may be off; None: nobody says, and then no depth is known."""


def below_m(existing: Existing, found: Distances, dig: Dig, ground: Ground) -> tuple[Floats, Floats]:
    """Return least and most distance between the bottom of a dig and the tops of lines below it, m.

    0 where the line may lie as high as the dig; NaN at most, and 0 at least, where that is not known.
    """
    least, most = np.zeros(len(found.which)), np.full(len(found.which), np.nan)
    if dig.depth_m is None or ground.terrain is None or ground.accuracy_m is None:
        return least, most
    features = [existing.delivered[place].feature for place in found.which]
    known = [
        number
        for number, cover in enumerate(covers_of(features, ground.terrain, ground.accuracy_m).each)
        if cover.uncertainty_m is not None and not existing.is_overhead[found.which[number]]
    ]
    copies = [
        (number, copy)
        for number in known
        for copy in _everywhere(features[number], float(existing.half_m[found.which[number]]))
    ]
    covers = covers_of([copy for _, copy in copies], ground.terrain, ground.accuracy_m).each
    lows, highs = np.full(len(features), np.inf), np.full(len(features), -np.inf)
    for (number, _), cover in zip(copies, covers, strict=True):
        off = cover.uncertainty_m
        # Where the terrain is not known the line may lie as high as it likes.
        lows[number] = min(lows[number], -np.inf if off is None or cover.min_m is None else cover.min_m - off)
        highs[number] = max(
            highs[number], np.inf if off is None or cover.max_m is None else cover.max_m + off
        )
    measured = np.isfinite(lows) & np.isfinite(highs)
    least[measured] = np.round(np.maximum(lows[measured] - dig.depth_m, 0.0), DECIMALS)
    most[measured] = np.round(np.maximum(highs[measured] - dig.depth_m, 0.0), DECIMALS)
    return least, most


def _everywhere(feature: Feature, half_m: float) -> Sequence[Feature]:
    """The feature as it is drawn, and where else in its band it may lie; its levels stay with it."""
    ways = [
        (half_m * ring * np.cos(turn), half_m * ring * np.sin(turn))
        for ring in _RINGS
        for turn in np.linspace(0.0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    ]
    moved = [
        shapely.transform(
            feature.geometry, lambda points, way=way: points + np.array([*way, 0.0]), include_z=True
        )
        for way in ways
        if half_m > 0
    ]
    return [feature, *(replace(feature, geometry=one) for one in moved)]
