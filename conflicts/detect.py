"""Which lines a dig comes too near: each with its distances, its zone, the rule, how likely it is, and where.

A line is told when it may lie nearer than the farthest distance of the rules for it; the nearest zone that it may lie in
counts. Nothing that is not known makes a line less of a conflict. The result depends on nothing but what is given, and
its order is that of the lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from conflicts.clearances import ZONES, Arrangement, Case, Clearances, Needed, Zone
from conflicts.dig import Dig, footprints
from conflicts.distance import Distances, arrangements, distances, locations
from conflicts.existing import Delivered, Existing, Floats, Geometries, existing_of
from conflicts.vertical import Ground, below_m
from conflicts.zones import in_space, probability, rule_of, zones

_SURFACE = 2


@dataclass(frozen=True, slots=True)
class Conflict:
    """A line that a dig comes, or may come, nearer than a rule allows. Metres."""

    number: int
    """Place of the line among those given."""
    delivered: Delivered
    zone: Zone
    rule: str
    """Id of the rule by which it is in that zone; `unknown-pair`: there is none, and the strictest of all holds."""
    unverified: bool
    """Whether the rule's figure was not read at its source, or stands for one that is not known."""
    limit_m: float
    """Distance of the rule, which is not kept."""
    arrangement: Arrangement
    angle_deg: float | None
    drawn_m: float | None
    """As drawn, in the plane; None of what has no place."""
    least_m: float
    """In the plane, from outside to outside."""
    most_m: float | None
    below_least_m: float | None
    """Of its top below the bottom of the dig; None: not known."""
    below_most_m: float | None
    probability: float
    reasons: tuple[str, ...]
    """What was not known and was taken for the worst; sorted."""
    needed: Needed
    geometry: BaseGeometry | None
    """Where: what of the line lies in the dig, or the shortest way to it. EPSG:25832, in the plane."""


def detect(
    dig: Dig,
    delivered: Sequence[Delivered],
    clearances: Clearances,
    unknown_accuracy_m: float,
    ground: Ground | None = None,
) -> list[Conflict]:
    """Return the conflicts of a dig with features, in their order."""
    in_force = clearances if dig.on is None else clearances.on(dig.on)
    return detect_among(dig, existing_of(delivered, in_force, unknown_accuracy_m), in_force, ground)


def detect_among(
    dig: Dig, existing: Existing, clearances: Clearances, ground: Ground | None = None
) -> list[Conflict]:
    """Return the conflicts of a dig with lines that many digs are held against; all rules given are in force."""
    near = distances(existing, footprints(dig, clearances), clearances.farthest_m)
    if not len(near.which):
        return []
    held = _hold(dig, existing, near, clearances, ground or Ground())
    found_in = zones(in_space(near.least_m, held.below_m), held.needed)
    return [
        _conflict(dig, held, int(hit), ZONES[found_in[hit]])
        for hit in np.flatnonzero(found_in < len(ZONES) - 1)
    ]


@dataclass(frozen=True, slots=True)
class _Held:
    """Lines held against a dig; all but the first two have a value for each of `near.which`."""

    existing: Existing
    near: Distances
    arranged: Sequence[Arrangement]
    angles: Floats
    needed: Sequence[Needed]
    below_m: Floats
    below_most_m: Floats
    where: Geometries


def _hold(dig: Dig, existing: Existing, near: Distances, clearances: Clearances, ground: Ground) -> _Held:
    arranged, angles = arrangements(existing, near)
    activity, method = clearances.activity_of(dig.activity), clearances.method_of(dig.method)
    cases = [
        Case(
            existing.kinds[place].kinds,
            arrangement,
            activity,
            method,
            existing.delivered[place].owner_id,
            existing.kinds[place].known,
        )
        for place, arrangement in zip(near.which.tolist(), arranged, strict=True)
    ]
    below, below_most = below_m(existing, near, dig, ground)
    needed = [clearances.needed(case) for case in cases]
    return _Held(existing, near, arranged, angles, needed, below, below_most, locations(existing, near))


def _conflict(dig: Dig, held: _Held, hit: int, zone: Zone) -> Conflict:
    existing, near, needed, where = held.existing, held.near, held.needed[hit], held.where[hit]
    place = int(near.which[hit])
    rule, unverified, limit_m = rule_of(zone, needed)
    drawn, below, below_most = (
        _known(near.drawn_m[hit]),
        float(held.below_m[hit]),
        _known(held.below_most_m[hit]),
    )
    inside_m = 0.0 if drawn != 0.0 or where is None else _depth_inside(where, near.nearest[hit].geometry)
    likely = 1.0 if drawn is None else probability(
        drawn - inside_m, float(existing.off_m[place]), float(existing.nearer_m[place]), below, needed
    )  # fmt: skip
    return Conflict(
        number=existing.numbers[place],
        delivered=existing.delivered[place],
        zone=zone,
        rule=rule,
        unverified=unverified,
        limit_m=limit_m,
        arrangement=held.arranged[hit],
        angle_deg=_known(held.angles[hit]),
        drawn_m=drawn,
        least_m=float(near.least_m[hit]),
        most_m=_known(near.most_m[hit]),
        below_least_m=None if below_most is None else below,
        below_most_m=below_most,
        probability=likely,
        reasons=_reasons(
            dig, existing, place, needed, depth_known=below_most is not None, placed=drawn is not None
        ),
        needed=needed,
        geometry=where,
    )


def _depth_inside(where: BaseGeometry, ground: BaseGeometry) -> float:
    """How far a line that is drawn in an area would have to move to come out of it, about."""
    if shapely.get_dimensions(ground) != _SURFACE:
        return 0.0
    return float(shapely.distance(shapely.point_on_surface(where), shapely.boundary(ground)))


def _reasons(
    dig: Dig, existing: Existing, place: int, needed: Needed, *, depth_known: bool, placed: bool
) -> tuple[str, ...]:
    band = existing.bands[place]
    said = {f"{one}-unknown" for one in needed.assumed - {"pair"}}
    said |= {"no-rule"} if "pair" in needed.assumed else set()
    said |= {"accuracy-unknown"} if band.accuracy_m is None else set()
    said |= {"size-unknown"} if band.outer_m is None else set()
    said |= {"place-unknown"} if not placed else set()
    said |= {"dig-depth-unknown"} if dig.depth_m is None else set()
    said |= {"line-depth-unknown"} if not depth_known else set()
    return tuple(sorted(said))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
