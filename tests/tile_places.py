"""Where tiles are, computed from the definitions of their sets and from nothing of ours."""

from dataclasses import dataclass
from math import floor, pi

from pyproj import Transformer

TILE_SETS = ("WebMercatorQuad", "View1")
_HALF = pi * 6_378_137.0
_TO_MERCATOR = Transformer.from_crs(25832, 3857, always_xy=True)


@dataclass(frozen=True)
class Place:
    """A tile: its numbers, and its box in the system of its set, west, south, east, north."""

    srid: int
    numbers: tuple[int, int, int]
    box: tuple[float, float, float, float]

    @property
    def path(self) -> str:
        return "/".join(map(str, self.numbers))


def place_of(tms: str, matrix: int, east: float, north: float) -> Place:
    """The tile of a matrix in which a position of EPSG:25832 lies."""
    if tms == "WebMercatorQuad":
        srid, west, top, span = 3857, -_HALF, _HALF, 2 * _HALF / 2**matrix
        east, north = _TO_MERCATOR.transform(east, north)
    else:
        srid, west, top, span = 25832, 120_000.0, 6_500_000.0, 1638.4 * 256 / 2**matrix
    row, column = floor((top - north) / span), floor((east - west) / span)
    box = west + column * span, top - (row + 1) * span, west + (column + 1) * span, top - row * span
    return Place(srid, (matrix, row, column), box)
