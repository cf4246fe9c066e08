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
    near = measure(dig, existing, clearances, ground or Ground(), clearances.farthest_m)
    if not len(near.distances.which):
        return []
    held = _hold(dig, existing, near, clearances)
    found_in = zones(near.least_m, held.needed)
    return [
        _conflict(dig, held, int(hit), ZONES[found_in[hit]])
        for hit in np.flatnonzero(found_in < len(ZONES) - 1)
    ]


@dataclass(frozen=True, slots=True)
class Near:
    """How near lines may be to a dig; all have a value for each of `distances.which`. Metres."""

    distances: Distances
    """In the plane."""
    below_m: Floats
    below_most_m: Floats
    """NaN: nobody knows."""
    least_m: Floats
    """In space."""

    def unknown(self, dig: Dig, existing: Existing, hit: int) -> frozenset[str]:
        """Return what of a distance was not known and was taken for the worst."""
        band = existing.bands[int(self.distances.which[hit])]
        said = {
            "accuracy-unknown": band.accuracy_m is None,
            "size-unknown": band.outer_m is None,
            "place-unknown": bool(np.isnan(self.distances.drawn_m[hit])),
            "dig-depth-unknown": dig.depth_m is None,
            "line-depth-unknown": bool(np.isnan(self.below_most_m[hit])),
        }
        return frozenset(name for name, holds in said.items() if holds)


def measure(dig: Dig, existing: Existing, clearances: Clearances, ground: Ground, reach_m: float) -> Near:
    """Return how near to a dig all lines may be that may be within reach of it."""
    near = distances(existing, footprints(dig, clearances), reach_m)
    below, below_most = below_m(existing, near, dig, ground)
    return Near(near, below, below_most, in_space(near.least_m, below))


@dataclass(frozen=True, slots=True)
class _Held:
    """Lines held against a dig; all but the first two have a value for each of `near.distances.which`."""

    existing: Existing
    near: Near
    arranged: Sequence[Arrangement]
    angles: Floats
    needed: Sequence[Needed]
    where: Geometries


def _hold(dig: Dig, existing: Existing, near: Near, clearances: Clearances) -> _Held:
    arranged, angles = arrangements(existing, near.distances)
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
        for place, arrangement in zip(near.distances.which.tolist(), arranged, strict=True)
    ]
    needed = [clearances.needed(case) for case in cases]
    return _Held(existing, near, arranged, angles, needed, locations(existing, near.distances))


def _conflict(dig: Dig, held: _Held, hit: int, zone: Zone) -> Conflict:
    existing, near, needed, where = held.existing, held.near.distances, held.needed[hit], held.where[hit]
    place = int(near.which[hit])
    rule, unverified, limit_m = rule_of(zone, needed)
    drawn, below, below_most = (
        _known(near.drawn_m[hit]),
        float(held.near.below_m[hit]),
        _known(held.near.below_most_m[hit]),
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
        reasons=_reasons(held.near.unknown(dig, existing, hit), needed),
        needed=needed,
        geometry=where,
    )


def _depth_inside(where: BaseGeometry, ground: BaseGeometry) -> float:
    """How far a line that is drawn in an area would have to move to come out of it, about."""
    if shapely.get_dimensions(ground) != _SURFACE:
        return 0.0
    return float(shapely.distance(shapely.point_on_surface(where), shapely.boundary(ground)))


def _reasons(unknown: frozenset[str], needed: Needed) -> tuple[str, ...]:
    said = {f"{one}-unknown" for one in needed.assumed - {"pair"}}
    said |= {"no-rule"} if "pair" in needed.assumed else set()
    return tuple(sorted(said | unknown))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
