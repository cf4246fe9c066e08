"""The plan of the demonstration town: streets, squares, houses and the shore.

A grid of 9 by 7 crossings is bent, shaken and turned a little; streets run smoothly through the crossings, some stop
half-way, three closed lanes fill large blocks. `offset` says where in a street's cross-section each network lies.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Final

import numpy as np
import shapely

from geoapi.demo.paths import Path, Points, smooth
from geoapi.demo.terrain import ORIGIN

COLUMNS: Final = 9
ROWS: Final = 7
MAIN_STREET: Final = "Storegade"
BEYOND: Final = 14.0
"""Metres that the ways of networks are drawn beyond the ends of a street, to meet those of other streets."""
ROUNDABOUT: Final = (2, 3)
"""Column and row of the crossing that is a roundabout."""

_SQUARE: Final = (4.07, 2.60, 4.48, 2.99)
_TURN: Final = np.deg2rad(6.0)
_ROW_STREETS: Final = (
    ("Strandengsvej", 0, 2, 8),
    ("Smedegade", 1, 0, 6),
    ("Kirkegade", 2, 0, 8),
    (MAIN_STREET, 3, 0, 8),
    ("Skolegade", 4, 0, 3),
    ("Fiskergade", 4, 5, 8),
    ("Møllevej", 5, 1, 8),
    ("Nørre Allé", 6, 1, 6),
)
_COLUMN_STREETS: Final = (
    ("Vestergade", 0, 1, 4),
    ("Lindevej", 1, 1, 6),
    ("Stationsvej", 2, 0, 6),
    ("Søndre Algade", 3, 0, 3),
    ("Nørre Algade", 3, 4, 6),
    ("Torvegade", 4, 0, 6),
    ("Brogade", 5, 0, 6),
    ("Rebslagergade", 6, 0, 6),
    ("Toldbodgade", 7, 0, 5),
    ("Havnegade", 8, 0, 5),
)
_LANES: Final = (
    ("Rosenvænget", ((1.55, 5.0), (1.54, 5.35), (1.50, 5.68))),
    ("Pilevænget", ((0.5, 2.0), (0.48, 2.3), (0.56, 2.62))),
    ("Ahornvænget", ((2.5, 1.0), (2.52, 0.68), (2.45, 0.36))),
)
_WITHOUT_HOUSES: Final = frozenset({(3, 4), (2, 2), (6, 0), (7, 1), (7, 0), (0, 4), (0, 5), (6, 5), (7, 5)})
"""Blocks of parks, schools, flats and workshops, by their south-western crossing."""
_CENTRE: Final = "centre"
_OFFSETS: Final[Mapping[str, tuple[str, float]]] = {
    # metres from the centre line, or beyond the left or right kerb, or inside the left or right property line
    "foul": (_CENTRE, -0.8),
    "storm": (_CENTRE, 0.9),
    "water": (_CENTRE, 2.2),
    "transmission": (_CENTRE, 1.55),
    "oil": (_CENTRE, -1.5),
    "supply": (_CENTRE, -2.15),
    "return": (_CENTRE, -2.6),
    "gas": ("left kerb", 0.6),
    "air": ("left kerb", 0.95),
    "copper": ("left kerb", 1.25),
    "fibre": ("left property", 0.25),
    "light": ("right kerb", 0.3),
    "low voltage": ("right kerb", 0.8),
    "medium voltage": ("right kerb", 1.15),
    "second fibre": ("right property", 0.3),
}


@dataclass(frozen=True, slots=True)
class Street:
    """One street from end to end; rows run east, columns north, lanes away from the street they open to."""

    index: int
    name: str
    path: Path
    """Centre line."""
    kerb: float
    """Metres from the centre line to either kerb."""
    edge: float
    """Metres from the centre line to either property line."""
    joints: tuple[float, ...]
    """Stations of the crossings that the street was drawn through."""

    def offset(self, layer: str) -> float:
        """Metres to the left of the centre line at which a network lies in this street. KeyError: no such network."""
        anchor, metres = _OFFSETS[layer]
        return {
            _CENTRE: metres,
            "left kerb": self.kerb + metres,
            "right kerb": -self.kerb - metres,
            "left property": self.edge - metres,
            "right property": metres - self.edge,
        }[anchor]

    def way(self, layer: str, beyond: float = BEYOND) -> Path:
        """The line of a network along the whole street, drawn some metres beyond both its ends."""
        return self.path.extended(beyond).offset(self.offset(layer))


@dataclass(frozen=True, slots=True)
class Plot:
    """A building with its own service lines."""

    street: Street
    side: int
    """1: left of the street, -1: right."""
    station: float
    """Along the street's centre line."""
    front: Points
    """Middle of the wall towards the street, shape (2,)."""
    along: Points
    """Unit vector along that wall, shape (2,)."""
    house: shapely.Polygon
    use: str
    """villa, terrace, block or works."""

    def entry(self, shift: float) -> Points:
        """Where a service line enters: that many metres along the wall from its middle."""
        return self.front + shift * self.along


