#!/usr/bin/env python3
"""How many warnings a request gives: by area alone, and by rule and distance; and whether one was missed.

    python benchmarks/conflict_noise.py

The three demonstration requests, dug as they say, with the tables of precautions of two owners.

*By area alone* a warning is what must be looked at where nobody computes: every line, trace and component that is delivered
for the area, and every row of an owner's table that is for the theme of one of them, for this kind of work and for this area:
what KLIC's tables know (Kadaster, EV), which have no method, depth or distance. *By rule and distance* all
that holds is kept (`kept`: conflicts and rows), and the letter has one warning for each owner and utility (`letter`): the
nearest zone and the highest row. The issue asks that `letter` be at most a third of `area`, on each request.

That is not like against like, so two others are told. `kept` beside `area`: what the rules themselves silence. `letter` beside
`its letter`: what a letter with one line an owner and utility would have by area, as KLIC sends one measure a theme. And all
again with the lines within 50 ft, by which American one-call centres screen, instead of those that are delivered.

Each is told without a terrain model, and with one, by which lines that surely lie deep enough are silent.

Missed is a line that may lie inside its clearance (the first distance of its rules) and is no conflict, a row that holds and
is no hit, or one of either of whose owner and utility the letter says nothing; needless a conflict that no rule asks for, or
a hit of a row that does not hold. All are counted line by line, without the engine's index.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import product
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
from conflicts.precautions import OwnersTable, hits_of_owners
from conflicts.vertical import Ground
from conflicts.warn import theme_of, warnings_of
from geoapi.demo.precautions import demo_areas, demo_tables
from geoapi.demo.terrain import ground
from geoapi.demo.town import build_town
from ler.domain.precautions import PrecautionRow
from ler.domain.uncertainty import UNKNOWN_ACCURACY_M
from ler.packages.terrain import open_terrain

_SCREEN_M: Final = 15.24
_TERRAIN_M: Final = 0.05
_SPACE: Final = UUID(int=8)
_HEAD: Final = ("request", "lines", "terrain", "area", "its letter", "kept", "letter", "missed", "needless")


@dataclass(frozen=True, slots=True)
class Counted:
    """Of one request."""

    by_area: int
    letter_by_area: int
    kept: int
    letter: int
    missed: int
    needless: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with the lines that are looked at."""

    dig: Dig
    delivered: Sequence[Delivered]
    existing: Existing
    tables: Mapping[UUID, OwnersTable]
    clearances: Clearances


def main() -> None:
    """Print the figures; exit code 1 when something was missed or there were too many warnings."""
    town, clearances = build_town(), load_clearances()
    owners = {owner.cvr: uuid5(_SPACE, owner.cvr) for owner in town.owners}
    lines = [Delivered(owners[owner.cvr], one) for owner in town.owners for one in owner.features]
    areas = demo_areas(town.sites)
    tables = {owners[cvr]: OwnersTable(rows, areas) for cvr, rows in demo_tables(town.sites).items()}
    existing = existing_of(lines, clearances, UNKNOWN_ACCURACY_M)
    digs = {
        site.slug: Dig(site.area, site.work.kind, site.work.method, site.work.depth_m) for site in town.sites
    }
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        terrain = _write_terrain(Path(folder) / "dtm.tif", list(digs.values()))
        grounds = {"none": Ground(), "known": Ground(open_terrain(terrain), _TERRAIN_M)}
        _say(_HEAD)
        for reach, (name, above) in product(("delivered", "50 ft"), grounds.items()):
            each = {}
            for slug, dig in digs.items():
                chosen = _chosen(dig, existing, None if reach == "delivered" else _SCREEN_M)
                asked = Asked(
                    dig, chosen, existing_of(chosen, clearances, UNKNOWN_ACCURACY_M), tables, clearances
                )
                each[slug] = _count(asked, above)
            for slug, one in [*each.items(), ("all", _sum(list(each.values())))]:
                _say((slug, reach, name, *astuple(one)))
                failed |= one.missed > 0 or one.needless > 0 or 3 * one.letter > one.by_area
            said = _sum(list(each.values()))
            sys.stdout.write(
                f"letter {said.letter / said.by_area:.0%} of area; kept {said.kept / said.by_area:.0%} of area; "
                f"letter {said.letter / said.letter_by_area:.0%} of the letter by area\n"
            )
    sys.exit(1 if failed else 0)


def _say(cells: Sequence[object]) -> None:
    sys.stdout.write("".join(f"{cell!s:>11}" for cell in cells) + "\n")


