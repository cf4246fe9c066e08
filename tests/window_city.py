"""A made-up city and a year of planned works in it, the same from the same seed."""

import random
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from shapely import LineString, Point, box
from shapely.geometry.base import BaseGeometry

from ler.calendar_of_denmark import calendar_of_denmark
from ler.domain.calendar import WorkingCalendar
from ler.domain.restrictions import Restriction, RestrictionKind
from ler.domain.works import Method, PlannedWork, RoadOccupation, Surface, WorkStatus

TODAY: Final = date(2027, 1, 4)
CORNER: Final = (715_000.0, 6_170_000.0)
"""South-western corner, EPSG:25832."""
BLOCK_M: Final = 120.0
CALENDAR: Final[WorkingCalendar] = calendar_of_denmark(2026, 2029)

_KINDS: Final = (
    # activity, depth m, share of works, width m
    ("fjernvarme/fjernkøling", 1.2, 16, 1.6),
    ("afløb", 2.6, 12, 2.0),
    ("vand", 1.7, 17, 1.0),
    ("el", 0.7, 22, 0.6),
    ("telekommunikation", 0.5, 24, 0.4),
    ("gas", 1.0, 4, 0.8),
    ("road", None, 5, 7.0),
)
_ROADS: Final = (
    (RoadOccupation.FOOTWAY, 40),
    (RoadOccupation.LANE, 34),
    (RoadOccupation.CYCLE_PATH, 12),
    (RoadOccupation.CLOSED, 7),
    (RoadOccupation.NONE, 7),
)
_LENGTHS: Final = ((0.0, 25), (15.0, 30), (60.0, 20), (120.0, 14), (300.0, 8), (700.0, 3))
"""Metres, 0 for a pit: most works are small."""


def city_works(seed: int, count: int, blocks: int) -> list[PlannedWork]:
    """Return a year of works in a town of so many blocks each way, denser towards its middle."""
    chance = random.Random(seed)
    owners = {kind: [UUID(int=10 * n + k + 1) for k in range(3)] for n, (kind, *_) in enumerate(_KINDS)}
    return [_work(chance, UUID(int=seed * 1_000_000 + n), owners, blocks) for n in range(count)]


def _work(chance: random.Random, one: UUID, owners: dict[str, list[UUID]], blocks: int) -> PlannedWork:
    activity, depth_m, _, width_m = chance.choices(_KINDS, [kind[2] for kind in _KINDS])[0]
    geometry = _place(chance, blocks, surface=activity == "road")
    days = max(1, min(60, round(chance.gauss(3 + geometry.length / 12, 2))))
    earliest = TODAY + timedelta(days=chance.randrange(330))
    window = round(days * 1.5) + chance.choice((20, 60, 90, 150, 250))
    planned = earliest + timedelta(days=chance.randrange(max(1, window - round(days * 1.5) - 14)))
    return PlannedWork(
        id=one,
        organisation_id=chance.choice(owners[activity]),
        title=f"{activity} {one.int % 1_000_000}",
        geometry=geometry,
        activity=activity,
        method=Method.DIRECTIONAL_DRILLING
        if activity != "road" and chance.random() < 0.08
        else Method.OPEN_TRENCH,
        depth_m=depth_m if chance.random() < 0.8 else None,
        duration_days=days,
        earliest_start=earliest,
        latest_end=earliest + timedelta(days=window + 14),
        planned_start=planned if chance.random() < 0.9 else None,
        road=_chosen(chance, _ROADS),
        surface=chance.choice((Surface.ASPHALT, Surface.ASPHALT, Surface.PAVING, Surface.GRASS)),
        status=WorkStatus.AGREED if chance.random() < 0.05 else WorkStatus.PLANNED,
        willing_to_share=chance.random() < 0.85,
        width_m=width_m,
    )


def _chosen[T](chance: random.Random, weighed: tuple[tuple[T, int], ...]) -> T:
    return chance.choices([one for one, _ in weighed], [weight for _, weight in weighed])[0]


def _place(chance: random.Random, blocks: int, *, surface: bool) -> BaseGeometry:
    """Along a street of the grid, to one side of its middle."""
    size = blocks * BLOCK_M
    street = min(blocks, max(0, round(chance.gauss(blocks / 2, blocks / 3)))) * BLOCK_M
    at = min(size, max(0.0, chance.gauss(size / 2, size / 3)))
    aside = 0.0 if surface else chance.choice((-5.0, -3.0, 2.0, 4.0))
    length = max(60.0 if surface else 0.0, _chosen(chance, _LENGTHS) * chance.uniform(0.7, 1.5))
    ends = [(at, street + aside), (min(size, at + length), street + aside)]
    if chance.random() < 0.5:
        ends = [(y, x) for x, y in ends]
    ends = [(round(x + CORNER[0], 2), round(y + CORNER[1], 2)) for x, y in ends]
    return Point(ends[0]) if ends[0] == ends[1] else LineString(ends)


def city_restrictions(seed: int, count: int, blocks: int) -> list[Restriction]:
    """Return moratoria, closed periods, events, bus lines and diversions of a town."""
    chance = random.Random(-seed - 1)
    return [_restriction(chance, UUID(int=seed * 1000 + n), blocks) for n in range(count)]


def _restriction(chance: random.Random, one: UUID, blocks: int) -> Restriction:
    kind = chance.choice(list(RestrictionKind))
    east, north = (CORNER[k] + chance.uniform(0, blocks) * BLOCK_M for k in (0, 1))
    first = TODAY + timedelta(days=chance.randrange(-200, 300))
    return Restriction(
        id=one,
        organisation_id=UUID(int=999),
        kind=kind,
        title=f"{kind} {one.int}",
        geometry=box(east, north, east + chance.uniform(20, 150), north + chance.uniform(20, 150)),
        first_day=first,
        last_day=None
        if kind is RestrictionKind.BUS_LINE
        else first + timedelta(days=chance.choice((3, 30, 700))),
        source="made up",
    )
