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
"""Of the half width of the band and the way to the dig."""


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
    in_air = existing.is_overhead[found.which]
    lows, highs = _depths(features, ground)
    # Only where it is drawn deep enough to matter does it matter where else it may lie, and how low the ground is where it
    # is dug beside it.
    around_m = existing.half_m[found.which] + np.nan_to_num(found.drawn_m)
    copies = [
        (number, copy)
        for number in np.flatnonzero(np.isfinite(lows) & ~in_air & (lows > dig.depth_m)).tolist()
        for copy in _elsewhere(features[number], float(around_m[number]))
    ]
    for (number, _), low, high in zip(copies, *_depths([copy for _, copy in copies], ground), strict=True):
        lows[number], highs[number] = min(lows[number], low), max(highs[number], high)
    measured = np.isfinite(lows) & np.isfinite(highs) & ~in_air
    least[measured] = np.round(np.maximum(lows[measured] - dig.depth_m, 0.0), DECIMALS)
    most[measured] = np.round(np.maximum(highs[measured] - dig.depth_m, 0.0), DECIMALS)
    return least, most


def _depths(features: Sequence[Feature], ground: Ground) -> tuple[Floats, Floats]:
    """Least and most depth of each top below the surface; without end where anything of it is not known."""
    covers = covers_of(features, ground.terrain, ground.accuracy_m).each
    ends = [
        (-np.inf, np.inf)
        if cover.uncertainty_m is None or cover.min_m is None or cover.max_m is None
        else (cover.min_m - cover.uncertainty_m, cover.max_m + cover.uncertainty_m)
        for cover in covers
    ]
    lows, highs = np.array(ends, dtype=np.float64).reshape(-1, 2).T.copy()
    return lows, highs


def _elsewhere(feature: Feature, around_m: float) -> Sequence[Feature]:
    """The feature where else in its band it may lie; its levels stay with it."""
    ways = [
        (around_m * ring * np.cos(turn), around_m * ring * np.sin(turn))
        for ring in _RINGS
        for turn in np.linspace(0.0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    ]
    moved = [
        shapely.transform(
            feature.geometry, lambda points, way=way: points + np.array([*way, 0.0]), include_z=True
        )
        for way in ways
        if around_m > 0
    ]
    return [replace(feature, geometry=one) for one in moved]