def _chosen(dig: Dig, existing: Existing, screen_m: float | None) -> list[Delivered]:
    """What is delivered for an area, by its band, or lies within a distance; what has no place is, of both."""
    away = shapely.distance(dig.area, existing.geometries)
    reach = existing.half_m if screen_m is None else np.full(len(away), screen_m)
    return [existing.delivered[place] for place in np.flatnonzero(~(away > reach))]


def _count(asked: Asked, above: Ground) -> Counted:
    found = detect_among(asked.dig, asked.existing, asked.clearances, above)
    hits = hits_of_owners(
        asked.dig,
        asked.existing.of_owners(asked.tables.keys()),
        asked.tables,
        request_kind="dig",
        clearances=asked.clearances,
        ground=above,
    )
    owners = sorted(owner for owner in {one.owner_id for one in asked.delivered} if owner is not None)
    told = warnings_of(found, hits, asked.delivered, asked.clearances, owners)
    letter = {(one.owner_id, one.utility_type) for one in told}
    by_area = {(one.owner_id, theme_of(one)) for one in asked.existing.delivered}
    rows_by_area = sum(
        _by_area(row, theme, asked, owner) for owner, theme in by_area if owner for row in _rows(asked, owner)
    )
    missed, needless = _judged(asked, found, above)
    of_rows = {(one.owner_id, one.hit.theme, one.hit.row.priority) for one in hits}
    rows_due = _rows_due(asked)
    missed += len(rows_due - of_rows) if above.terrain is None else 0
    lost = {(one.delivered.owner_id, theme_of(one.delivered)) for one in found} - letter
    lost |= {(owner, theme) for owner, theme, _ in of_rows} - letter
    return Counted(
        by_area=len(asked.existing.numbers) + rows_by_area,
        letter_by_area=len(by_area),
        kept=len(found) + len(hits),
        letter=len(told),
        missed=missed + len(lost),
        needless=needless + len(of_rows - rows_due),
    )


def _rows(asked: Asked, owner: UUID | None) -> Sequence[PrecautionRow]:
    table = asked.tables.get(owner) if owner else None
    return table.rows if table else ()


def _of_theme(row: PrecautionRow, theme: str | None) -> bool:
    return theme is None or not row.themes or theme in row.themes


def _by_area(row: PrecautionRow, theme: str | None, asked: Asked, owner: UUID) -> bool:
    """Whether a table that knows no method, depth, class and distance has the row for this area."""
    areas = [asked.tables[owner].areas[name] for name in row.areas]
    return (
        _of_theme(row, theme)
        and (not row.activities or asked.dig.activity in row.activities)
        and (not areas or any(area.intersects(asked.dig.area) for area in areas))
    )


def _rows_due(asked: Asked) -> set[tuple[UUID, str | None, int]]:
    """The rows that hold, line by line; written for these tables, with what they name."""
    due = set()
    dig, existing = asked.dig, asked.existing
    for place, (owner, _) in enumerate(existing.delivered):
        theme, where = theme_of(existing.delivered[place]), existing.geometries[place]
        away_m = 0.0 if where is None else float(shapely.distance(dig.area, where))
        least_m = round(max(away_m - float(existing.half_m[place]), 0.0), 3)
        for row in _rows(asked, owner):
            areas = [asked.tables[owner].areas[name] for name in row.areas] if owner else []
            holds = (
                _of_theme(row, theme)
                and (not row.activities or dig.activity in row.activities)
                and (not row.methods or dig.method in row.methods)
                and (row.depth_from_m is None or row.depth_from_m <= (dig.depth_m or np.inf))
                and (row.within_m is None or least_m < row.within_m)
                and (not row.classes or theme is None or bool(row.classes & existing.kinds[place].kinds))
                and (
                    not areas
                    or where is None
                    or any(shapely.distance(area, where) <= existing.half_m[place] for area in areas)
                )
            )
            if holds and owner:
                due.add((owner, theme, row.priority))
    return due


def _judged(asked: Asked, found: Sequence[Conflict], above: Ground) -> tuple[int, int]:
    """Lines that were missed, and that are told without need."""
    dig, existing = asked.dig, asked.existing
    told = {one.number for one in found}
    flat = {one.number for one in detect_among(dig, existing, asked.clearances)}
    surely_deep = flat - told if above.terrain is not None else set()
    away = shapely.distance(dig.area, existing.geometries)
    inside, allowed = set(), set()
    for place, number in enumerate(existing.numbers):
        drawn_m = 0.0 if np.isnan(away[place]) else float(away[place])
        least_m = round(max(drawn_m - float(existing.half_m[place]), 0.0), 3)
        near, far = _limits(dig, existing, place, asked.clearances)
        inside |= {number} if least_m < near else set()
        allowed |= {number} if least_m < far else set()
    return len(inside - told - surely_deep), len(told - allowed)


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