@dataclass(frozen=True, eq=False)
class Plan:
    """The town without its networks; a plan equals only itself, so that what is designed for it can be kept."""

    streets: tuple[Street, ...]
    plots: tuple[Plot, ...]
    buildings: tuple[shapely.Polygon, ...]
    roads: tuple[shapely.Polygon, ...]
    sea: shapely.Polygon
    crossings: Points
    """Shape (COLUMNS, ROWS, 2)."""

    def street(self, name: str) -> Street:
        """The street of that name. KeyError when the town has none."""
        for street in self.streets:
            if street.name == name:
                return street
        raise KeyError(name)

    def place(self, column: float, row: float) -> Points:
        """A point by its place in the grid of crossings, also between and outside them; shape (2,)."""
        return _place(self.crossings, column, row)


def lay_out(dice: Random) -> Plan:
    """Draw the town; the same dice give the same town."""
    grid = _grid(dice)
    streets = tuple(_streets(grid))
    roads = _roads(streets, grid)
    plots = _without_overlaps(_plots(streets, grid, dice), shapely.union_all(roads).buffer(0.4))
    west = streets[-len(_LANES) - 1].path.offset(-62.0).extended(1500.0)
    sea = shapely.Polygon(np.vstack((west.xy, west.offset(-600.0).xy[::-1])))
    houses = tuple(plot.house for plot in plots)
    return Plan(streets, plots, houses, roads, sea, grid)


def _grid(dice: Random) -> Points:
    widths = np.array([dice.uniform(86.0, 124.0) for _ in range(COLUMNS - 1)])
    heights = np.array([dice.uniform(84.0, 118.0) for _ in range(ROWS - 1)])
    x = np.concatenate(([0.0], np.cumsum(widths))) - widths.sum() / 2
    y = np.concatenate(([0.0], np.cumsum(heights))) - heights.sum() / 2
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    shake = [dice.uniform(-7.0, 7.0) for _ in range(grid.size)]
    grid += np.array(shake).reshape(grid.shape)
    east, north = grid[..., 0].copy(), grid[..., 1].copy()
    grid[..., 1] += 30.0 * np.sin(np.pi * (east + 430.0) / 560.0) * (1.0 - np.abs(north) / 620.0)
    grid[..., 0] += 16.0 * np.sin(np.pi * north / 430.0)
    turn = np.array([[np.cos(_TURN), np.sin(_TURN)], [-np.sin(_TURN), np.cos(_TURN)]])
    turned: Points = grid @ turn + ORIGIN
    return turned


def _place(grid: Points, column: float, row: float) -> Points:
    i = min(max(int(np.floor(column)), 0), COLUMNS - 2)
    j = min(max(int(np.floor(row)), 0), ROWS - 2)
    a, b = column - i, row - j
    south = (1 - a) * grid[i, j] + a * grid[i + 1, j]
    north = (1 - a) * grid[i, j + 1] + a * grid[i + 1, j + 1]
    place: Points = (1 - b) * south + b * north
    return place


def _streets(grid: Points) -> Iterator[Street]:
    runs = [(name, [grid[i, row] for i in range(first, last + 1)]) for name, row, first, last in _ROW_STREETS]
    runs += [
        (name, [grid[column, j] for j in range(first, last + 1)])
        for name, column, first, last in _COLUMN_STREETS
    ]
    for name, controls in runs:
        if name == MAIN_STREET:
            outside = [_place(grid, -2.4, 2.75), _place(grid, -1.1, 2.88)]
            yield _street(len(outside), name, [*outside, *controls], (4.0, 7.4))
        else:
            yield _street(0, name, controls, (3.25, 5.75))
    for name, places in _LANES:
        yield _street(0, name, [_place(grid, *place) for place in places], (2.75, 4.6))


def _street(skip: int, name: str, controls: list[Points], widths: tuple[float, float]) -> Street:
    path = smooth(controls)
    joints = tuple(path.station(point) for point in controls[skip:])
    names = [row[0] for row in (*_ROW_STREETS, *_COLUMN_STREETS, *_LANES)]
    return Street(names.index(name), name, path, *widths, joints)


def _roads(streets: tuple[Street, ...], grid: Points) -> tuple[shapely.Polygon, ...]:
    parts = [street.path.line.buffer(street.edge, cap_style="flat") for street in streets]
    parts += [shapely.Point(street.path.xy[-1]).buffer(9.0) for street in streets[-len(_LANES) :]]
    parts.append(_quad(grid, *_SQUARE))
    middle = shapely.Point(grid[ROUNDABOUT])
    paved = shapely.union_all([*parts, middle.buffer(20.0)]).buffer(3.5).buffer(-3.5)
    area = paved.difference(middle.buffer(7.5))
    return tuple(shapely.get_parts(area).tolist())


def _quad(grid: Points, west: float, south: float, east: float, north: float) -> shapely.Polygon:
    corners = ((west, south), (east, south), (east, north), (west, north))
    return shapely.Polygon([_place(grid, *corner) for corner in corners])


