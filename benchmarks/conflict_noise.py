#!/usr/bin/env python3
"""How many warnings a request gives: by area alone, and by rule and distance; and whether one was missed.

    python benchmarks/conflict_noise.py

The three demonstration requests, dug as they say. By area alone there is a warning for every line, trace and component within
50 ft of the dig, the distance by which American one-call centres screen: an area knows no better. By rule and distance
the letter has one line for each owner and utility, the nearest zone of its conflicts, and all conflicts stay in the data. Each
is told without a terrain model, and with one, by which lines that surely lie deep enough are silent. Like against like, lines
of a letter by area and all conflicts are told too.

Missed is a line that may lie inside its clearance (the first distance of its rules) and is no conflict; needless a conflict
that no rule asks for. Both are counted line by line, without the engine's index.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

import numpy as np
import rasterio
import shapely
from rasterio.transform import from_origin

from conflicts.clearances import Arrangement, Case, Clearances, load_clearances
from conflicts.detect import Conflict, detect_among
from conflicts.dig import Dig
from conflicts.existing import Delivered, Existing, existing_of
from conflicts.vertical import Ground
from geoapi.demo.terrain import ground
from geoapi.demo.town import build_town
from ler.domain.uncertainty import UNKNOWN_ACCURACY_M
from ler.model import load_model
from ler.packages.terrain import open_terrain

_SCREEN_M: Final = 15.24
_TERRAIN_M: Final = 0.05
_WORKS: Final = {
    "kryds": ("road", "open-trench", 0.6),
    "stik": ("replacement", "open-trench", 1.2),
    "trace": ("new-line", "open-trench", 0.6),
}
_SPACE: Final = UUID(int=8)


@dataclass(frozen=True, slots=True)
class Counted:
    """Of one request."""

    by_area: int
    letter_by_area: int
    conflicts: int
    lines_of_letter: int
    missed: int
    needless: int


def main() -> None:
    """Print the figures; exit code 1 when something was missed or there were too many warnings."""
    town, clearances = build_town(), load_clearances()
    lines = [Delivered(uuid5(_SPACE, owner.cvr), one) for owner in town.owners for one in owner.features]
    existing = existing_of(lines, clearances, UNKNOWN_ACCURACY_M)
    digs = {site.slug: Dig(site.area, *_WORKS[site.slug]) for site in town.sites}
    with tempfile.TemporaryDirectory() as folder:
        terrain = _write_terrain(Path(folder) / "dtm.tif", list(digs.values()))
        grounds = {"no terrain": Ground(), "terrain": Ground(open_terrain(terrain), _TERRAIN_M)}
        failed = False
        _say(("request", "terrain", "by area", "its letter", "conflicts", "letter", "missed", "needless"))
        for name, above in grounds.items():
            each = {slug: _count(dig, existing, clearances, above) for slug, dig in digs.items()}
            for slug, one in [*each.items(), ("all", _sum(list(each.values())))]:
                _say((slug, name, *astuple(one)))
                failed |= one.missed > 0 or one.needless > 0 or 3 * one.lines_of_letter > one.by_area
            said = _sum(list(each.values()))
            shares = (said.lines_of_letter / said.by_area, said.conflicts / said.by_area)
            sys.stdout.write(
                f"lines of the letter {shares[0]:.0%}, conflicts {shares[1]:.0%} of warnings by area\n"
            )
    sys.exit(1 if failed else 0)


def _say(cells: Sequence[object]) -> None:
    sys.stdout.write("".join(f"{cell!s:>12}" for cell in cells) + "\n")


def _count(dig: Dig, existing: Existing, clearances: Clearances, above: Ground) -> Counted:
    found = detect_among(dig, existing, clearances, above)
    away = shapely.distance(dig.area, existing.geometries)
    screened = np.flatnonzero(away <= _SCREEN_M).tolist()
    surely_deep = {*_told(detect_among(dig, existing, clearances))} - {*_told(found)}
    inside, allowed = set(), set()
    for place, number in enumerate(existing.numbers):
        least_m = round(max(float(away[place]) - float(existing.half_m[place]), 0.0), 3)
        near, far = _limits(dig, existing, place, clearances)
        inside |= {number} if least_m < near else set()
        allowed |= {number} if least_m < far else set()
    return Counted(
        by_area=len(screened),
        letter_by_area=len({_theme(existing.delivered[place]) for place in screened}),
        conflicts=len(found),
        lines_of_letter=len({_theme(one.delivered) for one in found}),
        missed=len(inside - {*_told(found)} - surely_deep),
        needless=len({*_told(found)} - allowed),
    )


def _told(found: Sequence[Conflict]) -> Iterator[int]:
    return (one.number for one in found)


def _theme(one: Delivered) -> tuple[UUID | None, str]:
    themes = one.feature.utility_types(load_model().types[one.feature.type])
    return one.owner_id, next(iter(themes), "")


def _limits(dig: Dig, existing: Existing, place: int, clearances: Clearances) -> tuple[float, float]:
    """The clearance and the farthest distance, as for a line that runs along."""
    arrangement = Arrangement.OVERHEAD if existing.is_overhead[place] else Arrangement.PARALLEL
    kinds, owner = existing.kinds[place], existing.delivered[place].owner_id
    activity, method = clearances.activity_of(dig.activity), clearances.method_of(dig.method)
    needed = clearances.needed(Case(kinds.kinds, arrangement, activity, method, owner, kinds.known))
    return needed.distances_m[0], needed.distances_m[-1]


def _sum(each: Sequence[Counted]) -> Counted:
    return Counted(*(sum(column) for column in zip(*map(astuple, each), strict=True)))


def _write_terrain(path: Path, digs: Sequence[Dig]) -> Path:
    west, south, east, north = (
        edge + way * 60 for edge, way in zip(shapely.total_bounds([dig.area for dig in digs]), (-1, -1, 1, 1), strict=True)
    )  # fmt: skip
    columns, rows = int(east - west), int(north - south)
    places = np.stack(np.meshgrid(west + 0.5 + np.arange(columns), north - 0.5 - np.arange(rows)), axis=-1)
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype="float32", crs="EPSG:7416",
        transform=from_origin(west, north, 1.0, 1.0), tiled=True,
    ) as target:  # fmt: skip
        target.write(ground(places).astype("float32"), 1)
    return path


if __name__ == "__main__":
    main()
