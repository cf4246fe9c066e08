"""Conflicts found the slow way: every line against every part of a dig, rule by rule, without index or arrays."""

import math
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid5

import shapely
from shapely.geometry.base import BaseGeometry

from conflicts.dig import Dig
from conflicts.existing import Delivered
from geoapi.demo.town import build_town
from ler.domain.uncertainty import band_of, has_band
from ler.model import Feature, load_model

type Told = tuple[int, str, float | None, float, float | None]
"""Number of the line, zone, distance as drawn, least and most."""

RULES = tomllib.loads(
    (Path(__file__).parents[1] / "conflicts" / "clearances.toml").read_text(encoding="utf-8")
)
TYPES = load_model().types
ZONES = ("no-machine", "hand-dig", "stand-by", "notify")
DUTIES = ("clear", "hand_dig", "stand_by", "notify")
UNKNOWN_M = 5.0
FAR_M = 105.0
"""Farther than the farthest rule, the widest band and what is dug beside the line."""
_SPACE = UUID(int=8)


@cache
def town_lines() -> tuple[Delivered, ...]:
    return tuple(
        Delivered(uuid5(_SPACE, owner.cvr), feature)
        for owner in build_town().owners
        for feature in owner.features
    )


def random_digs(count: int, seed: int) -> Iterator[Dig]:
    chance = Random(seed)
    placed = [one.feature.geometry for one in town_lines() if one.feature.geometry is not None]
    for _ in range(count):
        middle = shapely.centroid(chance.choice(placed))
        x, y = middle.x + chance.uniform(-4, 4), middle.y + chance.uniform(-4, 4)
        turn = chance.uniform(0, math.pi)
        half = chance.uniform(1, 60)
        east, north = half * math.cos(turn), half * math.sin(turn)
        path = shapely.LineString(
            [(x - east, y - north), (x, y + chance.uniform(0, 3)), (x + east, y + north)]
        )
        area: BaseGeometry = chance.choice(
            [
                path,
                shapely.Point(x, y),
                path.buffer(chance.uniform(0.3, 4), cap_style="flat", join_style="mitre"),
                shapely.box(x, y, x + half / 2, y + half / 3),
                shapely.MultiLineString([path, [(x, y), (x - north, y + east)]]),
            ]
        )
        yield Dig(
            area,
            activity=chance.choice([None, "new-line", "road", "building", "other", "vand"]),
            method=chance.choice([None, "hand", "open-trench", "directional-drilling", "other"]),
            depth_m=chance.choice([None, 0.5, 1.5]),
            width_m=chance.choice([None, 0.6]),
        )


@cache
def _placed() -> list[tuple[int, Delivered, Feature, BaseGeometry | None]]:
    """Every line of the town with what tells its place, and that in the plane."""
    lines = [(n, one) for n, one in enumerate(town_lines()) if has_band(TYPES[one.feature.type])]
    holders = {
        (one.owner_id, held): one.feature
        for _, one in reversed(lines)
        for held in _ids(one.feature, "indeholdtLedning")
    }
    found = []
    for number, one in lines:
        place = one.feature
        for _ in range(5):
            if place.geometry is None:
                place = holders.get((one.owner_id, place.gml_id), place)
        place = one.feature if place.geometry is None else place
        found.append(
            (number, one, place, None if place.geometry is None else shapely.force_2d(place.geometry))
        )
    return found


@cache
def _joined() -> dict[Any, set[str]]:
    return _joints(town_lines())


def brute(dig: Dig) -> list[Told]:
    """Return the conflicts of a dig with the lines of the town."""
    parts = list(_parts(dig))
    found = []
    for number, (owner, feature), place, line in _placed():
        if line is not None and line.distance(dig.area) > FAR_M:
            continue
        drawn, least, most = _distances(place, line, parts)
        kinds = frozenset(_kinds(owner, feature, _joined()))
        limits = limits_of(dig.activity, dig.method, kinds, _arranged(feature, line, parts, drawn))
        zone = next((name for name, limit in zip(ZONES, limits, strict=True) if least < limit), None)
        if zone is not None:
            found.append((number, zone, drawn, least, most))
    return found