def _plots(streets: tuple[Street, ...], grid: Points, dice: Random) -> Iterator[Plot]:
    by_name = {street.name: street for street in streets}
    yield from _large_buildings(by_name, grid)
    for name, _ in _LANES:
        lane = by_name[name]
        yield from _row_of_houses(lane, (16.0, lane.path.length), 1, "villa", dice)
        yield from _row_of_houses(lane, (16.0, lane.path.length), -1, "villa", dice)
    for name, row, first, _ in _ROW_STREETS:
        street = by_name[name]
        for index, (start, end) in enumerate(pairwise(street.joints)):
            for side in (1, -1):
                use = _use(first + index, row if side == 1 else row - 1)
                if use:
                    yield from _row_of_houses(street, (start + 9.0, end - 9.0), side, use, dice)


def _use(column: int, row: int) -> str:
    """Land use of the block to the north-east of a crossing; empty where no houses stand."""
    if (column, row) in _WITHOUT_HOUSES:
        return ""
    return "terrace" if column in {3, 4, 5} and row in {2, 3} else "villa"


def _row_of_houses(
    street: Street, reach: tuple[float, float], side: int, use: str, dice: Random
) -> Iterator[Plot]:
    station, end = reach
    while True:
        width = dice.uniform(8.5, 13.0) if use == "terrace" else dice.uniform(20.0, 25.0)
        if station + width > end:
            return
        middle = station + width / 2
        if use == "terrace":
            yield _plot(street, middle, side, (width - 0.1, dice.uniform(9.0, 11.0), 0.9), use)
        else:
            size = (dice.uniform(10.0, 15.0), dice.uniform(7.5, 9.5), dice.uniform(4.5, 8.5))
            yield _plot(street, middle + dice.uniform(-1.5, 1.5), side, size, use)
        station += width


def _plot(street: Street, station: float, side: int, size: tuple[float, float, float], use: str) -> Plot:
    width, depth, setback = size
    along = street.path.heading(station)
    back = side * np.array([-along[1], along[0]])
    front = street.path.at(station) + (street.edge + setback) * back
    half = width / 2 * along
    house = shapely.Polygon(
        [front - half, front + half, front + half + depth * back, front - half + depth * back]
    )
    return Plot(street, side, station, front, along, house, use)


def _large_buildings(by_name: Mapping[str, Street], grid: Points) -> Iterator[Plot]:
    for name, column, side, size, use in _LARGE:
        street = by_name[name]
        row = next((row for other, row, _, _ in _ROW_STREETS if other == name), None)
        anchor = _place(grid, column, row) if row is not None else _place(grid, 8.0, column)
        yield _plot(street, street.path.station(anchor), side, size, use)


_LARGE: Final = (
    # street, place along it (in blocks), side, (width, depth, setback) in metres, use
    ("Skolegade", 2.72, 1, (34.0, 14.0, 8.0), "block"),
    (MAIN_STREET, 2.5, -1, (26.0, 12.0, 14.0), "block"),
    ("Skolegade", 0.3, 1, (44.0, 11.0, 7.0), "block"),
    ("Skolegade", 0.76, 1, (40.0, 11.0, 7.0), "block"),
    ("Møllevej", 6.5, 1, (58.0, 22.0, 10.0), "works"),
    ("Møllevej", 7.5, 1, (48.0, 30.0, 9.0), "works"),
    ("Smedegade", 5.6, -1, (22.0, 15.0, 6.0), "works"),
    ("Strandengsvej", 6.5, 1, (62.0, 34.0, 9.0), "works"),
    ("Strandengsvej", 7.5, 1, (52.0, 40.0, 9.0), "works"),
    ("Kirkegade", 7.5, -1, (56.0, 26.0, 8.0), "works"),
    ("Havnegade", 0.6, -1, (46.0, 22.0, 9.0), "works"),
    ("Havnegade", 1.5, -1, (40.0, 24.0, 8.0), "works"),
    ("Havnegade", 2.5, -1, (52.0, 20.0, 10.0), "works"),
    ("Havnegade", 3.6, -1, (36.0, 18.0, 9.0), "works"),
    ("Havnegade", 4.5, -1, (44.0, 22.0, 9.0), "works"),
)


def _without_overlaps(plots: Iterator[Plot], roads: shapely.Geometry) -> tuple[Plot, ...]:
    """Keep each house that stands clear of the streets and of the houses kept before it."""
    kept: list[Plot] = []
    candidates = list(plots)
    houses = np.array([plot.house for plot in candidates], dtype=object)
    shapely.prepare(roads)
    clear = ~shapely.intersects(roads, houses)
    slim = shapely.buffer(houses, -0.6)  # terraced houses of a bent street may touch
    pairs = shapely.STRtree(slim).query(slim, predicate="intersects")
    neighbours: dict[int, set[int]] = {}
    for one, other in pairs.T.tolist():
        neighbours.setdefault(one, set()).add(other)
    taken: set[int] = set()
    for index, plot in enumerate(candidates):
        if clear[index] and not neighbours.get(index, set()) & taken:
            taken.add(index)
            kept.append(plot)
    return tuple(kept)
