"""Scale bars of figures: a round length in metres, as long as fits."""

from typing import Final

from ler.packages.figures import Mark, Words, line
from ler.packages.map_canvas import INK

_LENGTHS_M: Final = (
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
)
_LONGEST_MM: Final = 30.0


def scale_bar(x: float, y: float, mm_per_m: float) -> list[Mark]:
    """Return a bar that begins at a place and runs to the right, with its length beside it."""
    length_m = max((one for one in _LENGTHS_M if one * mm_per_m <= _LONGEST_MM), default=_LENGTHS_M[0])
    long = length_m * mm_per_m
    way = line((x, y - 1), (x, y), (x + long, y), (x + long, y - 1), colour=INK, width=0.35)
    return [way, Words(x + long + 1, y, f"{length_m:g} m", 2.3)]
