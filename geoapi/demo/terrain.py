"""The ground of the demonstration town: a smooth slope from a hill in the west down to the harbour in the east."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoapi.demo.paths import Points

ORIGIN: Final = np.array([575_000.0, 6_224_000.0])
"""Middle of the town, EPSG:25832."""

_QUAY = 0.47
"""Kilometres from the middle of the town east to the water."""


def ground(xy: Points) -> NDArray[np.float64]:
    """Height of the ground in metres DVR90 at points (..., 2) in EPSG:25832: about 2 m at the quay, 25 m in the west."""
    local = (xy - ORIGIN) / 1000.0
    east, north = local[..., 0], local[..., 1]
    inland = np.logaddexp(0.0, 14.0 * (_QUAY - east)) / 14.0
    hill = 1.1 * np.sin(4.1 * east + 1.3) * np.sin(3.4 * north + 0.7)
    height: NDArray[np.float64] = 2.1 + 18.0 * inland + inland * (hill + 3.2 * north)
    return height