def _parts(dig: Dig) -> Iterator[tuple[BaseGeometry, float, float]]:
    sort = next((name for name, one in RULES["method"].items() if dig.method in one["codes"]), None)
    off = RULES["method"][sort].get("own_tolerance", 0.0) if sort else 0.0
    width = 1.0 if dig.width_m is None else dig.width_m
    for part in getattr(dig.area, "geoms", [dig.area]):
        if part.geom_type == "Polygon":
            yield part, 0.0, off
        elif part.geom_type == "LineString":
            yield part, width / 2, off
            if sort == "trenchless":
                yield shapely.Point(part.coords[0]), math.sqrt(2), 0.0
                yield shapely.Point(part.coords[-1]), math.sqrt(2), 0.0
        else:
            yield part, (2.0 if dig.width_m is None else dig.width_m) / math.sqrt(2), 0.0


def _distances(
    place: Feature, line: BaseGeometry | None, parts: Sequence[tuple[BaseGeometry, float, float]]
) -> tuple[float | None, float, float | None]:
    if line is None:
        return None, 0.0, None
    band = band_of(place, TYPES[place.type], UNKNOWN_M)
    may_be_off = UNKNOWN_M if band.accuracy_m is None else band.accuracy_m
    half_size = 0.0 if band.outer_m is None else band.outer_m / 2
    each = [(max(part.distance(line) - half, 0.0), off) for part, half, off in parts]
    least = round(min(max(drawn - off - band.half_width_m, 0.0) for drawn, off in each), 3)
    most = min(max(drawn + off + may_be_off - half_size, 0.0) for drawn, off in each)
    return min(drawn for drawn, _ in each), least, max(most, least)


def _arranged(
    feature: Feature,
    line: BaseGeometry | None,
    parts: Sequence[tuple[BaseGeometry, float, float]],
    drawn: float | None,
) -> str:
    if feature.type == "Elledning" and (
        feature.attributes.get("niveau") == "over terræn" or feature.attributes.get("type") == "luftledning"
    ):
        return "overhead"
    if drawn is None or round(drawn, 3) > 0 or line is None:
        return "parallel"
    if TYPES[feature.type].is_a("Ledningskomponent"):
        return "above"
    met = min(parts, key=lambda part: max(part[0].distance(line) - part[1], 0.0))[0]
    angle = _angle(line, met)
    return "crossing" if angle is not None and angle >= 30 else "parallel"


def _angle(line: BaseGeometry, met: BaseGeometry) -> float | None:
    if line.geom_type not in {"LineString", "MultiLineString"}:
        return None
    if met.geom_type == "LineString":
        here = shapely.Point(shapely.shortest_line(line, met).coords[0])
        ways = [_bearing(min(getattr(one, "geoms", [one]), key=lambda part: part.distance(here)), here) for one in (line, met)]  # fmt: skip
        apart = abs(ways[0] - ways[1]) % 180
        return min(apart, 180 - apart)
    if met.geom_type != "Polygon":
        return None
    half, size = met.length / 2, met.area
    if half**2 < 6 * size:
        return None
    width = (half - math.sqrt(half**2 - 4 * size)) / 2
    inside = line.intersection(met)
    chord = max((part.length for part in getattr(inside, "geoms", [inside])), default=0.0)
    return math.degrees(math.asin(min(width / chord, 1.0))) if chord else None


def _bearing(path: BaseGeometry, here: shapely.Point) -> float:
    at = path.project(here)
    start, end = path.interpolate(max(at - 0.5, 0.0)), path.interpolate(min(at + 0.5, path.length))
    return math.degrees(math.atan2(end.y - start.y, end.x - start.x))


