"""The way of positions into another coordinate system, given by whoever knows coordinate systems."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Projection:
    """From EPSG:25832 to another system."""

    epsg: int
    accuracy_m: float | None
    """Of the operation, as the EPSG register has it; None where nobody knows."""
    apply: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    """Positions (n, 2), easting and northing, to x or longitude and y or latitude, (n, 2)."""