@cache
def limits_of(activity: str | None, method: str | None, kinds: frozenset[str], arranged: str) -> list[float]:
    themes = {one.get("theme") for one in RULES["utility"].values()} - {None}
    activities = [
        name
        for name, one in RULES["activity"].items()
        if activity in one["codes"] or (activity in themes and name == "laying")
    ]
    methods = [name for name, one in RULES["method"].items() if method in one["codes"]]
    limits = [0.0] * 4
    runs = {"parallel", "crossing", "above"} if arranged == "above" else {arranged}
    for kind, acting, how in product(
        kinds,
        activities or list(RULES["activity"]),
        methods or list(RULES["method"]),
    ):
        such = [
            rule
            for rule in RULES["rule"]
            if acting in rule.get("activities", [acting])
            and how in rule.get("methods", [how])
            and runs & {*rule.get("arrangements", ["parallel", "crossing", "above"])}
        ]
        for_it = [rule for rule in such if kind in rule.get("utilities", [kind])]
        for place, duty in enumerate(DUTIES):
            every = [
                rule[name]
                for rule in such
                for name in DUTIES[: place + 1]
                if isinstance(rule.get(name), float)
            ]
            strictest = max(every, default=0.0)
            said = [strictest if rule[duty] == "unknown" else rule[duty] for rule in for_it if duty in rule]
            limits[place] = max([limits[place], *(said if for_it else [strictest])])
    return [max(limits[: place + 1]) for place in range(4)]


def _kinds(owner: UUID | None, feature: Feature, joints: dict[Any, set[str]]) -> set[str]:
    own, known = _own_kinds(feature)
    joined = joints.get((owner, feature.gml_id), set()) & own
    return own if known or not joined else joined


def _joints(lines: Sequence[Delivered]) -> dict[Any, set[str]]:
    found: dict[Any, set[str]] = {}
    by_id = {(owner, feature.gml_id): feature for owner, feature in lines}
    for owner, feature in lines:
        if not has_band(TYPES[feature.type]):
            continue
        kinds, known = _own_kinds(feature)
        if known:
            for name in ("startkomponent", "slutkomponent"):
                for joint in _ids(feature, name):
                    found.setdefault((owner, joint), set()).update(kinds)
        for line in _ids(feature, "tilknyttetLedning"):
            if (owner, line) in by_id:
                its, told = _own_kinds(by_id[owner, line])
                if told:
                    found.setdefault((owner, feature.gml_id), set()).update(its)
        inside = [by_id.get((owner, line)) for line in _ids(feature, "indeholdtLedning")]
        theirs = [_own_kinds(line) if line else (set[str](), False) for line in inside]
        all_of_them = {kind for some, _ in theirs for kind in some if kind in kinds}
        utilities = {kind.split(".")[0] for kind in kinds}
        if all(told for _, told in theirs) and {kind.split(".")[0] for kind in all_of_them} == utilities:
            found.setdefault((owner, feature.gml_id), set()).update(all_of_them)
    return found


def _own_kinds(feature: Feature) -> tuple[set[str], bool]:
    themes = {one.get("theme"): name for name, one in RULES["utility"].items() if one.get("theme")}
    found, known = set(), True
    for theme in feature.utility_types(TYPES[feature.type]) or [""]:
        name = themes.get(theme, "unknown")
        classes = RULES["utility"][name].get("classes", {})
        told = {key for key, one in classes.items() if feature.attributes.get("type") in one.get("types", [])}
        for attribute, bound in (("spaendingsniveau", "at_most_kv"), ("tryk", "at_most_bar")):
            value = feature.attributes.get(attribute)
            if isinstance(value, float | int) and any(bound in one for one in classes.values()):
                told.add(next(key for key, one in classes.items() if value <= one.get(bound, math.inf)))
        known = known and (bool(told) or not classes)
        found |= {f"{name}.{key}" for key in told or classes} or {name}
    return found, known


def _ids(feature: Feature, name: str) -> list[str]:
    value = feature.attributes.get(name)
    return [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]
